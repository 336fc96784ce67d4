"""What is asked of each row, by its type; which rows are none; and files that a kill has torn. Nothing heavy."""

from itertools import pairwise

import pytest

from facet.dataset.store import ExampleWriter
from facet.exam.answers import Measured, Said, read_answers
from facet.exam.outcome import Answer, Contestant, Question
from facet.exam.questions import learned_before, messages_for, prompts_of, question_of, questions_of
from facet.exam.results import write_csv


def turns(*texts: str, **last) -> list:
    made = [{"role": ("user", "assistant")[at % 2], "content": text} for at, text in enumerate(texts)]
    made[-1] |= last
    return made


@pytest.mark.parametrize(
    ("kind", "example", "asked", "expected"),
    [
        ("conversation", {"messages": turns("a", "b")}, 1, "b"),
        ("conversation", {"messages": turns("a", "b", "c", "d")}, 3, "d"),
        ("conversation", {"messages": turns("a", "b", "c", "d", weight=0)}, 1, "b"),
        ("conversation", {"messages": turns("a", "b", "c", "")}, 1, "b"),
        ("preference", {"messages": turns("a"), "chosen": turns("", "b")[1:], "rejected": turns("", "c")[1:]}, 1, "b"),
        ("unpaired_preference", {"messages": turns("a", "b"), "label": True}, 1, "b"),
        ("prompt_only", {"messages": turns("a"), "reference": "b"}, 1, "b"),
        ("text", {"messages": [], "text": "b"}, 0, "b"),
    ],
)
def test_a_row_asks_what_comes_before_its_last_learned_answer(kind, example, asked, expected):
    question = question_of("exam", 3, example, kind)
    assert (len(question.messages), question.expected, question.row) == (asked, expected, 3)
    assert question.rejected == ("c" if kind == "preference" else "")


@pytest.mark.parametrize(
    ("kind", "example", "why"),
    [
        ("conversation", {"messages": turns("a", "")}, "no answer"),
        ("conversation", {"messages": turns("a", "b"), "images": ["x.png"]}, "picture"),
        ("unpaired_preference", {"messages": turns("a", "b"), "label": False}, "thumb down"),
        ("prompt_only", {"messages": turns("a")}, "no answer to compare"),
        ("preference", {"messages": turns("a"), "chosen": turns("", "b")[1:]}, "no answer"),
        ("text", {"messages": [], "text": "  "}, "empty"),
    ],
)
def test_a_row_that_asks_nothing_says_why(kind, example, why):
    assert why in question_of("exam", 0, example, kind)


def part(file, count, start=0):
    writer = ExampleWriter(file)
    for row in range(start, start + count):
        writer.add(row, {"messages": turns(f"What is {row}?", f"It is {row}.")}, 20)
    writer.close()
    return file


@pytest.mark.parametrize(("rows", "most"), [(100, 7), (10, 10), (10, 30), (1000, 999), (3, 1)])
def test_of_many_rows_some_are_taken_evenly_and_always_the_same(tmp_path, rows, most):
    file = part(tmp_path / "exam.parquet", rows)
    taken = [question.row for question in questions_of(file, "exam", "conversation", most).questions]
    gaps = {later - earlier for earlier, later in pairwise(taken)}
    assert len(taken) == min(rows, most) and (not gaps or max(gaps) - min(gaps) <= 1)


def test_questions_that_were_learned_are_found_despite_spaces_and_capitals(tmp_path):
    train = part(tmp_path / "train.parquet", 10)
    asked = [Question("exam", row, turns(f" what  is {row}?"), f"IT IS {row}.") for row in (3, 9, 12)]
    other = Question("exam", 4, turns("What is 4?"), "It is 5.")
    assert learned_before([*asked, other], train, "conversation") == 2
    assert learned_before(asked, tmp_path / "none.parquet", "conversation") == 0


def test_a_batch_also_asks_where_nothing_is_expected(tmp_path):
    file = tmp_path / "rows.parquet"
    writer = ExampleWriter(file)
    for row, messages in enumerate((turns("a"), turns("a", "b"), turns("a", ""))):
        writer.add(row, {"messages": messages}, 1)
    writer.close()
    found = prompts_of(file, "train", "prompt_only")
    assert [(question.row, question.expected) for question in found.questions] == [(0, "")]


def test_a_contestant_reads_its_own_instructions_and_examples():
    question = Question("exam", 0, [{"role": "system", "content": "old"}, *turns("a")], "b")
    shot = [{"role": "system", "content": "old"}, *turns("c", "d")]
    plain, taught = Contestant("x", {}), Contestant("y", {}, system="new", shots=(shot,))
    assert messages_for(plain, question) == question.messages
    assert [turn["content"] for turn in messages_for(taught, question)] == ["new", "c", "d", "a"]


def test_a_file_torn_at_any_byte_keeps_its_whole_answers(tmp_path):
    file, answers = tmp_path / "a" / "x.jsonl", [Answer(row, f"Zwölf {row}", labels=(-1.5, 0.0)) for row in range(2)]
    said = Said(file, range(2), {})
    for answer in answers:
        said.add(answer)
    whole = file.read_bytes()
    for end in range(len(whole) + 1):
        file.write_bytes(whole[:end])
        kept = Said(file, range(2), {})
        assert list(kept.answers.values()) == answers[: len(kept.answers)]
        assert kept.open_rows == list(range(len(kept.answers), 2))
        for row in kept.open_rows:
            kept.add(answers[row])
        assert file.read_bytes() == whole


def test_a_group_that_was_not_finished_is_measured_again(tmp_path):
    file, known = tmp_path / "a" / "x.jsonl", {2: Answer(2, "known")}
    measured = Measured(file, [5, 2, 4, 1, 3], known, 2)
    assert measured.open_groups == [[5, 4], [1, 3]] and measured.known == 1
    measured.add([Answer(5, ""), Answer(4, "")])
    measured.add([Answer(1, "")])

    again = Measured(file, [5, 2, 4, 1, 3], known, 2)

    assert again.open_groups == [[1, 3]] and again.given == 2 and sorted(read_answers(file)) == [4, 5]


def test_a_table_for_people_holds_no_formula(tmp_path):
    rows = [{"a": "=1+1", "b": -1.5, "c": "+49", "d": "fine"}, {"a": "@x", "d": "\tx"}]
    write_csv(tmp_path / "x.csv", ["a", "b", "c", "d"], iter(rows))
    assert (tmp_path / "x.csv").read_text("utf-8-sig").splitlines()[1:] == ["'=1+1,-1.5,'+49,fine", "'@x,,,'\tx"]
