"""Prepared data: what is in it, which rows could not be used, and the exact tokens the model will learn to write."""

from dataclasses import dataclass
from typing import Any, Literal

import gradio as gr
from markupsafe import Markup

from facet.dataset.clean import CHOICES
from facet.dataset.shelf import DatasetCard
from facet.errors import FacetError
from facet.gemma.models import STARTER
from facet.identity import Person
from facet.studio import Studio
from facet.ui.data_charts import label_balance, length_histogram
from facet.ui.doctor import Doctor, doctor_layout, tokens_of, wire_doctor
from facet.ui.events import Gate
from facet.ui.manage import Manage, manage_layout, wire_manage
from facet.ui.markup import clip, each, html, section, table
from facet.ui.session import Session, go_to
from facet.ui.take_data import TakeData, take_data_layout, wire_take_data
from facet.ui.tokens import AT_ONCE, READING, describe_lengths, tokens_in_words
from facet.ui.values import Id, Line, Name
from facet.ui.words import ago, count

TYPE_WORDS = {
    "conversation": "Questions and answers",
    "preference": "Pairs of a better and a worse answer",
    "unpaired_preference": "Answers with a thumb up or down",
    "prompt_only": "Questions with right answers to check against",
    "text": "Plain text",
}


@dataclass(frozen=True)
class Prepared:
    box: gr.Column
    chosen: gr.Dropdown
    version: gr.Dropdown
    detail: gr.HTML
    model: gr.Dropdown
    length: gr.Textbox
    lengths: gr.Plot
    labels_head: gr.HTML
    labels: gr.Plot
    facts: gr.HTML
    tokens: gr.HTML
    index: gr.State
    earlier: gr.Button
    later: gr.Button
    train: gr.Button
    doctor: Doctor
    take: TakeData
    manage: Manage

    @property
    def list_outputs(self) -> list[Any]:
        return [self.box, self.chosen, self.version, self.detail]

    @property
    def reading(self) -> dict[str, Any]:
        return {"dataset": self.chosen, "model": self.model, "length": self.length}

    def refreshed(self, studio: Studio, person: Person, wanted: str | None) -> list[Any]:
        """Values of `list_outputs`, with `wanted` chosen where it still exists."""
        cards = studio.datasets(person)
        card = next((card for card in cards if card.id == wanted), cards[0] if cards else None)
        choices = choices_of(cards, card)
        detail = str(describe(card, studio.problems(person, card.id, 20))) if card else ""
        chosen = gr.Dropdown(choices=choices, value=card.id if card else None)
        return [gr.Column(visible=bool(cards)), chosen, _versions(studio, person, card), detail]


def choices_of(
    cards: list[DatasetCard], card: DatasetCard | None, part: Literal["all", "train"] = "all"
) -> list[tuple[str, str]]:
    """The newest version of everything, and the one that is open; how many examples it has, or its training part."""
    newest: dict[str, DatasetCard] = {}
    for each_card in cards:
        family = each_card.summary.get("family") or each_card.id
        best = newest.get(family)
        if best is None or version_of(each_card) > version_of(best):
            newest[family] = each_card
    shown = [each_card for each_card in cards if each_card in newest.values() or each_card == card]
    return [(_label(each_card, part), each_card.id) for each_card in shown]


def _label(card: DatasetCard, part: str) -> str:
    summary, version = card.summary, f", version {version_of(card)}" if version_of(card) > 1 else ""
    if part == "train":
        return f"{card.name} ({count(summary['splits']['train'], 'example')} to learn from{version})"
    return f"{card.name} ({count(summary['used'], 'example')}{version})"


def version_of(card: DatasetCard) -> int:
    return card.summary.get("version") or 1


def _versions(studio: Studio, person: Person, card: DatasetCard | None) -> gr.Dropdown:
    cards = studio.versions(person, card.id) if card else []
    choices = [
        (f"Version {version_of(each_card)}: {count(each_card.summary['used'], 'example')}", each_card.id)
        for each_card in cards
    ]
    return gr.Dropdown(choices=choices, value=card.id if card else None, visible=len(cards) > 1)


