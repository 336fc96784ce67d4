"""A file or a part answered by several models: kept as it comes, looked through, taken home."""

import csv
import json

import pytest

from facet.errors import DataError, NotFoundError, SettingError
from facet.identity import LOCAL, Person
from facet.model.decoding import Decoding
from facet.work import worker
from facet.work.task import Task
from tests.exam.small_bank import sat, small_bank, trained
from tests.journeys import a_studio, progress

pytestmark = pytest.mark.tiny
SHORT = Decoding(max_new_tokens=12)
BEN = Person("ben", "Ben", "local")


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    return a_studio(tmp_path_factory.mktemp("batch") / "home")


@pytest.fixture(scope="module")
def bank(studio):
    return small_bank(studio)


@pytest.fixture(scope="module")
def run(studio, bank):
    return trained(studio, bank, max_steps=8)


def test_a_part_is_answered_by_two_models_and_cut_in_the_middle_changes_nothing(studio, bank, run):
    def begun() -> Task:
        batch_id = studio.start_batch(LOCAL, ["starter", run.id], dataset_id=bank, part="exam", decoding=SHORT)
        return Task(studio.workspace.find(LOCAL, "exams", batch_id))

    whole = begun()
    sat(studio, whole.id)
    cut = begun()
    studio.pause_exam(LOCAL, cut.id)
    worker.advance(cut, studio.workspace.models)
    assert progress(cut).stage == "paused" and studio.batch_rows(LOCAL, cut.id, only="open")[1] == 6
    studio.resume_exam(LOCAL, cut.id)
    (some,) = list(whole.folder.glob("answers/*"))[:1]
    (cut.folder / "answers").mkdir(exist_ok=True)
    (cut.folder / "answers" / some.name).write_bytes(some.read_bytes()[: some.stat().st_size * 2 // 3])
    cut.clear_resume()
    rows, count = studio.batch_rows(LOCAL, cut.id)
    assert count == 6 and 0 < sum(bool(row.answers) for row in rows) < 6 and all(row.is_open for row in rows)
    worker.advance(cut, studio.workspace.models)

    assert progress(cut).stage == "finished"
    assert studio.batch_rows(LOCAL, cut.id) == studio.batch_rows(LOCAL, whole.id)
    assert studio.batch(LOCAL, cut.id).contestants.keys() == studio.batch(LOCAL, whole.id).contestants.keys()
    assert [card.id for card in studio.batches(LOCAL)] == [cut.id, whole.id] and studio.exams(LOCAL) == []


def test_answers_are_searched_filtered_and_taken_home(studio, bank, run):
    batch = sat(studio, studio.start_batch(LOCAL, ["starter", run.id], dataset_id=bank, part="exam", decoding=SHORT))
    rows, count = studio.batch_rows(LOCAL, batch.id)
    one, _ = studio.batch_rows(LOCAL, batch.id, search=rows[2].input.upper())
    different = [row for row in rows if len({" ".join(text.split()) for text in row.answers.values()}) > 1]

    assert rows[2] in one and len(one) < count
    assert studio.batch_rows(LOCAL, batch.id, only="differ")[0] == different
    assert studio.batch_rows(LOCAL, batch.id, only="open") == ([], 0)
    assert studio.batch_rows(LOCAL, batch.id, start=1, count=2) == (rows[1:3], count)
    table = list(csv.DictReader(studio.download_batch(LOCAL, batch.id).read_text("utf-8-sig").splitlines()))
    lines = studio.download_batch(LOCAL, batch.id, "jsonl").read_text("utf-8").splitlines()
    assert [row["input"] for row in table] == [row.input for row in rows] == [json.loads(one)["input"] for one in lines]
    assert table[0]["expected"] in ("card", "loan", "money", "phone") and table[0].keys() >= {"Untouched", "a run"}
    with pytest.raises(SettingError, match="download"):
        studio.download_batch(LOCAL, batch.id, "pdf")


def test_a_file_of_questions_alone_is_answered(studio, tmp_path):
    file = tmp_path / "asked.csv"
    file.write_text("question\n=1+1 is what?\nWhat is 3 plus 4?\nWho are you?\n")
    upload = studio.bring_file(LOCAL, file, file.name)
    mapping = {"kind": "prompt_only", "type": "prompt_only", "user": "question"}
    batch_id = studio.start_batch(LOCAL, ["starter"], upload_id=upload, mapping=mapping, decoding=SHORT)
    sat(studio, batch_id)

    rows, _ = studio.batch_rows(LOCAL, batch_id)
    assert [row.input for row in rows] == ["=1+1 is what?", "What is 3 plus 4?", "Who are you?"]
    assert rows[1].answers == {"Untouched": "3 plus 4 is 7."} and not rows[1].expected
    assert "'=1+1 is what?" in studio.download_batch(LOCAL, batch_id).read_text("utf-8-sig")
    assert studio.batch(LOCAL, batch_id).source == "asked" and studio.datasets(LOCAL)[0].name == "bank"


def test_what_cannot_be_answered_is_refused_in_words(studio, bank, run):
    with pytest.raises(SettingError, match="nothing to answer"):
        studio.start_batch(LOCAL, ["starter"])
    with pytest.raises(SettingError, match="part"):
        studio.start_batch(LOCAL, ["starter"], dataset_id=bank, part="../train")
    with pytest.raises(NotFoundError):
        studio.start_batch(BEN, ["starter"], dataset_id=bank)
    with pytest.raises(NotFoundError):
        studio.start_batch(LOCAL, ["starter"], upload_id="no-such-upload")
    with pytest.raises(DataError):
        empty = studio.bring_rows(LOCAL, [["question", "answer"], ["", ""]])
        studio.start_batch(LOCAL, ["starter"], upload_id=empty)
    batch = studio.start_batch(LOCAL, ["starter"], dataset_id=bank)
    for act in (studio.batch, studio.batch_rows, studio.download_batch, studio.pause_exam):
        with pytest.raises(NotFoundError):
            act(BEN, batch)
    studio.delete(LOCAL, "exams", batch)
    assert batch not in [card.id for card in studio.batches(LOCAL)]


def test_a_file_is_prepared_beside_the_page_and_its_batch_follows(studio, tmp_path):
    file = tmp_path / "later.csv"
    file.write_text("question,answer\nWhat is 3 plus 4?,7\nWho are you?,Facet\n")
    before = studio.batches(LOCAL)
    upload = studio.bring_file(LOCAL, file, file.name)
    job = studio.start_batch_of_file(LOCAL, ["starter"], upload, decoding=SHORT)
    with pytest.raises(NotFoundError):
        studio.making(BEN, job)
    batch_id = studio.makings.wait(LOCAL, job, 60)
    assert studio.batch_in_the_making(LOCAL) is None
    sat(studio, batch_id)
    rows, count = studio.batch_rows(LOCAL, batch_id, search="plus")
    assert (count, rows[0].expected) == (1, "7") and studio.batch(LOCAL, batch_id).source == "later"
    assert len(studio.batches(LOCAL)) == len(before) + 1


def test_a_file_that_cannot_be_prepared_leaves_a_reason_and_no_batch(studio, tmp_path):
    (tmp_path / "empty.csv").write_text("question,answer\n")
    empty = studio.bring_file(LOCAL, tmp_path / "empty.csv", "empty.csv")
    shelf = studio.workspace.shelf(LOCAL, "exams")
    before = sorted(shelf.iterdir())
    with pytest.raises(DataError):
        studio.makings.wait(LOCAL, studio.start_batch_of_file(LOCAL, ["starter"], empty), 60)
    assert sorted(shelf.iterdir()) == before and studio.workspace.find(LOCAL, "uploads", empty)
    with pytest.raises(NotFoundError):
        studio.start_batch_of_file(LOCAL, ["starter"], "no-such-upload")
    with pytest.raises(SettingError, match="No model was chosen"):
        studio.start_batch_of_file(LOCAL, [], empty)


def test_a_batch_is_renamed_and_its_length_is_foreseen_from_the_one_before(studio, bank):
    batch = sat(studio, studio.start_batch(LOCAL, ["starter"], dataset_id=bank, part="train", decoding=SHORT))
    studio.rename(LOCAL, "exams", batch.id, "Another name")
    assert studio.batch(LOCAL, batch.id).name == "Another name"
    rows = studio.batch_rows(LOCAL, batch.id)[1]
    found = studio.forecast_batch(LOCAL, bank, "train", ["starter", "starter"], 12)
    assert found.answers == rows >= 20 and found.measured and found.seconds > 0
    assert studio.forecast_batch(LOCAL, bank, "exam", [], 12) is None
