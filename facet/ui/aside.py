"""What is set aside, and how: shares, samples, groups, the parts data brings itself; and what is cleaned before."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet.dataset.clean import CHOICES
from facet.errors import SettingError
from facet.ui.markup import each, html, join, note, section

SET_ASIDE = 10  # per cent, for validation and again for the exam
SPLITS = [
    ("Facet sets some aside", "ours"),
    ("Keep the parts it comes with", "given"),
    ("Learn from all of it", "none"),
]
SHARES = [("No", ""), ("Of each label", "label")]
SWITCHES = [choice for choice in CHOICES if choice["kind"] == "switch"]
ASKING = [choice for choice in CHOICES if choice["kind"] != "switch"]
PLACEHOLDERS = {"number": "no limit", "languages": "en, de", "text": "such rows are left out"}
Choices = dict[str, Any]


@dataclass(frozen=True)
class Aside:
    validation: gr.Slider
    exam: gr.Slider
    bar: gr.HTML
    splits: gr.Radio
    sample: gr.Textbox
    stratify: gr.Dropdown
    group: gr.Dropdown
    seed: gr.Textbox
    switches: gr.CheckboxGroup
    values: dict[str, gr.Textbox]  # of the cleaning choices that need one
    try_out: gr.Button
    changes: gr.HTML

    @property
    def cleaning(self) -> dict[str, Any]:
        return {"switches": self.switches} | {f"clean_{name}": box for name, box in self.values.items()}

    @property
    def asked(self) -> dict[str, Any]:
        """What `options_of` reads, by name."""
        shares = {"validation": self.validation, "exam": self.exam, "splits": self.splits, "sample": self.sample}
        return shares | {"stratify": self.stratify, "group": self.group, "seed": self.seed} | self.cleaning

    @property
    def filled(self) -> list[Any]:
        """What a new file fills in."""
        return [self.validation, self.exam, self.bar, self.splits, self.group, self.stratify, self.changes]


def aside_layout() -> Aside:
    gr.HTML(
        section(
            "Set some aside",
            "The model never learns from these. Validation is looked at while it learns; the exam only at the "
            "end, so that the result is honest. Rows that are alike stay together.",
        )
    )
    with gr.Row():
        share = {"step": 1, "info": "In % of the rows"}
        validation = gr.Slider(0, 50, SET_ASIDE, label="Set aside for validation", **share)
        exam = gr.Slider(0, 50, SET_ASIDE, label="Set aside for the exam", **share)
    bar = gr.HTML()
    with gr.Accordion("More ways to set aside", open=False, elem_id="more-aside"), gr.Column(elem_classes="f-gap"):
        splits = gr.Radio(SPLITS, value="ours", label="Who decides")
        with gr.Row():
            sample = gr.Textbox(
                label="Use only so many rows", info="Chosen at random; empty for all", max_length=12, min_width=180
            )
            group = gr.Dropdown(
                [], label="Keep together", info="Rows with the same value stay on one side", min_width=180
            )
            stratify = gr.Dropdown(
                SHARES, value="", label="Same share of each category", info="In every part", min_width=180
            )
            seed = gr.Textbox(
                "0", label="Seed of the split", info="Another number, another choice", max_length=12, min_width=140
            )
    with gr.Accordion("Clean it first", open=False, elem_id="cleaning"), gr.Column(elem_classes="f-gap"):
        gr.HTML("<p>Nothing here is on by itself. Code, line breaks and digits are never changed.</p>")
        switches = gr.CheckboxGroup(
            [(f"{choice['label']}: {_lower(choice['words'])}", choice["name"]) for choice in SWITCHES],
            label="What may be changed",
        )
        with gr.Row():
            values = {
                choice["name"]: gr.Textbox(
                    label=choice["label"],
                    info=choice["words"],
                    placeholder=PLACEHOLDERS[choice["kind"]],
                    max_length=1_000,
                    min_width=220,
                )
                for choice in ASKING
            }
        try_out = gr.Button("Show what that changes", size="sm", scale=0, elem_classes="f-left")
        changes = gr.HTML(elem_id="cleaned")
    return Aside(validation, exam, bar, splits, sample, stratify, group, seed, switches, values, try_out, changes)


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:].rstrip(".")


def filled_in(found: dict[str, Any], mapping: dict[str, Any]) -> list[Any]:
    """Values of `Aside.filled` for a file."""
    names = [column["name"] for column in found["columns"]]
    given = bool(found.get("parts"))
    by_label = "label" if mapping.get("kind") == "text_label" else ""
    return [
        SET_ASIDE,
        SET_ASIDE,
        str(describe_split(found["row_count"], SET_ASIDE, SET_ASIDE)),
        gr.Radio(
            choices=[split for split in SPLITS if given or split[1] != "given"], value="given" if given else "ours"
        ),
        gr.Dropdown(choices=[("Nothing", ""), *names], value=mapping.get("group") or ""),
        gr.Dropdown(choices=[*SHARES, *[(f"Of “{name}”", f"column:{name}") for name in names]], value=by_label),
        "",
    ]


def options_of(choices: Choices) -> dict[str, Any]:
    """What `prepare` is asked for. Raises: `SettingError` for a number that is none."""
    sample = _whole(choices.get("sample"), "Use only so many rows")
    return {
        "test_size": _share(choices.get("exam")),
        "validation_size": _share(choices.get("validation")),
        "splits": choices.get("splits") or "ours",
        "sample_size": sample,
        "stratify": _shares_of(choices.get("stratify") or ""),
        "group": choices.get("group") or None,
        "seed": _whole(choices.get("seed"), "Seed of the split") or 0,
        "cleaning": cleaning_of(choices),
    }


def cleaning_of(choices: Choices) -> dict[str, Any]:
    """The cleaning that is switched on. Raises: `SettingError` for a number that is none."""
    made: dict[str, Any] = dict.fromkeys(choices.get("switches") or (), True)
    for choice in ASKING:
        text = (choices.get(f"clean_{choice['name']}") or "").strip()
        if not text:
            continue
        if choice["kind"] == "number":
            made[choice["name"]] = _whole(text, choice["label"])
        elif choice["kind"] == "languages":
            made[choice["name"]] = [each.strip().lower() for each in text.split(",") if each.strip()]
        else:
            made[choice["name"]] = text
    return made


def _share(per_cent: Any) -> float:
    return (SET_ASIDE if isinstance(per_cent, bool) or not isinstance(per_cent, int | float) else per_cent) / 100


def _shares_of(chosen: str) -> bool | str:
    """By label, by a column, or not at all."""
    return chosen.removeprefix("column:") if chosen.startswith("column:") else chosen == "label"


def _whole(text: str | None, label: str) -> int | None:
    text = (text or "").strip().replace(",", "")
    if not text:
        return None
    if not text.isdigit() or len(text) > 12:
        raise SettingError("This is not a whole number.", f"“{label}” holds “{text[:40]}”.", f"Correct “{label}”.")
    return int(text)


def describe_split(rows: int | None, validation: float, exam: float) -> Markup:
    """How many rows go where, as a bar and in words."""
    left = max(0.0, 100 - validation - exam)
    shares = (
        ("learn", left, "to learn from"),
        ("validation", validation, "for validation"),
        ("exam", exam, "for the exam"),
    )
    bar = each('<i class="{}" style="width:{}%"></i>', [(name, round(share, 1)) for name, share, _ in shares])
    words = join((_part(rows, share, name, label) for name, share, label in shares))
    warning = (
        note("Nothing is left to learn from.", "Move one of the sliders to the left.", "warn") if left <= 0 else ""
    )
    return html('<div class="f-split" aria-hidden="true">{}</div><p class="f-legend">{}</p>', bar, words) + warning


def _part(rows: int | None, share: float, name: str, label: str) -> Markup:
    number = f"about {round(rows * share / 100):,}" if rows is not None else f"{share:g} %"
    return html('<span class="f-key {}">{} {}</span>', name, number, label)
