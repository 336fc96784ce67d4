"""Lines of JSON read fast say the same as lines read slowly, whatever stands in them."""

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facet.dataset.jsons import DUPLICATE_KEYS, JsonRows
from facet.dataset.problem import RowProblem


class Pairs(list):
    """An object whose names may stand twice."""


KEYS = st.sampled_from(["a", "b", 'q"', "back\\", "é", ""])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(['\\":', '": "', "\\\\"]),
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(KEYS, inner), max_size=4).map(Pairs),
    max_leaves=8,
)


def written(value: object, gap: str) -> str:
    if isinstance(value, Pairs):
        return "{" + f",{gap}".join(f"{json.dumps(key)}{gap}:{written(each, gap)}" for key, each in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(written(each, gap) for each in value) + "]"
    return json.dumps(value, ensure_ascii=gap == " ")


def read(place, encoding: str) -> tuple[list[object], Counter]:
    rows = JsonRows(place, encoding, lines=True)
    found = [str(row) if isinstance(row, RowProblem) else repr(row) for _, row in rows.rows()]
    return found, rows.notes


@given(
    st.lists(st.lists(st.tuples(KEYS, VALUES), max_size=4).map(Pairs), min_size=1, max_size=4),
    st.sampled_from(["", " "]),
)
@settings(max_examples=150, deadline=None)
def test_reading_fast_changes_nothing(tmp_path_factory, rows, gap):
    text = "\n".join(written(row, gap) for row in rows)
    fast, slow = (tmp_path_factory.mktemp("lines") / name for name in ("fast", "slow"))
    fast.write_bytes(text.encode("utf-8", "surrogatepass"))
    slow.write_bytes(text.encode("utf-16-le", "surrogatepass"))
    assert read(fast, "utf-8") == read(slow, "utf-16-le")


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (b'{"a": 12345678901234567890123}', 12345678901234567890123),
        (b'{"a": [{"b": -99999999999999999999}]}', [{"b": -99999999999999999999}]),
        (b'{"a": 9007199254740993}', 9007199254740993),
        (b'{"a": 1e5}', 1e5),
        (b'{"a": -0.0}', -0.0),
        (b'\xef\xbb\xbf {"a": "\xc3\xa9"}\r', "é"),
        (b'{"a": "\xff"}', "\udcff"),
        (b'{"a": "\\ud800"}', "\ud800"),
        (b'{"a": Infinity}', float("inf")),
    ],
)
def test_what_the_fast_reader_would_change_or_refuse_is_read_slowly(file, line, value):
    ((_, row),) = JsonRows(file(line, "a.jsonl"), "utf-8", lines=True).rows()
    assert repr(row) == repr({"a": value})


@pytest.mark.parametrize(
    "line", ['{"a":1,"a":2}', '{"a" :1,"a":2}', '{"x":[{"a":"\\":","a":""}]}', '{"\\u0061":1,"a":2}']
)
def test_a_name_that_stands_twice_is_always_noticed(file, line):
    rows = JsonRows(file(line, "a.jsonl"), "utf-8", lines=True)
    list(rows.rows())
    assert rows.notes[DUPLICATE_KEYS]


def test_carriage_returns_alone_end_lines_too(file):
    rows = JsonRows(file(b'{"a": 1}\r{"a": 2}\r\r{"a": 3}', "a.jsonl"), "utf-8", lines=True)
    assert [row["a"] for _, row in rows.rows()] == [1, 2, 3]
