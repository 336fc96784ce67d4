"""A prepared dataset goes out whole, private and once, and comes back as it was."""

import json
import subprocess
import sys
import threading

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from facet.dataset.prepare import prepare
from facet.dataset.store import whole_examples
from facet.errors import AccessError, DataError, SettingError
from facet.hub.hub import Hub
from facet.publish.data_files import holds_key
from facet.publish.dataset_repo import DataTerms, warnings_before, write_dataset
from facet.publish.files import SECRET
from facet.publish.repo import Published
from tests.publish.preparing import HUB, ROWS, prepared, public_files, written
from tests.stand_in.card import complaints

pytestmark = pytest.mark.hub
HIDDEN = {"compression": "gzip", "write_statistics": False, "use_dictionary": False}
NAMES = {"README.md", "facet-data.yaml", "data/train.parquet", "data/validation.parquet", "data/test.parquet"}


def test_a_dataset_is_published_whole_private_and_in_one_commit(data_ann, stand_in):
    done = data_ann.press()
    repo, page = data_ann.repo(), f"{stand_in.url}/datasets/ann/sums"
    assert done == Published("ann/sums", page, repo.sha, None, private=True, created=True, unchanged=False)
    assert data_ann.files() == public_files(data_ann.written) and set(data_ann.files()) == NAMES
    assert repo.private and len(data_ann.versions()) == 1
    assert not [path for _, path, _ in stand_in.asked if path.startswith("/api/models")]
    shares = [share for _, share in data_ann.told]
    assert shares == sorted(shares) and shares[-1] == 1.0


def test_pressing_again_changes_nothing_and_other_rows_are_a_new_version(data_ann, tmp_path):
    first = data_ann.press(tag="next")
    assert data_ann.press(tag="next") == Published(*_fields(first), created=False, unchanged=True)
    fewer = written(prepared(tmp_path / "fewer", ROWS[:30], test_size=0.0), tmp_path / "newer")
    second = data_ann.press(written=fewer, tag="next")
    assert (second.tag, second.created, second.unchanged) == ("v2", False, False)
    assert set(data_ann.files()) == {"README.md", "facet-data.yaml", "data/train.parquet"}
    assert [version.title for version in data_ann.versions()] == [
        "A new version, prepared with Facet",
        "A dataset prepared with Facet",
    ]


def _fields(done):
    return done.repo, done.url, done.sha, done.tag, done.private


def test_the_same_dataset_is_written_the_same_to_the_last_byte(sums, tmp_path):
    first, second = (public_files(written(sums, tmp_path / name)) for name in "ab")
    assert first == second


def test_public_is_the_last_thing_that_happens(data_ann):
    done = data_ann.press(private=False)
    asked = [(method, path.rsplit("/", 1)[-1]) for method, path, _ in data_ann.hub.asked]
    shown = asked.index(("PUT", "settings"))
    assert not done.private and not data_ann.repo().private
    assert not [method for method, _, _ in data_ann.hub.asked[shown + 1 :] if method != "GET"]


def test_nothing_but_the_parts_the_card_and_the_recipe_leaves_this_machine(data_ann, sums, tmp_path):
    for name in (".env", "problems.jsonl", "data/exam.parquet", "about.json", "data/train.parquet.part"):
        (data_ann.written / name).write_text("mine alone")
    (data_ann.written / "data" / "validation.parquet").unlink()
    (data_ann.written / "data" / "validation.parquet").symlink_to(sums / "problems.jsonl")
    data_ann.press()
    assert set(data_ann.files()) == NAMES - {"data/validation.parquet"}
    everything = b"".join(data_ann.files().values())
    assert str(tmp_path).encode() not in everything and str(sums).encode() not in everything


def test_rows_do_not_stand_in_the_card_or_the_recipe(data_ann):
    for name in ("README.md", "facet-data.yaml"):
        text = (data_ann.written / name).read_text()
        assert "and one?" not in text and ", Ann." not in text


def test_a_key_in_a_row_stops_everything_before_the_first_request(stand_in, data_ann, tmp_path):
    key = "hf_" + "aB3" * 12
    for number, row in enumerate([{"question": "q", "answer": f"It is {key}."}, {"question": key, "answer": "a"}]):
        found = written(prepared(tmp_path / str(number), [*ROWS, row], test_size=0.0), tmp_path / f"w{number}")
        stand_in.asked.clear()
        with pytest.raises(DataError, match="There is a key") as caught:
            data_ann.press(written=found)
        assert key not in str(caught.value) and "prepare it again" in caught.value.next and not stand_in.asked


@pytest.mark.parametrize("place", ["text", "turn"])
def test_a_key_is_found_where_packing_hides_it(tmp_path, place):
    key = "hf_" + "aB3xY9" * 6
    for told, is_found in ((key, True), ("hf_hello", False)):
        rows = [{"text": f"{number} words", "turns": [{"content": "words"}]} for number in range(500)]
        rows[400] = {"text": told, "turns": []} if place == "text" else {"text": "", "turns": [{"content": told}]}
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet", **HIDDEN)
        assert not SECRET.search((tmp_path / "rows.parquet").read_bytes())
        assert holds_key(tmp_path / "rows.parquet") == is_found


