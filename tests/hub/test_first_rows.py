"""The first rows of a dataset on the Hub, of which no more is fetched than is needed to see them."""

import gzip
import io
import json
import random
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from facet.dataset.beginning import cut_to_rows
from facet.dataset.from_hub import bring, first_rows
from facet.dataset.source import parse_source
from facet.errors import DataError
from facet.hub.download import download_piece

pytestmark = pytest.mark.hub
EXAMPLES = [{"question": f"What is {number}?", "answer": f"“{number}”, and a comma."} for number in range(60_000)]
FIRST = [{"question": f"What is {number}?", "answer": f"“{number}”, and a comma."} for number in range(5)]
JSONL = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in EXAMPLES).encode()
LIST = json.dumps(EXAMPLES, indent=1).encode()
CSV = ("question,answer\n" + "".join(f'{row["question"]},"{row["answer"]}"\n' for row in EXAMPLES)).encode()


def parquet(rows, group=10_000, column=None):
    file = io.BytesIO()
    table = pa.Table.from_pylist(rows)
    if column is not None:
        table = table.append_column("noise", pa.array(column))
    pq.write_table(table, file, row_group_size=group)
    return file.getvalue()


def noise(count, size):
    dice = random.Random(0)
    return [dice.randbytes(size) for _ in range(count)]


def fetched_bytes(monkeypatch):
    """How many bytes of rows were asked for, in each piece."""
    sizes = []

    def piece(repository, name, start, stop, into):
        sizes.append(stop - start)
        download_piece(repository, name, start, stop, into)

    monkeypatch.setattr("facet.hub.datasets.download_piece", piece)
    return sizes


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("train.jsonl", JSONL),
        ("train.json", LIST),
        ("train.csv", CSV),
        ("train.tsv", CSV.replace(b'?,"', b'?\t"').replace(b"question,answer", b"question\tanswer")),
        ("train.jsonl.gz", gzip.compress(JSONL + random.Random(1).randbytes(5_000_000), 1)),
        ("train.parquet", parquet(EXAMPLES, column=noise(60_000, 100))),
    ],
)
def test_five_rows_are_seen_without_the_rest_of_a_large_file(stand_in, hub, monkeypatch, name, data):
    assert len(data) > 4_000_000 or name.endswith((".jsonl", ".csv", ".tsv"))
    monkeypatch.setattr("facet.hub.dataset_fetch.SMALL_FILE", 200_000)
    stand_in.add("dataset", "ann/numbers", {name: data})
    sizes = fetched_bytes(monkeypatch)
    seen = first_rows(hub, "ann/numbers")
    assert [{key: row[key] for key in ("question", "answer")} for row in seen.rows] == FIRST
    assert {"question", "answer"} <= {column["name"] for column in seen.columns}
    assert sizes and sum(sizes) < len(data) / 2
    assert (seen.split, seen.sha) == ("train", stand_in.repos["dataset", "ann/numbers"].sha)
    told = "which has 60,000 rows and" if name.endswith("parquet") else "the rest has not been fetched"
    assert told in seen.words
    assert not list(hub.cache.glob("*"))


def test_a_small_file_is_looked_at_whole(stand_in, hub):
    stand_in.add("dataset", "ann/few", {"train.parquet": parquet(EXAMPLES[:7])})
    seen = first_rows(hub, "ann/few", count=3)
    assert list(seen.rows) == FIRST[:3] and seen.look["row_count"] == 7
    assert "has 7 rows and 1 kB" in seen.words or "has 7 rows and 2 kB" in seen.words


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("train.zip", b"PK" + bytes(300_000)),
        ("train.xlsx", b"PK" + bytes(300_000)),
        ("train.jsonl", b'{"a": "' + b"x" * 2_000_000 + b'"}\n'),
        ("train.json", b'{"a": [' + b'"x",\n' * 300_000 + b'"x"]}'),
        ("train.parquet", b"PAR1" + bytes(400_000) + b"\xff\xff\xff\x7fPAR1"),
        ("train.parquet", b"PAR1" + bytes(400_000) + b"\x00\x04\x00\x00PAR1"),
        ("train.jsonl.gz", b"\x1f\x8b" + bytes(1_500_000)),
    ],
)
def test_what_cannot_be_seen_in_pieces_waits_for_the_fetch(stand_in, hub, monkeypatch, name, data):
    monkeypatch.setattr("facet.hub.dataset_fetch.SMALL_FILE", 200_000)
    stand_in.add("dataset", "ann/odd", {name: data})
    seen = first_rows(hub, "ann/odd")
    assert seen.look is None and seen.rows == ()
    assert re.fullmatch(rf"{name} has [\d.]+ [kMG]B, and its rows can be seen only .*Press “Fetch”\.", seen.words)
    assert not list(hub.cache.glob("*"))


