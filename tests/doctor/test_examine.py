"""The doctor finds what is planted, says how much of it, and leaves healthy data alone."""

import json
from pathlib import Path

import pytest

from facet.dataset.doctor.examine import examine
from tests.dataset import toy
from tests.doctor import clean, dirty
from tests.doctor.dirty import asked, numbered, said

ALWAYS = {"code", "title", "words", "count", "share", "severity", "rows", "repairs"}


def found(folder: Path, **options):
    examined = examine(str(folder), **options)
    json.dumps(examined)
    for finding in examined["findings"]:
        assert finding.keys() == ALWAYS
        assert 0 < len(finding["words"]) < 500 and finding["words"].rstrip().endswith((".", "!"))
        assert len(finding["rows"]) <= 20 and len(finding["repairs"]) <= 3
        assert all(each.keys() >= {"row", "part", "text"} for each in finding["rows"])
        assert all(each["label"] and each["words"].endswith(".") for each in finding["repairs"])
        assert 0 <= finding["share"] <= 1
    return {finding["code"]: finding for finding in examined["findings"]}


def one_finding(tmp_path: Path, *examples, healthy: int = 30, extras=(), **options):
    """What is found when these examples stand among healthy ones."""
    rows = [asked(row["question"], row["answer"]) for row in clean.rows(healthy)]
    return found(dirty.write({"train": numbered([*rows, *examples])}, tmp_path / "made", extras), **options)


@pytest.mark.parametrize("seed", range(2))
def test_every_planted_defect_is_found_with_its_rows(tmp_path, seed):
    sick = dirty.Dirty(seed=seed)
    seen = found(sick.write(tmp_path / "sick"))
    for code, rows in sick.planted.items():
        assert code in seen, code
        shown = {row["row"] for row in seen[code]["rows"]}
        assert len(rows & shown) >= 0.95 * len(rows), (code, rows, shown)
        if code not in ("validation_overlap", "duplicates", "exam_overlap"):
            assert seen[code]["count"] == len(rows), code


def test_nothing_but_what_was_planted_is_found(tmp_path):
    sick = dirty.Dirty(of_each=4)
    seen = found(sick.write(tmp_path / "sick"))
    assert set(seen) <= set(sick.planted)


def test_healthy_data_has_no_findings_at_all(tmp_path):
    model = toy.save_model(tmp_path / "model")
    assert found(clean.made(clean.rows(400), tmp_path / "well")) == {}
    assert found(tmp_path / "well", model_folder=str(model), max_length=4_000) == {}


def test_healthy_data_with_few_labels_has_no_findings(tmp_path):
    rows = [{"text": row["question"], "label": f"kind {at % 5}"} for at, row in enumerate(clean.rows(200))]
    assert found(clean.made(rows, tmp_path / "labels")) == {}


def test_sums_and_templates_are_no_near_copies(tmp_path):
    rows = [
        {"question": f"What is {a} + {b}?", "answer": f"It is {a + b}."} for a in range(2, 22) for b in range(3, 13)
    ]
    rows += [{"question": f"What is the capital of {town}land?", "answer": f"{town} City"} for town in clean.TOWNS]
    assert not found(clean.made(rows, tmp_path / "sums")).keys() - {"short_answers"}


@pytest.mark.parametrize("name", ["gsm8k_train_1500.jsonl", "alpaca_en_demo.json"])
def test_real_data_raises_no_false_alarm(shared_data, tmp_path, name):
    from facet.dataset.prepare import prepare

    prepare(str(shared_data / name), name, None, None, str(tmp_path), "Real")
    alarms = {code for code, each in found(tmp_path).items() if each["severity"] != "note"}
    assert alarms <= {"duplicates", "private"}  # Alpaca repeats eleven rows and names some made-up addresses


