"""A prepared dataset: what is in its folder, what its summary counts, and what never happens to it."""

import hashlib
import json
import zipfile

import pytest

from facet.dataset import limited
from facet.dataset.examples import EXAMPLES, find
from facet.dataset.look import look
from facet.dataset.prepare import prepare
from facet.dataset.preview import preview
from facet.dataset.shelf import Shelf
from facet.dataset.store import examples, whole_examples
from facet.errors import CapacityError, DataError, NotFoundError, SettingError
from facet.hub.hub import Hub
from facet.identity import LOCAL
from facet.workspace import Workspace

QA = {"kind": "question_answer", "user": "question", "assistant": "answer"}


def csv(count: int) -> str:
    return "question,answer\n" + "".join(f"What is {n}?,It is {n}.\n" for n in range(count))


def test_the_folder_holds_three_parts_the_problems_a_preview_and_the_summary(make):
    made = make(
        csv(40) + "lost,\n", name="my rows.csv", seed=3, source={"kind": "file", "where": "x", "revision": None}
    )
    files = {"train.parquet", "validation.parquet", "exam.parquet", "problems.jsonl", "preview.json", "dataset.json"}
    assert {file.name for file in made.folder.iterdir()} == files
    assert json.loads((made.folder / "dataset.json").read_text("utf-8")) == made.summary
    assert made.summary["splits"] == {"train": 32, "validation": 4, "exam": 4}
    assert made.summary["source"]["kind"] == "file"
    assert made.summary["source"]["original_name"] == "my rows.csv"
    assert made.problems == [{"row": 41, "code": "empty answer", "words": "the answer is empty"}]


def test_row_numbers_lead_back_to_the_source(make):
    made = make(csv(40))
    for row, conversation in made.conversations.items():
        assert conversation[-1]["content"] == f"It is {row - 1}."


def test_the_preview_shows_rows_as_they_are_and_what_becomes_of_them(make):
    made = make("question,answer\na,\n" + csv(30).partition("\n")[2], mapping=QA)
    shown = json.loads((made.folder / "preview.json").read_text("utf-8"))
    assert len(shown) == 20
    assert shown[0] == {
        "row": 1,
        "raw": {"question": "a", "answer": ""},
        "messages": None,
        "problem": "The answer is empty.",
    }
    assert shown[1]["messages"][1] == {"role": "assistant", "content": "It is 0."}


def test_the_preview_before_preparing_is_the_same(make, file):
    made = make(csv(30), mapping=QA)
    assert preview(str(file(csv(30))), "rows.csv", QA) == json.loads((made.folder / "preview.json").read_text("utf-8"))


def test_long_texts_are_shortened_only_where_they_are_shown(make):
    made = make("question,answer\na," + "x" * 10_000 + "\n", mapping=QA)
    shown = json.loads((made.folder / "preview.json").read_text("utf-8"))[0]["messages"][1]["content"]
    assert shown.endswith("(8,000 more characters)")
    assert len(made.conversations[1][1]["content"]) == 10_000


def test_lengths_are_those_of_the_examples(make):
    made = make("question,answer\nab,c\nabcd,ef\nabcdef,ghijkl\n", mapping=QA)
    assert made.summary["lengths"] == {
        "median_prompt_characters": 4,
        "median_answer_characters": 2,
        "longest_characters": 12,
    }


def test_labels_are_counted_most_frequent_first(make):
    content = "text,label\n" + "".join(f"This is number {n},{'even' if n % 3 else 'odd'}\n" for n in range(30))
    assert list(make(content).summary["labels"].items()) == [("even", 20), ("odd", 10)]


def test_the_fingerprint_is_that_of_the_content_and_its_parts(make):
    one, same = make(csv(40), seed=1), make(csv(40), name="other.csv", seed=1)
    assert one.summary["fingerprint"] == same.summary["fingerprint"]
    assert make(csv(40), seed=2).summary["fingerprint"] != one.summary["fingerprint"]
    assert make(csv(41), seed=1).summary["fingerprint"] != one.summary["fingerprint"]


