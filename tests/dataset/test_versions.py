"""Versions of a dataset: each says where it comes from, the exam stays the same file, and undoing is exact."""

import json
from pathlib import Path

import pytest

from facet.dataset import limited
from facet.dataset.lineage import recipe_of
from facet.dataset.shelf import Shelf
from facet.dataset.store import examples
from facet.errors import DataError, NotFoundError, SettingError
from facet.hub.hub import Hub
from facet.identity import LOCAL, Person
from facet.workspace import Workspace, read_json
from tests.dataset.conftest import require_all_counted
from tests.dataset.mending import EMPTY, HALVE, SHOUT, repair


@pytest.fixture
def shelf(tmp_path, monkeypatch) -> Shelf:
    """Without a child process, so that the doctor can be replaced."""
    from facet.dataset import download, prepare, versions

    functions = {**vars(prepare), **vars(versions), **vars(download)}
    monkeypatch.setattr("facet.dataset.mend.apply", repair)
    monkeypatch.setattr(Shelf, "_call", staticmethod(lambda name, asked, *_, **__: functions[name](**asked)))
    home = tmp_path / "home"
    home.mkdir()
    return Shelf(Workspace(home), Hub(tmp_path / "hub"))


def upload(shelf: Shelf, tmp_path: Path, rows: int = 60, name: str = "rows.csv", answer: str = "answer") -> str:
    file = tmp_path / name
    file.write_text(f"question,{answer}\n" + "".join(f"What is {n}?,It is {n}.\n" for n in range(rows)))
    return shelf.bring_file(LOCAL, file, name)


@pytest.fixture
def first(shelf, tmp_path) -> str:
    return shelf.prepare(LOCAL, upload(shelf, tmp_path), "numbers", None, {"seed": 5})


def answers(shelf: Shelf, dataset_id: str, part: str = "train") -> list[str]:
    return [turns[-1]["content"] for _, turns in examples(shelf.folder(LOCAL, dataset_id) / f"{part}.parquet")]


def test_a_new_dataset_is_the_first_version_of_a_family_of_its_own(shelf, first):
    summary = shelf.card(LOCAL, first).summary
    assert (summary["version"], summary["parent"], summary["family"]) == (1, None, first)
    assert shelf.before(LOCAL, first) is None
    with pytest.raises(SettingError):
        shelf.undo(LOCAL, first)


def test_a_repair_makes_the_next_version_and_leaves_this_one_as_it_is(shelf, first):
    before = {file.name: file.read_bytes() for file in shelf.folder(LOCAL, first).iterdir() if file.is_file()}
    second = shelf.repair(LOCAL, first, [SHOUT])
    summary = shelf.card(LOCAL, second).summary
    assert (summary["version"], summary["parent"], summary["family"]) == (2, first, first)
    assert summary["recipe"]["repairs"] == [SHOUT]
    assert summary["mended"]["changed"] == 54
    assert all(answer.endswith(".!") for answer in answers(shelf, second))
    assert {file.name: file.read_bytes() for file in shelf.folder(LOCAL, first).iterdir() if file.is_file()} == before
    assert [card.id for card in shelf.versions(LOCAL, second)] == [first, second]


def test_the_exam_is_the_same_file_in_every_version(shelf, first):
    second = shelf.repair(LOCAL, first, [SHOUT, HALVE])
    one, other = (shelf.folder(LOCAL, each) / "exam.parquet" for each in (first, second))
    assert one.read_bytes() == other.read_bytes()
    assert one.stat().st_ino == other.stat().st_ino


def test_counts_and_lengths_are_those_of_the_repaired_rows(shelf, first):
    summary = require_all_counted(shelf.card(LOCAL, shelf.repair(LOCAL, first, [HALVE])).summary)
    assert summary["splits"] == {"train": 24, "validation": 3, "exam": 6}
    assert summary["used"] == 33
    assert summary["mended"]["dropped"] == 27


