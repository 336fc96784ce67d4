"""What a table is taken for. Every guess is only a proposal that a person sees and can change."""

import json

import pytest

from facet.dataset.look import look

TEXTS = ["The parcel came broken.", "How do I pay by card?", "My name is spelled wrong.", "Where is my parcel now?"]


def rows(**columns) -> str:
    count = max(len(values) for values in columns.values())
    return "".join(
        json.dumps({name: values[place % len(values)] for name, values in columns.items()}) + "\n"
        for place in range(count)
    )


def guess(file, content: str):
    return look(str(file(content, "a.jsonl")), "a.jsonl")["shape"]


PAIRS = [
    ("question", "answer"), ("instruction", "response"), ("input", "output"), ("input", "target"),
    ("inputs", "targets"),
    ("query", "reply"), ("prompt", "response"), ("prompt", "completion"), ("user", "assistant"), ("human", "bot"),
    ("Question", "Answer"), (" QUESTION ", "ANSWER"), ("q", "a"), ("text", "summary"), ("article", "highlights"),
    ("Frage", "Antwort"), ("pregunta", "respuesta"), ("问题", "回答"), ("вопрос", "ответ"),
]  # fmt: skip


@pytest.mark.parametrize(("question", "answer"), PAIRS)
def test_pairs_are_known_by_the_usual_names(file, question, answer):
    shape = guess(file, rows(**{"id": [1], answer: ["Yes, it does.", "No."], question: ["Does it?", "And this?"]}))
    assert (shape["mapping"]["user"], shape["mapping"]["assistant"]) == (question, answer)


def test_alpaca_is_known_by_its_three_columns(file):
    shape = guess(file, rows(instruction=["Do it", "Do that"], input=["", "with this"], output=["Done", "Did"]))
    assert shape["kind"] == "alpaca"
    assert shape["mapping"]["user_extra"] == "input"


def test_a_context_is_joined_to_its_question(file):
    shape = guess(file, rows(context=["Long text"], question=["What?"], answer=["That"]))
    assert shape["mapping"]["user_extra"] == "context"


def test_an_instruction_column_is_known(file):
    shape = guess(file, rows(system_prompt=["Be kind"], prompt=["Hi"], response=["Hello"]))
    assert shape["mapping"]["system_column"] == "system_prompt"


def test_conversations_are_known_by_content_whatever_their_column_is_called(file):
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    assert guess(file, rows(id=["x"], stuff=[turns]))["mapping"]["messages"] == "stuff"
    assert guess(file, rows(messages=[json.dumps(turns)], other=["x"]))["kind"] == "messages"
    sharegpt = [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]
    assert guess(file, rows(conversations=[sharegpt], system=["Be kind"]))["kind"] == "sharegpt"


def test_pairs_of_answers_are_known_with_their_question(file):
    turns = [{"from": "human", "value": "Hi"}]
    shape = guess(
        file,
        rows(conversations=[turns], chosen=[{"from": "gpt", "value": "A"}], rejected=[{"from": "gpt", "value": "B"}]),
    )
    assert (shape["kind"], shape["mapping"]["type"]) == ("preference", "preference")
    assert [shape["mapping"][part] for part in ("messages", "chosen", "rejected")] == [
        "conversations",
        "chosen",
        "rejected",
    ]
    assert guess(file, rows(prompt=["Hi"], chosen=["A"], rejected=["B"]))["mapping"]["user"] == "prompt"


def test_an_answer_called_chosen_without_a_rejected_one_is_an_answer(file):
    assert guess(file, rows(prompt=["Hi"], chosen=["A"]))["mapping"]["assistant"] == "chosen"


def test_two_categories_of_texts_are_no_thumbs(file):
    shape = guess(file, rows(text=TEXTS * 5, label=[0, 1] * 10))
    assert (shape["kind"], shape["mapping"]["type"]) == ("text_label", "conversation")


def test_short_answers_to_problems_are_there_to_be_compared_with_and_long_ones_to_be_learned(file):
    assert guess(file, rows(problem=TEXTS, answer=["42", "7"]))["mapping"]["reference"] == "answer"
    assert guess(file, rows(question=TEXTS, answer=["42", "7"]))["mapping"]["assistant"] == "answer"
    assert (
        guess(file, rows(problem=TEXTS, answer=["42"], solution=["First, " * 20]))["mapping"]["type"] == "conversation"
    )


