"""Strangers' words made safe to stand in a Markdown page: they may say anything and change nothing."""

import re
from typing import Final

_MARKS: Final = re.compile(r"([\\`*_\[\]|~$!#])")
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}


def one_line(text: object, most: int = 200) -> str:
    """Printable characters on one line."""
    printable = "".join(letter if letter.isprintable() else " " for letter in str(text))
    line = " ".join(printable.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def inline(text: object, most: int = 200) -> str:
    """Text inside a paragraph, a heading or a table cell: no markup, no HTML, no link by itself.

    >>> inline("<b>x</b> *y*")
    '&lt;b&gt;x&lt;/b&gt; \\\\*y\\\\*'
    """
    safe = "".join(_ENTITIES.get(letter, letter) for letter in one_line(text, most))
    safe = _MARKS.sub(r"\\\1", safe)
    safe = re.sub(r"&\\#", "&#", safe)  # our own entities stay whole
    return re.sub(r"(?i)\bwww\.", "www&#46;", safe.replace("://", "&#58;//"))


def code(text: object, most: int = 200) -> str:
    """Text as code inside a paragraph or a table cell."""
    line = one_line(text, most).replace("`", "'").replace("|", "¦")
    return f"`{line}`" if line else "–"


def fenced(text: str, language: str) -> str:
    """A block of code whose fence is longer than any run of backticks inside it."""
    clean = "".join(letter if letter.isprintable() or letter in "\n\t" else " " for letter in text.replace("\r", ""))
    longest = max((len(run) for run in re.findall(r"`+", clean)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{clean.rstrip()}\n{fence}"


def table(heads: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; the cells are Markdown already."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
