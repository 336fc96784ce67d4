"""Texts in folders of an archive: the folders are labels where they look like it."""

import pytest

from facet.dataset.look import look
from facet.dataset.unpack import unpack
from tests.kinds import zipped


@pytest.fixture
def opened(tmp_path):
    def run(members: dict):
        packed, into = tmp_path / "reviews.zip", tmp_path / "into"
        packed.write_bytes(zipped(members))
        into.mkdir()
        found = unpack(str(packed), "reviews.zip", str(into))
        return found, [look(str(into / each["path"]), each["name"]) for each in found["files"]]

    return run


def texts(folder: str, count: int = 8) -> dict[str, bytes]:
    return {f"{folder}/{n}.txt": f"Größe {n}, seen in {folder}.\n\nAnd more.".encode() for n in range(count)}


def test_the_name_of_the_folder_is_the_label_of_the_text(opened):
    found, (seen,) = opened(texts("reviews/pos") | texts("reviews/neg", 5))
    assert seen["row_count"] == 13
    assert seen["shape"]["kind"] == "text_label"
    assert seen["shape"]["mapping"]["system"].endswith("nothing else: neg, pos.")
    assert seen["rows"][0] == {"text": "Größe 0, seen in reviews/neg.\n\nAnd more.", "label": "neg"}
    assert found["notes"] == ["13 texts were read, each with the name of its folder as its label: “neg”, “pos”."]


@pytest.mark.parametrize("way", ["{part}/{label}", "{label}/{part}", "data/{part}/{label}"])
def test_folders_of_parts_are_parts_and_no_labels(opened, way):
    members = {}
    for part in ("train", "test"):
        for label in ("pos", "neg"):
            members |= texts(way.format(part=part, label=label), 4)
    found, seen = opened(members)
    assert [(each["name"], each["part"]) for each in found["files"]] == [
        ("train.jsonl", "train"),
        ("exam.jsonl", "exam"),
    ]
    assert all({row["label"] for row in each["rows"]} == {"pos", "neg"} and each["row_count"] == 8 for each in seen)


@pytest.mark.parametrize(
    "members",
    [
        texts("one"),
        texts("a", 1) | texts("b", 1) | texts("c", 1),
        {"a/1.md": b"# one\n\ntext", "a/2.md": b"# two", "b/1.md": b"# three", "b/2.md": b"# four"},
        {"1.txt": b"one", "2.txt": b"two", **texts("b", 2)},
        texts("train", 4) | texts("test", 4),
    ],
)
def test_other_folders_are_no_labels(opened, members):
    found, (seen,) = opened(members)
    assert [column["name"] for column in seen["columns"]] == ["text"]
    assert "were put together" in found["notes"][0]
