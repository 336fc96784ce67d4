"""Tables that somebody brought and that nobody here had thought of: what they are taken for at first sight."""

import json

import pytest

from facet.dataset.convert import SEVERAL
from facet.dataset.look import look
from facet.dataset.transcripts import transcript
from tests.kinds import csv, jsonl


def guessed(file, content, name):
    return look(str(file(content, name)), name)["shape"]


# ---- dialogues in texts
ALPACA = (
    "Below is an instruction that describes a task.\n\n"
    "### Instruction:\nAdd {n}.\n\n### Input:\n1\n\n### Response:\n{n}1"
)
WRITTEN = {
    "alpaca": ALPACA,
    "alpaca without words above": "### Instruction:\nAdd {n}.\n\n1\n\n### Response:\n{n}1",
    "llama 2": "<s>[INST] <<SYS>>\nBelow is an instruction that describes a task.\n<</SYS>>\n\n"
    "Add {n}.\n\n1 [/INST] {n}1 </s>",
    "llama 3": "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nAdd {n}.\n\n1<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n{n}1<|eot_id|>",
    "zephyr": "<|user|>\nAdd {n}.\n\n1</s>\n<|assistant|>\n{n}1</s>",
    "guanaco": "### Human: Add {n}.\n\n1### Assistant: {n}1",
}  # fmt: skip


@pytest.mark.parametrize("how", WRITTEN)
@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_dialogues_in_a_column_of_texts_are_conversations(make, how, kind):
    texts = [WRITTEN[how].replace("{n}", str(n)) for n in range(30)]
    if kind == "jsonl":
        content = jsonl([{"text": text} for text in texts])
    else:
        content = "id,text\n" + "".join(f'{n},"{text}"\n' for n, text in enumerate(texts))
    made = make(content, f"texts.{kind}")
    assert made.summary["used"] == 30
    assert (made.questions()[7], made.answers()[7]) == ("Add 7.\n\n1", "71")
    assert (made.conversations[8][0]["role"] == "system") == (how in ("alpaca", "llama 2"))


def test_several_turns_in_marks():
    text = "<s>[INST] a [/INST] b </s><s>[INST] c [/INST] d </s>"
    assert transcript(text) == [("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")]


@pytest.mark.parametrize(
    "text",
    [
        "[INST] only asked [/INST]",
        "Llama writes [INST] before and [/INST] behind.",
        "# A page\n\n### Input:\nSome words.\n\n### Output:\nMore of them.",
        "### Instruction:\nNobody answers.",
    ],
)
def test_texts_about_marks_are_no_dialogues(text):
    assert transcript(text) is None


def test_a_heading_inside_of_an_answer_stays_there():
    text = "### Instruction:\nWrite a manual.\n\n### Response:\nUse it so.\n\n### Input:\na number"
    assert transcript(text)[-1] == ("assistant", "Use it so.\n\n### Input:\na number")


# ---- columns by other names
@pytest.mark.parametrize(
    ("question", "answer"),
    [("Aufgabe", "Lösung"), ("Frage", "Antworten"), ("questions", "answers"), ("ejercicio", "solución"),
     ("Aufgabenstellung", "Musterlösung")],
)  # fmt: skip
def test_pairs_in_other_words(file, question, answer):
    rows = [{question: f"Was ist {n}?", "nr": str(n), answer: f"Das ist {n}."} for n in range(30)]
    shape = guessed(file, csv(rows, ";"), "pairs.csv")
    assert (shape["mapping"]["user"], shape["mapping"]["assistant"]) == (question, answer)


@pytest.mark.parametrize(
    ("text", "label"), [("review", "stars"), ("text", "rating"), ("review_body", "star_rating"), ("comment", "score")]
)
def test_reviews_with_stars_are_texts_with_categories(file, text, label):
    shape = guessed(file, csv([{text: f"It was nice, number {n}", label: str(n % 5 + 1)} for n in range(60)]), "r.csv")
    assert (shape["kind"], shape["mapping"]["assistant"]) == ("text_label", label)


def test_scores_of_many_values_are_no_categories(file):
    rows = [{"text": f"It was nice, number {n}", "score": str(n % 40)} for n in range(200)]
    shape = guessed(file, csv(rows), "r.csv")
    assert shape is None or shape["kind"] != "text_label"


def test_a_pair_with_a_score_is_still_a_pair(file):
    rows = [{"question": f"What is {n}?", "answer": f"It is the number {n}.", "score": str(n % 5)} for n in range(60)]
    assert guessed(file, csv(rows), "r.csv")["mapping"]["assistant"] == "answer"


# ---- lists
def test_the_first_of_several_right_answers_is_learned_and_said(make):
    rows = [{"question": f"What is {n}?", "answers": [f"It is {n}.", f"{n}"]} for n in range(30)]
    made = make(jsonl(rows), "lists.jsonl")
    assert made.answers()[4] == "It is 4."
    assert made.summary["repaired"] == {SEVERAL: 30}
    by_hand = make(jsonl(rows), "lists.jsonl", {"kind": "columns", "user": "question", "assistant": "answers"})
    assert by_hand.answers() == made.answers()


def test_an_empty_list_of_answers_is_an_empty_answer(make):
    rows = [{"question": f"What is {n}?", "answers": [f"It is {n}.", "x"] if n else []} for n in range(30)]
    assert make(jsonl(rows), "lists.jsonl").summary["reasons"] == {"the answer is empty": 1}


def test_texts_with_several_tags_learn_all_of_them(make):
    rows = [{"text": f"A message about {n}", "tags": ["north", "late"] if n % 2 else ["south"]} for n in range(30)]
    made = make(json.dumps(rows), "tags.json")
    assert made.answers()[:2] == ["south", "north, late"]
