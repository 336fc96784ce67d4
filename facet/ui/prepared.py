"""Prepared data: what is in it, which rows could not be used, and the exact tokens the model will learn to write."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet.dataset.shelf import DatasetCard
from facet.errors import FacetError
from facet.gemma.models import STARTER
from facet.identity import Person
from facet.studio import Studio
from facet.ui.events import Gate
from facet.ui.manage import Manage, manage_layout, wire_manage
from facet.ui.markup import clip, each, html, join, table, trouble
from facet.ui.session import Session, go_to
from facet.ui.values import Id, Line, Name
from facet.ui.words import ago, count

AT_ONCE = 2  # examples shown as tokens


@dataclass(frozen=True)
class Prepared:
    box: gr.Column
    chosen: gr.Dropdown
    detail: gr.HTML
    model: gr.Dropdown
    length: gr.Textbox
    tokens: gr.HTML
    index: gr.State
    earlier: gr.Button
    later: gr.Button
    train: gr.Button
    manage: Manage

    @property
    def list_outputs(self) -> list[Any]:
        return [self.box, self.chosen, self.detail]

    def refreshed(self, studio: Studio, person: Person, wanted: str | None) -> list[Any]:
        """Values of `list_outputs`, with `wanted` chosen where it still exists."""
        cards = studio.datasets(person)
        card = next((card for card in cards if card.id == wanted), cards[0] if cards else None)
        choices = [(f"{card.name} ({count(card.summary['used'], 'example')})", card.id) for card in cards]
        detail = str(describe(card, studio.problems(person, card.id, 20))) if card else ""
        return [gr.Column(visible=bool(cards)), gr.Dropdown(choices=choices, value=card.id if card else None), detail]


def prepared_layout(studio: Studio) -> Prepared:
    with gr.Column(visible=False, elem_id="prepared", elem_classes="f-gap") as box:
        gr.HTML(html('<div class="f-section"><h3>Your prepared data</h3></div>'))
        with gr.Column(elem_classes="card"):
            chosen = gr.Dropdown([], label="Prepared data")
            detail = gr.HTML()
            train = gr.Button("Train with this data", variant="primary", scale=0, elem_classes="f-left")
            manage = manage_layout("datasets")
        with gr.Column(elem_classes="card"):
            gr.HTML(html('<div class="f-section"><h3>Exactly what the model learns to write</h3><p>A model reads word pieces, '
                         "called tokens. It reads all of these and is taught to write only the marked ones.</p></div>"))  # fmt: skip
            with gr.Row():
                model = gr.Dropdown([(m.name, m.id) for m in studio.models()], value=STARTER, label="As this model reads it", min_width=180)
                length = gr.Textbox("512", label="Longest example", info="In tokens; what is longer is cut off", max_length=8)
            tokens = gr.HTML(elem_id="tokens")
            with gr.Row(elem_classes="f-left"):
                earlier, later = gr.Button("Earlier examples", size="sm", scale=0), gr.Button("More examples", size="sm", scale=0)
    return Prepared(box, chosen, detail, model, length, tokens, gr.State(0), earlier, later, train, manage)


def wire_prepared(tab: Prepared, studio: Studio, gate: Gate, session: Session) -> None:
    def choose(person: Person, dataset: Id | None) -> Any:
        if not dataset:
            return gr.skip()
        card = studio.dataset(person, dataset)
        return [dataset, str(describe(card, studio.problems(person, dataset, 20))), 0]

    def show_tokens(person: Person, dataset: Id | None, model: Name, length: Line, index: int) -> str:
        if not dataset:
            return ""
        return str(tokens_in_words(studio, person, dataset, model, length, index))

    def turn(step: int) -> Any:
        def move(person: Person, dataset: Id | None, model: Name, length: Line, index: int) -> list[Any]:
            rows = studio.dataset(person, dataset or "").summary["splits"]["train"]
            moved = min(max(0, index + step), max(0, rows - AT_ONCE))
            return [moved, show_tokens(person, dataset, model, length, moved)]

        return move

    asked = {"dataset": tab.chosen, "model": tab.model, "length": tab.length, "index": tab.index}
    chose = gate.on(tab.chosen.change, choose, {"dataset": tab.chosen}, [session.dataset, tab.detail, tab.index], show_progress="hidden")
    gate.on(chose.success, show_tokens, asked, tab.tokens, show_progress="minimal")
    gate.on([tab.model.input, tab.length.submit, tab.length.blur], show_tokens, asked, tab.tokens, show_progress="minimal")
    gate.on(tab.earlier.click, turn(-AT_ONCE), asked, [tab.index, tab.tokens], show_progress="minimal")
    gate.on(tab.later.click, turn(AT_ONCE), asked, [tab.index, tab.tokens], show_progress="minimal")
    tab.train.click(None, None, None, js=go_to("train"))
    wire_manage(tab.manage, studio, gate, tab.chosen, tab.list_outputs, tab.refreshed)


def tokens_in_words(studio: Studio, person: Person, dataset: str, model: str, length: str, index: int) -> Markup:
    """The coloured tokens, or why they cannot be shown, in place."""
    try:
        longest = int(length.strip().replace(",", "")) if length.strip() else None
    except ValueError:
        return html('<div class="f-note error"><p>“Longest example” must be a whole number, such as 512.</p></div>')
    try:
        found = studio.tokens(person, dataset, model, max_length=longest, index=index, count=AT_ONCE)
    except FacetError as error:
        return trouble(error, "warn")
    return describe_tokens(found)


def describe_tokens(found: dict[str, Any]) -> Markup:
    legend = html('<div class="f-legend"><span class="f-tokens"><span class="trained">learned: it is taught to write this</span></span>'
                  '<span class="f-tokens"><span>only read</span></span><span class="f-tokens"><span class="special trained">■ stop</span> '
                  "where it learns to stop</span></div>")  # fmt: skip
    return legend + join(_example(example) for example in found["examples"]) + _statistics(found.get("statistics") or {})


def _example(example: dict[str, Any]) -> Markup:
    cut = f", {count(example['cut'], 'token')} cut off" if example.get("cut") else ""
    return html('<h4 class="f-small">Row {:,}: {}, {} of them learned{}</h4><div class="f-tokens" tabindex="0" role="group" '
                'aria-label="Tokens of row {:,}; the learned ones are marked">{}</div>', example["row"],
                count(example["tokens"], "token"), example["trained"], cut, example["row"],
                join(_pieces(example["pieces"])))  # fmt: skip


def _pieces(pieces: list[list[Any]]) -> list[Markup]:
    """One span for each token; marks tell screen readers where the learned part begins and ends."""
    parts: list[Markup] = []
    for index, (text, trained, special) in enumerate(pieces):
        before = index > 0 and pieces[index - 1][1]
        looks = " ".join(name for name, on in (("trained", trained), ("special", special)) if on)
        shown = str(text).replace("\n", "↵\n")
        stop = "■ " if special and trained else ""
        parts.append(html('<span class="{}">{}{}</span>', looks, stop, shown) if trained or special or not before
                     else html("<span>{}</span>", shown))  # fmt: skip
    return parts


def _statistics(numbers: dict[str, Any]) -> Markup:
    if not numbers or not numbers.get("rows"):
        return Markup("")
    cut = numbers.get("cut_rows", 0)
    words = f"{count(cut, 'example')} of {numbers['rows']:,} will be cut off at this length." if cut else "None is cut off at this length."
    return html('<p class="f-small f-number">Half of the examples have at most {:,} tokens, 95 of 100 at most {:,}, the longest has {:,}. {}</p>',
                numbers["p50"], numbers["p95"], numbers["longest"], words)  # fmt: skip


def describe(card: DatasetCard, problems: list[dict[str, Any]]) -> Markup:
    """What is in one prepared dataset, with nothing left out silently."""
    summary, splits = card.summary, card.summary["splits"]
    parts = (("learn", "train", "to learn from"), ("validation", "validation", "for validation"), ("exam", "exam", "for the exam"))
    total = max(1, sum(splits.values()))
    bar = each('<i class="{}" style="width:{}%"></i>', [(look, round(100 * splits[name] / total, 1)) for look, name, _ in parts])
    words = each('<span class="f-key {}">{:,} {}</span>', [(look, splits[name], label) for look, name, label in parts])
    facts = html('<dl class="f-facts"><dt>From</dt><dd>{}</dd><dt>Rows</dt><dd>{:,} in the file, {:,} used, {:,} that could not be used</dd>'
                 "<dt>Made</dt><dd>{}</dd></dl>", summary["source"].get("original_name", ""), summary["rows_in"], summary["used"],
                 summary["unusable"], ago(card.created))  # fmt: skip
    repaired = each('<div class="f-note"><p>{}: {}</p></div>',
                    [(reason, count(rows, "row")) for reason, rows in (summary.get("repaired") or {}).items()])  # fmt: skip
    return html('<div class="f-split" aria-hidden="true">{}</div><p class="f-legend">{}</p>{}{}{}', bar, words, facts, repaired,
                _unusable(summary, problems))  # fmt: skip


def _unusable(summary: dict[str, Any], problems: list[dict[str, Any]]) -> Markup:
    if not summary["unusable"]:
        return Markup("")
    reasons = each("<li>{}: {}</li>", [(reason.rstrip("."), count(rows, "row")) for reason, rows in summary["reasons"].items()])
    rows = table("Rows that could not be used", ("Row", "Why"), [(f"{p['row']:,}", clip(p["words"], 200)) for p in problems])
    return html('<div class="f-note warn"><p><strong>{} could not be used.</strong></p><ul>{}</ul></div>'
                "<details><summary>Show the first {}</summary>{}</details>",
                count(summary["unusable"], "row"), reasons, len(problems), rows)  # fmt: skip
