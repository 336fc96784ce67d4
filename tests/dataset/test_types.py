# ruff: noqa: E501 - one case per line reads better than short lines
"""Every form that data comes in is known at first sight and becomes examples of the right type."""

import json

import pytest

from facet.dataset.columns import Converter, Mapping, parse_mapping
from facet.dataset.look import look
from facet.dataset.preview import preview
from facet.dataset.problem import RowProblem
from facet.dataset.store import whole_examples

HI, HELLO, BYE = (
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello"},
    {"role": "assistant", "content": "Bye"},
)
SYSTEM = {"role": "system", "content": "Be kind."}
ASK = {"messages": [HI]}
TALK = {"messages": [HI, HELLO]}
PAIR = {"messages": [HI], "chosen": [HELLO], "rejected": [BYE]}
LONG = "It was a dark and stormy night, and nobody knew what was to come of it all. " * 4
TRANSCRIPT = "\n\nHuman: Hi\n\nAssistant: "

# what it is, one row, the kind, the example
KNOWN = [
    ("OpenAI messages", {"messages": [HI, HELLO]}, "messages", TALK),
    ("messages as JSON text", {"messages": json.dumps([HI, HELLO])}, "messages", TALK),
    (
        "ShareGPT",
        {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]},
        "sharegpt",
        TALK,
    ),
    (
        "ShareGPT with an instruction column",
        {
            "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}],
            "system": "Be kind.",
        },
        "sharegpt",
        {"messages": [SYSTEM, HI, HELLO]},
    ),
    (
        "Alpaca",
        {"instruction": "Add", "input": "1 and 2", "output": "3"},
        "alpaca",
        {"messages": [{"role": "user", "content": "Add\n\n1 and 2"}, {"role": "assistant", "content": "3"}]},
    ),
    ("prompt and completion", {"prompt": "Hi", "completion": "Hello"}, "prompt_completion", TALK),
    ("conversational prompt and completion", {"prompt": [HI], "completion": [HELLO]}, "prompt_completion", TALK),
    ("prompt and response", {"prompt": "Hi", "response": "Hello"}, "prompt_completion", TALK),
    ("inputs and targets", {"inputs": "Hi", "targets": "Hello"}, "question_answer", TALK),
    (
        "SQuAD on the Hub",
        {"question": "Hi", "context": "A talk.", "answers": {"text": ["Hello"], "answer_start": [0]}},
        "question_answer",
        {"messages": [{"role": "user", "content": "Hi\n\nA talk."}, HELLO]},
    ),
    ("a pair and its prompt", {"prompt": "Hi", "chosen": "Hello", "rejected": "Bye"}, "preference", PAIR),
    ("a pair of messages", {"prompt": [HI], "chosen": [HELLO], "rejected": [BYE]}, "preference", PAIR),
    (
        "a pair of ShareGPT turns",
        {
            "conversations": [{"from": "human", "value": "Hi"}],
            "chosen": {"from": "gpt", "value": "Hello"},
            "rejected": {"from": "gpt", "value": "Bye"},
        },
        "preference",
        PAIR,
    ),
    ("a pair with its prompt inside", {"chosen": [HI, HELLO], "rejected": [HI, BYE]}, "preference", PAIR),
    (
        "a pair that repeats its prompt",
        {"prompt": "Hi", "chosen": [HI, HELLO], "rejected": [HI, BYE], "score_chosen": 9.0, "score_rejected": 2.0},
        "preference",
        PAIR,
    ),
    ("a pair of transcripts", {"chosen": f"{TRANSCRIPT}Hello", "rejected": f"{TRANSCRIPT}Bye"}, "preference", PAIR),
    (
        "a transcript as the prompt of a pair",
        {"prompt": TRANSCRIPT, "chosen": "Hello", "rejected": "Bye"},
        "preference",
        PAIR,
    ),
    (
        "OpenAI's pairs",
        {"input": {"messages": [HI], "tools": []}, "preferred_output": [HELLO], "non_preferred_output": [BYE]},
        "preference",
        PAIR,
    ),
    ("preferred and rejected", {"question": "Hi", "preferred": "Hello", "rejected": "Bye"}, "preference", PAIR),
    ("a transcript", {"text": f"{TRANSCRIPT}Hello"}, "messages", TALK),
    (
        "a thumb as true or false",
        {"prompt": "Hi", "completion": "Hello", "label": True},
        "unpaired_preference",
        {**TALK, "label": True},
    ),
    (
        "a thumb as a picture",
        {"question": "Hi", "answer": "Hello", "feedback": "👎🏽"},
        "unpaired_preference",
        {**TALK, "label": False},
    ),
    (
        "a thumb as a number",
        {"prompt": "Hi", "response": "Hello", "rating": 0},
        "unpaired_preference",
        {**TALK, "label": False},
    ),
    (
        "a thumb beside a conversation",
        {"messages": [HI, HELLO], "label": True},
        "unpaired_preference",
        {**TALK, "label": True},
    ),
    (
        "a thumb beside turns and their answer",
        {"prompt": [HI], "completion": [HELLO], "label": False},
        "unpaired_preference",
        {**TALK, "label": False},
    ),
    ("a transcript with number signs", {"text": "### Human: Hi### Assistant: Hello"}, "messages", TALK),
    ("a transcript in capital letters", {"chat": "USER: Hi\n\n\nASSISTANT: Hello <|endoftext|>"}, "messages", TALK),
    (
        "a transcript in ChatML",
        {"text": "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n"},
        "messages",
        {"messages": [SYSTEM, HI, HELLO]},
    ),
    (
        "a transcript in Gemma's own turns",
        {"text": "<bos><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\nHello<end_of_turn>\n"},
        "messages",
        TALK,
    ),
    ("exchanges", {"conversation": [{"input": "Hi", "output": "Hello"}]}, "messages", TALK),
    (
        "Gemini's contents",
        {
            "systemInstruction": {"role": "system", "parts": [{"text": "Be kind."}]},
            "contents": [{"role": "user", "parts": [{"text": "Hi"}]}, {"role": "model", "parts": [{"text": "Hello"}]}],
        },
        "messages",
        {"messages": [SYSTEM, HI, HELLO]},
    ),
    ("questions alone", {"prompt": "Hi"}, "prompt_only", ASK),
    ("questions alone as messages", {"prompt": [HI]}, "prompt_only", ASK),
    (
        "questions with a number to compare with",
        {"problem": "Hi", "answer": "42"},
        "prompt_only",
        {**ASK, "reference": "42"},
    ),
    (
        "questions with a ground truth",
        {"prompt": [HI], "reward_model": {"ground_truth": "42", "style": "rule"}},
        "prompt_only",
        {**ASK, "reference": "42"},
    ),
    ("worked answers", {"problem": "Hi", "solution": LONG.strip()}, "question_answer",
     {"messages": [HI, {"role": "assistant", "content": LONG.strip()}]}),
    ("raw text", {"text": LONG}, "text", {"messages": [], "text": LONG.strip()}),
    ("raw text with facts about it", {"id": "1", "url": "https://a.org", "title": "Night", "text": LONG}, "text",
     {"messages": [], "text": LONG.strip()}),
    (
        "content parts",
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "H"}, {"type": "text", "text": "i"}]}, HELLO]},
        "messages",
        TALK,
    ),
    (
        "a picture and a question",
        {"image": {"image": "cat.png"}, "question": "Hi", "answer": "Hello"},
        "question_answer",
        {"messages": [{"role": "user", "content": "<image>\nHi"}, HELLO], "images": ["cat.png"]},
    ),
    (
        "LLaVA",
        {
            "image": {"image": "cat.png"},
            "conversations": [{"from": "human", "value": "Hi <image>"}, {"from": "gpt", "value": "Hello"}],
        },
        "sharegpt",
        {"messages": [{"role": "user", "content": "Hi <image>"}, HELLO], "images": ["cat.png"]},
    ),
    (
        "a picture and a caption",
        {"image": {"image": "cat.png"}, "caption": "Hello"},
        "columns",
        {"messages": [{"role": "user", "content": "<image>\nDescribe this picture."}, HELLO], "images": ["cat.png"]},
    ),
]  # fmt: skip


