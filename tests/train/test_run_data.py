"""The data of a run file is made again elsewhere as it was: cleaned, sampled, divided and repaired in the same way."""

import json

import pytest
import yaml

from facet.errors import NotFoundError
from facet.identity import LOCAL
from tests.journeys import a_studio
from tests.train.test_history_of_runs import a_run

REPAIR = {"kind": "drop_shorter", "characters": 5}
PREPARED = {
    "cleaned and repaired": {"cleaning": {"duplicates": True, "min_characters": 15}, "repairs": [REPAIR]},
    "sampled, kinds alike in all parts": {"sample_size": 40, "stratify": "kind", "validation_size": 0.2, "seed": 3},
    "nothing set aside": {"splits": "none"},
}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    file = tmp_path_factory.mktemp("source") / "letters.jsonl"
    rows = [
        {"question": f" What  is {n % 70}? ", "answer": "It is  so." if n % 9 else "Yes", "kind": f"kind {n % 5}"}
        for n in range(90)
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    return a_studio(tmp_path_factory.mktemp("here") / "home")


def a_run_file(studio, source, folder, name="letters", **options):
    """A run file of a run on this source, and the data the run learned from."""
    upload_id = studio.bring(LOCAL, str(source))
    mapping = studio.look(LOCAL, upload_id)["shape"]["mapping"]
    dataset_id = studio.prepare(LOCAL, upload_id, name, mapping, **options)
    file = folder / "facet-run.yaml"
    file.write_text(studio.run_file(LOCAL, a_run(studio, dataset_id).id), "utf-8")
    return file, studio.dataset(LOCAL, dataset_id)


@pytest.mark.parametrize("options", PREPARED.values(), ids=PREPARED)
def test_the_same_source_in_another_home_gives_the_very_same_rows(studio, source, tmp_path, monkeypatch, options):
    file, data = a_run_file(studio, source, tmp_path, **options)
    elsewhere = a_studio(tmp_path / "another home")
    monkeypatch.chdir(source.parent)

    again = elsewhere.again_from_file(LOCAL, file, local_files=True)

    made = elsewhere.dataset(LOCAL, again.dataset_id).summary
    assert made["fingerprint"] == data.summary["fingerprint"] and made["splits"] == data.summary["splits"]


def test_data_repaired_by_the_doctor_afterwards_is_repaired_elsewhere_too(studio, source, tmp_path, monkeypatch):
    _, data = a_run_file(studio, source, tmp_path)
    repaired = studio.repair(LOCAL, data.id, [REPAIR])
    file = tmp_path / "facet-run.yaml"
    file.write_text(studio.run_file(LOCAL, a_run(studio, repaired).id), "utf-8")
    elsewhere = a_studio(tmp_path / "another home")
    monkeypatch.chdir(source.parent)

    made = elsewhere.dataset(LOCAL, elsewhere.again_from_file(LOCAL, file, local_files=True).dataset_id)

    assert made.summary["fingerprint"] == studio.dataset(LOCAL, repaired).summary["fingerprint"]


def test_a_run_file_of_an_earlier_facet_which_did_not_tell_all_is_still_read(studio, source, tmp_path, monkeypatch):
    file, data = a_run_file(studio, source, tmp_path, seed=4)
    told = yaml.safe_load(file.read_text())
    for name in ("cleaning", "repairs", "sample_size", "stratify", "group", "splits"):
        del told["data"][name]
    file.write_text(yaml.safe_dump(told))
    elsewhere = a_studio(tmp_path / "another home")
    monkeypatch.chdir(source.parent)

    made = elsewhere.dataset(LOCAL, elsewhere.again_from_file(LOCAL, file, local_files=True).dataset_id)

    assert made.summary["fingerprint"] == data.summary["fingerprint"]


def test_data_with_answers_from_a_chat_is_said_to_be_just_that(studio, source, tmp_path, monkeypatch):
    _, data = a_run_file(studio, source, tmp_path)
    asked = [{"role": "user", "content": "What is a fox?"}]
    judged = {"messages": asked, "answer": "An animal of the wood.", "good": True}
    longer = studio.shelf.add_from_chat(LOCAL, data.id, [judged])
    file = tmp_path / "facet-run.yaml"
    file.write_text(studio.run_file(LOCAL, a_run(studio, longer).id), "utf-8")
    monkeypatch.chdir(source.parent)

    with pytest.raises(NotFoundError, match="judged in a chat"):
        a_studio(tmp_path / "another home").again_from_file(LOCAL, file, local_files=True)
    assert studio.again_from_file(LOCAL, file).dataset_id == longer, "where the data is, it is simply taken"
