"""Zips of strangers: an honest one is read, anything odd is refused whole, and nothing else is ever unpacked."""

import contextlib
import os
import random
import stat
import struct
import time
import zipfile

import pytest

from facet.errors import FacetError
from facet.identity import LOCAL
from tests.adapters import Small, files_in, small_lab, zip_of


@pytest.fixture
def small(tmp_path) -> Small:
    return small_lab(tmp_path)


def with_entry(name, data=b"x", **about):
    def make(archive):
        entry = zipfile.ZipInfo(name)
        for what, value in about.items():
            setattr(entry, what, value)
        archive.writestr(entry, data)

    return make


def twice(archive):
    with pytest.warns(UserWarning):
        archive.writestr("adapter_config.json", b"{}")


def many(archive):
    for number in range(1001):
        archive.writestr(f"{number}", b"")


HOSTILE_ENTRIES = {
    "climbs": with_entry("../evil.txt"),
    "climbs inside": with_entry("a/../../evil.txt"),
    "absolute": with_entry("/etc/evil"),
    "drive": with_entry("C:/evil"),
    "backslash": with_entry("a\\..\\evil"),
    "dot": with_entry("./a"),
    "empty part": with_entry("a//b"),
    "control": with_entry("a\nb"),
    "long": with_entry("a" * 241),
    "symlink": with_entry("link", b"/etc/passwd", external_attr=(stat.S_IFLNK | 0o777) << 16),
    "fifo": with_entry("pipe", external_attr=stat.S_IFIFO << 16),
    "nested": with_entry("inner.zip"),
    "nested tar": with_entry("inner.TAR"),
    "packed otherwise": with_entry("a", compress_type=zipfile.ZIP_LZMA),
    "twice": twice,
    "many": many,
}


@pytest.mark.parametrize("add", HOSTILE_ENTRIES.values(), ids=HOSTILE_ENTRIES.keys())
def test_a_zip_with_anything_odd_in_it_is_refused_whole(small, add):
    theirs = small.theirs
    file = zip_of(theirs, theirs.parent / "a.zip")
    with zipfile.ZipFile(file, "a") as archive:
        add(archive)
    refused(small, file)


def refused(small, file):
    before = sorted(file.parent.rglob("*"))
    began = time.process_time()
    with pytest.raises(FacetError) as error:
        small.bring(file, small.base)
    assert time.process_time() - began < 2
    assert all(sentence.endswith(".") and len(sentence) < 240 for sentence in error.value.args)
    assert not list(small.studio.workspace.shelf(LOCAL, "runs").iterdir())
    assert [path for path in sorted(file.parent.rglob("*")) if "tenants" not in str(path)] == [
        path for path in before if "tenants" not in str(path)
    ]


def locked(data: bytes) -> bytes:
    """The flag of a password on every entry, in both places where a zip keeps it."""
    local = data.replace(b"PK\3\4\x14\0\0\0", b"PK\3\4\x14\0\1\0")
    return local.replace(b"PK\1\2\x14\x03\x14\0\0\0", b"PK\1\2\x14\x03\x14\0\1\0")


def end_says(entries: int = 1, length: int = 100):
    return lambda data: data[:-12] + struct.pack("<H", entries) + struct.pack("<I", length) + data[-6:]


HOSTILE_BYTES = {
    "empty": lambda data: b"",
    "no zip": lambda data: b"hello" * 100,
    "cut": lambda data: data[: len(data) // 2],
    "comment": lambda data: data[:-2] + b"\5\0hello",
    "tail": lambda data: data + b"x",
    "locked": locked,
    "spoiled inside": lambda data: data[:60] + bytes(20) + data[80:],
    "a table too long": end_says(length=0xFFFFFFF0),
    "too many entries": end_says(entries=0xFFFF),
    "larger than it can say": lambda data: data[:-22] + b"PK\6\7" + bytes(16) + data[-22:],
    "the table is elsewhere": lambda data: data[:-6] + struct.pack("<I", 0xFFFFFF00) + data[-2:],
}


@pytest.mark.parametrize("change", HOSTILE_BYTES.values(), ids=HOSTILE_BYTES.keys())
def test_a_zip_that_is_damaged_or_locked_is_refused(small, change):
    theirs = small.theirs
    file = zip_of(theirs, theirs.parent / "a.zip")
    changed = change(file.read_bytes())
    assert changed != file.read_bytes()
    file.write_bytes(changed)
    refused(small, file)


def test_whatever_byte_is_wrong_the_answer_is_a_run_or_a_sentence(small):
    studio, theirs, base = small.studio, small.theirs, small.base
    whole, file = zip_of(theirs, theirs.parent / "a.zip").read_bytes(), theirs.parent / "b.zip"
    dice = random.Random(7)
    for _ in range(1000):
        data = bytearray(whole)
        for _ in range(dice.randint(1, 3)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        file.write_bytes(data)
        with contextlib.suppress(FacetError):
            studio.delete(LOCAL, "runs", small.bring(file, base))
    assert not list(studio.workspace.shelf(LOCAL, "runs").iterdir())


def test_a_bomb_is_recognised_by_its_size_and_never_inflated(small):
    theirs = small.theirs
    os.truncate(theirs / "adapter_model.safetensors", 2_100_000_000)
    file = theirs.parent / "bomb.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.write(theirs / "adapter_config.json", "adapter_config.json")
        entry = zipfile.ZipInfo("adapter_model.safetensors")
        entry.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(entry, "w") as out:
            for _ in range(2100):
                out.write(bytes(1_000_000))
    assert file.stat().st_size < 20_000_000
    refused(small, file)


def test_a_size_that_is_a_lie_ends_where_it_was_said_to_end(small):
    theirs = small.theirs
    file = zip_of(theirs, theirs.parent / "a.zip")
    size = (theirs / "adapter_model.safetensors").stat().st_size
    data = file.read_bytes()
    assert data.count(struct.pack("<I", size)) >= 2
    file.write_bytes(data.replace(struct.pack("<I", size), struct.pack("<I", size - 64)))
    refused(small, file)


def test_what_else_lies_in_a_zip_is_never_unpacked(small):
    studio, theirs, base = small.studio, small.theirs, small.base
    more = {"modeling_evil.py": b"canary", "deep/er/adapter_model.bin": b"canary", "base/evil.safetensors": b"canary"}
    run_id = small.bring(zip_of(theirs, theirs.parent / "a.zip", more), base)
    kept = {path.name for path in files_in(studio.runs_shelf.folder(LOCAL, run_id))}
    assert kept == {
        "about.json",
        "adapter_config.json",
        "adapter_model.safetensors",
        "dataset.json",
        "events.jsonl",
        "task.json",
    }