def rows(row: dict, count: int = 12) -> str:
    return f"{json.dumps(row)}\n" * count


@pytest.mark.parametrize(("row", "kind", "example"), [case[1:] for case in KNOWN], ids=[case[0] for case in KNOWN])
def test_a_usual_form_is_known_and_becomes_an_example(file, row, kind, example):
    place = file(rows(row), "a.jsonl")
    shape = look(str(place), "a.jsonl")["shape"]
    assert shape is not None
    assert shape["kind"] == shape["mapping"]["kind"] == kind
    shown = preview(str(place), "a.jsonl", shape["mapping"])[0]
    assert shown["problem"] is None
    assert {name: value for name, value in shown.items() if name not in ("row", "raw", "problem")} == example
    assert shape["words"].endswith(".")


@pytest.mark.parametrize("row", [case[1] for case in KNOWN[:-3]], ids=[case[0] for case in KNOWN[:-3]])
def test_what_is_known_at_first_sight_is_kept_whole_on_disk(make, row):
    content = json.dumps(row)
    made = make(content + "\n" + content.replace("Hi", "Hey") + "\n", "a.jsonl", test_size=0)
    stored = [example for _, example in whole_examples(made.folder / "train.parquet")]
    mapping = parse_mapping(made.summary["mapping"])
    assert stored[0] == Converter(mapping).convert(row, set())
    assert mapping.type == made.summary["type"]
    assert set(stored[0]) - {"messages"} <= set(mapping.extras())


