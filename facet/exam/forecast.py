"""About how long a test or a batch will take on this machine, judged by what earlier ones took. No torch here."""

import itertools
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from facet.dataset.store import whole_examples
from facet.errors import DataError
from facet.gemma.models import find
from facet.model.source import BaseSource, bases_of
from facet.work import device, log
from facet.work.task import Task, Where
from facet.workspace import read_json

FEWEST: Final = 20  # answers that a measured pace rests on
MOST_LOOKED_AT: Final = 20  # earlier tests
LOOKED_AT: Final = 100  # expected answers, for their usual length
CHARACTERS_PER_TOKEN: Final = 3.5
USUAL_TOKENS: Final = 40  # of an answer of which nothing is known
RAMBLING: Final = 1.5  # untouched models say more than they are expected to
LOADING: Final = 10.0  # seconds before the first answer, where nothing was measured
# Seconds for each token: of the machinery, and for each parameter. Rough: half or double of it is to be expected.
CPU: Final = (3e-4, 8e-11)  # with one core
GPU: Final = (2e-3, 2e-13)
LIKE: Final = 2.0  # a model of at most so many times the size is taken to be as fast, in proportion


@dataclass(frozen=True)
class Pace:
    """What an earlier test or batch took. Answers that it took over from others do not count."""

    base: str  # id of the starting model
    where: Where
    answers: int
    seconds: float  # of answering
    loading: float  # seconds before that

    @property
    def each(self) -> float:
        return self.seconds / self.answers


@dataclass(frozen=True)
class Forecast:
    """`answers` are still to be given; `known` are there from earlier tests. `seconds` is None where nobody can say."""

    answers: int
    known: int
    seconds: float | None
    measured: bool  # on answers that were given here, and not guessed from the size of the model


def forecast(
    asked: Mapping[str, int],
    known: Mapping[str, int],
    sizes: Mapping[str, int],
    paces: Sequence[Pace],
    tokens: float | None,
    where: Where,
) -> Forecast:
    """`asked` and `known` count answers by starting model; `sizes` are its parameters, 0 for unknown."""
    left = {base: max(0, count - known.get(base, 0)) for base, count in asked.items()}
    told = [_seconds(count, base, sizes, paces, tokens, where) for base, count in left.items() if count]
    seconds = None if any(one is None for one, _ in told) else sum(one for one, _ in told if one is not None)
    measured = bool(told) and all(was for _, was in told)
    return Forecast(sum(left.values()), sum(asked.values()) - sum(left.values()), seconds, measured)


def _seconds(
    count: int, base: str, sizes: Mapping[str, int], paces: Sequence[Pace], tokens: float | None, where: Where
) -> tuple[float | None, bool]:
    """For so many answers of one model, and whether that was measured."""
    here = [pace for pace in paces if pace.where == where and pace.answers >= FEWEST]
    if same := next((pace for pace in here if pace.base == base), None):
        return same.loading + count * same.each, True
    size = sizes.get(base, 0)
    for pace in here:
        other = sizes.get(pace.base, 0)
        if size and other and max(size, other) / min(size, other) <= LIKE:
            return (pace.loading + count * pace.each) * size / other, False
    if not size:
        return None, False
    return LOADING + count * _token_seconds(size, where) * (tokens or USUAL_TOKENS), False


def _token_seconds(parameters: int, where: Where) -> float:
    if where == "zerogpu" or device.kind() != "cpu":
        return GPU[0] + GPU[1] * parameters
    cores = int(os.environ.get("FACET_THREADS") or 0) or max(1, (os.cpu_count() or 2) - 1)
    return CPU[0] + CPU[1] * parameters / cores


# ---- what earlier ones took
def paces(folders: Iterable[Path]) -> list[Pace]:
    """Of the newest tests and batches with one starting model each; `folders` come newest first."""
    found = (_pace(folder, _stamp(folder)) for folder in itertools.islice(folders, MOST_LOOKED_AT))
    return [pace for pace in found if pace is not None]


def _stamp(folder: Path) -> tuple[int, int]:
    try:
        about = Task(folder).events_file.stat()
    except OSError:
        return 0, 0
    return about.st_mtime_ns, about.st_size


@lru_cache(maxsize=256)
def _pace(folder: Path, stamp: tuple[int, int]) -> Pace | None:
    try:
        bases = bases_of(Task(folder).request)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if len(bases) != 1:
        return None
    answers = sum(file.read_bytes().count(b"\n") for file in folder.glob("answers/*.jsonl"))
    loading, seconds = _times(event for event, _ in log.read(Task(folder).events_file))
    return Pace(bases[0].id, Task(folder).where, answers, seconds, loading) if answers and seconds > 0 else None


def _times(events: Iterable[log.Event]) -> tuple[float, float]:
    """Seconds of getting ready before the first answer, and of answering."""
    loading = seconds = before = 0.0
    doing = ""
    for event in events:
        spent = max(0.0, event.at - before) if before else 0.0
        if doing == "loading" and not seconds:
            loading += spent
        elif doing == "answering":
            seconds += spent
        before = event.at
        if isinstance(event, log.Staged):
            doing = "loading"
        elif isinstance(event, log.Started):
            doing = "answering"
        elif not isinstance(event, log.Logged | log.Saved | log.Noted | log.Resumed):
            doing = ""
    return loading, seconds


# ---- what is to be asked
def rows_of(data: Path, part: str, most: int | None = None) -> int:
    """How many rows a part has, or as many of them as are asked."""
    try:
        rows = int((read_json(data / "dataset.json").get("splits") or {}).get(part, 0))
    except (OSError, ValueError, TypeError):
        return 0
    return rows if most is None else min(rows, most)


def tokens_of(data: Path, part: str) -> float | None:
    """About how long an answer is, judged by those that are expected; None where none are."""
    file = data / f"{part}.parquet"
    return _tokens(file, file.stat().st_mtime_ns) if file.is_file() else None


@lru_cache(maxsize=64)
def _tokens(file: Path, modified: int) -> float | None:
    lengths = []
    for _, example in whole_examples(file, 0, LOOKED_AT):
        turns = example.get("messages") or []
        if turns and turns[-1]["role"] == "assistant":
            lengths.append(len(turns[-1].get("content") or ""))
    return RAMBLING * (2 + sum(lengths) / len(lengths) / CHARACTERS_PER_TOKEN) if lengths else None


def parameters(base: BaseSource, models: Path) -> int:
    """As the list of models has it, else by the size of its files; 0 where neither is known."""
    if offered := find(base.id):
        return offered.parameters
    try:
        return sum(file.stat().st_size for file in base.folder(models).glob("*.safetensors")) // 2
    except (OSError, DataError):
        return 0
