# ruff: noqa: E501 - one case per line reads better than short lines
"""Choices of columns that make no sense, and rows that do not fit them."""

import pytest

from facet.dataset.columns import Mapping, check_mapping, parse_mapping, to_conversation
from facet.dataset.look import look
from facet.dataset.preview import preview
from facet.dataset.problem import RowProblem
from facet.errors import DataError, SettingError

CSV = "id,question,answer\n1,Who?,Me.\n2,Where?,Here.\n"
QA = Mapping(kind="question_answer", user="question", assistant="answer")
CHAT = Mapping(kind="messages", messages="messages")


def turns(*texts: str) -> list[dict[str, str]]:
    """Turns of a person and the model, one after another."""
    return [{"role": ("user", "assistant")[place % 2], "content": text} for place, text in enumerate(texts)]


REFUSED = [
    ("no column at all", {}, "No column is chosen for the question"),
    ("no answer", {"user": "question"}, "No column is chosen for the answer"),
    ("the same column twice", {"user": "answer", "assistant": "answer"}, "chosen twice"),
    (
        "the same column as an addition",
        {"user": "question", "user_extra": "question", "assistant": "answer"},
        "chosen twice",
    ),
    ("a column that is gone", {"user": "prompt", "assistant": "answer"}, "no column “prompt”"),
    ("another letter case", {"user": "Question", "assistant": "answer"}, "Did you mean “question”"),
    ("a space at its end", {"user": "question ", "assistant": "answer"}, "Did you mean “question”"),
    ("a mapping from another dataset", {"messages": "conversations"}, "no column “conversations”"),
    ("unknown parts", {"user": "question", "assistant": "answer", "fetch": "{0.__class__}"}, "cannot be read"),
    ("an unknown kind", {"kind": "vision", "user": "question", "assistant": "answer"}, "cannot be read"),
    ("a number for a name", {"user": 1, "assistant": "answer"}, "cannot be read"),
    ("a list for a name", {"user": ["question"], "assistant": "answer"}, "cannot be read"),
    ("half of a character in a name", {"user": "question\ud83d", "assistant": "answer"}, "cannot be read"),
    ("not a mapping", ["question", "answer"], "cannot be read"),
    ("an unknown type", {"type": "vision", "user": "question", "assistant": "answer"}, "cannot be read"),
    ("a template with an unknown field", {"user_template": "{query}", "assistant": "answer"}, "no column “query”"),
    ("a field spelled otherwise", {"user_template": "{questoin}", "assistant": "answer"}, "Did you mean “question”"),
    ("an open brace", {"user_template": "Say {question", "assistant": "answer"}, "has no partner"),
    ("a closed brace", {"user_template": "Say question}", "assistant": "answer"}, "has no partner"),
    ("braces in braces", {"user_template": "{{question}", "assistant": "answer"}, "has no partner"),
    ("empty braces", {"user_template": "Say {}", "assistant": "answer"}, "do not hold the name"),
    ("a way to attributes", {"user_template": "{0.__class__}", "assistant": "answer"}, "do not hold the name"),
    ("a way to globals", {"user": "question", "assistant_template": "{answer.__init__.__globals__}"}, "do not hold"),
    ("an index", {"user_template": "{question[0]}", "assistant": "answer"}, "no column “question[0]”"),
    ("a format", {"user_template": "{question!r:>99999999}", "assistant": "answer"}, "no column"),
    ("a template of a megabyte", {"user_template": "x" * 1_000_000, "assistant": "answer"}, "1,000,000 characters"),
    ("a template with a thousand columns", {"user_template": "".join(f"{{c{n}}}" for n in range(1000)), "assistant": "answer"}, "names 1000 columns"),
    ("an answer that is always the same", {"user": "question", "assistant_template": "Yes."}, "Every answer would be the same"),
    ("the answer already in the question", {"user_template": "{question}? {answer}", "assistant_template": "{answer}!"}, "chosen twice"),
    (
        "an instruction of a megabyte",
        {"user": "question", "assistant": "answer", "system": "x" * 1_000_000},
        "1,000,000 characters",
    ),
]


