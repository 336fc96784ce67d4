"""Plain text and Markdown as rows: paragraphs joined to a sensible size, sections, or turns of a written dialogue."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from facet.dataset import budget
from facet.dataset.delimited import Row, bounded_lines, open_text
from facet.dataset.dialogue import DialogueStyle, conversations, style_of

ROW_CHARACTERS = 2_000  # paragraphs are joined up to here: about 500 tokens
MOST_ROW_CHARACTERS = 4_000  # a longer paragraph is divided between sentences
_FEWEST_CHARACTERS = 200  # a shorter section goes with the next one
_HEAD = 2**16
_HEADING = re.compile(r"#{1,6}[ \t]+\S")
_BLANK_LINE = re.compile(r"\n[ \t]*\r?\n|\r[ \t]*\r")
_FENCE = re.compile(r"[ ]{0,3}(```|~~~)")
_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’)\]]*\s+")
_SECTION = "\x1d"  # before a heading: ends a row, unless that is very short
PAGE_BREAK = "\f"  # always ends a row; also written between files that were put together


def has_headings(text: str) -> bool:
    """Whether a text is Markdown although its name does not say so: three headings, each after a blank line."""
    lines = text[:_HEAD].splitlines()
    pairs = zip(["", *lines], lines, strict=False)
    return sum(bool(_HEADING.match(line)) and not before.strip() for before, line in pairs) >= 3


class TextRows:
    """The rows of a text: one column `text`; or, for a written dialogue, `question` and `answer` or `messages`."""

    def __init__(self, file: Path, encoding: str, markdown: bool) -> None:
        self.file, self.encoding, self.markdown = file, encoding, markdown
        self.notes: Counter[str] = Counter()
        with open_text(file, encoding) as text:
            head = text.read(_HEAD)
        self.style: DialogueStyle | None = style_of(head)
        self.by_lines = not _BLANK_LINE.search(head.strip())  # then each line is a paragraph
        self.names = self.style.names if self.style else ["text"]
        self._explain()

    def rows(self, columns: list[str] | None = None) -> Iterator[Row]:
        """Each row with its number from 1."""
        with open_text(self.file, self.encoding) as text:
            found = self._values(lines_of(text))
            for number, value in enumerate(found, start=1):
                if number > budget.MOST_ROWS:
                    raise budget.too_many_rows()
                yield number, value

    def _values(self, lines: Iterator[str]) -> Iterator[dict[str, Any]]:
        if self.style:
            yield from conversations(lines, self.style)
        else:
            blocks = sections(lines) if self.markdown else paragraphs(lines, self.by_lines)
            for text in joined(blocks, "\n" if self.by_lines and not self.markdown else "\n\n"):
                yield {"text": text}

    def _explain(self) -> None:
        if self.style:
            self.notes[self.style.words] += 1
        elif self.markdown:
            self.notes[f"Each row is a section of the text, or {ROW_CHARACTERS:,} characters of a long one."] += 1
        else:
            self.notes[f"Each row is about {ROW_CHARACTERS:,} characters of the text: whole paragraphs, in order."] += 1


def lines_of(text: Any) -> Iterator[str]:
    """Lines without their ends, whichever kind these are; a page break stands alone."""
    for raw in bounded_lines(text):
        for line in raw.removeprefix("\ufeff").rstrip("\r\n").replace("\r", "\n").split("\n"):
            before, sign, after = line.partition(PAGE_BREAK)
            if not sign:
                yield line
                continue
            yield from (before, PAGE_BREAK)
            yield after.replace(PAGE_BREAK, "")


def paragraphs(lines: Iterable[str], by_lines: bool) -> Iterator[str]:
    """Blocks between blank lines, or single lines; `PAGE_BREAK` between parts that stay apart."""
    block: list[str] = []
    size = 0
    for line in lines:
        ends = by_lines or not line.strip() or line == PAGE_BREAK
        if ends and block:
            yield "\n".join(block)
            block, size = [], 0
        if line == PAGE_BREAK:
            yield PAGE_BREAK
        elif line.strip():
            block.append(line.rstrip())
            size += len(line)
            if size > budget.MOST_LINE_CHARACTERS:  # a text without any paragraph must not lie in memory as a whole
                yield "\n".join(block)
                block, size = [], 0
    if block:
        yield "\n".join(block)


def sections(lines: Iterable[str]) -> Iterator[str]:
    """Paragraphs of Markdown with a `_SECTION` before every heading. Headings stay with what follows, code is whole."""
    block: list[str] = []
    fenced = False
    for line in lines:
        fence = bool(_FENCE.match(line))
        heading = not fenced and bool(_HEADING.match(line))
        only_headings = all(not each or _HEADING.match(each) for each in block)
        if block and not fenced and (line == PAGE_BREAK or (not only_headings and (heading or not line.strip()))):
            yield "\n".join(block).rstrip()
            block = []
        if line == PAGE_BREAK or (heading and not block):
            yield line if line == PAGE_BREAK else _SECTION
        if line != PAGE_BREAK and (line.strip() or block):
            block.append(line.rstrip())
        fenced ^= fence
        if fenced and len(block) > 2_000:  # a fence that nobody closed
            fenced = False
    if block:
        yield "\n".join(block).rstrip()


def joined(blocks: Iterable[str], glue: str) -> Iterator[str]:
    """Rows of about `ROW_CHARACTERS`: blocks together as long as they fit, and long ones divided."""
    row, size = [], 0
    for block in blocks:
        if block in (PAGE_BREAK, _SECTION):
            if row and (size >= _FEWEST_CHARACTERS or block == PAGE_BREAK):
                yield glue.join(row)
                row, size = [], 0
            continue
        for part in _divided(block):
            if row and size + len(part) > ROW_CHARACTERS:
                yield glue.join(row)
                row, size = [], 0
            row.append(part)
            size += len(part) + len(glue)
    if row:
        yield glue.join(row)


def _divided(block: str) -> Iterator[str]:
    at = 0
    while len(block) - at > MOST_ROW_CHARACTERS:
        window = block[at : at + ROW_CHARACTERS]
        ends = [found.end() for found in _SENTENCE_END.finditer(window)]
        cut = ends[-1] if ends and ends[-1] > ROW_CHARACTERS // 2 else window.rfind(" ") + 1 or len(window)
        yield window[:cut].rstrip()
        at += cut
    if rest := block[at:].strip("\n"):
        yield rest
