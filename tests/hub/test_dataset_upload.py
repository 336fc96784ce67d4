"""Datasets of the Hub in every form become uploads that can be looked at and prepared, with their own splits."""

import gzip
import io
import json
import zipfile

import pytest

from facet.dataset.shelf import Shelf
from facet.identity import LOCAL
from facet.workspace import read_json

pytestmark = pytest.mark.hub


def rows(start, count):
    return [{"question": f"What is number {n}?", "answer": f"It is called {n}."} for n in range(start, start + count)]


def jsonl(start, count):
    return "".join(json.dumps(row) + "\n" for row in rows(start, count)).encode()


def zipped(name, data):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return file.getvalue()


def csv(start, count):
    return (
        "question,answer\n" + "".join(f"{row['question']},{row['answer']}\n" for row in rows(start, count))
    ).encode()


@pytest.fixture
def shelf(workspace, hub):
    return Shelf(workspace, hub)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("train.jsonl", jsonl(0, 40)),
        ("train.jsonl.gz", gzip.compress(jsonl(0, 40))),
        ("train.csv.gz", gzip.compress(csv(0, 40))),
        ("train.json.gz", gzip.compress(json.dumps(rows(0, 40)).encode())),
        ("train.zip", zipped("train.csv", csv(0, 40))),
    ],
)
def test_packed_files_are_opened_and_prepared(stand_in, shelf, name, data):
    repo = stand_in.add("dataset", "ann/numbers", {name: data}, card={"license": "mit"})
    upload = shelf.bring_hub(LOCAL, "ann/numbers")
    assert {column["name"] for column in shelf.look(LOCAL, upload)["columns"]} == {"question", "answer"}
    summary = shelf.card(LOCAL, shelf.prepare(LOCAL, upload, "", None, {})).summary
    assert (summary["used"], summary["source"]["revision"], summary["source"]["licence"]) == (40, repo.sha, "mit")
    assert not list(shelf.hub.cache.glob("*"))


def test_every_file_of_every_split_comes_and_the_given_parts_are_kept(stand_in, shelf):
    files = {f"data/train-{number}.jsonl": jsonl(100 * number, 20) for number in range(3)}
    stand_in.add("dataset", "ann/numbers", files | {"data/dev.jsonl": jsonl(500, 7), "data/test.jsonl": jsonl(600, 5)})
    upload = shelf.bring_hub(LOCAL, "ann/numbers:default/all")
    dataset = shelf.prepare(LOCAL, upload, "", None, {"splits": "given"})
    card = shelf.card(LOCAL, dataset)
    assert card.summary["splits"] == {"train": 60, "validation": 7, "exam": 5} and card.name == "numbers"
    alone = shelf.prepare(LOCAL, shelf.bring_hub(LOCAL, "ann/numbers"), "", None, {})
    assert shelf.card(LOCAL, alone).summary["used"] == 60  # the test of the source is never learned from by accident


def test_what_only_its_owner_may_read_is_marked_in_what_is_kept(stand_in, shelf, workspace):
    stand_in.add("dataset", "ann/diary", {"train.jsonl": jsonl(0, 20)}, private=True)
    token = stand_in.token("ann")
    upload = shelf.bring_hub(LOCAL, "ann/diary", token)
    source = workspace.find(LOCAL, "uploads", upload) / "source.json"
    assert read_json(source)["closed"] == "private" and token not in source.read_text()
