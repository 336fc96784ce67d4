"""Text and Markdown: what becomes a row, what is a written dialogue, and what is a table after all."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facet.dataset.read import open_rows
from facet.dataset.sniff import sniff
from facet.dataset.texts import MOST_ROW_CHARACTERS, ROW_CHARACTERS, joined, paragraphs, sections

LETTER = """Dear Anna,

I write, because, well, you know, it rained, and the roof, as always, leaks.

Yours, Ben
"""


@pytest.fixture
def read(file):
    def run(content: str | bytes, name: str = "a.txt"):
        sniffed, rows = open_rows(file(content, name), name)
        return sniffed.format, rows.names, [row for _, row in rows.rows()]

    return run


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.txt", LETTER, "text"),
        ("a.txt", "Hello, world.\nYes, we can.\n", "text"),
        ("a.txt", "Roses are red, violets are blue,\nSugar is sweet, and so are you.\n", "text"),
        ("a.txt", "one line without any end", "text"),
        ("a.txt", "apples\npears\nplums\n", "text"),
        ("notes", "A sentence; and another.\nThird; fourth.\n", "text"),
        ("a.md", "question,answer\na,b\n", "markdown"),
        ("a.txt", "# One\n\ntext\n\n# Two\n\ntext\n\n## Three\n\ntext", "markdown"),
        ("a.txt", "question,answer\nWho?,Me.\nWhere?,Here.\n", "csv"),
        ("a.txt", "question, answer\nWho?, Me.\nWhere?, Here.\n", "csv"),
        ("a.txt", "question\tanswer\nWho, you?\tMe, yes.\n", "tsv"),
        ("a.txt", "id;text\n1;Hello, you.\n2;Bye.\n", "csv"),
        ("a.txt", '{"question": "a"}\n{"question": "b"}\n', "jsonl"),
        ("a.csv", "text\nHello, you\n", "csv"),
        ("a.csv", "text\none\ntwo\n", "csv"),
        ("rows", "question|answer\na|b\nc|d\n", "csv"),
    ],
)
def test_a_text_with_commas_is_no_table_and_a_table_without_a_name_is_one(file, name, content, expected):
    assert sniff(file(content, name), name).format == expected


def test_a_chosen_delimiter_makes_a_table_of_it(file):
    assert sniff(file(LETTER, "a.txt"), "a.txt", {"delimiter": ","}).format == "csv"


def test_short_paragraphs_are_joined_and_long_ones_divided_between_sentences(read):
    paragraph = "This is a sentence of some length. " * 10
    _, names, rows = read("\n\n".join([paragraph] * 20) + "\n\n" + "Another sentence here! " * 400)
    assert names == ["text"]
    assert all(len(row["text"]) <= MOST_ROW_CHARACTERS for row in rows)
    assert sum(len(row["text"]) > ROW_CHARACTERS / 2 for row in rows) >= len(rows) - 1
    assert all(row["text"].rstrip().endswith((".", "!")) for row in rows)
    assert "\n\n" in rows[0]["text"]


def test_lines_without_blank_ones_between_them_are_paragraphs(read):
    assert read("First line.\nSecond line.\n")[2] == [{"text": "First line.\nSecond line."}]


def test_markdown_is_divided_at_its_headings(read):
    body = "A sentence about it. " * 20
    _, _, rows = read(f"# Boots\n\n{body}\n\n## Soles\n\n{body}\n\n```python\n# not a heading\n\nx = 1\n```\n", "a.md")
    assert [row["text"].split("\n")[0] for row in rows] == ["# Boots", "## Soles"]
    assert "```python\n# not a heading\n\nx = 1\n```" in rows[1]["text"]


def test_a_heading_is_never_the_end_of_a_row(read):
    _, _, rows = read("# A\n\n" + "long words here. " * 110 + "\n\n## B\n\n" + "more words. " * 150, "a.md")
    assert rows[1]["text"].startswith("## B\n\nmore words.")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_kind_of_line_ends_gives_the_same_rows(read, end):
    text = "First.\n\nSecond part\nof it.\n\nThird."
    assert read(text.replace("\n", end).encode())[2] == [{"text": text}]


def test_questions_and_answers_become_rows(read):
    _, names, rows = read("Q: Who?\nA: Me.\n\nQ: Where?\nA: Here,\n\nand there.\n")
    assert names == ["question", "answer"]
    assert rows == [{"question": "Who?", "answer": "Me."}, {"question": "Where?", "answer": "Here,\n\nand there."}]


@pytest.mark.parametrize(
    "style", ["Question {}: {}\nAnswer {}: {}\n", "**Q:** {1}\n**A:** {3}\n", "frage: {1}\nANTWORT： {3}\n"]
)
def test_the_beginnings_of_lines_may_be_written_in_several_ways(read, style):
    rows = read("".join(style.format(n, f"q{n}", n, f"a{n}") for n in range(3)))[2]
    assert rows == [{"question": f"q{n}", "answer": f"a{n}"} for n in range(3)]


def test_a_question_without_an_answer_stays_visible(read):
    assert read("Q: Who?\nQ: Where?\nA: Here.\n")[2][0] == {"question": "Who?", "answer": None}


def turns(*texts: str) -> dict:
    return {"messages": [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(texts)]}


def test_blank_lines_end_a_conversation_where_they_mean_something(read):
    _, names, rows = read("Human: hi\nAssistant: hello\nHuman: bye\nAssistant: ciao\n\nHuman: new\nAssistant: yes\n")
    assert names == ["messages"]
    assert rows == [turns("hi", "hello", "bye", "ciao"), turns("new", "yes")]


def test_lines_of_dashes_end_a_conversation(read):
    _, _, rows = read("User: hi\n\nBot: hello\n\nUser: bye\n\nBot: ciao\n\n---\n\nUser: new\n\nBot: yes\n")
    assert rows == [turns("hi", "hello", "bye", "ciao"), turns("new", "yes")]


def test_without_any_sign_between_them_every_question_is_a_row(read):
    _, _, rows = read("User: hi\n\nBot: hello\n\nUser: bye\n\nBot: ciao\n")
    assert rows == [turns("hi", "hello"), turns("bye", "ciao")]


def test_an_instruction_begins_a_conversation(read):
    rows = read("System: Be kind.\nUser: hi\nBot: hello\n\nSystem: Be short.\nUser: yo\nBot: ok\n")[2]
    assert [row["messages"][0] for row in rows] == [
        {"role": "system", "content": "Be kind."},
        {"role": "system", "content": "Be short."},
    ]


@pytest.mark.parametrize(
    "text", [LETTER, "A: an answer without a question\n\ntext", "Note: this\n\nUser: that\n\nmore"]
)
def test_a_text_with_a_colon_is_no_dialogue(read, text):
    assert read(text)[1] == ["text"]


WORDS = st.text(alphabet="ab .\n#`", max_size=400)


@given(WORDS)
@settings(max_examples=300, deadline=None)
def test_no_word_is_lost_or_doubled(text):
    for blocks in (paragraphs(text.split("\n"), False), paragraphs(text.split("\n"), True), sections(text.split("\n"))):
        assert "".join("".join(joined(blocks, "\n\n")).split()) == "".join(text.split())
