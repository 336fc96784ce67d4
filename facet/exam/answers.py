"""Answers on disk, in files of their own for each part and contestant. No torch here.

What a model says is kept as it says it (`Said`): its words do not depend on who is asked beside it. How likely it finds
the right answer is measured afterwards in groups of a fixed size (`Measured`), and a group that was not finished is
measured again: so the last digit is the same, however often the work was cut.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from facet.exam.outcome import Answer
from facet.workspace import write_text

GENERAL = "general"  # in place of a part: the check that is the same for every model
BATCH = "batch"  # the rows of a batch


def answers_file(folder: Path, part: str, key: str) -> Path:
    return folder / "answers" / f"{part}.{key}.jsonl"


def said_file(folder: Path, part: str, key: str) -> Path:
    """Answers whose likelihoods are not measured yet."""
    return folder / "said" / f"{part}.{key}.jsonl"


def reused_file(folder: Path, part: str, key: str) -> Path:
    """Answers that an earlier test got to the same questions."""
    return folder / "reused" / f"{part}.{key}.jsonl"


def read_answers(file: Path) -> dict[int, Answer]:
    """By row. A line that a kill tore is left out, and with it whatever stands behind."""
    found: dict[int, Answer] = {}
    try:
        lines = open(file, "rb")  # noqa: SIM115
    except FileNotFoundError:
        return found
    with lines:
        for line in lines:
            if not line.endswith(b"\n"):
                break
            try:
                answer = _answer(line)
            except (ValueError, TypeError):
                break
            found[answer.row] = answer
    return found


def all_answers(folder: Path, part: str, key: str) -> dict[int, Answer]:
    """Of one contestant on one part, reused ones included."""
    return read_answers(reused_file(folder, part, key)) | read_answers(answers_file(folder, part, key))


def _answer(line: bytes) -> Answer:
    data = json.loads(line)
    return Answer(**{**data, "labels": tuple(data.get("labels", ()))})


def _lines(answers: Iterable[Answer]) -> str:
    return "".join(json.dumps(asdict(answer), ensure_ascii=False) + "\n" for answer in answers)


class Said:
    """A file of answers that grows by one at a time. Those of an earlier test count, and are not said again."""

    def __init__(self, file: Path, rows: Sequence[int], known: Mapping[int, Answer]) -> None:
        self.file = file
        given = read_answers(file)
        _mend(file, given)
        wanted = set(rows)
        self.answers = {row: one for row, one in {**known, **given}.items() if row in wanted}
        self.open_rows = [row for row in rows if row not in self.answers]

    def add(self, answer: Answer) -> None:
        _append(self.file, [answer])
        self.answers[answer.row] = answer


class Measured:
    """A file of answers that grows by a whole group at a time."""

    def __init__(self, file: Path, rows: Sequence[int], known: Mapping[int, Answer], size: int) -> None:
        self.file = file
        self.known = len(set(rows) & set(known))
        rest = [row for row in rows if row not in known]
        groups = [rest[at : at + size] for at in range(0, len(rest), size)]
        given = read_answers(file)
        whole = [group for group in groups if all(row in given for row in group)]
        self.given = sum(map(len, whole))
        self.open_groups = [group for group in groups if group not in whole]
        _mend(file, {row: given[row] for group in whole for row in group})

    def add(self, answers: Sequence[Answer]) -> None:
        _append(self.file, answers)
        self.given += len(answers)


def _append(file: Path, answers: Sequence[Answer]) -> None:
    file.parent.mkdir(exist_ok=True)
    with open(file, "ab") as out:
        out.write(_lines(answers).encode())


def _mend(file: Path, answers: Mapping[int, Answer]) -> None:
    """Take away what a kill left half written."""
    if file.exists() and file.read_bytes() != (whole := _lines(answers.values())).encode():
        write_text(file, whole)
