"""Repairs do what their finding said, to everything but the exam, and can be done again."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facet.dataset.conversation import texts_of
from facet.dataset.doctor.examine import examine
from facet.dataset.doctor.repair import repair
from facet.dataset.store import whole_examples
from facet.errors import DataError, SettingError
from tests.dataset import toy
from tests.doctor import clean, dirty
from tests.doctor.dirty import asked, numbered, said

DROP = {"kind": "drop_duplicates"}


def rows_of(folder: Path, part: str = "train") -> list[tuple[int, list[str]]]:
    return [(row, texts_of(example)) for row, example in whole_examples(folder / f"{part}.parquet")]


def examples_of(folder: Path) -> dict[str, list]:
    return {part: list(whole_examples(folder / f"{part}.parquet")) for part in ("train", "validation")}


def mend(folder: Path, into: Path, *repairs, **options):
    """The repaired dataset's folder, with the exam beside it as it was, and what was said about it."""
    into.mkdir(parents=True)
    done = repair(str(folder), list(repairs), str(into), **options)
    assert {file.name for file in into.iterdir()} == {"train.parquet", "validation.parquet"}
    (into / "exam.parquet").write_bytes((folder / "exam.parquet").read_bytes())
    return into, done


def count(folder: Path) -> int:
    return len(rows_of(folder)) + len(rows_of(folder, "validation"))


def findings(folder: Path, **options) -> dict:
    return {each["code"]: each for each in examine(str(folder), **options)["findings"]}


@pytest.fixture(scope="module")
def sick(tmp_path_factory) -> Path:
    return dirty.Dirty(healthy=150, of_each=3).write(tmp_path_factory.mktemp("sick") / "made")


def offered(folder: Path) -> list:
    return [each["repair"] for finding in findings(folder).values() for each in finding["repairs"]]


def test_every_offered_repair_counts_every_row_and_leaves_the_exam(sick, tmp_path):
    exam = hashlib.sha256((sick / "exam.parquet").read_bytes()).hexdigest()
    before = count(sick)
    for number, rule in enumerate(offered(sick)):
        made, done = mend(sick, tmp_path / str(number), rule)
        assert count(made) == before - done["dropped"] + done["added"], rule
        assert done["dropped"] + done["changed"] > 0, rule
        assert hashlib.sha256((sick / "exam.parquet").read_bytes()).hexdigest() == exam


def test_every_offered_repair_heals_what_it_was_offered_for(sick, tmp_path):
    exam_rows = {row for row, _ in rows_of(sick, "exam")}
    for code, finding in findings(sick).items():
        for number, each in enumerate(finding["repairs"]):
            made, _ = mend(sick, tmp_path / f"{code}-{number}", each["repair"])
            left = findings(made).get(code)
            assert left is None or all(row["row"] in exam_rows for row in left["rows"]), (code, each)


def test_every_offered_repair_done_twice_changes_nothing_more(sick, tmp_path):
    for number, rule in enumerate(offered(sick)):
        once, _ = mend(sick, tmp_path / f"{number}-once", rule)
        twice, done = mend(once, tmp_path / f"{number}-twice", rule)
        assert examples_of(once) == examples_of(twice), rule
        assert done["dropped"] == done["changed"] == 0


def test_all_first_repairs_in_a_row_make_the_data_healthy(sick, tmp_path):
    rules = [finding["repairs"][0]["repair"] for finding in findings(sick).values() if finding["repairs"]]
    made, done = mend(sick, tmp_path / "healed", *rules)
    assert [each["kind"] for each in done["by_repair"]] == [rule["kind"] for rule in rules]
    assert not findings(made)
    again, _ = mend(sick, tmp_path / "again", *rules)
    assert examples_of(made) == examples_of(again)


def test_repairs_are_done_in_their_order(tmp_path):
    rows = [asked("What is it?", "The sea."), asked("What is it?", "The land."), asked("What is it?", "The land.")]
    folder = dirty.write({"train": numbered(rows)}, tmp_path / "made")
    common = {"kind": "resolve_conflicts", "keep": "most_common"}
    first, _ = mend(folder, tmp_path / "first", common, DROP)
    second, _ = mend(folder, tmp_path / "second", DROP, common)
    assert rows_of(first) == [(2, ["What is it?", "The land."])]
    assert rows_of(second) == [(1, ["What is it?", "The sea."])]


