"""The two pages a person sees of the stand-in: a choice of who they are, and a last word."""

from collections.abc import Iterable, Mapping
from html import escape


def choice_page(action: str, people: Iterable[str], hidden: Mapping[str, str], about: str) -> str:
    """A button for each person and one to say no."""
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in hidden.items()
    )
    buttons = "".join(
        f'<p><button name="person" value="{escape(name)}">Authorize as {escape(name)}</button></p>' for name in people
    )
    refusal = '<p><button name="person" value="">Deny</button></p>'
    form = f'<form method="post" action="{escape(action)}">{fields}{buttons}{refusal}</form>'
    return word_page("Stand-in Hub", f"<p>{escape(about)}</p>{form}")


def word_page(word: str, more: str = "") -> str:
    title = escape(word)
    return f'<!doctype html><html lang="en"><title>{title}</title><body><h1>{title}</h1>{more}</body></html>'
