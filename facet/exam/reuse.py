"""Answers that are there already: what a model once answered in a person's own tests is not answered again.

Two answers are the same when the same weights read the same file of questions, with the same settings. Such answers
are copied when a test is made, so that deleting the earlier test takes nothing away.
"""

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from facet.exam import engine, general
from facet.exam.answers import GENERAL, answers_file, read_answers, reused_file
from facet.exam.plan import contestants_of
from facet.exam.similar import distances, similarity_file, write_distances
from facet.exam.spelling import is_unified
from facet.model.decoding import TRANSFORMERS
from facet.work.checkpoint import sha256
from facet.work.task import Task

VERSION = 1  # of the way questions are read and answers measured
Digests = dict[str, dict[str, str]]  # part → key of a contestant → what decides its answers


def digests(data: Path, request: Mapping[str, Any]) -> Digests:
    """`data` is the folder of the dataset, as the test has it."""
    settings = {name: request.get(name) for name in ("parts", "type", "most", "max_length", "decoding")}
    files = {part: data / f"{part}.parquet" for part in ("train", *request["parts"])}
    known = {part: _sha256(file, file.stat().st_mtime_ns) for part, file in files.items() if file.is_file()}
    version = [VERSION, "spelled"] if is_unified(data) else [VERSION]
    found: Digests = {}
    for contestant in contestants_of(request):
        for part in request["parts"]:
            found.setdefault(part, {})[contestant.key] = _digest([*version, part, known, settings, contestant.key])
        by = [] if (name := engine.asked(request)) == TRANSFORMERS else [name]
        general_digest = _digest([VERSION, GENERAL, general.version(), contestant.key, *by])
        found.setdefault(GENERAL, {})[contestant.key] = general_digest
    return found


@lru_cache(maxsize=64)
def _sha256(file: Path, modified: int) -> str:
    return sha256(file)


def _digest(decides: list[Any]) -> str:
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()


Best = dict[tuple[str, str], tuple[int, Path]]  # (part, key) → how many answers there are, and where


def known_answers(wanted: Digests, earlier: Iterable[Path]) -> Best:
    """What earlier tests have of a new one."""
    best: Best = {}
    for before in earlier:
        known = _digests_of(before)
        for part, keys in wanted.items():
            for key in keys:
                if not _same(known, wanted, part, key):
                    continue
                for file in (answers_file(before, part, key), reused_file(before, part, key)):
                    count = len(read_answers(file))
                    if count > best.get((part, key), (0, file))[0]:
                        best[part, key] = (count, file)
    return best


def reuse(folder: Path, wanted: Digests, earlier: Iterable[Path]) -> int:
    """Copy into a new test's folder what earlier ones have. Returns the number of answers."""
    best = known_answers(wanted, earlier)
    for (part, key), (_, file) in best.items():
        place = reused_file(folder, part, key)
        place.parent.mkdir(exist_ok=True)
        shutil.copyfile(file, place)
    return sum(count for count, _ in best.values())


def reuse_measures(folder: Path, wanted: Digests, base: Mapping[str, Any], earlier: Iterable[Path]) -> None:
    """The same for what was measured on those answers: distances, and likeness in meaning."""
    moved: dict[str, float] = {}
    for before in earlier:
        known = _digests_of(before)
        mine = {(part, key) for part, keys in wanted.items() for key in keys if _same(known, wanted, part, key)}
        moved |= {key: one for key, one in distances(before).items() if (GENERAL, key) in mine}
        for part, key in mine if mine and Task(before).request["base"] == base else ():
            file, place = similarity_file(before, part, key), similarity_file(folder, part, key)
            if file.exists() and not place.exists():
                place.parent.mkdir(exist_ok=True)
                shutil.copyfile(file, place)
    if moved:
        write_distances(folder, moved)


def _same(known: Digests, wanted: Digests, part: str, key: str) -> bool:
    return known.get(part, {}).get(key) == wanted[part][key]


def _digests_of(folder: Path) -> Digests:
    """Nothing for a test by an earlier Facet, or one that is being deleted."""
    try:
        request = Task(folder).request
        return request.get("digests") or {} if engine.is_as_asked(folder, request) else {}
    except (OSError, ValueError, KeyError):
        return {}
