"""What a test asks: questions read from the parts of a dataset, and which of them were learned from. No torch here."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from facet.dataset.conversation import Conversation, DatasetType, Example
from facet.dataset.store import length, whole_examples
from facet.exam.outcome import Contestant, Question
from facet.workspace import write_text


@dataclass(frozen=True)
class Found:
    """The questions of a part, and how many rows are none, by reason."""

    questions: list[Question] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def questions_of(file: Path, part: str, kind: DatasetType, most: int | None = None) -> Found:
    """Questions of a Parquet part. Of more than `most` rows every so-and-so-many-th is taken, always the same."""
    found, rows = Found(), length(file)
    for position, (row, example) in enumerate(whole_examples(file)):
        if not _is_drawn(position, rows, most):
            continue
        question = question_of(part, row, example, kind)
        if isinstance(question, str):
            found.left_out[question] += 1
        else:
            found.questions.append(question)
    return found


def prompts_of(file: Path, part: str, kind: DatasetType) -> Found:
    """Every row of a Parquet part that asks something, also where nothing is expected."""
    found = Found()
    for row, example in whole_examples(file):
        question = question_of(part, row, example, kind)
        turns = example["messages"][:-1] if kind == "unpaired_preference" else example["messages"]
        if isinstance(question, str) and not example.get("images") and turns and turns[-1]["role"] in ("user", "tool"):
            question = Question(part, row, turns, "", tools=example.get("tools", ""))
        if isinstance(question, str) or not question.messages:
            found.left_out["ask nothing" if kind == "text" else str(question)] += 1
        else:
            found.questions.append(question)
    return found


def _is_drawn(position: int, rows: int, most: int | None) -> bool:
    """`most` of all positions, evenly spread."""
    return most is None or rows <= most or (position + 1) * most // rows > position * most // rows


def question_of(part: str, row: int, example: Example, kind: DatasetType) -> Question | str:
    """What to ask and what is expected; or why this row is no question, as a sentence goes on after a number."""
    if example.get("images"):
        return "show a picture, which a test does not"
    tools, turns = example.get("tools", ""), example["messages"]
    match kind:
        case "text":
            text = example.get("text", "")
            return Question(part, row, [], text) if text.strip() else "are empty"
        case "preference":
            chosen, rejected = _last_text(example.get("chosen")), _last_text(example.get("rejected"))
            return Question(part, row, turns, chosen, rejected, tools) if chosen and rejected else "have no answer"
        case "prompt_only":
            expected = example.get("reference", "")
            return Question(part, row, turns, expected, tools=tools) if expected else "have no answer to compare with"
        case "unpaired_preference" if not example.get("label"):
            return "have a thumb down, and so no answer to compare with"
    at = _answered_at(turns)
    return Question(part, row, turns[:at], turns[at]["content"], tools=tools) if at else "have no answer"


def _last_text(turns: Conversation | None) -> str:
    return turns[-1]["content"] if turns else ""


def _answered_at(turns: Conversation) -> int:
    """Place of the last answer that is learned; 0 where there is none, for a question comes before it."""
    for at in range(len(turns) - 1, 0, -1):
        turn = turns[at]
        is_answer = turn["role"] == "assistant" and turn["content"].strip() and turn.get("weight", 1)
        if is_answer and turns[at - 1]["role"] in ("user", "tool"):
            return at
    return 0


def messages_for(contestant: Contestant, question: Question) -> Conversation:
    """The conversation as this contestant reads it: with its own instructions, and its examples before."""
    system = [turn for turn in question.messages if turn["role"] == "system"]
    if contestant.system:
        system = [{"role": "system", "content": contestant.system}]
    shown = [turn for shot in contestant.shots for turn in shot if turn["role"] != "system"]
    return [*system, *shown, *(turn for turn in question.messages if turn["role"] != "system")]


# ---- which were learned from
def learned_before(questions: Sequence[Question], train: Path, kind: DatasetType) -> int:
    """How many of these questions stand in this train part with the same answer, but for spaces and capitals."""
    asked = {_print(question): 0 for question in questions}
    if not asked or not train.is_file():
        return 0
    for row, example in whole_examples(train):
        learned = question_of("train", row, example, kind)
        if not isinstance(learned, str) and (found := _print(learned)) in asked:
            asked[found] += 1
    return sum(asked[_print(question)] > 0 for question in questions)


def _print(question: Question) -> bytes:
    turns = [turn["content"] for turn in question.messages if turn["role"] != "system"]
    text = "\x1e".join(" ".join(text.casefold().split()) for text in (*turns, question.expected))
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


# ---- on disk
def write_questions(file: Path, questions: Sequence[Question]) -> None:
    write_text(file, "".join(json.dumps(asdict(question), ensure_ascii=False) + "\n" for question in questions))


def read_questions(folder: Path) -> Iterator[Question]:
    """Questions of a test's folder; none before they were written."""
    file = folder / "questions.jsonl"
    if file.exists():
        with open(file, encoding="utf-8") as lines:
            yield from (Question(**json.loads(line)) for line in lines)
