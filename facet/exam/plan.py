"""What a test is going to ask, worked out once before any model is loaded, and kept in `plan.json`. No torch here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from facet.dataset.conversation import DatasetType
from facet.dataset.render import Renderer
from facet.errors import DataError
from facet.exam import kinds
from facet.exam.outcome import Contestant, ExamType, Question
from facet.exam.questions import Found, learned_before, questions_of, read_questions, write_questions
from facet.exam.reading import Read, fitting_length, read_all
from facet.exam.spelling import NOTE, as_learned, is_unified
from facet.gemma.inspect import inspect
from facet.model.source import BaseSource
from facet.workspace import read_json, write_json

MOST_TAUGHT = 5_000  # answers of the train part that are looked at to see what kind they are


@dataclass(frozen=True)
class Plan:
    """`rows` are those of each part that are asked; `notes` are sentences for people."""

    type: ExamType
    rows: dict[str, list[int]]
    decoding: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    asks: bool = True  # False for plain text, which is only read

    @classmethod
    def of(cls, folder: Path) -> "Plan":
        saved = read_json(folder / "plan.json")
        type = ExamType(**{**saved["type"], "labels": tuple(saved["type"]["labels"])})
        return cls(type, saved["rows"], saved["decoding"], saved["notes"], saved["asks"])


def contestants_of(request: Mapping[str, Any]) -> list[Contestant]:
    return [Contestant.of(one) for one in request["contestants"]]


def questions_by_part(folder: Path) -> dict[str, list[Question]]:
    parts: dict[str, list[Question]] = {}
    for question in read_questions(folder):
        parts.setdefault(question.part, []).append(question)
    return parts


def planned(folder: Path, request: Mapping[str, Any], models: Path, say: Callable[[str], None]) -> Plan:
    """The plan of a test's folder, made now if it was not made before.

    Raises: `DataError` when there is nothing to ask.
    """
    if (folder / "plan.json").exists():
        return Plan.of(folder)
    say("Reading the questions")
    kind: DatasetType = read_json(folder / "data" / "dataset.json").get("type", "conversation")
    found = {part: questions_of(_file(folder, part), part, kind, request.get("most")) for part in request["parts"]}
    learned = _learned_answers(folder, kind)
    found, spelled = _spelled(folder, found, learned)
    type = _type(request, found, kind, learned)
    say("Turning the questions into tokens")
    contestants = contestants_of(request)
    reads = _read(contestants, found, models, request.get("max_length"))
    limit = (request["decoding"] or {}).get("max_new_tokens") or _limit(reads)
    fits = {part: _fitting(found[part].questions, reads[part], limit) for part in found}
    notes = [*_left_out(found, fits), *spelled, *_learned(folder, fits, request, kind)]
    rows = {part: [question.row for question in questions] for part, questions in fits.items() if questions}
    if not rows:
        raise _nothing(found)
    made = Plan(type, rows, (request["decoding"] or {}) | {"max_new_tokens": limit}, notes, kind != "text")
    write_questions(folder / "questions.jsonl", [question for part in rows for question in fits[part]])
    write_json(folder / "plan.json", asdict(made))
    return made


def _file(folder: Path, part: str) -> Path:
    return folder / "data" / f"{part}.parquet"


def _learned_answers(folder: Path, kind: DatasetType) -> list[Question]:
    train = _file(folder, "train")
    return questions_of(train, "train", kind, MOST_TAUGHT).questions if train.is_file() else []


def _spelled(folder: Path, found: dict[str, Found], learned: Sequence[Question]) -> tuple[dict[str, Found], list[str]]:
    """Labels as the repaired data writes them, and what people should know of that."""
    if not is_unified(folder / "data"):
        return found, []
    taught = {question.expected for question in learned}
    read = {part: replace(one, questions=as_learned(one.questions, taught)) for part, one in found.items()}
    return read, [NOTE.format(part=part) for part, one in found.items() if read[part].questions != one.questions]


def _type(
    request: Mapping[str, Any], found: Mapping[str, Found], kind: DatasetType, learned: Sequence[Question]
) -> ExamType:
    """As the person wants it, or as the answers show."""
    taught = [question.expected for question in learned]
    asked = [question for part in found.values() for question in part.questions]
    follows = kinds.exam_type(asked or learned, kind, None, taught=taught)
    wanted = request.get("type")
    if not wanted or wanted["name"] == follows.name:
        return follows
    labels: list[str] = []
    if wanted["name"] == "classification":
        labels = sorted({text.strip() for text in (*taught, *(question.expected for question in asked))})
    return ExamType(wanted["name"], tuple(wanted.get("labels") or labels), "This type was chosen by hand.")


Reads = dict[str, list[tuple[list[Read], int]]]  # part → for each contestant: its reads, and what its model can read


def _read(contestants: Sequence[Contestant], found: Mapping[str, Found], models: Path, max_length: int | None) -> Reads:
    reads: Reads = {part: [] for part in found}
    loaded: tuple[Path, Renderer, int] | None = None
    for contestant in contestants:
        base = BaseSource.of(contestant.base).folder(models)
        if loaded is None or loaded[0] != base:
            loaded = (base, Renderer.load(base), inspect(base).context_length)
        for part, one in found.items():
            length = min(max_length, loaded[2]) if max_length else loaded[2]
            reads[part].append((read_all(loaded[1], contestant, one.questions, length), loaded[2]))
    return reads


def _limit(reads: Reads) -> int:
    return fitting_length([read for part in reads.values() for read in (part[0][0] if part else [])])


def _fitting(questions: Sequence[Question], reads: list[tuple[list[Read], int]], limit: int) -> list[Question]:
    """Those that every contestant can read, with room for its answer: all answer the same."""
    return [
        question
        for at, question in enumerate(questions)
        if all(len(read[at].prompt) + limit <= context for read, context in reads)
    ]


# ---- what people should know
def _left_out(found: Mapping[str, Found], fits: Mapping[str, Sequence[Question]]) -> list[str]:
    notes = []
    for part, one in found.items():
        rows = len(one.questions) + sum(one.left_out.values())
        if not rows:
            notes.append(f"The {part} part is empty, so there is nothing to ask from it.")
        for why, count in one.left_out.items():
            notes.append(f"Of the {part} part, {count:,} of {rows:,} rows {why}; they are left out.")
        too_long = len(one.questions) - len(fits[part])
        if too_long:
            notes.append(
                f"Of the {part} part, {too_long:,} of {rows:,} questions are longer than one of the models can read; "
                "they are left out."
            )
    return notes


def _learned(
    folder: Path, fits: Mapping[str, Sequence[Question]], request: Mapping[str, Any], kind: DatasetType
) -> list[str]:
    """Which of the questions a model has seen: what it knows of them by heart says nothing about others."""
    notes = []
    names = {one.run_id: one.name for one in contestants_of(request) if one.run_id}
    for run_id, name in names.items():
        place = folder / "trained" / run_id
        if not (place / "train.parquet").is_file():
            notes.append(f"What {name} learned from is not known here; it may have learned from these questions.")
            continue
        learned: DatasetType = read_json(place / "dataset.json").get("type", kind)
        for part, questions in fits.items():
            if seen := learned_before(questions, place / "train.parquet", learned):
                were = "was" if seen == 1 else "were"
                notes.append(
                    f"{seen:,} of the {len(questions):,} questions of the {part} part {were} among the examples that "
                    f"{name} learned from, so its result there is better than it is on new questions."
                )
    return notes


def _nothing(found: Mapping[str, Found]) -> DataError:
    reasons = [f"{count:,} {why}" for one in found.values() for why, count in one.left_out.items()]
    why = "The validation and the exam part of this dataset hold no usable example."
    return DataError(
        "There is nothing to test on.",
        f"Of the rows kept aside {' and '.join(reasons)}." if reasons else why,
        "Prepare the data again with a larger “Set aside for the exam”.",
    )
