"""Files that unpack into very much: each is refused in words, cheaply, and in a child of its own."""

import gzip
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from facet.dataset import limited
from tests.dataset import packed

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(sys.platform != "linux", reason="memory and processor time are measured as Linux counts them"),
]
MEBI = 2**20
# A child's peak memory begins with that of the process it was forked from, so it is measured from a small one.
IN_A_SMALL_PROCESS = """
import json, resource, sys
from facet.dataset import limited
from tests.dataset import packed
from facet.errors import FacetError
try:
    asked = {"file": sys.argv[1], "original_name": sys.argv[2]}
    if sys.argv[3]:
        limited.call("unpack", asked | {"into": sys.argv[3]})
    else:
        limited.call("look", asked)
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
    block = gzip.compress(bytes(100 * MEBI), 6)
    file.write_bytes(block * 30)


def archive(fill: Callable[[zipfile.ZipFile], object]) -> Callable[[Path], None]:
    def make(file: Path) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
            fill(out)

    return make


def nothing(out: zipfile.ZipFile) -> None:
    with out.open("a.csv", "w") as member:
        for _ in range(400):
            member.write(bytes(MEBI))


def understated(file: Path) -> None:
    archive(nothing)(file)
    content = file.read_bytes()
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = content.find(mark) + at
        content = content[:place] + (10).to_bytes(4, "little") + content[place + 4 :]
    file.write_bytes(content)


def many_in_a_small_directory(file: Path) -> None:
    archive(lambda out: [out.writestr(f"{n}.csv", b"") for n in range(60_000)])(file)
    content = bytearray(file.read_bytes())
    end = content.rfind(b"PK\x05\x06")
    content[end + 8 : end + 12] = (5).to_bytes(2, "little") * 2
    file.write_bytes(content)


def nested(file: Path) -> None:
    content = packed.zipped({"a.csv": bytes(MEBI)})
    for _ in range(10):
        content = packed.zipped({f"{n}.zip": content for n in range(10)})
    file.write_bytes(content)


def vast_picture(file: Path) -> None:
    file.write_bytes(packed.zipped({"a.csv": "image,text\nx.png,a\n", "x.png": packed.vast_picture()}))


def repeated_picture(file: Path) -> None:
    content = packed.picture() + bytes(10 * MEBI)
    images = pa.array([{"bytes": content, "path": None}] * 40)
    pq.write_table(pa.table({"image": images}), file, compression="zstd")


def two_cells(file: Path) -> None:
    rows = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    file.write_bytes(packed.workbook({"One": packed.sheet_of(rows)}))


def long_sheet(file: Path) -> None:
    file.write_bytes(packed.workbook({"One": packed.sheet_of('<row r="1"><c r="A1"><v>1</v></c></row>' * 2_000_000)}))


def shared_text(file: Path) -> None:
    cell = '<c t="s"><v>0</v></c>'
    rows = (f'<row r="{n}">{"".join(cell for _ in range(100))}</row>' for n in range(1, 10_001))
    file.write_bytes(packed.workbook({"One": packed.sheet_of("".join(rows))}, shared="a" * 30_000))


def repeated_row(file: Path) -> None:
    cell = '<table:table-cell table:number-columns-repeated="1000" office:value-type="string"><text:p>x</text:p></table:table-cell>'  # noqa: E501
    row = f'<table:table-row table:number-rows-repeated="1000000">{cell}</table:table-row>'
    file.write_bytes(packed.open_document(row))


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
    "two cells at the far corners of a sheet": ("a.xlsx", two_cells),
    "a sheet of 70 MB in a small workbook": ("a.xlsx", long_sheet),
    "a long text in a million cells": ("a.xlsx", shared_text),
    "a row that repeats itself a million times": ("a.ods", repeated_row),
    "one long word for ten million rows": ("a.txt", text(lambda: "a" * 100 * MEBI)),
}
PACKED: dict[str, tuple[str, Callable[[Path], None]]] = {
    "3 GB of nothing, zipped": ("a.csv.gz", zipped),
    "400 MB in an archive": ("a.zip", archive(nothing)),
    "400 MB that are said to be ten bytes": ("a.zip", understated),
    "a directory that says it is small": ("a.zip", many_in_a_small_directory),
    "archives in an archive": ("a.zip", nested),
    "a picture of four gigapixels": ("a.zip", vast_picture),
    "a Parquet file of one long picture": ("a.parquet", repeated_picture),
}


@pytest.mark.parametrize(("name", "make"), BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused_in_words_with_little_memory_and_little_work(tmp_path, name, make):
    make(tmp_path / name)
    _require_refused(tmp_path / name, "")


@pytest.mark.parametrize(("name", "make"), PACKED.values(), ids=PACKED)
def test_a_packed_bomb_is_refused_when_it_is_brought(tmp_path, name, make):
    make(tmp_path / name)
    (tmp_path / "into").mkdir()
    _require_refused(tmp_path / name, str(tmp_path / "into"))


def _require_refused(file: Path, into: str) -> None:
    run = [sys.executable, "-c", IN_A_SMALL_PROCESS, str(file), file.name, into]
    home = Path(limited.__file__).parents[2]
    seen = json.loads(subprocess.run(run, capture_output=True, text=True, check=True, cwd=home).stdout)
    print(f"{seen['peak_mb']:.0f} MB, {seen['processor']:.1f} s of the processor: {' '.join(seen['said'])}")
    assert len(seen["said"]) == 3 and all(sentence.endswith(".") for sentence in seen["said"]), seen
    assert "fault" not in " ".join(seen["said"])
    assert seen["peak_mb"] < 1000
    assert seen["processor"] < 5
