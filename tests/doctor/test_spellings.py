"""Labels in several spellings are found, and one repair writes each as it is written most often."""

import pytest

from facet.dataset.doctor.examine import examine
from facet.dataset.doctor.repair import repair
from facet.dataset.doctor.spellings import folded
from facet.dataset.store import examples, whole_examples
from tests.doctor import clean, dirty
from tests.doctor.dirty import asked, numbered, said

UNIFY = {"kind": "unify_labels"}


def labelled(labels: list[str]) -> list:
    rows = clean.rows(len(labels))
    return [asked(row["question"], label) for row, label in zip(rows, labels, strict=True)]


def found(folder):
    return {each["code"]: each for each in examine(str(folder))["findings"]}


def repaired(folder, into):
    into.mkdir()
    done = repair(str(folder), [UNIFY], str(into))
    return [turns[-1]["content"] for _, turns in examples(into / "train.parquet")], done


MESSY = ["spam"] * 20 + ["Spam"] * 4 + ["SPAM"] * 3 + ["spam."] + ["no spam"] * 24 + ["No-Spam"] * 2


def test_every_other_spelling_is_counted_and_named(tmp_path):
    folder = dirty.write({"train": numbered(labelled(MESSY))}, tmp_path / "made")
    finding = found(folder)["spellings"]
    assert finding["count"] == 10
    assert "“Spam” for “spam”" in finding["words"] and finding["words"].endswith("as different labels.")
    assert finding["rows"][0]["why"] == "“Spam” is mostly written “spam”"
    assert [each["repair"] for each in finding["repairs"]] == [UNIFY]


def test_the_repair_writes_each_as_most_do_and_leaves_nothing_to_find(tmp_path):
    folder = dirty.write({"train": numbered(labelled(MESSY))}, tmp_path / "made")
    answers, done = repaired(folder, tmp_path / "mended")
    assert answers == ["spam"] * 28 + ["no spam"] * 26
    assert (done["changed"], done["dropped"], done["added"]) == (10, 0, 0)
    dirty.write({"exam": []}, tmp_path / "empty")
    (tmp_path / "empty" / "exam.parquet").rename(tmp_path / "mended" / "exam.parquet")
    assert "spellings" not in found(tmp_path / "mended")


def test_the_instruction_lists_each_label_once_afterwards(tmp_path):
    rows = [{"text": row["question"], "label": label} for row, label in zip(clean.rows(54), MESSY, strict=True)]
    folder = clean.made(rows, tmp_path / "made", splits="none", test_size=0, validation_size=0)
    repaired(folder, tmp_path / "mended")
    instructions = {each["messages"][0]["content"] for _, each in whole_examples(tmp_path / "mended/train.parquet")}
    assert instructions == {"Answer with one of these categories and nothing else: no spam, spam."}


def test_the_exam_neither_counts_nor_changes(tmp_path):
    rows = labelled(["yes"] * 30 + ["no"] * 30 + ["YES"] * 5)
    folder = dirty.write({"train": numbered(rows[:60]), "exam": numbered(rows[60:], 61)}, tmp_path / "made")
    assert "spellings" not in found(folder)
    _, done = repaired(folder, tmp_path / "mended")
    assert done["changed"] == 0


@pytest.mark.parametrize(
    "labels",
    [
        ["c", "c++", "c#"] * 20,
        ["1", "-1", "0"] * 20,
        ["very good", "good", "not good"] * 20,
        [f"{word}{mark}" for word in "abcdefghijklmnopqrst" for mark in (".", "!")],
        ["Sí", "Si", "no"] * 20,
    ],
)
def test_labels_that_differ_in_more_are_different(tmp_path, labels):
    assert "spellings" not in found(dirty.write({"train": numbered(labelled(labels))}, tmp_path / "made"))


def test_answers_that_are_no_labels_are_no_spellings(tmp_path):
    rows = [asked(row["question"], row["answer"]) for row in clean.rows(60)]
    rows += [said(("user", "Really?"), ("assistant", word)) for word in ("Yes.", "yes", "YES")]
    assert "spellings" not in found(dirty.write({"train": numbered(rows)}, tmp_path / "made"))


@pytest.mark.parametrize("label", ["Spam", "SPAM", " spam ", "“spam”", "spam.", "*spam*", "Spam!"])
def test_what_is_folded_together(label):
    assert folded(label) == "spam"