def test_the_rows_of_a_contradiction_stand_beside_each_other(tmp_path):
    doubtful = [asked("Is a whale a fish?", "no"), asked("Is ice colder than steam?", "yes")]
    doubtful += [asked("is a whale  a fish?", "yes"), asked("Is ice colder than steam?", "no")]
    finding = one_finding(tmp_path, *doubtful)["conflicts"]
    assert finding["count"] == 4 and finding["severity"] == "warning"
    questions = [row["text"].split("\n")[0].lower().replace("  ", " ") for row in finding["rows"]]
    assert questions[0] == questions[1] and questions[2] == questions[3]


def test_long_different_answers_to_one_question_are_only_noted(tmp_path):
    poems = [asked("Write a poem about the sea.", row["answer"]) for row in clean.rows(4, seed=9)]
    assert one_finding(tmp_path, *poems)["conflicts"]["severity"] == "note"


def test_a_question_with_very_many_answers_is_an_open_one(tmp_path):
    poems = [asked("Write a poem about the sea.", row["answer"]) for row in clean.rows(60, seed=9)]
    assert "conflicts" not in one_finding(tmp_path, *poems, healthy=100)


def test_an_exam_question_with_another_answer_is_an_overlap_too(tmp_path):
    rows = [asked(row["question"], row["answer"]) for row in clean.rows(60)]
    leaked = asked(rows[0]["messages"][0]["content"].upper(), "I do not know that, sorry to say.")
    folder = dirty.write({"train": numbered([*rows[20:], leaked]), "exam": numbered(rows[:20], 100)}, tmp_path / "made")
    finding = found(folder)["exam_overlap"]
    assert finding["count"] == 1 and finding["rows"][0]["row"] == 41
    assert "look better than it is" in finding["words"]


def test_identical_examples_are_one_error(tmp_path):
    folder = dirty.write({"train": numbered([asked("Who are you?", "Nobody.")] * 30)}, tmp_path / "made")
    seen = found(folder)
    assert seen["identical"]["severity"] == "error"
    assert not {"duplicates", "one_answer", "near_duplicates"} & set(seen)


def test_one_answer_for_everything_is_an_error(tmp_path):
    rows = [asked(row["question"], "positive") for row in clean.rows(50)]
    seen = found(dirty.write({"train": numbered(rows)}, tmp_path / "made"))
    assert seen["one_answer"]["severity"] == "error"


def test_labels_of_very_different_number_are_noted_with_their_counts(tmp_path):
    rows = [asked(row["question"], "rare" if at < 4 else "common") for at, row in enumerate(clean.rows(100))]
    finding = found(dirty.write({"train": numbered(rows)}, tmp_path / "made"))
    assert "one_answer" in finding
    rows = [asked(row["question"], "rare" if at < 7 else f"no {at % 2}") for at, row in enumerate(clean.rows(300))]
    words = found(dirty.write({"train": numbered(rows)}, tmp_path / "more"))["uneven_labels"]["words"]
    assert "“rare” of 7" in words


def test_a_few_answers_that_take_most_of_the_learning(tmp_path):
    giant = asked("Tell me everything.", " ".join(row["answer"] for row in clean.rows(800, seed=4)))
    finding = one_finding(tmp_path, giant, healthy=120)["long_answers"]
    assert finding["severity"] == "warning" and finding["count"] == 1