@pytest.mark.parametrize(("keep", "left"), [("most_common", [2, 3, 5]), ("first", [1, 5]), ("none", [5])])
def test_a_contradiction_is_resolved_as_chosen(tmp_path, keep, left):
    rows = [asked("It?", "a"), asked("it?", "b"), asked("It?", "b"), asked("It?", "c"), asked("Other?", "d")]
    folder = dirty.write({"train": numbered(rows)}, tmp_path / "made")
    made, _ = mend(folder, tmp_path / "mended", {"kind": "resolve_conflicts", "keep": keep})
    assert [row for row, _ in rows_of(made)] == left


def test_of_copies_the_first_stays_and_the_train_part_comes_first(tmp_path):
    rows = [asked(row["question"], row["answer"]) for row in clean.rows(4)]
    parts = {"train": numbered([*rows, rows[1]]), "validation": numbered([rows[0], asked("Only here?", "Yes.")], 10)}
    made, done = mend(dirty.write(parts, tmp_path / "made"), tmp_path / "mended", DROP)
    assert [row for row, _ in rows_of(made)] == [1, 2, 3, 4]
    assert [row for row, _ in rows_of(made, "validation")] == [11]
    assert done["dropped"] == 2


def test_a_mask_changes_texts_and_keeps_everything_else(tmp_path):
    turns = [
        {"role": "user", "content": "Mine is mara.lind@posteo.de."},
        {"role": "assistant", "content": "OK", "weight": 1},
    ]
    folder = dirty.write({"train": [(7, {"messages": turns, "group": "a"})]}, tmp_path / "made", ("group", "weight"))
    made, done = mend(folder, tmp_path / "mended", {"kind": "mask_private"})
    ((row, example),) = whole_examples(made / "train.parquet")
    assert (row, example["group"], example["messages"][0]["content"]) == (7, "a", "Mine is [e-mail].")
    assert example["messages"][1]["weight"] == 1 and done["changed"] == 1


def test_only_the_chosen_kinds_of_private_data_are_masked(tmp_path):
    rows = [asked("Mail?", "mara.lind@posteo.de or +49 30 901820")]
    folder = dirty.write({"train": numbered(rows)}, tmp_path / "made")
    made, _ = mend(folder, tmp_path / "mended", {"kind": "mask_private", "kinds": ["phone"]})
    assert rows_of(made)[0][1][1] == "mara.lind@posteo.de or [phone]"


def test_long_conversations_are_divided_between_answer_and_question(tmp_path):
    model = toy.save_model(tmp_path / "model")
    turns = [("system", "be kind")]
    for n in range(8):
        turns += [("user", f"hello {n}"), ("assistant", "bye " * 6 + str(n))]
    folder = dirty.write({"train": numbered([said(*turns), asked("hello", "bye")])}, tmp_path / "made")
    finding = findings(folder, model_folder=str(model), max_length=60)["over_long"]
    rule = next(each["repair"] for each in finding["repairs"] if each["repair"]["kind"] == "split_long")
    made, done = mend(folder, tmp_path / "mended", rule, model_folder=str(model))
    parts = [example["messages"] for row, example in whole_examples(made / "train.parquet") if row == 1]
    assert len(parts) == done["added"] + 1 > 1
    assert all(part[0]["role"] == "system" and part[1]["role"] == "user" for part in parts)
    assert [turn["content"] for part in parts for turn in part[1:]] == [
        text for role, text in turns if role != "system"
    ]
    assert "over_long" not in findings(made, model_folder=str(model), max_length=60)
    rough, _ = mend(folder, tmp_path / "rough", rule)  # without the model: by size, which divides rather too much
    assert "over_long" not in findings(rough, model_folder=str(model), max_length=60)