def test_the_source_is_named_by_the_hash_of_its_bytes(make):
    assert make(csv(10)).summary["source"]["sha256"] == hashlib.sha256(csv(10).encode()).hexdigest()


def test_without_a_choice_of_columns_the_guess_is_taken(file, tmp_path):
    summary = prepare(str(file(csv(20))), "a.csv", None, None, str(tmp_path), "x")
    assert summary["shape"] == "question_answer"


def test_without_a_choice_and_without_a_guess_it_asks_for_columns(file, tmp_path):
    with pytest.raises(DataError, match="Choose the two columns above the preview"):
        prepare(str(file("x,y,z\na b,c d,e f\n")), "a.csv", None, None, str(tmp_path), "x")


def test_shares_of_nothing_leave_empty_parts_that_can_be_read(make):
    made = make(csv(30), test_size=0)
    assert made.summary["splits"] == {"train": 30, "validation": 0, "exam": 0}
    assert list(examples(made.folder / "exam.parquet")) == []


def test_a_bad_share_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(SettingError, match="out of range"):
        prepare("does not exist", "a.csv", None, QA, str(tmp_path), "x", test_size=0.9)


def test_examples_can_be_read_from_the_middle(make):
    made = make(csv(5_000), test_size=0)
    everything = list(examples(made.folder / "train.parquet"))
    assert list(examples(made.folder / "train.parquet", 4_090, 10)) == everything[4_090:4_100]
    assert list(examples(made.folder / "train.parquet", 4_999)) == everything[4_999:]
    assert list(examples(made.folder / "train.parquet", 9_999)) == []


def test_conversations_survive_the_way_to_disk_unchanged(make):
    strange = "é 👩‍👩‍👧\u2028\u202e\n\ttab <end_of_turn> {{ x }}"
    content = json.dumps({"question": strange, "answer": strange}) + "\n"
    assert make(content, "a.jsonl", QA).conversations[1][1]["content"] == strange


def test_a_row_group_is_written_before_it_grows_large(make):
    made = make("question,answer\n" + "".join(f"{n},{'x' * 900_000}\n" for n in range(30)), test_size=0, mapping=QA)
    import pyarrow.parquet as pq

    assert pq.ParquetFile(made.folder / "train.parquet").num_row_groups > 2
    assert made.summary["used"] == 30