NESTED = [
    ("instances", {"instruction": "Say", "instances": [{"input": "Hi", "output": "Hello"}, {"input": "x", "output": "y"}]}),
    ("data", {"instruction": "Say", "data": [{"input": "Hi", "output": ["Hello"]}, {"input": "x", "output": ["y"]}]}),
    ("examples", {"instruction": ["Say"], "examples": json.dumps([{"input": "Hi", "output": "Hello"}, {"input": "x", "output": "y"}])}),
]  # fmt: skip


@pytest.mark.parametrize("row", [case[1] for case in NESTED], ids=[case[0] for case in NESTED])
def test_every_item_of_a_list_in_a_row_is_an_example_that_shares_the_instruction(file, row):
    shape = look(str(file(rows(row), "a.jsonl")), "a.jsonl")["shape"]
    assert shape["kind"] == "instances"
    made = Converter(parse_mapping(shape["mapping"])).convert_all(row, set())
    assert [each["messages"] for each in made] == [
        [{"role": "user", "content": "Say\n\nHi"}, HELLO],
        [{"role": "user", "content": "Say\n\nx"}, {"role": "assistant", "content": "y"}],
    ]


def test_lists_in_lists_are_unfolded_as_squad_keeps_them(file):
    answers = [{"text": "Hello", "answer_start": 0}, {"text": "Hey", "answer_start": 3}]
    paragraph = {"context": "A talk.", "qas": [{"question": "Hi", "id": "1", "answers": answers}] * 2}
    row = {"title": "Talks", "paragraphs": [paragraph, paragraph]}
    shape = look(str(file(json.dumps({"version": "1", "data": [row] * 3}), "a.json")), "a.json")["shape"]
    assert shape["mapping"]["instances"] == "paragraphs.qas"
    made = Converter(parse_mapping(shape["mapping"])).convert_all(row, set())
    assert [each["messages"] for each in made] == [[{"role": "user", "content": "Hi\n\nA talk."}, HELLO]] * 4


def test_a_row_whose_list_is_partly_unusable_gives_the_rest_and_says_so():
    mapping = Mapping(kind="instances", instances="d", user="d.q", assistant="d.a")
    repairs: set[str] = set()
    converter = Converter(mapping)
    made = converter.convert_all({"d": [{"q": "Hi", "a": "Hello"}, {"q": "x"}]}, repairs)
    assert [each["messages"] for each in made] == [[HI, HELLO]]
    assert [problem.words for problem in converter.left] == ["the answer is empty"]
    with pytest.raises(RowProblem, match="the answer is empty"):
        Converter(mapping).convert_all({"d": [{"q": "x"}]}, repairs)
    with pytest.raises(RowProblem, match="no list of examples"):
        Converter(mapping).convert_all({"d": "nothing"}, repairs)


def test_a_pair_with_names_of_models_beside_it_takes_the_texts(file):
    row = {"chosen_model": "x", "rejected_model": "y", "prompt": "Hi", "chosen": "Hello", "rejected": "Bye"}
    shape = look(str(file(rows(row), "a.jsonl")), "a.jsonl")["shape"]
    assert (shape["mapping"]["chosen"], shape["mapping"]["user"]) == ("chosen", "prompt")
    assert "“Learn only the better answers”" in shape["words"]


@pytest.mark.parametrize(
    "text",
    [
        "Human: a\n\nAssistant: b" + "\n" * 1_000_000 + "x",
        "### Human: a\n\n### Assistant: b" + " " * 1_000_000 + "x",
        "<tool_call>{" * 100_000,
        "<tool_call>" + "}" * 1_000_000,
        "<tool_response>" + " " * 1_000_000 + "x",
        "<|im_start|>user\n" * 100_000,
    ],
    ids=["line ends", "spaces", "calls that open", "a call that never ends", "a result that never ends", "turns"],
)
def test_a_text_made_to_be_slow_is_read_in_one_go(text):
    """Each of these would take hours where every place is tried as the beginning of something long."""
    converter = Converter(Mapping(kind="messages", messages="m"))
    for turns in (text, [HI, {"role": "assistant", "content": text}], [HI, {"role": "tool", "content": text}]):
        try:
            converter.convert({"m": turns}, set())
        except RowProblem as problem:
            assert problem.words