@pytest.mark.parametrize(("mapping", "words"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_a_choice_that_makes_no_example_is_refused_with_the_control_to_use(file, mapping, words):
    with pytest.raises(SettingError) as refused:
        preview(str(file(CSV)), "rows.csv", mapping)
    assert words in str(refused.value)
    assert "above the preview" in refused.value.next or "“Instruction for the model”" in refused.value.next


def test_braces_in_the_instruction_are_only_text(make):
    strange = "Use {question} and {0.__class__} and {unclosed %s {{ x }}"
    made = make(CSV, mapping={"user": "question", "assistant": "answer", "system": strange})
    assert made.conversations[1][0] == {"role": "system", "content": strange}


def test_a_column_of_numbers_becomes_text_and_is_counted(make):
    made = make('{"question": "2+2", "answer": 4}\n{"question": "3+3", "answer": 6}\n', "a.jsonl", QA)
    assert made.answers() == ["4", "6"]
    assert made.summary["repaired"] == {"numbers were turned into text": 2}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("[1, 2]", "In 3 of 3 rows the answer is a list, not text"),
        ("null", "In 3 of 3 rows the answer is empty"),
        ('{"bytes": "x", "path": "a.png"}', "In 3 of 3 rows the answer is an object, not text"),
    ],
    ids=["a list column", "a column that is always empty", "a picture column"],
)
def test_a_column_that_never_holds_text_is_refused_with_the_count(make, answer, words):
    with pytest.raises(DataError, match=words):
        make(f'{{"question": "a", "answer": {answer}}}\n' * 3, "a.jsonl", QA)


def test_a_column_that_is_mostly_empty_is_warned_of_and_its_rows_are_counted(file, make):
    content = "question,answer\n" + "a,\n" * 99 + "b,c\n"
    seen = look(str(file(content)), "a.csv")
    assert "The column “answer” is empty in 99% of the rows; they are left out." in seen["warnings"]
    assert make(content, mapping=QA).summary["reasons"] == {"the answer is empty": 99}


def test_ten_thousand_columns_are_refused_before_they_are_shown(file):
    with pytest.raises(DataError, match="10,000"):
        look(str(file(",".join(f"c{n}" for n in range(10_000)) + "\n" + "x," * 9_999 + "x\n")), "a.csv")


def test_questions_and_answers_that_are_swapped_are_asked_about_by_their_lengths(file):
    rows = "".join(f"{'a long text ' * 9}{n},short text {n}\n" for n in range(20))
    seen = look(str(file("first,second\n" + rows)), "a.csv")
    assert any("Check that questions and answers are not swapped" in warning for warning in seen["warnings"])


def test_names_with_html_are_passed_on_as_text(file):
    seen = look(str(file("<img src=x onerror=alert(1)>,answer\na,b\n")), "a.csv")
    assert seen["columns"][0]["name"] == "<img src=x onerror=alert(1)>"


def test_names_that_differ_only_by_letter_case_are_warned_of(file):
    seen = look(str(file("Text,text ,answer\na,b,c\n")), "a.csv")
    assert any("but for capital letters or spaces" in warning for warning in seen["warnings"])


def test_a_mark_before_the_first_name_is_not_part_of_it(file):
    assert look(str(file("\ufeffquestion,answer\na,b\n")), "a.csv")["columns"][0]["name"] == "question"


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:9/x", "images/cat 01.png".replace(" ", "_"), "s3://bucket/a.wav"]
)
def test_a_column_of_links_or_pictures_is_refused_and_never_fetched(make, address):
    with pytest.raises(DataError) as refused:
        make(f"question,answer\n{address},A picture.\n", mapping=QA)
    assert "only the address of a page or file" in refused.value.why


def test_answers_that_are_pictures_are_refused_and_answers_that_are_links_are_not(make):
    made = make("question,answer\nWhere?,https://example.org/page\nShow it.,cat.png\n", mapping=QA)
    assert made.questions() == ["Where?"]
    assert made.summary["reasons"] == {"the answer is only the address of a picture, sound or film": 1}


