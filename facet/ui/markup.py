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
    return html('<div class="f-note {}" role="alert"><p><strong>{}</strong></p><p>{} {}</p></div>', look, error.what, error.why, error.next)


def clip(text: str, length: int) -> str:
    """At most `length` characters, with an ellipsis where something was left out."""
    text = str(text)
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]*`)", re.DOTALL)


def as_written(text: str) -> str:
    """Markdown whose HTML is shown as text: a model may write `<b>`, and a person should see exactly that."""
    parts = CODE.split(text)
    return "".join(part if index % 2 else str(escape(part)) for index, part in enumerate(parts))
