"""Bytes changed at random: whatever comes in, an answer or three sentences come out, soon and with little memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from facet.dataset.values import to_json
from tests.dataset.fuzzing import BINARY, SEEDS

HOME = Path(__file__).parents[2]
SOAK = bool(os.environ.get("FACET_SOAK"))
BATCH = 5_000  # inputs for one process


TEXTS = tuple(name for name in SEEDS if name not in BINARY)
# In short, all of a kind in one process; in full, one process for each batch.
GROUPS = list(SEEDS) if SOAK else [",".join(names[start::2]) for names in (TEXTS, BINARY) for start in (0, 1)]


def batches(name: str) -> list[int]:
    if not SOAK:
        return [20 if name.split(",")[0] in BINARY else 50]
    alike = sum(
        Path(other).suffix == Path(name).suffix for other in SEEDS
    )  # 100,000 for each format, not for each seed
    return [BATCH] * ((10_000 if name in BINARY else 100_000 // alike) // BATCH)


@pytest.mark.faults
@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited and measured as Linux does it")
@pytest.mark.parametrize("names", GROUPS)
def test_a_changed_file_is_read_or_refused_in_words(names):
    for number, count in enumerate(batches(names)):
        run = [sys.executable, "-m", "tests.dataset.fuzzing", names, str(count), str(number)]
        limits = {"ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "2", "OMP_NUM_THREADS": "1"}
        ended = subprocess.run(run, capture_output=True, text=True, cwd=HOME, env={**os.environ, **limits})
        assert ended.returncode == 0, f"batch {number}: {ended.stderr[-2000:]}"
        for name, seen in json.loads(ended.stdout.splitlines()[-1]).items():
            if SOAK:
                print(f"{name} {number}: {seen}")
            assert seen["faults"] == [], f"{name}, batch {number}"
            assert seen["answered"] + seen["refused"] == count
            assert seen["slowest"] < 2 and seen["peak_mb"] < 1000, f"{name}, batch {number}: {seen}"


def test_every_value_can_be_shown():
    odd = [float("nan"), float("inf"), 10**400, b"\xff", "\ud800", None, True, {"a": {1: [2]}}, (1, 2), object]
    json.dumps(to_json(odd), allow_nan=False).encode()
    deep: list = []
    for _ in range(500):
        deep = [deep]
    assert json.dumps(to_json(deep)).count("[") < 20
