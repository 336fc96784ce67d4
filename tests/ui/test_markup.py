import ast
from pathlib import Path

import pytest

from facet.ui.markup import as_written, clip, html, table

UI = Path(__file__).parents[2] / "facet" / "ui"
HOSTILE = "<script>alert(1)</script>"


def test_every_value_in_a_template_is_escaped():
    assert str(html("<p>{}</p>", HOSTILE)) == "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"
    assert "<script" not in table("x" + HOSTILE, [HOSTILE, "b"], [[HOSTILE, HOSTILE]])


@pytest.mark.parametrize("file", sorted(UI.glob("*.py")), ids=lambda file: file.name)
def test_no_html_is_made_by_an_f_string_or_by_adding(file):
    """An f-string with a tag in it would let a person's words become HTML."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.JoinedStr):
            fixed = "".join(part.value for part in node.values if isinstance(part, ast.Constant))
            assert "<" not in fixed.replace("<span style=", "") or file.name in ("charts.py", "theme.py"), ast.unparse(
                node
            )


def test_what_a_model_writes_is_shown_and_not_obeyed():
    assert as_written("a <b>bold</b> word") == "a &lt;b&gt;bold&lt;/b&gt; word"
    assert as_written("![x](http://tracker/a.png)") == "!\\[x](http://tracker/a.png)"
    assert as_written("use `<b>` here") == "use `<b>` here"
    assert as_written("```\n<b>\n```") == "```\n<b>\n```"
    assert as_written("```\n<b> not closed") == "```\n<b> not closed"


def test_clip_says_that_something_is_missing():
    assert clip("abcdef", 4) == "abc…"
    assert clip("abc", 4) == "abc"
