"""Judged answers become examples: of the kind a dataset takes, never twice, and never of what the exam asks."""

from dataclasses import asdict, replace

import pytest

from facet.dataset.from_chat import Feedback, as_rows, examples_of, read_feedback, write_feedback
from facet.dataset.shelf import Shelf
from facet.dataset.store import whole_examples
from facet.errors import DataError
from facet.hub.hub import Hub
from facet.identity import LOCAL
from facet.workspace import Workspace
from tests.dataset.conftest import require_all_counted


def said(*texts: str) -> list[dict]:
    return [{"role": "assistant" if at % 2 else "user", "content": text} for at, text in enumerate(texts)]


PRAISED = Feedback(said("Who are you?"), "A pirate!", good=True)
BLAMED = Feedback(said("Who are you?"), "A model.", good=False)
REWRITTEN = Feedback(said("Hello", "Hi", "And now?"), "I do not know.", better="Now we sail!")


def test_only_what_says_what_is_right_becomes_an_answer_to_learn():
    made = examples_of("conversation", [PRAISED, BLAMED, REWRITTEN])
    assert [one["messages"][-1]["content"] for one in made] == ["A pirate!", "Now we sail!"]


def test_answers_nobody_judged_are_read_and_not_learned():
    (made,) = examples_of("conversation", [REWRITTEN])
    assert [turn.get("weight") for turn in made["messages"]] == [None, 0, None, None]


def test_pairs_come_of_rewriting_and_of_two_answers_to_the_same_question():
    made = examples_of("preference", [PRAISED, BLAMED, REWRITTEN])
    pairs = [(one["chosen"][0]["content"], one["rejected"][0]["content"]) for one in made]
    assert pairs == [("Now we sail!", "I do not know."), ("A pirate!", "A model.")]
    assert examples_of("preference", [PRAISED, replace(BLAMED, messages=said("Who else?"))]) == []


def test_a_thumb_down_alone_is_an_answer_with_a_label():
    made = examples_of("unpaired_preference", [BLAMED, REWRITTEN])
    assert [(one["messages"][-1]["content"], one["label"]) for one in made] == [
        ("A model.", False),
        ("Now we sail!", True),
    ]
    assert examples_of("text", [PRAISED]) == examples_of("prompt_only", [PRAISED]) == []


def test_what_was_judged_is_found_again_and_a_spoiled_file_is_none(tmp_path):
    write_feedback(tmp_path / "feedback.json", [PRAISED, REWRITTEN])
    assert read_feedback(tmp_path / "feedback.json") == [PRAISED, REWRITTEN]
    (tmp_path / "feedback.json").write_text('[{"no": 1}]')
    assert read_feedback(tmp_path / "feedback.json") == read_feedback(tmp_path / "none") == []


def test_a_file_that_cannot_be_read_just_now_is_not_taken_for_an_empty_one(tmp_path):
    (tmp_path / "feedback.json").mkdir()
    with pytest.raises(OSError, match=r"feedback\.json"):
        read_feedback(tmp_path / "feedback.json")


@pytest.fixture
def shelf(tmp_path, monkeypatch) -> Shelf:
    """Without a child process."""
    from facet.dataset import from_chat, prepare

    functions = {**vars(prepare), **vars(from_chat)}
    monkeypatch.setattr(Shelf, "_call", staticmethod(lambda name, asked, *_, **__: functions[name](**asked)))
    (tmp_path / "home").mkdir()
    return Shelf(Workspace(tmp_path / "home"), Hub(tmp_path / "hub"))


def prepared(shelf: Shelf, tmp_path, content: str, name: str) -> str:
    file = tmp_path / name
    file.write_text(content, "utf-8")
    return shelf.prepare(LOCAL, shelf.bring_file(LOCAL, file, name), "numbers", None, {"seed": 5})


@pytest.fixture
def first(shelf, tmp_path) -> str:
    rows = "".join(f"What is {n}?,It is {n}.\n" for n in range(60))
    return prepared(shelf, tmp_path, "question,answer\n" + rows, "rows.csv")


def part(shelf: Shelf, dataset_id: str, name: str = "train") -> list[dict]:
    return [example for _, example in whole_examples(shelf.folder(LOCAL, dataset_id) / f"{name}.parquet")]


def add(shelf: Shelf, dataset_id: str, *judged: Feedback) -> str:
    return shelf.add_from_chat(LOCAL, dataset_id, [asdict(one) for one in judged])


def test_they_are_added_to_the_next_version_and_nothing_else_changes(shelf, first):
    second = add(shelf, first, PRAISED, BLAMED, REWRITTEN)
    before, summary = part(shelf, first), shelf.card(LOCAL, second).summary
    assert part(shelf, second)[: len(before)] == before
    assert [one["messages"][-1]["content"] for one in part(shelf, second)[len(before) :]] == [
        "A pirate!",
        "Now we sail!",
    ]
    for name in ("validation", "exam"):
        assert part(shelf, second, name) == part(shelf, first, name)
    assert (summary["version"], summary["parent"], summary["from_chat"]["added"]) == (2, first, 2)
    assert summary["extras"] == ["weight"] and summary["splits"]["train"] == len(before) + 2
    require_all_counted(summary)
    assert shelf.undo(LOCAL, second) == first


def test_what_is_there_already_and_what_the_exam_asks_is_left_out(shelf, first):
    known, asked = part(shelf, first)[0]["messages"], part(shelf, first, "exam")[0]["messages"]
    copy = Feedback(known[:1], known[-1]["content"], good=True)
    leak = Feedback([{"role": "user", "content": f"  {asked[0]['content'].upper()} "}], "Another answer", good=True)
    summary = shelf.card(LOCAL, add(shelf, first, copy, leak, PRAISED)).summary
    assert summary["from_chat"] == {"added": 1, "copies": 1, "kept_aside": 1}
    with pytest.raises(DataError, match="1 are in it already, and 1 ask what its exam"):
        add(shelf, first, copy, leak)
    with pytest.raises(DataError, match="nothing to add"):
        add(shelf, first, BLAMED)


@pytest.mark.parametrize("kind", ["conversation", "preference", "unpaired_preference"])
def test_their_own_rows_are_prepared_as_the_kind_they_are(shelf, tmp_path, kind):
    judged = [
        replace(one, messages=said(*[turn["content"] + f" {n}" for turn in one.messages]))
        for n in range(4)
        for one in (PRAISED, BLAMED, REWRITTEN)
    ]
    made = prepared(shelf, tmp_path, as_rows(kind, examples_of(kind, judged)), "chat.jsonl")
    summary = shelf.card(LOCAL, made).summary
    assert (summary["type"], summary["unusable"]) == (kind, 0)
    assert summary["used"] == len(examples_of(kind, judged))
    again = add(shelf, made, REWRITTEN)
    assert shelf.card(LOCAL, again).summary["from_chat"]["added"] == 1
