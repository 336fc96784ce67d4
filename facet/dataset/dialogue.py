"""Dialogues written down as plain text: “Human: … Assistant: …”, “Q: … A: …”. Found by the beginnings of lines."""

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from facet.dataset import budget

_QUESTIONS = "q question instruction frage pregunta domanda pergunta вопрос 问 问题".split()
_ANSWERS = "a answer response antwort respuesta risposta resposta réponse reponse ответ 答 答案".split()
_PEOPLE = "human user customer person prompter visitor you me nutzer benutzer usuario utente utilisateur".split()
_MODELS = "assistant bot chatbot ai gpt chatgpt model gemma agent assistent asistente assistente".split()
_SPEAKERS: dict[str, str] = {
    **dict.fromkeys(_QUESTIONS, "question"),
    **dict.fromkeys(_ANSWERS, "answer"),
    **dict.fromkeys(_PEOPLE, "user"),
    **dict.fromkeys(_MODELS, "assistant"),
    "system": "system",
}
# “User: hi”, “**User:** hi”, “### Human:”, “Q1. …” is no turn, “Q1: …” is one
_TURN = re.compile(
    rf"[ \t]*(?:\#{{1,6}}[ \t]*|\*\*|__)?({'|'.join(sorted(_SPEAKERS, key=len, reverse=True))})[ \t]?\d{{0,4}}"
    r"(?:\*\*|__)?[ \t]*[:：](?:\*\*|__)?[ \t]*(.*)",
    re.IGNORECASE | re.DOTALL,
)
_BETWEEN = re.compile(r"[ \t]*(?:-{3,}|={3,}|\*{3,}|_{3,}|<\|endoftext\|>|</s>|\f)[ \t]*")
_MOST_OPENING_LINES = 10


@dataclass(frozen=True)
class DialogueStyle:
    """How a dialogue is written: pairs of question and answer, or conversations and what lies between two of them."""

    pairs: bool
    between: str = "turn"  # "line" of dashes, "blank" line, or every "turn" of the person

    @property
    def names(self) -> list[str]:
        return ["question", "answer"] if self.pairs else ["messages"]

    @property
    def words(self) -> str:
        if self.pairs:
            return "The text was read as questions and answers, by the beginnings of its lines."
        ends = {
            "line": "a line of dashes ends a conversation",
            "blank": "a blank line ends a conversation",
            "turn": "each question with its answer is one row; lines “---” between conversations keep them whole",
        }
        return f"The text was read as conversations, by the beginnings of its lines: {ends[self.between]}."


def turn_of(line: str) -> tuple[str, str] | None:
    """Who speaks and what is said, where a line begins a turn. The speaker is one of the values of `_SPEAKERS`."""
    found = _TURN.fullmatch(line)
    return (_SPEAKERS[found[1].lower()], found[2]) if found else None


def style_of(head: str) -> DialogueStyle | None:
    """How the dialogue is written that a text begins with; None when it is none."""
    lines = head.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    filled = [line for line in lines if line.strip("\ufeff \t")]
    said = [turn[0] for line in filled if (turn := turn_of(line.removeprefix("\ufeff")))]
    opens = next((place for place, line in enumerate(filled) if turn_of(line.removeprefix("\ufeff"))), None)
    if opens is None or opens > _MOST_OPENING_LINES:
        return None
    for asks, answers in (("question", "answer"), ("user", "assistant")):
        both = min(said.count(asks), said.count(answers))
        if both and (opens == 0 or both >= 3) and both * 2 >= len(said) * 0.6:
            return DialogueStyle(True) if asks == "question" else DialogueStyle(False, _between(lines))
    return None


def _between(lines: list[str]) -> str:
    if any(_BETWEEN.fullmatch(line) for line in lines):
        return "line"
    turns = [place for place, line in enumerate(lines) if turn_of(line.removeprefix("\ufeff"))]
    for before, place in itertools.pairwise(turns):
        if all(lines[between].strip() for between in range(before, place)):
            return "blank"  # two turns with no blank line between them: blank lines mean something
    return "turn"


def conversations(lines: Iterable[str], style: DialogueStyle) -> Iterator[dict[str, Any]]:
    """Rows with `question` and `answer`, or with `messages`."""
    turns: list[list[str]] = []  # [speaker, line, line, …] each
    blank = False
    size = 0
    for number, line in enumerate(lines, start=1):
        turn = turn_of(line)
        if turns and _is_new(turn, line, blank, turns, style):
            yield from _row(turns, style)
            turns, size = [], 0
        blank = not line.strip()
        if turn:
            turns.append([turn[0], turn[1]])
        elif turns and not _BETWEEN.fullmatch(line):
            turns[-1].append(line)
            size += len(line)
            if size > budget.MOST_LINE_CHARACTERS:
                raise budget.line_too_long(number)
    yield from _row(turns, style)


def _is_new(turn: tuple[str, str] | None, line: str, blank: bool, turns: list[list[str]], style: DialogueStyle) -> bool:
    """Whether a line ends the row before it."""
    if _BETWEEN.fullmatch(line) and (style.between == "line" or line == "\f"):
        return True
    if turn is None:
        return False
    asks = turn[0] in ("question", "user", "system")
    answered = any(speaker in ("answer", "assistant") for speaker, *_ in turns)
    if style.pairs:
        return turn[0] == "question" or len(turns) >= 2
    if turn[0] == "system" and answered:
        return True
    if style.between == "turn":
        return asks and answered
    return style.between == "blank" and blank and asks


def _row(turns: list[list[str]], style: DialogueStyle) -> Iterator[dict[str, Any]]:
    if not turns:
        return
    said = [(speaker, "\n".join(lines).strip()) for speaker, *lines in turns]
    if style.pairs:
        texts = dict(reversed(said))
        yield {"question": texts.get("question"), "answer": texts.get("answer")}
    else:
        roles = {"question": "user", "answer": "assistant"}
        yield {"messages": [{"role": roles.get(speaker, speaker), "content": text} for speaker, text in said]}
