"""Thirteen files that unpack into very much: each is refused in words, cheaply, and in a child of its own."""

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from facet.dataset import limited

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(sys.platform != "linux", reason="memory and processor time are measured as Linux counts them"),
]
MEBI = 2**20
# A child's peak memory begins with that of the process it was forked from, so it is measured from a small one.
IN_A_SMALL_PROCESS = """
import json, resource, sys
from facet.dataset import limited
from facet.errors import FacetError
try:
    limited.call("look", {"file": sys.argv[1], "original_name": sys.argv[2], "correction": None})
    said = []
except FacetError as error:
    said = error.args
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({"said": said, "peak_mb": used.ru_maxrss / 1024, "processor": used.ru_utime + used.ru_stime}))
"""


def dictionary(file: Path, columns: int = 2, length: int = MEBI, rows: int = 200_000) -> None:
    """One long value, named by every row."""
    values = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["a" * length]))
    pq.write_table(pa.table({f"c{n}": values for n in range(columns)}), file, compression="zstd")


def run_length(file: Path) -> None:
    pq.write_table(pa.table({"question": pa.nulls(6_000_000, pa.int8())}), file)


def long_values(file: Path) -> None:
    pq.write_table(pa.table({"question": ["a" * (300 * MEBI)], "answer": ["b" * MEBI]}), file, compression="zstd")


def long_lists(file: Path) -> None:
    lists = pa.ListArray.from_arrays([0, 60_000_000], pa.nulls(60_000_000, pa.int8()))
    pq.write_table(pa.table({"messages": lists}), file, compression="zstd")


def wide(file: Path) -> None:
    pq.write_table(pa.table({f"c{n}": ["a"] for n in range(5_000)}), file)


def text(content: Callable[[], str]) -> Callable[[Path], None]:
    return lambda file: file.write_text(content())


def zipped(file: Path) -> None:
    with gzip.open(file, "wb", compresslevel=1) as out:
        for _ in range(200):
            out.write(bytes(MEBI))


BOMBS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "a dictionary of one long value": ("a.parquet", dictionary),
    "a dictionary in a hundred columns": ("a.parquet", lambda file: dictionary(file, 100, 100_000, 50_000)),
    "six million rows in a few bytes": ("a.parquet", run_length),
    "a value of 300 MB": ("a.parquet", long_values),
    "a list of sixty million": ("a.parquet", long_lists),
    "five thousand columns": ("a.parquet", wide),
    "a million brackets": ("a.json", text(lambda: "[" * 1_000_000)),
    "braces a million deep": ("a.jsonl", text(lambda: '{"a":' * 1_000_000 + "1" + "}" * 1_000_000)),
    "twenty million lists in a list": ("a.json", text(lambda: "[" + "[]," * 20_000_000 + "[]]")),
    "a line of 100 MB": ("a.csv", text(lambda: "question,answer\n" + "a" * 100 * MEBI)),
    "a million columns": ("a.csv", text(lambda: ",".join(f"c{n}" for n in range(1_000_000)) + "\n")),
    "twenty million lists in an object": ("a.json", text(lambda: '{"rows": [' + "[]," * 20_000_000 + "[]]}")),
    "200 MB of nothing, zipped": ("a.csv", zipped),
}


@pytest.mark.parametrize(("name", "make"), BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused_in_words_with_little_memory_and_little_work(tmp_path, name, make):
    make(tmp_path / name)
    run = [sys.executable, "-c", IN_A_SMALL_PROCESS, str(tmp_path / name), name]
    home = Path(limited.__file__).parents[2]
    seen = json.loads(subprocess.run(run, capture_output=True, text=True, check=True, cwd=home).stdout)
    print(f"{seen['peak_mb']:.0f} MB, {seen['processor']:.1f} s of the processor: {' '.join(seen['said'])}")
    assert len(seen["said"]) == 3 and all(sentence.endswith(".") for sentence in seen["said"]), seen
    assert "fault" not in " ".join(seen["said"])
    assert seen["peak_mb"] < 1000
    assert seen["processor"] < 5