def test_a_list_of_sources_beside_a_pair_is_no_list_of_examples(file):
    sources = [{"title": "x", "text": "y"}, {"title": "z", "text": "w"}]
    assert guess(file, rows(question=["Hi"], answer=["Hello"], sources=[sources] * 2))["kind"] == "question_answer"


def test_tools_beside_a_conversation_are_known(file):
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    tools = [{"name": "wave", "description": "Waves", "parameters": {}}]
    for name, value in (("tools", tools), ("functions", json.dumps(tools))):
        assert guess(file, rows(messages=[turns] * 2, **{name: [value]}))["mapping"]["tools"] == name
    assert guess(file, rows(messages=[turns] * 2, tools=["a hammer"]))["mapping"]["tools"] is None


def test_conversations_that_end_in_a_call_are_answered(file):
    turns = [{"from": "human", "value": "Hi"}, {"from": "function_call", "value": '{"name": "wave", "arguments": {}}'}]
    assert guess(file, rows(conversations=[turns] * 2))["mapping"]["type"] == "conversation"


def test_conversations_that_all_end_in_a_question_are_still_conversations(file):
    turns = [{"role": who, "content": "x"} for who in ("user", "assistant", "user")]
    assert guess(file, rows(messages=[turns] * 2))["mapping"]["type"] == "conversation"
    assert guess(file, rows(messages=[turns] * 2, ground_truth=["y"]))["mapping"]["type"] == "prompt_only"


def test_texts_with_few_labels_are_known_and_the_labels_named_in_the_instruction(file):
    shape = guess(file, rows(text=TEXTS * 5, label=["post", "pay", "name", "post"] * 5))
    assert shape["kind"] == "text_label"
    assert shape["mapping"]["system"] == "Answer with one of these categories and nothing else: name, pay, post."


def test_many_labels_are_not_listed(file):
    shape = guess(
        file, rows(text=[f"{text} {n}" for n in range(30) for text in TEXTS], label=[f"l{n}" for n in range(30)])
    )
    assert shape["mapping"]["system"] == "Answer with the category that this message belongs to and nothing else."


def test_a_column_called_label_that_never_repeats_is_no_category(file):
    shape = guess(
        file, rows(text=[f"{text} {n}" for n in range(30) for text in TEXTS], label=[f"l{n}" for n in range(120)])
    )
    assert shape is None or shape["kind"] != "text_label"


def test_labels_are_known_by_content_when_the_names_say_nothing(file):
    shape = guess(file, rows(a=[f"{t} {n}" for n in range(5) for t in TEXTS], b=["post", "pay", "name", "post"]))
    assert shape["kind"] == "text_label"
    assert (shape["mapping"]["user"], shape["mapping"]["assistant"]) == ("a", "b")


def test_two_unnamed_texts_are_proposed_in_their_order_and_to_be_checked(file):
    shape = guess(
        file,
        rows(
            id=list(range(20)),
            left=[f"{t} {n}" for n in range(5) for t in TEXTS],
            right=[f"{n} {t}" for n in range(5) for t in TEXTS],
        ),
    )
    assert shape["kind"] == "columns"
    assert (shape["mapping"]["user"], shape["mapping"]["assistant"]) == ("left", "right")
    assert "check" in shape["words"]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"text": ["only this"]}, "only the column text"),
        ({"x": ["a b c"], "y": ["d e f"], "z": ["g h i"]}, "the columns x, y, z"),
        ({"a": [1], "b": [2]}, "the columns a, b"),
    ],
)
def test_what_cannot_be_told_is_a_complaint_with_the_names_of_the_columns(file, columns, words):
    seen = look(str(file(rows(**columns), "a.jsonl")), "a.jsonl")
    assert seen["shape"] is None
    assert words in seen["complaint"]["why"]


def test_a_column_with_half_of_a_character_in_its_name_is_not_proposed(file):
    assert guess(file, rows(**{"question\ud83d": ["Hi"], "answer": ["Yes", "No"]})) is None


REAL = [
    ("alpaca_en_demo.json", "alpaca", 999, 999),
    ("dpo_en_demo.json", "preference", 300, 300),
    ("banking77_train.csv", "text_label", 10_003, 10_003),
    ("gsm8k_train_1500.jsonl", "question_answer", 1_500, 1_500),
]


@pytest.mark.parametrize(("name", "kind", "count", "used"), REAL)
def test_real_datasets_are_understood_at_first_sight(shared_data, make, name, kind, count, used):
    content = (shared_data / name).read_bytes()
    made = make(content, name)
    assert made.summary["shape"] == kind
    assert (made.summary["rows_in"], made.summary["used"]) == (count, used)