def test_a_mapping_of_rows_that_name_their_own_columns_is_checked_row_by_row():
    check_mapping(QA, None)
    with pytest.raises(RowProblem, match="the question is empty"):
        to_conversation({"prompt": "a", "answer": "b"}, QA)


def test_a_column_that_no_row_names_is_refused_like_one_that_is_not_there(file, make):
    content = '{"prompt": "a", "answer": "b"}\n' * 3
    with pytest.raises(SettingError, match="no column “question”"):
        preview(str(file(content, "a.jsonl")), "a.jsonl", QA.model_dump())
    with pytest.raises(SettingError, match="no column “question”"):
        make(content, "a.jsonl", QA)


def test_questions_that_are_links_or_files_are_said_to_be_only_text(file):
    seen = look(str(file("question,answer\n" + "https://example.org/a.png,A picture of a sea.\n" * 3)), "a.csv")
    assert any("never opened" in warning for warning in seen["warnings"])


def test_categories_that_are_numbers_are_warned_of(file):
    seen = look(str(file("text,label\n" + "".join(f"This is text {n},{n % 2}\n" for n in range(20)))), "a.csv")
    assert seen["shape"]["mapping"]["system"] == "Answer with one of these categories and nothing else: 0, 1."
    assert any("numbers are what the model will answer" in warning for warning in seen["warnings"])


def test_long_texts_for_questions_of_an_unsure_guess_are_asked_about(file):
    content = "left,right\n" + "".join(f"{'a long text ' * 9}{n},short text {n}\n" for n in range(20))
    assert any("not swapped" in warning for warning in look(str(file(content)), "a.csv")["warnings"])


def test_a_mapping_reads_each_column_once():
    mapping = parse_mapping({"kind": "alpaca", "user": "a", "user_extra": "b", "assistant": "c", "system_column": "d"})
    assert mapping.columns() == ["a", "b", "c", "d"]


# --- conversations: (case, messages, the reason)
PROBLEMS = [
    ("55 unknown role", [{"role": "narrator", "content": "x"}], "neither a person nor the model"),
    ("55 missing role", [{"content": "x"}], "does not say who speaks"),
    ("55 role of nothing", [{"role": None, "content": "x"}], "does not say who speaks"),
    ("55 role that is a list", [{"role": ["user"], "content": "x"}], "neither a person nor the model"),
    ("a tool that nobody called", [*turns("a"), {"role": "tool", "content": "x"}], "did not call"),
    (
        "a call of no tool",
        [*turns("a"), {"role": "assistant", "content": "", "tool_calls": [{"id": 1}]}],
        "does not say which",
    ),
    ("56 assistant first", turns("a", "b", "c", "d")[1:], "the model speaks first"),
    ("56 empty answer", turns("a", " \n "), "the answer is empty"),
    ("56 empty question", turns("", "b"), "the question is empty"),
    ("56 answer of nothing", [*turns("a"), {"role": "assistant", "content": None}], "the answer is empty"),
    (
        "57 a picture",
        [{"role": "user", "content": [{"type": "image", "url": "x"}]}, *turns("a", "b")[1:]],
        "a picture, a sound or a file",
    ),
    (
        "57 parts of unknown kind",
        [{"role": "user", "content": [3]}, *turns("a", "b")[1:]],
        "a picture, a sound or a file",
    ),
    ("58 no answer", turns("a"), "no answer of the model"),
    ("no turns", [], "no turns"),
    ("nothing", None, "the conversation is empty"),
    ("a number", 7, "no answer of the model"),
    ("a plain text", "hello", "no answer of the model"),
    ("broken JSON text", '[{"role": "user"', "no answer of the model"),
    ("JSON text nested too deeply", "[" * 100_000, "no answer of the model"),
    ("a list of texts", ["a", "b"], "not an object with a role"),
    (
        "a late instruction",
        [*turns("a", "b"), {"role": "system", "content": "x"}, *turns("c", "d")],
        "in the middle of the conversation",
    ),
    ("too many turns", turns(*"ab" * 101), "more than 200 turns"),
    ("13 lone surrogate", turns("a", "b\ud83d"), "half of a character"),
    ("content as an object", [{"role": "user", "content": {"a": 1}}, *turns("a", "b")[1:]], "an object, not text"),
]


