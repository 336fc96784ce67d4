"""Prepared data: what is in it, which rows could not be used, and the exact tokens the model will learn to write."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet.dataset.shelf import DatasetCard
from facet.gemma.models import STARTER
from facet.identity import Person
from facet.studio import Studio
from facet.ui.events import Gate
from facet.ui.manage import Manage, manage_layout, wire_manage
from facet.ui.markup import clip, each, html, section, table
from facet.ui.session import Session, go_to
from facet.ui.tokens import AT_ONCE, tokens_in_words
from facet.ui.values import Id, Line, Name
from facet.ui.words import ago, count


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
        gr.HTML(section("Your prepared data"))
        with gr.Column(elem_classes="card"):
            chosen = gr.Dropdown([], label="Prepared data")
            detail = gr.HTML()
            train = gr.Button("Train with this data", variant="primary", scale=0, elem_classes="f-left")
            manage = manage_layout("datasets")
        with gr.Column(elem_classes="card"):
            gr.HTML(
                section(
                    "Exactly what the model learns to write",
                    "A model reads word pieces, called tokens. It reads all of these and is taught to write only "
                    "the marked ones.",
                )
            )
            with gr.Row():
                model = gr.Dropdown(
                    [(m.name, m.id) for m in studio.models()],
                    value=STARTER,
                    label="As this model reads it",
                    min_width=180,
                )
                length = gr.Textbox(
                    "512", label="Longest example", info="In tokens; what is longer is cut off", max_length=8
                )
            tokens = gr.HTML(elem_id="tokens")
            with gr.Row(elem_classes="f-left"):
                earlier, later = (
                    gr.Button("Earlier examples", size="sm", scale=0),
                    gr.Button("More examples", size="sm", scale=0),
                )
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
    chose = gate.on(
        tab.chosen.change,
        choose,
        {"dataset": tab.chosen},
        [session.dataset, tab.detail, tab.index],
        show_progress="hidden",
    )
    gate.on(chose.success, show_tokens, asked, tab.tokens, show_progress="minimal")
    gate.on(
        [tab.model.input, tab.length.submit, tab.length.blur], show_tokens, asked, tab.tokens, show_progress="minimal"
    )
    gate.on(tab.earlier.click, turn(-AT_ONCE), asked, [tab.index, tab.tokens], show_progress="minimal")
    gate.on(tab.later.click, turn(AT_ONCE), asked, [tab.index, tab.tokens], show_progress="minimal")
    tab.train.click(None, None, None, js=go_to("train"))
    wire_manage(tab.manage, studio, gate, tab.chosen, tab.list_outputs, tab.refreshed)


def describe(card: DatasetCard, problems: list[dict[str, Any]]) -> Markup:
    """What is in one prepared dataset, with nothing left out silently."""
    summary, splits = card.summary, card.summary["splits"]
    parts = (
        ("learn", "train", "to learn from"),
        ("validation", "validation", "for validation"),
        ("exam", "exam", "for the exam"),
    )
    total = max(1, sum(splits.values()))
    bar = each(
        '<i class="{}" style="width:{}%"></i>',
        [(look, round(100 * splits[name] / total, 1)) for look, name, _ in parts],
    )
    words = each('<span class="f-key {}">{:,} {}</span>', [(look, splits[name], label) for look, name, label in parts])
    facts = html(
        '<dl class="f-facts"><dt>From</dt><dd>{}</dd><dt>Rows</dt>'
        "<dd>{:,} in the file, {:,} used, {:,} that could not be used</dd><dt>Made</dt><dd>{}</dd></dl>",
        summary["source"].get("original_name", ""),
        summary["rows_in"],
        summary["used"],
        summary["unusable"],
        ago(card.created),
    )
    repaired = each(
        '<div class="f-note"><p>{}: {}</p></div>',
        [(reason, count(rows, "row")) for reason, rows in (summary.get("repaired") or {}).items()],
    )
    return html(
        '<div class="f-split" aria-hidden="true">{}</div><p class="f-legend">{}</p>{}{}{}',
        bar,
        words,
        facts,
        repaired,
        _unusable(summary, problems),
    )


def _unusable(summary: dict[str, Any], problems: list[dict[str, Any]]) -> Markup:
    if not summary["unusable"]:
        return Markup("")
    reasons = each(
        "<li>{}: {}</li>", [(reason.rstrip("."), count(rows, "row")) for reason, rows in summary["reasons"].items()]
    )
    rows = table(
        "Rows that could not be used", ("Row", "Why"), [(f"{p['row']:,}", clip(p["words"], 200)) for p in problems]
    )
    return html(
        '<div class="f-note warn"><p><strong>{} could not be used.</strong></p><ul>{}</ul></div>'
        "<details><summary>Show the first {}</summary>{}</details>",
        count(summary["unusable"], "row"),
        reasons,
        len(problems),
        rows,
    )