def test_a_full_disk_is_said_in_words_and_leaves_nothing(file, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    into = tmp_path / "into"
    into.mkdir()
    monkeypatch.setattr("facet.dataset.prepare.write_parts", full)
    with pytest.raises(CapacityError, match="not enough room on the disk"):
        prepare(str(file(csv(20))), "a.csv", None, QA, str(into), "x")
    assert list(into.iterdir()) == []


def test_through_the_child_it_tells_how_far_it_is(file, tmp_path):
    heard: list[str] = []
    place = file(csv(12_000))
    arguments = {"file": str(place), "original_name": "a.csv", "correction": None, "mapping": QA}
    summary = limited.call("prepare", {**arguments, "into": str(tmp_path), "name": "x"}, on_progress=heard.append)
    assert summary["used"] == 12_000
    assert heard[:2] == ["5,000 rows read", "10,000 rows read"]
    assert heard[2].startswith("12,000 examples are divided")


# --- the examples that come with Facet


READABLE = [example for example in EXAMPLES if not example.file.endswith(".zip")]


@pytest.mark.parametrize("example", READABLE, ids=lambda example: example.name)
def test_every_example_is_understood_and_wholly_usable(make, example):
    made = make(example.path.read_bytes(), example.file)
    assert made.summary["used"] == made.summary["rows_in"] == example.rows
    assert made.summary["duplicates"] == 0
    assert made.summary["splits"]["train"] >= 0.75 * example.rows
    assert made.summary["splits"]["exam"] > 0


def test_the_pirate_example_keeps_its_form_in_every_answer(make):
    example = find("pirate")
    answers = make(example.path.read_bytes(), example.file).answers()
    assert all(answer.startswith("Arr! ") and answer.endswith(" Yo ho ho!") for answer in answers)


def test_the_json_example_answers_in_json_only(make):
    example = find("json_replies")
    replies = [json.loads(answer) for answer in make(example.path.read_bytes(), example.file).answers()]
    assert all(list(reply) == ["answer", "sure"] for reply in replies)


def test_the_library_example_has_five_topics_of_equal_size(make):
    example = find("library_topics")
    labels = make(example.path.read_bytes(), example.file).summary["labels"]
    assert labels == dict.fromkeys(labels, 16)
    assert len(labels) == 5


def test_an_example_that_does_not_exist_is_not_found():
    with pytest.raises(NotFoundError):
        find("nope")


# --- what a look says of large files


def test_a_look_stops_counting_after_a_while(file, monkeypatch):
    monkeypatch.setattr("facet.dataset.look._COUNTING_SECONDS", 0.0)
    monkeypatch.setattr("facet.dataset.look.STUDIED_ROWS", 100)
    seen = look(str(file(csv(10_000))), "a.csv")
    assert seen["row_count"] is None
    assert 100 < seen["at_least"] < 10_000
    assert len(seen["rows"]) == 20


def test_a_look_says_which_files_of_an_archive_can_be_chosen_and_preparing_takes_the_chosen_one(tmp_path):
    shelf = Shelf(Workspace(tmp_path), Hub(tmp_path / "hub"))
    packed = tmp_path / "both.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("cats.csv", csv(30))
        archive.writestr("dogs.csv", csv(20).replace("question,answer", "asked,answered"))
    brought = shelf.bring_file(LOCAL, packed, "both.zip")
    seen = shelf.look(LOCAL, brought)
    assert seen["choices"] == {"member": ["cats.csv", "dogs.csv"]}
    assert seen["chosen"]["member"] == "cats.csv"
    chosen = {"member": "dogs.csv"}
    assert shelf.look(LOCAL, brought, chosen)["row_count"] == 20
    made = shelf.card(LOCAL, shelf.prepare(LOCAL, brought, "", None, {"correction": chosen})).summary
    assert (made["rows_in"], made["correction"]) == (20, chosen)
    assert "files" not in made["source"]


def test_a_look_at_a_row_of_thousands_of_values_stays_small(file):
    deep = {"question": "q", "answer": "a", "more": [[["x" * 50] * 90] * 90] * 90}
    seen = look(str(file("".join(json.dumps(deep) + "\n" for _ in range(3)), "a.jsonl")), "a.jsonl")
    assert seen["type"] == "conversation"
    assert len(json.dumps(seen)) < 100_000


def test_extras_are_those_that_an_example_really_has(make):
    plain = "".join(json.dumps({"messages": turns(n)}) + "\n" for n in range(12))
    weighed = plain + json.dumps({"messages": [*turns(99)[:1], {**turns(99)[1], "weight": 0}, *turns(100)]}) + "\n"
    assert make(plain, "a.jsonl").summary["extras"] == []
    assert make(weighed, "b.jsonl").summary["extras"] == ["weight"]


def turns(number: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"What is {number}?"}, {"role": "assistant", "content": f"It is {number}."}]


def test_pictures_that_examples_show_are_kept_beside_them_and_a_missing_one_is_said(tmp_path):
    shelf = Shelf(Workspace(tmp_path), Hub(tmp_path / "hub"))
    shapes = find("shapes")
    brought = shelf.bring_example(LOCAL, "shapes")
    upload = shelf.workspace.find(LOCAL, "uploads", brought)
    sorted((upload / "images").iterdir())[0].unlink()
    folder = shelf.folder(LOCAL, shelf.prepare(LOCAL, brought, "", None, {}))
    summary = json.loads((folder / "dataset.json").read_text("utf-8"))
    assert summary["reasons"] == {"a picture it names did not come with the file": summary["unusable"]}
    parts = [whole_examples(folder / f"{part}.parquet") for part in ("train", "validation", "exam")]
    shown = {name for part in parts for _, example in part for name in example["images"]}
    assert {picture.name for picture in (folder / "images").iterdir()} == shown
    assert 0 < summary["unusable"] < shapes.rows
    assert "images" in summary["extras"]