@pytest.mark.parametrize(("messages", "words"), [case[1:] for case in PROBLEMS], ids=[case[0] for case in PROBLEMS])
def test_a_conversation_that_cannot_be_learned_from_says_why(messages, words):
    with pytest.raises(RowProblem) as problem:
        to_conversation({"messages": messages}, CHAT)
    assert words in problem.value.words


# --- conversations that are mended: (case, messages, what is made of it)
HI = turns("Hi", "Hello")
MENDED = [
    ("54 messages as JSON text", '[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]', HI),
    ("ShareGPT", [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}], HI),
    ("other names of roles", [{"role": "Human", "content": "Hi"}, {"role": " MODEL ", "content": "Hello"}], HI),
    ("speaker and text", [{"speaker": "user", "text": "Hi"}, {"speaker": "bot", "text": "Hello"}], HI),
    ("an object around", {"messages": HI, "source": "x"}, HI),
    (
        "text parts",
        [{"role": "user", "content": [{"type": "text", "text": "H"}, {"type": "text", "text": "i"}]}, HI[1]],
        HI,
    ),
    ("white space around", turns("  Hi\n", "\tHello "), HI),
    ("56 two questions in a row", [*turns("a"), *turns("b", "c")], turns("a\n\nb", "c")),
    ("56 two answers in a row", [*turns("a", "b"), turns("x", "c")[1]], turns("a", "b\n\nc")),
    ("a last question without an answer", turns("Hi", "Hello", "Bye"), HI),
    (
        "59 an instruction",
        [{"role": "system", "content": "Be kind."}, *HI],
        [{"role": "system", "content": "Be kind."}, *HI],
    ),
    (
        "two instructions",
        [{"role": "system", "content": "a"}, {"role": "developer", "content": "b"}, *HI],
        [{"role": "system", "content": "a\n\nb"}, *HI],
    ),
    ("an answer that is a number", [HI[0], {"role": "assistant", "content": 42}], turns("Hi", "42")),
]


@pytest.mark.parametrize(("messages", "expected"), [case[1:] for case in MENDED], ids=[case[0] for case in MENDED])
def test_a_conversation_in_another_form_becomes_ours(messages, expected):
    assert to_conversation({"messages": messages}, CHAT) == expected


def test_mended_conversations_are_counted_by_what_was_mended(make):
    rows = '{"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}, {"role": "assistant", "content": "c"}, {"role": "user", "content": "d"}]}\n'
    assert make(rows * 2, "a.jsonl").summary["repaired"] == {
        "two turns of one speaker in a row were joined": 2,
        "a last question without an answer was left out": 2,
    }


def test_58_a_file_without_any_answer_is_refused(make):
    with pytest.raises(DataError, match="no answer of the model"):
        make('{"messages": [{"role": "user", "content": "a"}]}\n' * 3, "a.jsonl", CHAT)


def test_an_instruction_column_goes_before_the_fixed_instruction():
    mapping = Mapping(user="q", assistant="a", system="Fixed.", system_column="s")
    assert to_conversation({"q": "x", "a": "y", "s": "Own."}, mapping)[0]["content"] == "Own."
    assert to_conversation({"q": "x", "a": "y", "s": " "}, mapping)[0]["content"] == "Fixed."


def test_a_conversation_with_its_own_instruction_keeps_it():
    mapping = Mapping(kind="messages", messages="m", system="Fixed.")
    own = [{"role": "system", "content": "Own."}, *HI]
    assert to_conversation({"m": own}, mapping) == own
    assert to_conversation({"m": HI}, mapping) == [{"role": "system", "content": "Fixed."}, *HI]


def test_a_prompt_and_its_answer_may_be_lists_of_turns_or_texts():
    mapping = Mapping(kind="prompt_completion", messages="prompt", assistant="completion")
    for answer in ("Hello", [HI[1]], HI[1], {"from": "gpt", "value": "Hello"}):
        assert to_conversation({"prompt": [HI[0]], "completion": answer}, mapping) == HI
