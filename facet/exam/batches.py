"""Batches as a person meets them: start one, look through its answers as they come, take them home. No torch here."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from facet.dataset import limited
from facet.dataset.shelf import LONGEST_PREPARATION_SECONDS, Say, Shelf
from facet.dataset.split import PARTS
from facet.errors import NotFoundError, SettingError
from facet.exam.answers import BATCH, answers_file, read_answers
from facet.exam.outcome import Answer, Question
from facet.exam.plan import contestants_of
from facet.exam.questions import read_questions
from facet.exam.results import require_form, write_csv, write_jsonl
from facet.exam.targets import Found, Targets
from facet.identity import Grant, Person
from facet.model.decoding import Decoding
from facet.model.source import BaseSource
from facet.work.conductor import Looking
from facet.work.log import Progress
from facet.work.task import Task, Where
from facet.workspace import Workspace, clean_name, new_id, read_about, read_json, update_about, whole_or_gone

Which = Literal["all", "answered", "open", "differ"]
MOST_TOGETHER = 4  # models that answer one file


@dataclass(frozen=True)
class BatchCard:
    """A batch in a list. `contestants` are names by key."""

    id: str
    name: str
    created: float
    source: str  # name of the dataset or of the file
    part: str
    contestants: dict[str, str]
    progress: Progress


@dataclass(frozen=True)
class BatchRow:
    """One row of the table: what was asked, what the data expects, and what each model said so far, by name."""

    row: int
    input: str
    expected: str
    answers: dict[str, str]
    cut: tuple[str, ...] = ()  # names of those whose answer reached its limit
    is_open: bool = False  # somebody has not answered yet


@dataclass
class Batches:
    """They lie beside the tests. `place` says where a model computes."""

    workspace: Workspace
    shelf: Shelf
    targets: Targets
    place: Callable[[BaseSource], Where]
    look: Callable[[Path], Progress] = field(default_factory=Looking)

    def create(
        self,
        person: Person,
        targets: Sequence[str],
        dataset_id: str | None,
        part: str,
        upload_id: str | None,
        mapping: dict[str, Any] | None,
        decoding: Decoding,
        grant: Grant | None,
    ) -> str:
        """See `ExamDoor.start_batch`."""
        found = self.targets.find(person, targets, grant, MOST_TOGETHER)
        if dataset_id:
            return self._of_part(person, found, self.shelf.folder(person, dataset_id), part, decoding)
        if not upload_id:
            raise SettingError(
                "There is nothing to answer.",
                "Neither a dataset nor a file was chosen.",
                "Choose one of your datasets, or bring a file.",
            )
        return self.of_file(person, found, upload_id, mapping, decoding)

    def _of_part(self, person: Person, found: list[Found], data: Path, part: str, decoding: Decoding) -> str:
        if part not in PARTS:
            raise SettingError("This part does not exist.", f"A dataset has {', '.join(PARTS)}.", "Choose one of them.")
        summary = read_json(data / "dataset.json")

        def fill(task: Task) -> None:
            for name in ("dataset.json", f"{part}.parquet"):
                task.link_in(data / name, f"data/{name}")

        return self._made(person, found, summary["name"], part, decoding, fill)

    def of_file(
        self,
        person: Person,
        found: list[Found],
        upload_id: str,
        mapping: dict[str, Any] | None,
        decoding: Decoding,
        say: Say | None = None,
    ) -> str:
        """The whole file, none of it kept aside; the batch appears once its rows are there.

        Raises: `DataError` when no row of it can be used.
        """
        readable = self.shelf.readable(person, upload_id, None)
        name = clean_name(Path(readable["original_name"]).stem)
        rows = self.workspace.shelf(person, "exams") / f".{new_id(name)}"
        rows.mkdir()
        try:
            into = {"into": str(rows), "name": name, "mapping": mapping, "test_size": 0.0, "validation_size": 0.0}
            limited.call("prepare", readable | into, seconds=LONGEST_PREPARATION_SECONDS, on_progress=say)
            return self._made(person, found, name, "train", decoding, lambda task: rows.rename(task.folder / "data"))
        finally:
            shutil.rmtree(rows, ignore_errors=True)

    def _made(
        self,
        person: Person,
        found: list[Found],
        name: str,
        part: str,
        decoding: Decoding,
        fill: Callable[[Task], object],
    ) -> str:
        folder = self.workspace.create(person, "exams", name)
        with whole_or_gone(folder):
            contestants = [one.contestant for one in found]
            runs = sorted({one.run_id for one in contestants if one.run_id})
            names = {one.key: one.name for one in contestants}
            update_about(folder, kind="batch", source=name, part=part, runs=runs, contestants=names)
            task = Task(folder)
            fill(task)
            for one in found:
                one.link_into(task)
            bases = [BaseSource.of(one.base) for one in contestants]
            task.move_to("zerogpu" if "zerogpu" in map(self.place, bases) else "local")
            request = {
                "base": bases[0].as_dict(),
                "contestants": [asdict(one) for one in contestants],
                "part": part,
                "decoding": decoding.as_dict(),
            }
            Task.create(folder, "batch", request)
        return folder.name

    # ---- how they stand
    def card(self, person: Person, batch_id: str) -> BatchCard:
        folder = self.workspace.find(person, "exams", batch_id)
        if not is_batch(folder):
            raise NotFoundError.of("batch")
        return self._card(folder)

    def cards(self, person: Person) -> list[BatchCard]:
        folders = self.workspace.all(person, "exams")
        return [self._card(folder) for folder in folders if is_batch(folder)]

    def _card(self, folder: Path) -> BatchCard:
        about = read_about(folder)
        names, part = about.get("contestants") or {}, about.get("part", "")
        source, created = about.get("source", ""), about.get("created", 0.0)
        return BatchCard(folder.name, about.get("name", folder.name), created, source, part, names, self.look(folder))

    def rows(
        self, person: Person, batch_id: str, search: str, only: Which, start: int, count: int
    ) -> tuple[list[BatchRow], int]:
        """See `ExamDoor.batch_rows`."""
        wanted = search.casefold().split()
        mine = [
            row
            for row in self._rows(self.workspace.find(person, "exams", batch_id))
            if _is(row, only) and all(word in _searched(row) for word in wanted)
        ]
        start, count = max(0, start), max(0, min(count, 1000))
        return mine[start : start + count], len(mine)

    def _rows(self, folder: Path) -> list[BatchRow]:
        contestants = contestants_of(Task(folder).request)
        files = {one.name: answers_file(folder, BATCH, one.key) for one in contestants}
        given = {name: _answers(file, _stamp(file)) for name, file in files.items()}
        questions = _questions(folder, _stamp(folder / "questions.jsonl"))
        return [_row(question, given) for question in questions]

    def download(self, person: Person, batch_id: str, form: str) -> Path:
        """See `ExamDoor.download_batch`."""
        folder = self.workspace.find(person, "exams", batch_id)
        place = self.workspace.create(person, "exports", read_about(folder).get("name", "batch"))
        with whole_or_gone(place):
            file = place / f"{folder.name}.{require_form(form)}"
            rows = self._rows(folder)
            if form == "jsonl":
                write_jsonl(file, (asdict(row) for row in rows))
            else:
                names = [one.name for one in contestants_of(Task(folder).request)]
                write_csv(file, ["row", "input", "expected", *names], _flat(rows))
            return file


def is_batch(folder: Path) -> bool:
    try:
        return Task(folder).kind == "batch"
    except (OSError, ValueError, KeyError):
        return False


def _stamp(file: Path) -> tuple[int, int]:
    try:
        about = file.stat()
    except OSError:
        return 0, 0
    return about.st_mtime_ns, about.st_size


@lru_cache(maxsize=16)
def _answers(file: Path, stamp: tuple[int, int]) -> Mapping[int, Answer]:
    return read_answers(file)


@lru_cache(maxsize=4)
def _questions(folder: Path, stamp: tuple[int, int]) -> tuple[Question, ...]:
    return tuple(read_questions(folder))


def _row(question: Question, given: Mapping[str, Mapping[int, Answer]]) -> BatchRow:
    mine = {name: answers[question.row] for name, answers in given.items() if question.row in answers}
    cut = tuple(name for name, answer in mine.items() if answer.ended == "length")
    said = {name: answer.text for name, answer in mine.items()}
    is_open = len(mine) < len(given)
    return BatchRow(question.row, question.messages[-1]["content"], question.expected, said, cut, is_open)


def _searched(row: BatchRow) -> str:
    return "\n".join([row.input, row.expected, *row.answers.values()]).casefold()


def _is(row: BatchRow, only: Which) -> bool:
    match only:
        case "answered":
            return not row.is_open
        case "open":
            return row.is_open
        case "differ":
            return len({" ".join(text.split()) for text in row.answers.values()}) > 1
    return True


def _flat(rows: Sequence[BatchRow]) -> Iterator[dict[str, Any]]:
    return ({"row": row.row, "input": row.input, "expected": row.expected, **row.answers} for row in rows)