def test_every_row_stays_accounted_for_after_several_repairs(shelf, first):
    second = shelf.repair(LOCAL, first, [HALVE])
    third = shelf.repair(LOCAL, second, [SHOUT, HALVE])
    for version in (second, third):
        require_all_counted(shelf.card(LOCAL, version).summary)
    assert shelf.card(LOCAL, third).summary["mended"]["dropped"] == 27 + 13


def test_undoing_leads_back_to_the_version_before_and_removes_the_repaired_one(shelf, first):
    second = shelf.repair(LOCAL, first, [SHOUT])
    assert shelf.before(LOCAL, second) == first
    assert shelf.undo(LOCAL, second) == first
    assert [card.id for card in shelf.cards(LOCAL)] == [first]


def test_what_deletes_more_than_the_folder_is_asked_to_delete(shelf, first):
    deleted: list[tuple[Person, str, str]] = []
    shelf.discard = lambda *what: deleted.append(what)
    second = shelf.repair(LOCAL, first, [SHOUT])
    shelf.undo(LOCAL, second)
    assert deleted == [(LOCAL, "datasets", second)]


def test_a_version_from_which_another_was_made_is_kept_when_it_is_undone(shelf, first):
    second = shelf.repair(LOCAL, first, [SHOUT])
    third = shelf.repair(LOCAL, second, [HALVE])
    assert shelf.undo(LOCAL, second) == first
    assert {card.id for card in shelf.versions(LOCAL, first)} == {first, second, third}


def test_deleting_a_version_in_the_middle_breaks_no_other(shelf, first):
    second = shelf.repair(LOCAL, first, [SHOUT])
    third = shelf.repair(LOCAL, second, [HALVE])
    kept = answers(shelf, third), answers(shelf, third, "exam")
    shelf.workspace.delete(LOCAL, "datasets", second)
    assert (answers(shelf, third), answers(shelf, third, "exam")) == kept
    assert [card.id for card in shelf.versions(LOCAL, third)] == [first, third]
    assert shelf.before(LOCAL, third) is None
    assert shelf.card(LOCAL, shelf.repair(LOCAL, third, [SHOUT])).summary["version"] == 4
    shelf.workspace.delete(LOCAL, "datasets", first)
    assert len(shelf.versions(LOCAL, third)) == 2


def test_the_recipe_without_its_last_repair_gives_the_version_before(shelf, tmp_path, first):
    second = shelf.repair(LOCAL, first, [SHOUT])
    third = shelf.repair(LOCAL, second, [HALVE, SHOUT])
    wanted = {each: shelf.card(LOCAL, each).summary["fingerprint"] for each in (first, second, third)}
    assert len(set(wanted.values())) == 3
    same = upload(shelf, tmp_path)
    for version, fingerprint in wanted.items():
        again = shelf.replay(LOCAL, same, version, "again")
        assert shelf.card(LOCAL, again).summary["fingerprint"] == fingerprint
        assert recipe_of(shelf.card(LOCAL, again).summary) == recipe_of(shelf.card(LOCAL, version).summary)
        assert shelf.card(LOCAL, again).summary["family"] == again


def test_replaying_on_new_rows_does_the_same_to_them(shelf, tmp_path):
    options = {"seed": 9, "test_size": 0.2, "sample_size": 40, "cleaning": {"unicode": True}, "group": "question"}
    first = shelf.prepare(LOCAL, upload(shelf, tmp_path), "numbers", None, options)
    more = upload(shelf, tmp_path, 100, "more.csv")
    summary = shelf.card(LOCAL, shelf.replay(LOCAL, more, shelf.repair(LOCAL, first, [SHOUT]))).summary
    assert (summary["rows_in"], summary["not_sampled"], summary["splits"]["exam"]) == (100, 60, 8)
    assert summary["recipe"]["cleaning"] == {"unicode": True}
    require_all_counted(summary)


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_replaying_on_data_without_a_column_says_which(shelf, tmp_path, first, suffix):
    if suffix == "csv":
        other = upload(shelf, tmp_path, name="other.csv", answer="reply")
    else:
        file = tmp_path / "other.jsonl"
        file.write_text("".join(json.dumps({"question": f"What is {n}?", "reply": "x"}) + "\n" for n in range(30)))
        other = shelf.bring_file(LOCAL, file, file.name)
    with pytest.raises(SettingError, match="no column “answer”"):
        shelf.replay(LOCAL, other, first)
    assert len(shelf.cards(LOCAL)) == 1


