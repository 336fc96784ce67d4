"""Where data may come from, as a person writes it; and what is never understood as a place."""

import pytest

from facet.dataset.source import Source, parse_source
from facet.errors import DataError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hub:owner/name", Source("hub", "owner/name")),
        (" hub:owner/name@v1.0 ", Source("hub", "owner/name", "v1.0")),
        ("hub:owner/name@refs/pr/1", Source("hub", "owner/name", "refs/pr/1")),
        ("hub:squad", Source("hub", "squad")),
        ("https://huggingface.co/datasets/owner/name", Source("hub", "owner/name")),
        ("https://huggingface.co/datasets/owner/name/tree/main", Source("hub", "owner/name", "main")),
        ("example:pirate", Source("example", "pirate")),
        ("data/rows.csv", Source("file", "data/rows.csv")),
        ("/tmp/rows.csv", Source("file", "/tmp/rows.csv")),
        ("C:\\data\\rows.csv", Source("file", "C:\\data\\rows.csv")),
        ("data/", Source("folder", "data/")),
        ("csv", Source("file", "csv")),
    ],
)
def test_a_place_is_understood(text, expected):
    assert parse_source(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "a\nb",
        "a\0b",
        "x" * 5_000,
        "http://127.0.0.1/rows.csv",
        "https://huggingface.co/owner/name",
        "https://huggingface.co.evil.example/datasets/a/b",
        "https://example.org/rows.csv",
        "file:///etc/passwd",
        "hf://datasets/x/y",
        "ftp://x/y",
        "hub:",
        "hub:../x",
        "hub:a/b/c",
        "hub:/etc",
        "hub:a/..",
        "hub:a b/c",
        "hub:a/b?x",
        "hub:a/b#x",
        "hub:a--b/c",
        "hub:a/b.git",
        "hub:-a/b",
        "hub:😀/b",
        "hub:a/" + "b" * 200,
        "example:",
        "example:../pirate",
        "example:Pirate",
    ],
)
def test_what_names_no_place_of_ours_is_refused_with_the_form_to_use(text):
    with pytest.raises(DataError, match="hub:owner/name"):
        parse_source(text)