def test_what_is_too_long_can_be_left_out(tmp_path):
    model = toy.save_model(tmp_path / "model")
    rows = [asked("hello " * at, "bye") for at in range(1, 41)]
    folder = dirty.write({"train": numbered(rows)}, tmp_path / "made")
    finding = findings(folder, model_folder=str(model), max_length=40)["over_long"]
    rule = finding["repairs"][-1]["repair"]
    for number, options in enumerate([{"model_folder": str(model)}, {}]):
        made, done = mend(folder, tmp_path / str(number), rule, **options)
        assert done["dropped"] == finding["count"]
        assert "over_long" not in findings(made, model_folder=str(model), max_length=40)


def test_raising_the_length_changes_no_row(sick, tmp_path):
    made, done = mend(sick, tmp_path / "made", {"kind": "raise_length", "tokens": 1024})
    assert examples_of(made) == examples_of(sick)
    assert done["changed"] == done["dropped"] == 0


def test_letters_are_mended_only_where_it_is_certain(tmp_path):
    rows = [asked("Wo?", "In MÃ¼nchen, im CafÃ© â€“ für 3 â‚¬."), asked("Où?", "À Âge, Ãbo et São Paulo: «Â»")]
    folder = dirty.write({"train": numbered(rows)}, tmp_path / "made")
    made, _ = mend(folder, tmp_path / "mended", {"kind": "mend_letters"})
    assert rows_of(made)[0][1][1] == "In München, im Café – für 3 €."
    assert rows_of(made)[1][1][1].startswith("À Âge, Ãbo et São Paulo")


def test_nothing_left_to_learn_is_said_plainly(tmp_path):
    folder = dirty.write({"train": numbered([asked("a", "null"), asked("b", "N/A")])}, tmp_path / "made")
    (tmp_path / "mended").mkdir()
    with pytest.raises(DataError, match="Nothing would be left"):
        repair(str(folder), [{"kind": "drop", "code": "missing"}], str(tmp_path / "mended"))
    assert not list((tmp_path / "mended").iterdir())


BAD = [
    None, {}, {"kind": "format_disk"}, {"kind": "drop"}, {"kind": "drop", "code": "../../etc"}, {"kind": ["drop"]},
    {"kind": "drop", "code": ["empty"]}, {"kind": "drop_duplicates", "rows": [1, 2]},
    {"kind": "drop_shorter", "characters": -1},
    {"kind": "drop_shorter", "characters": True}, {"kind": "resolve_conflicts", "keep": "best"},
    {"kind": "drop_overlap", "part": "train"}, {"kind": "mask_private", "kinds": ["soul"]},
    {"kind": "mask_private", "kinds": [["e-mail"]]}, {"kind": "keep_language", "language": "../x"},
    {"kind": "split_long", "tokens": 10}, {"kind": "drop_long", "tokens": float("nan"), "bytes": 3},
]  # fmt: skip


@pytest.mark.parametrize("rule", BAD, ids=str)
def test_a_repair_that_is_not_known_is_refused(sick, tmp_path, rule):
    with pytest.raises(SettingError, match="This repair cannot be done"):
        repair(str(sick), [rule], str(tmp_path))


RULES = [
    DROP, {"kind": "drop_near_duplicates"}, {"kind": "mask_private"}, {"kind": "drop_private"},
    {"kind": "break_controls"},
    {"kind": "mend_letters"}, {"kind": "drop", "code": "missing"}, {"kind": "drop", "code": "refusal"},
    {"kind": "drop_overlap", "part": "exam"}, {"kind": "drop_overlap", "part": "validation"},
    {"kind": "resolve_conflicts", "keep": "first"}, {"kind": "keep_language", "language": "en"},
    {"kind": "drop_shorter", "characters": 5}, {"kind": "drop_longer", "characters": 400},
]  # fmt: skip


@given(st.lists(st.sampled_from(RULES), min_size=1, max_size=4))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_repairs_in_any_order_keep_count(sick, tmp_path_factory, rules):
    made, done = mend(sick, tmp_path_factory.mktemp("any") / "made", *rules)
    assert count(made) == count(sick) - done["dropped"] + done["added"]
    assert done["by_repair"][0]["examples"] == count(sick)
    known = dict(rows_of(sick)) | dict(rows_of(sick, "validation"))
    assert all(row in known for row, _ in rows_of(made))
