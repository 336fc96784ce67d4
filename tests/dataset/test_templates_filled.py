"""Texts with columns in braces: what stands in them is put in, and nothing else can be reached."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facet.dataset.columns import Converter, check_mapping, parse_mapping
from facet.dataset.fill import MOST_TEMPLATE_CHARACTERS, Filling
from facet.dataset.preview import preview
from facet.dataset.problem import RowProblem
from facet.errors import SettingError

ROW = {"a": "One", "b": 2, "many words": "Three", "none": None, "list": ["x", 1, None, "y"], "{": "brace", "s": " "}

FILLED = [
    ("{a}", "One"),
    ("Say {a} and {b}.", "Say One and 2."),
    ("{many words}!", "Three!"),
    ("{{a}} is {a}", "{a} is One"),
    ("{{{a}}}", "{One}"),
    ("}}{{ {a}", "}{ One"),
    ("{a}{none}{s}", "One"),
    ("{list}", "x, 1, y"),
    ("no column at all", "no column at all"),
    ("  {a}\n", "One"),
]


@pytest.mark.parametrize(("template", "text"), FILLED)
def test_columns_in_braces_are_filled_from_the_row(template, text):
    assert Filling(template).fill(ROW, "question", set()) == text


@pytest.mark.parametrize("template", ["{none}", "Say {none} and {s}.", "{list}"])
def test_a_row_with_nothing_to_fill_in_is_left_out(template):
    with pytest.raises(RowProblem, match="the question is empty"):
        Filling(template).fill({**ROW, "list": []}, "question", set())


@pytest.mark.parametrize("value", [{"a": 1}, b"bytes", [["x"]], float("nan"), "half \ud83d"])
def test_a_value_that_is_no_text_is_not_written_somehow(value):
    with pytest.raises(RowProblem):
        Filling("{a}").fill({"a": value}, "question", set())


def test_what_a_row_says_in_braces_is_only_text():
    row = {"a": "{b} {0.__class__} {{", "b": "secret"}
    assert Filling("{a}").fill(row, "question", set()) == row["a"]


names = st.text(st.characters(exclude_characters="{}", exclude_categories=("Cs", "Cc")), min_size=1).filter(str.strip)


@given(st.lists(st.tuples(st.text(st.characters(exclude_categories=("Cs", "Cc"))), names), max_size=5))
def test_any_text_and_any_names_come_out_as_they_were_put_in(parts):
    parts = [(text, name) for text, name in parts if ".__" not in name]
    template = "".join(f"{text.replace('{', '{{').replace('}', '}}')}{{{name}}}" for text, name in parts)
    row = {name: f"<{place}>" for place, (_, name) in enumerate(parts)}
    expected = "".join(f"{text}{row[name]}" for text, name in parts).strip()
    assert Filling(template).fill(row, "question", set()) == expected


@given(st.text(st.sampled_from("{}ab. "), max_size=30))
def test_any_braces_are_either_filled_or_refused_in_words(template):
    try:
        filling = Filling(template)
    except SettingError as refused:
        assert all(sentence.endswith(".") for sentence in refused.args)
    else:
        assert isinstance(filling.fill(dict.fromkeys(filling.columns, "x"), "question", set()), str)


def test_the_longest_template_is_read_and_one_letter_more_is_not():
    assert Filling("x" * MOST_TEMPLATE_CHARACTERS).fill({}, "question", set())
    with pytest.raises(SettingError, match="20,001 characters and may have 20,000"):
        Filling("x" * (MOST_TEMPLATE_CHARACTERS + 1))


def test_question_answer_and_instruction_may_each_be_written_by_a_template():
    mapping = parse_mapping(
        {
            "user_template": "Translate “{en}” into {lang}.",
            "assistant_template": "{de}!",
            "system_template": "You speak {lang}.",
        }
    )
    row = {"en": "Sea", "de": "Meer", "lang": "German"}
    check_mapping(mapping, list(row))
    assert sorted(mapping.columns()) == ["de", "en", "lang"]
    assert Converter(mapping).convert(row, set())["messages"] == [
        {"role": "system", "content": "You speak German."},
        {"role": "user", "content": "Translate “Sea” into German."},
        {"role": "assistant", "content": "Meer!"},
    ]


def test_an_instruction_without_anything_to_fill_in_gives_way_to_the_fixed_one():
    mapping = parse_mapping({"user": "q", "assistant": "a", "system_template": "For {who}.", "system": "Fixed."})
    made = Converter(mapping).convert({"q": "Hi", "a": "Hello", "who": None}, set())
    assert made["messages"][0]["content"] == "Fixed."


def test_a_template_goes_before_the_columns_of_the_same_part():
    mapping = parse_mapping({"user": "gone", "user_extra": "gone too", "user_template": "{q}?", "assistant": "a"})
    check_mapping(mapping, ["q", "a"])
    assert Converter(mapping).convert({"q": "Hi", "a": "Hello"}, set())["messages"][0]["content"] == "Hi?"


def test_an_unknown_column_in_a_template_is_missed_where_rows_name_their_own_columns(file):
    place = str(file('{"q": "Hi", "a": "Hello"}\n' * 3, "a.jsonl"))
    with pytest.raises(SettingError, match="no column “queue”"):
        preview(place, "a.jsonl", {"user_template": "{q} {queue}", "assistant": "a"})
    assert preview(place, "a.jsonl", {"user_template": "{q}", "assistant": "a"})[0]["problem"] is None


def test_a_column_that_comes_later_is_known_where_rows_name_their_own_columns(file):
    content = '{"q": "Hi", "a": "Hello"}\n' * 50 + '{"q": "Hi", "a": "Hello", "more": "!"}\n'
    shown = preview(str(file(content, "a.jsonl")), "a.jsonl", {"user_template": "{q}{more}", "assistant": "a"})
    assert len(shown) == 20
