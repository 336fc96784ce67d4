"""Repairs as rules: what a button of a finding does, so that the same can be done to other data later."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facet.dataset.album import link
from facet.dataset.conversation import Example, texts_of
from facet.dataset.doctor import private
from facet.dataset.doctor.checks import BY_CODE, break_controls, mended
from facet.dataset.doctor.duplicates import MOST_ANSWERS
from facet.dataset.doctor.language import is_foreign
from facet.dataset.doctor.ledger import Ledger, read_ledger
from facet.dataset.doctor.lengths import Ruler
from facet.dataset.doctor.spellings import Spellings, unified
from facet.dataset.doctor.view import PARTS, REPAIRED_PARTS, View, kind_of, view, views, with_texts
from facet.dataset.progress import report
from facet.dataset.store import ExampleWriter, extras_of, part_file, whole_examples
from facet.errors import DataError, SettingError

Act = Callable[[int, Example], list[Example]]  # (place among all examples, example) -> what becomes of it
_REPORT_EVERY_ROWS = 20_000


@dataclass
class Done:
    """What one repair did. `examples` are those it began with; `added` came from dividing."""

    kind: str
    examples: int = 0
    changed: int = 0
    dropped: int = 0
    added: int = 0


def repair(
    dataset_folder: str,
    repairs: Sequence[dict[str, Any]],
    into: str,
    images: str | None = None,
    model_folder: str | None = None,
) -> dict[str, Any]:
    """Apply repairs in their order to the train and validation part, and write both into the folder `into`.

    `images` needs no repair and is taken for the sake of the caller. With a `model_folder`, lengths are measured in
    its tokens, else by size. Returns `changed`, `dropped` and `added` examples, and the same for each repair.
    Raises: `SettingError` for a repair that is not known; `DataError` when no example would be left.
    """
    with tempfile.TemporaryDirectory(prefix=".repairing-", dir=into) as work:
        here = Path(dataset_folder)
        done: list[Done] = []
        for number, rule in enumerate(repairs):
            there = Path(work) / str(number)
            there.mkdir()
            link(part_file(here, "exam"), there / "exam.parquet")
            done.append(_one(here, _checked(rule), there, model_folder))
            here = there
        for part in REPAIRED_PARTS:
            _copy(part_file(here, part), Path(into) / f"{part}.parquet")
    by_repair = [
        {name: getattr(each, name) for name in ("kind", "examples", "changed", "dropped", "added")} for each in done
    ]
    return {name: sum(getattr(each, name) for each in done) for name in ("changed", "dropped", "added")} | {
        "by_repair": by_repair
    }


def _copy(file: Path, place: Path) -> None:
    place.unlink(missing_ok=True)
    place.write_bytes(file.read_bytes())


def _one(here: Path, rule: dict[str, Any], there: Path, model_folder: str | None) -> Done:
    kind = kind_of(here)
    act = _RULES[rule["kind"]](rule, here, kind, model_folder)
    done = Done(rule["kind"])
    place = kept = 0
    for part in REPAIRED_PARTS:
        file = part_file(here, part)
        writer = ExampleWriter(there / f"{part}.parquet", extras_of(file))
        for row, example in whole_examples(file):
            become = act(place, example)
            place += 1
            _count(done, example, become)
            for each in become:
                writer.add(row, each, sum(map(len, texts_of(each))))
                kept += part == "train"
            if place % _REPORT_EVERY_ROWS == 0:
                report(f"{place:,} examples repaired")
        writer.close()
    if not kept:
        raise _nothing_left()
    return done


def _count(done: Done, example: Example, become: list[Example]) -> None:
    done.examples += 1
    if not become:
        done.dropped += 1
    elif become[0] is not example:
        done.changed += 1
        done.added += len(become) - 1


def _nothing_left() -> DataError:
    return DataError(
        "Nothing would be left to learn from.",
        "This repair leaves out every example of the train part.",
        "Choose another repair, or bring more examples.",
    )


# ---- rules: each makes, for one dataset, the act that is done to every example
def _dropping(is_bad: Callable[[View], bool], kind: str) -> Act:
    return lambda place, example: [] if is_bad(view(example, kind)) else [example]


def _changing(change: Callable[[str], str]) -> Act:
    return lambda place, example: [with_texts(example, change)]


def _masked(where: np.ndarray) -> Act:
    return lambda place, example: [] if where[place] else [example]


def _ledger(here: Path, kind: str, near: bool = False) -> Ledger:
    return read_ledger(here, kind, near)


def _drop(rule: dict[str, Any], here: Path, kind: str, model: str | None) -> Act:
    check = BY_CODE[rule["code"]]
    return _dropping(lambda seen: check.why(seen) is not None, kind)


def _drop_private(rule: dict[str, Any], here: Path, kind: str, model: str | None) -> Act:
    wanted = _private_kinds(rule)
    return _dropping(
        lambda seen: any(each.kind in wanted for text in texts_of(seen.example) for each in private.find(text)), kind
    )


def _private_kinds(rule: dict[str, Any]) -> frozenset[str]:
    return frozenset(rule.get("kinds") or private.KINDS)


def _keep_language(rule: dict[str, Any], here: Path, kind: str, model: str | None) -> Act:
    return _dropping(lambda seen: is_foreign(seen, rule["language"]), kind)


def _split_long(rule: dict[str, Any], here: Path, kind: str, model: str | None) -> Act:
    ruler = Ruler(rule["tokens"], rule["bytes"], model)
    return lambda place, example: ruler.split(example)


def _drop_long(rule: dict[str, Any], here: Path, kind: str, model: str | None) -> Act:
    ruler = Ruler(rule["tokens"], rule["bytes"], model)
    return lambda place, example: [] if ruler.is_long(example) else [example]


def _resolve_conflicts(rule: dict[str, Any], here: Path, kind: str, model: str | None) -> Act:
    ledger = _ledger(here, kind)
    where = ledger.contradictions(MOST_ANSWERS)
    return _masked(where if rule["keep"] == "none" else where & ~_preferred(ledger, where, rule["keep"]))


def _preferred(ledger: Ledger, where: np.ndarray, keep: str) -> np.ndarray:
    """Of contradicting examples, those with the most common answer to their question, or with the first."""
    best: dict[int, tuple[int, int, int]] = {}  # question -> (-count, first place, answer)
    at = np.flatnonzero(where)
    keys = np.stack([ledger.matter[at], ledger.answer[at]])
    pairs, first, counts = np.unique(keys, axis=1, return_index=True, return_counts=True)
    for (question, answer), place, count in zip(pairs.T.tolist(), first.tolist(), counts.tolist(), strict=True):
        mine = (-count if keep == "most_common" else 0, place, answer)
        best[question] = min(best.get(question, mine), mine)
    kept = np.zeros(len(where), dtype=bool)
    kept[at] = [best[question][2] == answer for question, answer in keys.T.tolist()]
    return kept


def _unify_labels(rule: dict[str, Any], here: Path, kind: str, model: str | None) -> Act:
    spellings = Spellings()
    for part, row, seen in views(here, kind, REPAIRED_PARTS):
        spellings.see(part, row, seen)
    best = spellings.best()
    return lambda place, example: [unified(example, best)]


_RULES: dict[str, Callable[[dict[str, Any], Path, str, str | None], Act]] = {
    "drop": _drop,
    "drop_private": _drop_private,
    "mask_private": lambda rule, *_: _changing(lambda text: private.mask(text, _private_kinds(rule))),
    "break_controls": lambda rule, *_: _changing(break_controls),
    "unify_labels": _unify_labels,
    "mend_letters": lambda rule, *_: _changing(mended),
    "keep_language": _keep_language,
    "drop_shorter": lambda rule, here, kind, _: _dropping(
        lambda seen: 0 < len(seen.answer.strip()) < rule["characters"], kind
    ),
    "drop_longer": lambda rule, here, kind, _: _dropping(lambda seen: len(seen.answer) > rule["characters"], kind),
    "drop_duplicates": lambda rule, here, kind, _: _masked(_ledger(here, kind).repeats()),
    "drop_near_duplicates": lambda rule, here, kind, _: _masked(_ledger(here, kind, near=True).near_repeats()),
    "resolve_conflicts": _resolve_conflicts,
    "drop_overlap": lambda rule, here, kind, _: _masked(
        _ledger(here, kind, near=True).overlap(PARTS.index(rule["part"]))
    ),
    "split_long": _split_long,
    "drop_long": _drop_long,
    "raise_length": lambda *_: lambda place, example: [example],
}

# ---- what may stand in a rule, beside its kind
_IS_COUNT = lambda value: isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**40  # noqa: E731
_PARAMETERS: dict[str, dict[str, Callable[[Any], bool]]] = {
    "drop": {"code": lambda value: isinstance(value, str) and value in BY_CODE},
    "keep_language": {"language": lambda value: isinstance(value, str) and 2 <= len(value) <= 3 and value.isalpha()},
    "drop_shorter": {"characters": _IS_COUNT},
    "drop_longer": {"characters": _IS_COUNT},
    "resolve_conflicts": {"keep": lambda value: value in ("most_common", "first", "none")},
    "drop_overlap": {"part": lambda value: value in ("validation", "exam")},
    "split_long": {"tokens": _IS_COUNT, "bytes": _IS_COUNT},
    "drop_long": {"tokens": _IS_COUNT, "bytes": _IS_COUNT},
    "raise_length": {"tokens": _IS_COUNT},
}


def _checked(rule: Any) -> dict[str, Any]:
    """The rule, if it is one. Raises: `SettingError` for all others, as they may come from a file."""
    kind = rule.get("kind") if isinstance(rule, dict) else None
    if not isinstance(kind, str) or kind not in _RULES:
        raise _unknown(kind)
    needed = _PARAMETERS.get(kind, {})
    kinds = rule.get("kinds")
    is_private = kind in ("mask_private", "drop_private")
    if kinds is not None and not (
        is_private and isinstance(kinds, list) and {*map(str, kinds)} <= private.KINDS.keys()
    ):
        raise _unknown(kind)
    if not needed.keys() <= rule.keys() or not all(is_right(rule[name]) for name, is_right in needed.items()):
        raise _unknown(kind)
    if not rule.keys() <= {"kind", *needed, *(["kinds"] if is_private else [])}:
        raise _unknown(kind)
    return rule


def require_known(repairs: Any) -> None:
    """Raises: `SettingError` for what is not a list of repairs."""
    if not isinstance(repairs, list):
        raise _unknown(None)
    for rule in repairs:
        _checked(rule)


def _unknown(kind: Any) -> SettingError:
    return SettingError(
        "This repair cannot be done.",
        f"There is none called “{str(kind)[:40]}” with these parameters.",
        "Choose a repair in the data doctor.",
    )