def test_a_group_of_rows_too_large_to_fetch_is_not_fetched(stand_in, hub, monkeypatch):
    monkeypatch.setattr("facet.dataset.from_hub.LARGEST_PIECE", 1_000_000)
    monkeypatch.setattr("facet.hub.dataset_fetch.SMALL_FILE", 200_000)
    stand_in.add("dataset", "ann/big", {"train.parquet": parquet(EXAMPLES, 60_000, noise(60_000, 100))})
    sizes = fetched_bytes(monkeypatch)
    assert "Press “Fetch”" in first_rows(hub, "ann/big").words
    assert sum(sizes) < 300_000


def test_a_damaged_small_file_says_what_is_wrong_with_it(stand_in, hub):
    stand_in.add("dataset", "ann/odd", {"train.parquet": b"PAR1 no PAR1"})
    with pytest.raises(DataError):
        first_rows(hub, "ann/odd")
    assert not list(hub.cache.glob("*"))


@pytest.mark.parametrize(
    ("data", "name", "kept"),
    [
        (b"a,b\n1,2\n3,", "x.csv", b"a,b\n1,2\n"),
        (b'a,b\n1,"x\ny"\n2,"z\n', "x.csv", b'a,b\n1,"x\ny"\n'),
        (b'a,b\n1,5"\n2,3\n4', "x.csv", b"a,b\n"),
        (b'{"a": "x\\n"}\n{"a"', "x.jsonl", b'{"a": "x\\n"}\n'),
        (b'[{"a": "]}"}, {"a": [1, {}]}, {"a": "', "x.json", b'[{"a": "]}"}, {"a": [1, {}]}]'),
        (b"\n [[1],[2],[3", "x.json", b"\n [[1],[2]]"),
        ("a,b\n".encode("utf-16") + b"x", "x.csv", "a,b\n".encode("utf-16")),
    ],
)
def test_a_beginning_is_cut_behind_its_last_whole_row(data, name, kept):
    assert cut_to_rows(data, name) == kept


def test_what_a_command_line_names_is_brought_with_its_source(stand_in, hub):
    page = "---\nconfigs:\n- config_name: de\n  data_files: de-*.csv\n- config_name: en\n  data_files: en-*.csv\n---\n"
    files = {"README.md": page, "de-1.csv": b"a,b\n1,2\n", "en-1.csv": b"a,b\n3,4\n", "en-2.csv": b"a,b\n5,6\n"}
    repo = stand_in.add("dataset", "ann/poems", files, card={"license": "mit"})
    brought = bring(hub, parse_source("hub:ann/poems:en"))
    assert [(file["path"].read_bytes(), file["name"], file["part"]) for file in brought.files] == [
        (b"a,b\n3,4\n", "en-1.csv", None),
        (b"a,b\n5,6\n", "en-2.csv", None),
    ]
    assert brought.source() == {
        "kind": "hub",
        "where": "ann/poems:en/train",
        "revision": repo.sha,
        "original_name": "en-1.csv",
        "words": f"This is the part en, train of ann/poems at version {repo.sha[:7]}.",
        "licence": "mit",
        "closed": None,
    }
    again = bring(hub, parse_source(f"hub:{brought.where}"), config="de")
    assert [file["name"] for file in again.files] == ["de-1.csv"]
    for each in (brought, again):
        each.discard()
    assert not list(hub.cache.glob("*"))