@pytest.mark.parametrize("missing", ["data/train.parquet", "README.md", "facet-data.yaml"])
def test_half_a_dataset_is_not_published(data_ann, missing):
    (data_ann.written / missing).unlink()
    with pytest.raises(DataError, match=missing):
        data_ann.press()
    assert not data_ann.hub.repos


def test_a_dataset_that_was_never_finished_is_not_written(sums, tmp_path):
    half = tmp_path / "half"
    half.mkdir()
    (half / "dataset.json").write_text("{}")
    with pytest.raises(DataError, match="not a whole dataset"):
        write_dataset(half, tmp_path / "out", "ann/sums", DataTerms())


@pytest.mark.parametrize("name", ["", "sums", "ann/", "ann/a b", "ann/-x", "a/b/c", "hf_" + "a" * 20])
def test_names_are_judged_before_anything_is_read(data_ann, name):
    data_ann.hub.asked.clear()
    with pytest.raises(SettingError) as caught:
        data_ann.press(name)
    assert "model" not in str(caught.value) and not data_ann.hub.asked


def test_a_name_in_use_is_told_in_words_of_datasets(data_ann, stand_in):
    stand_in.add("dataset", "ann/mine", {"rows.csv": b"a,b\n"})
    with pytest.raises(SettingError, match=r"It has no facet-data\.yaml.*another name for the dataset"):
        data_ann.press("ann/mine")
    data_ann.press(private=False)
    with pytest.raises(SettingError, match="you asked for a private dataset"):
        data_ann.press()
    with pytest.raises(SettingError, match="There is a dataset called ann/sums already"):
        data_ann.press("ann/Sums")
    with pytest.raises(AccessError, match="cannot publish under ben"):
        data_ann.press("ben/sums")
    stand_in.add("model", "ann/other", {"config.json": b"{}"})
    assert data_ann.press("ann/other").created  # a model of the same name is another thing


def test_two_presses_at_once_make_one_version(data_ann):
    threads = [threading.Thread(target=data_ann.press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(data_ann.versions()) == 1 and data_ann.files() == public_files(data_ann.written)


def test_what_was_published_comes_back_as_it_was(data_ann, stand_in, sums, tmp_path):
    data_ann.press(private=False)
    fetched = Hub(tmp_path / "cache", endpoint=stand_in.url).dataset_files("ann/sums", split="all")
    assert [(file.name, file.part) for file in fetched.files] == [
        ("data/train.parquet", "train"),
        ("data/validation.parquet", "validation"),
        ("data/test.parquet", "exam"),
    ]
    first, *others = ({"file": str(file.path), "original_name": file.name, "part": file.part} for file in fetched.files)
    again = tmp_path / "again"
    again.mkdir()
    how = {"part": first.pop("part"), "others": others, "splits": "given"}
    summary = prepare(**first, correction=None, mapping=None, into=str(again), name="Sums", **how)
    before = json.loads((sums / "dataset.json").read_text())
    assert (summary["fingerprint"], summary["splits"]) == (before["fingerprint"], before["splits"])
    for part in ("train", "validation", "exam"):
        one, other = ([row for _, row in whole_examples(folder / f"{part}.parquet")] for folder in (sums, again))
        assert one == other and one


PROGRAM = """
import json, sys
from datasets import load_dataset
found = load_dataset(sys.argv[1])
print(json.dumps({name: [len(part), part[0]["messages"][-1]["content"]] for name, part in found.items()}))
"""


def test_the_program_on_the_card_loads_every_split(data_ann, stand_in, sums, tmp_path):
    data_ann.press(private=False)
    home = {"HF_HOME": str(tmp_path / "hf"), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "ann/sums"],
        env=stand_in.environment | home,
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    loaded = json.loads(done.stdout.splitlines()[-1])
    splits = json.loads((sums / "dataset.json").read_text())["splits"]
    assert {name: count for name, (count, _) in loaded.items()} == {
        "train": splits["train"],
        "validation": splits["validation"],
        "test": splits["exam"],
    }
    assert all(answer.endswith(", Ann.") for _, answer in loaded.values())


def test_data_of_a_gated_source_is_published_with_its_licence_named(data_ann, tmp_path):
    folder = prepared(tmp_path / "gated", source=HUB | {"closed": "gated"})
    assert "not open to everyone" in warnings_before(folder, DataTerms(), public=True)[0]
    found = written(folder, tmp_path / "w", licence=None)
    card = (found / "README.md").read_text()
    assert "ben/sums" in card and "asks everyone to accept its terms" in card and "license: mit" in card
    assert yaml.safe_load((found / "facet-data.yaml").read_text())["source"]["revision"] == HUB["revision"]
    assert complaints(card, "dataset") == ([], [])
    assert data_ann.press(written=found).created