def prepared_layout(studio: Studio) -> Prepared:
    with gr.Column(visible=False, elem_id="prepared", elem_classes="f-gap") as box:
        gr.HTML(section("Your prepared data"))
        with gr.Column(elem_classes="card"):
            with gr.Row():
                chosen = gr.Dropdown([], label="Prepared data", min_width=260)
                version = gr.Dropdown([], label="Version", visible=False, min_width=200)
            detail = gr.HTML()
            train = gr.Button("Train with this data", variant="primary", scale=0, elem_classes="f-left")
            take = take_data_layout()
            manage = manage_layout("datasets")
        doctor = doctor_layout()
        with gr.Column(elem_classes="card f-gap", elem_id="lengths"):
            gr.HTML(
                section(
                    "How long the examples are",
                    "Counted in word pieces, called tokens, as the model of your choice reads them.",
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
            facts = gr.HTML()
            lengths = gr.Plot(show_label=False, visible=False, elem_id="length-chart")
            labels_head = gr.HTML(visible=False, value=str(section("How often each label occurs")))
            labels = gr.Plot(show_label=False, visible=False, elem_id="label-chart")
        with gr.Column(elem_classes="card"):
            gr.HTML(
                section(
                    "Exactly what the model learns to write",
                    "A model reads all of these tokens and is taught to write only the marked ones.",
                )
            )
            tokens = gr.HTML(elem_id="tokens")
            with gr.Row(elem_classes="f-left"):
                earlier, later = (
                    gr.Button("Earlier examples", size="sm", scale=0),
                    gr.Button("More examples", size="sm", scale=0),
                )
    charts = (lengths, labels_head, labels)
    shown = (box, chosen, version, detail, model, length, *charts, facts, tokens, gr.State(0))
    return Prepared(*shown, earlier, later, train, doctor, take, manage)


def wire_prepared(tab: Prepared, studio: Studio, gate: Gate, session: Session) -> None:
    def choose(person: Person, dataset: Id | None) -> Any:
        if not dataset:
            return gr.skip()
        card = studio.dataset(person, dataset)
        versions = _versions(studio, person, card)
        return [dataset, str(describe(card, studio.problems(person, dataset, 20))), 0, versions, "", str(READING)]

    def choose_version(person: Person, version: Id | None) -> Any:
        return tab.refreshed(studio, person, version) if version else gr.skip()

    def take(person: Person, dataset: Id | None) -> Any:
        """What stands in the list now: what follows from choosing it may still be on its way."""
        return dataset or gr.skip()

    def show_tokens(person: Person, dataset: Id | None, model: Name, length: Line, index: int) -> str:
        if not dataset:
            return ""
        return str(tokens_in_words(studio, person, dataset, model, length, index))

    def show_lengths(person: Person, dataset: Id | None, model: Name, length: Line) -> list[Any]:
        return pictures(studio, person, dataset, model, length) if dataset else ["", *[gr.skip()] * 3]

    def turn(step: int) -> Any:
        def move(person: Person, dataset: Id | None, model: Name, length: Line, index: int) -> list[Any]:
            rows = studio.dataset(person, dataset or "").summary["splits"]["train"]
            moved = min(max(0, index + step), max(0, rows - AT_ONCE))
            return [moved, show_tokens(person, dataset, model, length, moved)]

        return move

    asked = tab.reading | {"index": tab.index}
    chose = gate.on(
        tab.chosen.change,
        choose,
        {"dataset": tab.chosen},
        [session.dataset, tab.detail, tab.index, tab.version, tab.facts, tab.tokens],
        show_progress="hidden",
    )
    gate.on(tab.version.input, choose_version, {"version": tab.version}, tab.list_outputs, show_progress="hidden")
    changed = [tab.model.input, tab.length.submit, tab.length.blur]
    drawn = [tab.facts, tab.lengths, tab.labels_head, tab.labels]
    last = {"trigger_mode": "always_last"}  # what takes long for one dataset must not arrive on the next one
    for moment in (chose.success, changed):
        read = gate.on(moment, show_tokens, asked, tab.tokens, show_progress="minimal", **last)
        gate.on(read.then, show_lengths, tab.reading, drawn, show_progress="hidden", **last)
    gate.on(tab.earlier.click, turn(-AT_ONCE), asked, [tab.index, tab.tokens], show_progress="minimal")
    gate.on(tab.later.click, turn(AT_ONCE), asked, [tab.index, tab.tokens], show_progress="minimal")
    sent = gate.on(tab.train.click, take, {"dataset": tab.chosen}, session.dataset, quiet=True)
    sent.then(None, None, None, js=go_to("train"))
    wire_doctor(tab.doctor, studio, gate, tab.reading, chose.success, tab.list_outputs, tab.refreshed)
    wire_take_data(tab.take, studio, gate, tab.chosen, session)
    wire_manage(tab.manage, studio, gate, tab.chosen, tab.list_outputs, tab.refreshed)


def pictures(studio: Studio, person: Person, dataset: str, model: str, length: str) -> list[Any]:
    """Lengths in words, and both charts; or in their place why they cannot be drawn yet."""
    longest = tokens_of(length)
    try:
        found = studio.statistics(person, dataset, model, longest)
    except FacetError:  # the tokens below say it in full
        return ["", gr.Plot(visible=False), gr.HTML(visible=False), gr.Plot(visible=False)]
    shape = found.get("histogram") or {"edges": [], "counts": []}
    bars, balance = length_histogram(shape["edges"], shape["counts"], longest), label_balance(found.get("labels") or {})
    return [
        str(describe_lengths(found)),
        gr.Plot(bars, visible=bars is not None),
        gr.HTML(visible=balance is not None),
        gr.Plot(balance, visible=balance is not None),
    ]


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
        '<dl class="f-facts"><dt>What</dt><dd>{}</dd><dt>From</dt><dd>{}</dd><dt>Rows</dt>'
        "<dd>{:,} in the file, {:,} used, {:,} that could not be used{}</dd><dt>Made</dt><dd>{}</dd></dl>",
        TYPE_WORDS.get(summary.get("type", "conversation"), ""),
        summary["source"].get("original_name", ""),
        summary["rows_in"],
        summary["used"],
        summary["unusable"],
        f", {summary['not_sampled']:,} not drawn" if summary.get("not_sampled") else "",
        ago(card.created),
    )
    repaired = each(
        '<div class="f-note"><p>{}: {}</p></div>',
        [(reason, count(rows, "row")) for reason, rows in _mended(summary)],
    )
    return html(
        '<div class="f-split" aria-hidden="true">{}</div><p class="f-legend">{}</p>{}{}{}',
        bar,
        words,
        facts,
        repaired,
        _unusable(summary, problems),
    )


def _mended(summary: dict[str, Any]) -> list[tuple[str, int]]:
    """What was changed while reading, and by the cleaning that was chosen."""
    labels = {choice["name"]: choice["label"] for choice in CHOICES}
    cleaned = [(labels.get(name, name), rows) for name, rows in (summary.get("cleaned") or {}).items()]
    return [*(summary.get("repaired") or {}).items(), *cleaned]


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
