"""From what a person chose to the part of every row: sample, copies, groups, categories, and parts that were given."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np

from facet.dataset.split import EXAM, PARTS, TRAIN, VALIDATION, Part, checked_shares, fits, sample, split_keys
from facet.dataset.together import Grouping, alone_where, units
from facet.errors import SettingError

Splits = Literal["ours", "given", "none"]
UNUSED = 255
FEWEST_SAMPLED = 10
MOST_CATEGORIES = 1_000
NEARNESS = (0.8, 0.9, 0.95)  # how alike texts are that stay together; the stricter ones where nearly all are alike
_MOST_DROPPED = 0.2  # of the rows to learn from, because the given exam has nearly the same
COPY = "the same example stands further up"
IN_EXAM = "the exam, or the validation part, has it or nearly the same already"
NOTHING_ASIDE = "No example is kept aside: all are learned from, so nothing here can measure how well that went."
PROMPTS_APART = "So many examples ask the same that they are on both sides of the split; equal examples are not."
ALIKE_APART = "Nearly all examples are alike, so that only equal ones were kept on one side of the split."


@dataclass(frozen=True)
class Choices:
    """How examples are dealt out. `group` and a `stratify` that is text are names of columns."""

    test_size: float = 0.1
    validation_size: float = 0.1
    seed: int = 0
    sample_size: int | None = None
    stratify: bool | str = False
    group: str | None = None
    splits: Splits = "ours"

    @classmethod
    def checked(cls, test_size: Any, validation_size: Any = None, seed: Any = 0, **more: Any) -> "Choices":
        """Raises: `SettingError` for what no choice can be."""
        validation, exam = checked_shares(test_size if validation_size is None else validation_size, test_size)
        made = cls(exam, validation, _seed(seed), **more)
        size, columns = made.sample_size, (made.stratify, made.group)
        if made.splits not in get_args(Splits):
            raise _not_known("Parts", "It can be Facet's own, the given ones, or none.")
        if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < FEWEST_SAMPLED):
            raise _not_known("Use only a sample", f"It has to be a whole number of examples from {FEWEST_SAMPLED} on.")
        if any(not isinstance(each, str | bool | None) or (isinstance(each, str) and not each) for each in columns):
            raise _not_known("Keep together", "It has to be the name of a column.")
        return made

    @property
    def keeps_aside(self) -> bool:
        return self.splits != "none" and bool(self.test_size or self.validation_size)


def _seed(seed: Any) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise _not_known("Seed", "It has to be a whole number, 0 or more.")
    return seed


def _not_known(label: str, why: str) -> SettingError:
    return SettingError(f"This value of “{label}” cannot be used.", why, f"Correct “{label}”.")


@dataclass
class Rows:
    """What is known of every usable example. Shapes: all (N,); None where nobody asked."""

    keys: np.ndarray  # uint64, of the whole content
    prompts: np.ndarray  # uint64, of what is asked
    near: Callable[[float], np.ndarray] | None = None  # int64, for a likeness
    groups: np.ndarray | None = None  # uint64, 0: none
    strata: np.ndarray | None = None  # int32
    given: np.ndarray | None = None  # uint8, indices into PARTS

    def only(self, kept: np.ndarray) -> "Rows":
        """Those rows alone. Shape: `kept` bool (N,)."""
        near = self.near
        few = [None if each is None else each[kept] for each in (self.groups, self.strata, self.given)]
        alike = (lambda likeness: near(likeness)[kept]) if near else None
        return Rows(self.keys[kept], self.prompts[kept], alike, *few)


@dataclass
class Dealt:
    """The part of every example (uint8 (N,), `UNUSED` for none), why some are unused, and what is worth saying."""

    parts: np.ndarray
    unsampled: np.ndarray  # bool (N,)
    dropped: dict[str, np.ndarray] = field(default_factory=dict)  # reason: bool (N,)
    notes: list[str] = field(default_factory=list)

    def reasons(self) -> Counter[str]:
        return Counter({why: int(rows.sum()) for why, rows in self.dropped.items() if rows.any()})


def deal(rows: Rows, choices: Choices, drop_copies: bool = False) -> Dealt:
    """The part of every example, by content alone: the order of rows changes nothing but which copy is kept."""
    kept = np.ones(len(rows.keys), dtype=bool)
    dealt = Dealt(np.full(len(kept), UNUSED, dtype=np.uint8), np.zeros(len(kept), dtype=bool))
    if drop_copies:
        kept = _first_of_each(rows)
        dealt.dropped[COPY] = ~kept
    if choices.sample_size is not None and choices.sample_size < kept.sum():
        places = np.flatnonzero(kept)
        drawn = sample(rows.keys[places], choices.sample_size, choices.seed)
        dealt.unsampled[places[~drawn]] = True
        kept[places[~drawn]] = False
    dealt.parts[kept] = _parts(rows.only(kept), choices, dealt)
    spoiled = kept & (dealt.parts == UNUSED)
    if spoiled.any():
        dealt.dropped[IN_EXAM] = spoiled
    return dealt


def _first_of_each(rows: Rows) -> np.ndarray:
    """The first of equal rows; where parts are given, first of those in the exam, then in validation."""
    rank = np.zeros(len(rows.keys), dtype=np.uint8) if rows.given is None else EXAM - rows.given
    order = np.lexsort((np.arange(len(rank)), rank, rows.keys))
    is_first = np.r_[True, rows.keys[order][1:] != rows.keys[order][:-1]] if len(order) else np.zeros(0, dtype=bool)
    kept = np.zeros(len(rank), dtype=bool)
    kept[order[is_first]] = True
    return kept


def _parts(rows: Rows, choices: Choices, dealt: Dealt) -> np.ndarray:
    if not choices.keeps_aside and not (choices.splits == "given" and _has_given(rows)):
        dealt.notes.append(NOTHING_ASIDE)
        return np.zeros(len(rows.keys), dtype=np.uint8)
    if choices.splits == "given" and _has_given(rows):
        return _with_given(rows, choices, dealt)
    return _ours(rows, choices, choices.validation_size, choices.test_size, dealt)


def _ours(rows: Rows, choices: Choices, validation: float, exam: float, dealt: Dealt) -> np.ndarray:
    together = _together(rows, lambda found: fits(found, validation, exam), dealt)
    if choices.group is not None and len(np.unique(together)) < 2:
        raise SettingError(
            f"The examples cannot be divided by “{choices.group}”.",
            "They all belong to one group, so that nothing would be left for the exam.",
            "Choose another column for “Keep together”, or none.",
        )
    return split_keys(rows.keys, validation, exam, choices.seed, together, rows.strata)


def _together(rows: Rows, fit: Callable[[np.ndarray], bool], dealt: Dealt) -> np.ndarray:
    hard = [rows.keys]
    if rows.groups is not None:
        hard.append(alone_where(rows.groups == 0, rows.groups))
    soft: list[list[Grouping]] = [[lambda: rows.prompts]]
    if near := rows.near:
        soft.append([lambda likeness=likeness: near(likeness) for likeness in NEARNESS])
    found, kept = units(hard, soft, fit)
    dealt.notes += [note for note, held in zip((PROMPTS_APART, ALIKE_APART), kept, strict=False) if not held]
    return found


def _has_given(rows: Rows) -> bool:
    return rows.given is not None and bool((rows.given != TRAIN).any())


def _with_given(rows: Rows, choices: Choices, dealt: Dealt) -> np.ndarray:
    """The parts as they came. What is missing is taken from train; train gives up what the others have already."""
    assert rows.given is not None
    parts = rows.given.copy()
    together = _together(rows, lambda found: _spoiled(found, parts).mean() <= _MOST_DROPPED, dealt)
    parts[_spoiled(together, parts)] = UNUSED
    missing = {part: not (parts == part).any() for part in (EXAM, VALIDATION)}
    train = parts == TRAIN
    if (missing[EXAM] or missing[VALIDATION]) and train.any():
        exam = choices.test_size if missing[EXAM] else 0.0
        validation = choices.validation_size if missing[VALIDATION] else 0.0
        strata = rows.strata[train] if rows.strata is not None else None
        parts[train] = split_keys(rows.keys[train], validation, exam, choices.seed, together[train], strata)
    taken = [PARTS[part] for part, lacks in missing.items() if lacks and (parts == part).any()]
    dealt.notes += map(_taken_from_train, taken)
    return parts


def _spoiled(together: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Rows that are linked with a row of a stricter part: exam before validation before train. Shape: bool (N,)."""
    _, inverse = np.unique(together, return_inverse=True)
    strictest = np.zeros(inverse.max(initial=-1) + 1, dtype=np.uint8)
    known = parts != UNUSED
    np.maximum.at(strictest, inverse[known], parts[known])
    return known & (parts < strictest[inverse])


def _taken_from_train(part: Part) -> str:
    return f"The data came without a part for {'the exam' if part == 'exam' else part}; it was taken from train."