def test_tool_calls_are_no_disorder(tmp_path):
    call = {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": {"name": "now"}}]}
    turns = [{"role": "user", "content": "How late is it?"}, call, {"role": "tool", "content": "12:04", "name": "now"}]
    turns.append({"role": "assistant", "content": "Four minutes past noon."})
    seen = one_finding(tmp_path, {"messages": turns}, extras=("tool_calls", "name"))
    assert not {"order", "empty"} & set(seen)


@pytest.mark.parametrize(
    "turns",
    [
        (("assistant", "Hello!"), ("user", "Hi."), ("assistant", "How are you?")),
        (("user", "Hi."), ("system", "Be kind."), ("assistant", "Hello!")),
        (("user", "Hi."), ("assistant", "Hello!"), ("assistant", "Hello again!")),
        (("user", "Hi."), ("assistant", "Hello!"), ("user", "Who are you?")),
    ],
)
def test_turns_out_of_order_are_found(tmp_path, turns):
    assert one_finding(tmp_path, said(*turns))["order"]["count"] == 1


def test_pairs_without_a_difference_and_pairs_that_contradict_each_other(tmp_path):
    rows = clean.rows(40)

    def pair(row, chosen, rejected):
        turn = lambda text: [{"role": "assistant", "content": text}]  # noqa: E731
        question = [{"role": "user", "content": row["question"]}]
        return {"messages": question, "chosen": turn(chosen), "rejected": turn(rejected)}

    pairs = [pair(row, row["answer"], f"No idea about number {at}, ask again.") for at, row in enumerate(rows)]
    pairs += [
        pair(rows[0], "the same", "the same"),
        pair(rows[1], "No idea about number 1, ask again.", rows[1]["answer"]),
    ]
    seen = found(dirty.write({"train": numbered(pairs)}, tmp_path / "made", ("chosen", "rejected")))
    assert seen["equal_pair"]["count"] == 1
    assert seen["conflicts"]["count"] == 2


def test_raw_texts_are_examined_too(tmp_path):
    texts = [{"messages": [], "text": f"{row['question']}\n\n{row['answer']}"} for row in clean.rows(40)]
    texts += [texts[0], {"messages": [], "text": "Write to mara.lind@posteo.de about the boat and the harbour."}]
    seen = found(dirty.write({"train": numbered(texts)}, tmp_path / "made", ("text",)))
    assert set(seen) == {"duplicates", "private"}


def test_questions_without_answers_are_nothing_odd_where_none_has_one(tmp_path):
    asking = [{"messages": [{"role": "user", "content": row["question"]}]} for row in clean.rows(40)]
    assert found(dirty.write({"train": numbered(asking)}, tmp_path / "made")) == {}


def test_over_long_examples_say_how_many_lose_everything(tmp_path):
    model = toy.save_model(tmp_path / "model")
    rows = [asked(f"{'the sea ' * at}?", f"yes {at}") for at in range(1, 61)]
    folder = dirty.write({"train": numbered(rows)}, tmp_path / "made")
    finding = found(folder, model_folder=str(model), max_length=60)["over_long"]
    assert 0 < finding["count"] < 60
    assert "lose their whole answer" in finding["words"]
    kinds = [each["repair"]["kind"] for each in finding["repairs"]]
    assert kinds == ["raise_length", "drop_long"]  # a single question and answer cannot be divided
    raised = finding["repairs"][0]["repair"]["tokens"]
    assert "over_long" not in found(folder, model_folder=str(model), max_length=raised)


def test_unusable_rows_are_noted_with_their_reasons(tmp_path):
    rows = [*clean.rows(40), {"question": "Why?", "answer": ""}]
    finding = found(clean.made(rows, tmp_path / "made"))["unusable"]
    assert finding["severity"] == "note" and finding["count"] == 1
    assert "the answer is empty" in finding["words"]


def test_findings_are_sorted_by_how_serious_they_are(tmp_path):
    severities = [each["severity"] for each in found(dirty.Dirty().write(tmp_path / "sick")).values()]
    assert severities == sorted(severities, key=["error", "warning", "note"].index)


def test_examples_the_model_does_not_accept_do_not_end_the_examination(tmp_path):
    model = toy.save_model(tmp_path / "model")
    odd = said(("user", "Hi."), ("user", "Are you there?"), ("assistant", "Yes."))
    seen = one_finding(tmp_path, odd, model_folder=str(model), max_length=4_000)
    assert seen["refused"]["count"] == seen["order"]["count"] == 1
    assert seen["refused"]["severity"] == "error"


def test_one_example_is_spoken_of_as_one(tmp_path):
    words = one_finding(tmp_path, asked("Is it late?", "N/A"))["missing"]["words"]
    assert words.startswith("1 of 31 examples (3.2 %) has a question or an answer")
