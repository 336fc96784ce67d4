"""Reading what a finished test found: the outcome, its table of examples a page at a time, and a file to take home."""

import csv
import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from facet.errors import NotFoundError, SettingError
from facet.exam import scores
from facet.exam.outcome import Example, Outcome, read_examples, read_outcome

Only = Literal["all", "differ", "better", "worse", "wrong"]
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would compute what begins so
RIGHT_FROM = 0.5  # of a score from 0 to 1


def outcome(folder: Path) -> Outcome | None:
    """Read once, and again when the file is another."""
    return _outcome(folder, stamp) if (stamp := _stamp(folder / "results.json")) else None


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        about = file.stat()
    except OSError:
        return None
    return about.st_mtime_ns, about.st_size


@lru_cache(maxsize=32)
def _outcome(folder: Path, stamp: tuple[int, int]) -> Outcome | None:
    return read_outcome(folder)


@lru_cache(maxsize=4)
def _examples(folder: Path, stamp: tuple[int, int]) -> tuple[Example, ...]:
    return tuple(read_examples(folder))


def examples(
    folder: Path, search: str, part: str | None, only: Only, between: tuple[str, str] | None, start: int, count: int
) -> tuple[list[Example], int]:
    """See `ExamDoor.exam_examples`."""
    found, stamp = outcome(folder), _stamp(folder / "examples.jsonl")
    if found is None or stamp is None:
        return [], 0
    first, second = between or _pair(found)
    metric, wanted = scores.main(found.type), search.casefold().split()
    matching = [
        example
        for example in _examples(folder, stamp)
        if part in (None, example.part)
        and all(word in _searched(example) for word in wanted)
        and _is_wanted(example, only, metric, first, second)
    ]
    start, count = max(0, start), max(0, min(count, 1000))
    return matching[start : start + count], len(matching)


def _pair(found: Outcome) -> tuple[str, str]:
    if found.verdicts:
        return found.verdicts[0].a, found.verdicts[0].b
    keys = [*found.contestants, "", ""]
    return keys[0], keys[1] or keys[0]


def _searched(example: Example) -> str:
    return "\n".join([example.question, example.expected, *example.answers.values()]).casefold()


def _is_wanted(example: Example, only: Only, metric: str, first: str, second: str) -> bool:
    if only == "all":
        return True
    if only == "differ":
        return example.disagreement > 0
    before, after = (example.scores.get(key, {}).get(metric) for key in (first, second))
    if only == "wrong":
        return after is not None and after < RIGHT_FROM
    if before is None or after is None:
        return False
    return after > before if only == "better" else after < before


# ---- to take home
def download(folder: Path, form: str, into: Path) -> Path:
    """Raises: `SettingError` for a form that is not known, `NotFoundError` when there is nothing yet."""
    found = outcome(folder)
    if found is None:
        raise NotFoundError.of("result of the test")
    file = into / f"{folder.name}.{require_form(form)}"
    names = {key: contestant.name for key, contestant in found.contestants.items()}
    rows = _rows(folder, names)
    if form == "jsonl":
        write_jsonl(file, rows)
    else:
        metrics = sorted({metric for example in read_examples(folder) for s in example.scores.values() for metric in s})
        heads = ["part", "row", "question", "expected"]
        for name in names.values():
            heads += [name, *(f"{name}: {metric}" for metric in metrics)]
        write_csv(file, heads, (_flat(row) for row in rows))
    return file


def require_form(form: str) -> str:
    if form not in ("csv", "jsonl"):
        raise SettingError(
            "This download cannot be made.",
            "Answers are written as CSV or as JSONL.",
            "Choose one of these two.",
        )
    return form


def _rows(folder: Path, names: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Under names in place of keys: nobody can read a digest."""
    for example in read_examples(folder):
        row = asdict(example)
        for field in ("answers", "scores"):
            row[field] = {names.get(key, key): value for key, value in row[field].items()}
        yield row


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    flat = {name: row[name] for name in ("part", "row", "question", "expected")}
    for name, answer in row["answers"].items():
        flat |= {name: answer, **{f"{name}: {metric}": value for metric, value in row["scores"].get(name, {}).items()}}
    return flat


def write_jsonl(file: Path, rows: Iterator[dict[str, Any]]) -> None:
    with open(file, "w", encoding="utf-8") as out:
        out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def write_csv(file: Path, heads: list[str], rows: Iterator[dict[str, Any]]) -> None:
    """Text that a spreadsheet would take for a formula gets an apostrophe before it; JSONL has it as it was."""
    with open(file, "w", encoding="utf-8-sig", newline="") as out:
        table = csv.writer(out)
        table.writerow([_harmless(head) for head in heads])
        for row in rows:
            table.writerow([_harmless(row.get(head, "")) for head in heads])


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
