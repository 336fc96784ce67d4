"""The only way text gets into HTML here: a template of ours, and values that are escaped on their way in."""

import re
from collections.abc import Iterable
from typing import Any

from markupsafe import Markup, escape

from facet.errors import FacetError


def html(template: str, *values: Any, **named: Any) -> Markup:
    """A template with `{}` filled in; every value is escaped unless it came from here."""
    return Markup(template).format(*values, **named)


def join(parts: Iterable[Any], between: str = "") -> Markup:
    return Markup(between).join(parts)


def each(template: str, items: Iterable[Any]) -> Markup:
    """The template once for each item; a tuple fills several places."""
    return join(html(template, *item) if isinstance(item, tuple) else html(template, item) for item in items)


def trouble(error: FacetError, look: str = "error") -> Markup:
    """An error in its place on the page: three sentences, marked by colour, by shape and for screen readers."""
    return html(
        '<div class="f-note {}" role="alert"><p><strong>{}</strong></p><p>{} {}</p></div>',
        look,
        error.what,
        error.why,
        error.next,
    )


def clip(text: str, length: int) -> str:
    """At most `length` characters, with an ellipsis where something was left out."""
    text = str(text)
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def section(title: str, words: str = "", anchor: str = "") -> Markup:
    """The heading of a part of a tab, and what it is for."""
    name = html(' id="{}"', anchor) if anchor else ""
    return html('<div class="f-section"{}><h3>{}</h3><p>{}</p></div>', name, title, words)


def nothing_yet(title: str, words: str) -> Markup:
    """An empty place, and how to fill it."""
    return html('<div class="f-empty"><strong>{}</strong><p>{}</p></div>', title, words)


def note(strong: str, words: str = "", look: str = "") -> Markup:
    """Something to know: `look` is nothing, good, warn or error."""
    return html('<div class="f-note {}"><p><strong>{}</strong> {}</p></div>', look, strong, words)


def track(share: float, label: str, still: bool = False) -> Markup:
    """How much is done, in per cent."""
    return html(
        '<div class="f-track {}" role="progressbar" aria-label="{}" aria-valuemin="0" aria-valuemax="100" '
        'aria-valuenow="{}"><i style="width:{}%"></i></div>',
        "still" if still else "",
        label,
        round(share),
        round(share),
    )


def table(
    caption: str,
    heads: Iterable[Any],
    rows: Iterable[Iterable[Any]],
    looks: dict[int, str] | None = None,
    names: Iterable[str] | None = None,
) -> Markup:
    """A table whose first column names the row; on a phone each row becomes a card that repeats the heads.

    `names` are the heads as plain words, where they are more than that.
    """
    heads, looks = list(heads), looks or {}
    names = list(names or heads)
    top = join(
        html('<th scope="col" class="{}">{}</th>', looks.get(column, ""), head) for column, head in enumerate(heads)
    )
    body = join(_table_row(names, list(row), looks) for row in rows)
    return html(
        '<div class="f-scroll"><table class="f-table"><caption class="f-visually-hidden">{}</caption>'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>",
        caption,
        top,
        body,
    )


def _table_row(heads: list[str], cells: list[Any], looks: dict[int, str]) -> Markup:
    first = html('<th scope="row" class="f-cell">{}</th>', html("<span>{}</span>", cells[0]))
    rest = join(
        html('<td class="f-cell {}" data-label="{}"><span>{}</span></td>', looks.get(column, ""), heads[column], cell)
        for column, cell in enumerate(cells[1:], start=1)
    )
    return html("<tr>{}{}</tr>", first, rest)


CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]*`)", re.DOTALL)


def as_written(text: str) -> str:
    """Markdown whose HTML is shown as text: a model may write `<b>`, and a person should see exactly that."""
    parts = CODE.split(text)
    return "".join(part if index % 2 else _plain(part) for index, part in enumerate(parts))


def _plain(text: str) -> str:
    """No HTML, and an image stays the words that name it: nothing is loaded because a model wrote an address."""
    return str(escape(text)).replace("![", "!\\[")
