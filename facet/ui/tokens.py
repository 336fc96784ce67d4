"""The exact tokens of an example, with those the model learns to write marked by tint, line and for screen readers."""

from typing import Any

from markupsafe import Markup

from facet.errors import FacetError
from facet.identity import Person
from facet.studio import Studio
from facet.ui.markup import html, join, note, trouble
from facet.ui.words import count

AT_ONCE = 2  # examples shown together
READING = html('<p class="f-wait" role="status">Reading the examples as the model does</p>')
LEGEND = html(
    '<div class="f-legend"><span class="f-tokens"><mark class="trained">learned: it is taught to write this</mark>'
    "</span>"
    '<span class="f-tokens"><span>only read</span></span>'
    '<span class="f-tokens"><mark class="special trained">■ stop</mark> where it learns to stop</span></div>'
)


def tokens_in_words(studio: Studio, person: Person, dataset: str, model: str, length: str, index: int) -> Markup:
    """The coloured tokens, or why they cannot be shown, in place."""
    try:
        longest = int(length.strip().replace(",", "")) if length.strip() else None
    except ValueError:
        return note("“Longest example” must be a whole number, such as 512.", look="error")
    try:
        found = studio.tokens(person, dataset, model, max_length=longest, index=index, count=AT_ONCE)
    except FacetError as error:
        return trouble(error, "warn")
    return describe_tokens(found)


def describe_tokens(found: dict[str, Any]) -> Markup:
    return LEGEND + join(map(_example, found["examples"]))


def _example(example: dict[str, Any]) -> Markup:
    cut = f", {count(example['cut'], 'token')} cut off" if example.get("cut") else ""
    return html(
        '<h4 class="f-small">Row {row:,}: {tokens}, {trained} of them learned{cut}</h4><div class="f-tokens" '
        'tabindex="0" role="group" aria-label="Tokens of row {row:,}; the learned ones are marked">{pieces}</div>',
        row=example["row"],
        tokens=count(example["tokens"], "token"),
        trained=example["trained"],
        cut=cut,
        pieces=join(piece(*one) for one in example["pieces"]),
    )


def piece(text: str, trained: bool, special: bool) -> Markup:
    shown = text.replace("\n", "↵\n")
    look = "special" if special else ""
    if trained:
        return html('<mark class="trained {}">{}{}</mark>', look, "■ " if special else "", shown)
    return html('<span class="{}">{}</span>', look, shown)


def describe_lengths(numbers: dict[str, Any]) -> Markup:
    """Lengths in a sentence: the half, almost all, the longest, and how many are cut off."""
    if not numbers.get("rows"):
        return Markup("")
    cut = numbers.get("cut_rows", 0)
    words = f"{count(cut, 'example')} of {numbers['rows']:,} will be cut off" if cut else "None is cut off"
    return html(
        '<p class="f-small f-number">Half of the examples have at most {:,} tokens, 95 of 100 at most {:,}, the '
        "longest has {:,}. {} at this length.</p>",
        numbers["p50"],
        numbers["p95"],
        numbers["longest"],
        words,
    )
