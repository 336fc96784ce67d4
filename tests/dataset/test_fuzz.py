"""Bytes changed at random: whatever comes in, an answer or three sentences come out."""

import io
import json
import os
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from facet.dataset.look import look
from facet.dataset.prepare import prepare
from facet.dataset.values import to_json
from facet.errors import FacetError


def _parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"question": ["Who?", "é"] * 20, "answer": ["Me.", "x" * 50] * 20, "n": [1, 2] * 20}), sink)
    return sink.getvalue()


SEEDS = {
    "a.csv": "question,answer\nWho?,\"Me, \"\"too\"\".\"\nWhere?,Hére\nWhen?,\"a\nb\"\n".encode() * 3,
    "a.tsv": "question\tanswer\nWho?\tMe\nWhere?\tHére\n".encode() * 3,
    "a.jsonl": '{"question": "é", "answer": 1.5, "more": [1, {"a": null}]}\n'.encode() * 5,
    "a.json": json.dumps([{"question": "é\u2028", "answer": ["x", True]}] * 5, indent=1).encode(),
    "b.jsonl": b'{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n' * 4,
    "b.csv": "question,answer\nWho?,Mé\nWhere?,Hére\n".encode("utf-16"),
    "c.csv": ("question,answer\n" + "你好,世界上最高的山。\n" * 5).encode("gb18030"),
    "a.parquet": _parquet(),
}  # fmt: skip
ROUNDS = 5_000 if os.environ.get("FACET_SOAK") else 100
SPLICES = [
    b'"', b"\0", b"\xff", b"{", b"[", b"}", b"]", b",", b"\n", b"\r", b"\\", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"NaN",
    b"1e999", b"\\ud800", b"\t", b";", b"null", b"[[[[[[[[", b"\xff\xfe", b"PAR1",
]  # fmt: skip


def mutated(rng: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(changed) + 1)
        match rng.randrange(5):
            case 0:
                changed[at:at] = rng.choice(SPLICES)
            case 1:
                del changed[at : at + rng.randint(1, 30)]
            case 2:
                changed[at : at + 1] = bytes([rng.randrange(256)])
            case 3:
                changed[at:at] = changed[at : at + rng.randint(1, 40)]
            case 4:
                del changed[rng.randrange(len(changed) + 1) :]
    return bytes(changed)


@pytest.mark.faults
@pytest.mark.parametrize("name", SEEDS)
def test_a_changed_file_is_read_or_refused_in_words(tmp_path, name):
    rng = random.Random(sum(name.encode()))
    place = tmp_path / name
    for number in range(ROUNDS):
        place.write_bytes(mutated(rng, SEEDS[name]))
        into = tmp_path / str(number)
        into.mkdir()
        try:
            seen = look(str(place), name)
            json.dumps(seen, allow_nan=False).encode()
            mapping = seen["shape"]["mapping"] if seen["shape"] else {"user": "question", "assistant": "answer"}
            summary = prepare(str(place), name, None, mapping, str(into), "x")
            assert summary["rows_in"] == summary["used"] + summary["unusable"]
        except FacetError as refused:
            assert all(sentence.endswith(".") for sentence in refused.args), refused.args
            assert list(into.iterdir()) == []


def test_every_value_can_be_shown():
    odd = [float("nan"), float("inf"), 10**400, b"\xff", "\ud800", None, True, {"a": {1: [2]}}, (1, 2), object]
    json.dumps(to_json(odd), allow_nan=False).encode()
    deep: list = []
    for _ in range(500):
        deep = [deep]
    assert json.dumps(to_json(deep)).count("[") < 20