def test_a_repair_that_leaves_nothing_is_refused_and_leaves_no_trace(shelf, first):
    with pytest.raises(DataError, match="Nothing would be left to learn from"):
        shelf.repair(LOCAL, first, [EMPTY])
    with pytest.raises(SettingError, match="No repair was chosen"):
        shelf.repair(LOCAL, first, [])
    assert [place.name for place in shelf.workspace.shelf(LOCAL, "datasets").iterdir()] == [first]


def test_renaming_one_version_renames_no_other(shelf, first):
    second = shelf.repair(LOCAL, first, [SHOUT])
    shelf.rename(LOCAL, second, "louder")
    assert [card.name for card in shelf.versions(LOCAL, first)] == ["numbers", "louder"]


def test_nobody_else_can_repair_replay_or_download(shelf, first, tmp_path):
    other = Person("visitor-b", "b", "visitor")
    for act in (
        lambda: shelf.repair(other, first, [SHOUT]),
        lambda: shelf.versions(other, first),
        lambda: shelf.replay(other, upload(shelf, tmp_path), first),
        lambda: shelf.download(other, first),
        lambda: shelf.undo(other, first),
        lambda: shelf.findings(other, first),
    ):
        with pytest.raises(NotFoundError):
            act()


def test_datasets_from_before_there_were_recipes_can_be_repaired_and_replayed(shelf, first, tmp_path):
    folder = shelf.folder(LOCAL, first)
    old = read_json(folder / "dataset.json")
    wanted = old["fingerprint"]
    for name in ("recipe", "version", "parent", "family", "type", "extras"):
        del old[name]
    (folder / "dataset.json").write_text(json.dumps(old))
    again = shelf.replay(LOCAL, upload(shelf, tmp_path), first)
    assert shelf.card(LOCAL, again).summary["fingerprint"] == wanted
    second = shelf.repair(LOCAL, first, [SHOUT])
    assert shelf.card(LOCAL, second).summary["family"] == first
    assert [card.id for card in shelf.versions(LOCAL, second)] == [first, second]


def test_the_next_version_is_made_in_the_limited_child():
    assert {limited.FUNCTIONS[name] for name in ("next_version", "download", "try_cleaning")} == {
        "facet.dataset.versions",
        "facet.dataset.download",
        "facet.dataset.clean_preview",
    }


def test_the_doctors_own_repairs_make_a_version_and_are_replayed(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    shelf = Shelf(Workspace(home), Hub(tmp_path / "hub"))
    file = tmp_path / "rows.csv"
    lines = [f"Who is number {n}?,Write to number{n}@example.com" for n in range(60)]
    file.write_text("question,answer\n" + "\n".join(lines + lines[:5]) + "\n")
    brought = shelf.bring_file(LOCAL, file, "rows.csv")
    first = shelf.prepare(LOCAL, brought, "mail", None, {})
    heard: list[str] = []
    found = shelf.examine(LOCAL, first, on_progress=heard.append)
    assert shelf.findings(LOCAL, first) == found
    assert {"duplicates", "private"} & {finding["code"] for finding in found["findings"]}
    steps = [{"kind": "mask_private"}, {"kind": "drop_duplicates"}]
    second = shelf.repair(LOCAL, first, steps[:1])
    third = shelf.repair(LOCAL, second, steps[1:])
    assert shelf.findings(LOCAL, second) is None
    assert not any("@example.com" in answer for answer in answers(shelf, third))
    for version in (second, third):
        again = shelf.replay(LOCAL, brought, version)
        assert shelf.card(LOCAL, again).summary["fingerprint"] == shelf.card(LOCAL, version).summary["fingerprint"]
        require_all_counted(shelf.card(LOCAL, again).summary)
