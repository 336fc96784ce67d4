"""After labels got one spelling, the exam is read in it, although its file is never touched."""

import json

from facet.dataset.versions import next_version
from facet.exam.plan import planned
from facet.exam.reuse import digests
from facet.exam.spelling import AsLearned, is_unified
from facet.model.source import BaseSource
from facet.workspace import read_json
from tests.doctor import clean

MESSY = (["spam"] * 20 + ["no spam"] * 24 + ["Spam"] * 4 + ["SPAM"] * 3 + ["spam."] + ["No-Spam"] * 2) * 2
STARTER = BaseSource("starter", "starter").as_dict()
REQUEST = {"parts": ["exam"], "contestants": [{"name": "Untouched", "base": STARTER}], "decoding": {}}


def test_the_exam_lists_and_expects_the_spelling_that_was_learned(tmp_path):
    rows = [{"text": row["question"], "label": label} for row, label in zip(clean.rows(108), MESSY, strict=True)]
    before = clean.made(rows, tmp_path / "before", test_size=0.3, validation_size=0)
    after = tmp_path / "test" / "data"
    after.mkdir(parents=True)
    next_version(str(before), [{"kind": "unify_labels"}], str(after), 2)
    assert (after / "exam.parquet").read_bytes() == (before / "exam.parquet").read_bytes()
    assert is_unified(after) and not is_unified(before)

    plan = planned(tmp_path / "test", REQUEST, tmp_path, lambda words: None)
    text = (tmp_path / "test" / "questions.jsonl").read_text()
    assert "nothing else: no spam, spam." in text and "SPAM" not in text and "No-Spam" not in text
    assert plan.type.name == "classification" and plan.type.labels == ("no spam", "spam")
    assert sum("one spelling" in note for note in plan.notes) == 1

    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "data").symlink_to(before)
    plan = planned(tmp_path / "old", REQUEST, tmp_path, lambda words: None)
    assert "SPAM" in (tmp_path / "old" / "questions.jsonl").read_text() and not [
        n for n in plan.notes if "spelling" in n
    ]


def test_answers_to_the_old_wording_are_not_taken_for_answers_to_the_new(tmp_path):
    rows = [{"text": row["question"], "label": label} for row, label in zip(clean.rows(108), MESSY, strict=True)]
    data = clean.made(rows, tmp_path / "made", test_size=0.3, validation_size=0)
    before = digests(data, REQUEST)
    summary = read_json(data / "dataset.json")
    summary["recipe"]["repairs"] = [{"kind": "unify_labels"}]
    (data / "dataset.json").unlink()
    (data / "dataset.json").write_text(json.dumps(summary))
    after = digests(data, REQUEST)
    assert before["exam"] != after["exam"] and before["general"] == after["general"]


def test_a_label_that_was_learned_in_two_spellings_stays_as_it_is():
    best = AsLearned(["yes", "Yes", "no"])
    assert best.get("YES", "YES") == "YES" and "YES" not in best
    assert best.get("No.", "?") == "no" and "No." in best and "no" not in best and "maybe" not in best
