"""A recipe as a form, and a form as a recipe. Everything is read from the one declaration of each setting."""

import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet.recipe.knobs import GROUPS, Setting, coerced, complaints, read_recipe, settings, show
from facet.recipe.methods import RECIPES, method_of
from facet.recipe.recipes import TrainingRecipe
from facet.recipe.together import Situation, clashes_with
from facet.ui.markup import html, join
from facet.ui.values import Filled

SCRIPT = (Path(__file__).parent / "forms.js").read_text("utf-8")


@dataclass(frozen=True)
class Form:
    """All settings in one component: its value holds what was typed, and the method it was typed for.

    Gradio components for 60 settings would be a third of the page; this one is built when there is advice to show.
    """

    component: gr.HTML

    @property
    def outputs(self) -> list[Any]:
        return [self.component]

    def filled(
        self, recipe: TrainingRecipe, reasons: dict[str, str], situation: Situation | None = None, meant: str = ""
    ) -> Any:
        """The form of the recipe's method with every setting as recommended, and the reason where there is one.

        `meant` names what the settings are for; the form carries it.
        """
        situation, made = situation or Situation(), secrets.token_hex(4)
        values = {setting.name: written(setting, getattr(recipe, setting.name)) for setting in settings(type(recipe))}
        value = {"method": method_of(recipe), "values": values, "situation": asdict(situation)}
        value |= {"made": made, "meant": meant}
        problems = found_in(value)
        return gr.HTML(value=value, markup=str(describe_form(recipe, reasons, made)), problems=problems)


def recipe_form() -> Form:
    """An empty form; the advice fills it."""
    return Form(
        gr.HTML(
            None,
            html_template='<div class="f-settings"></div>',
            js_on_load=SCRIPT,
            apply_default_css=False,
            elem_id="settings",
            markup="",
            problems={},
        )
    )


def read(value: Filled | None) -> TrainingRecipe:
    """The recipe that a form holds. Raises: `SettingError` that names the first setting that is not right."""
    if not value:
        return RECIPES["sft"]()
    recipe = read_recipe(RECIPES[value["method"]], value["values"])
    assert isinstance(recipe, TrainingRecipe)
    return recipe


def found_in(value: Filled | None) -> dict[str, tuple[str, str]]:
    """For each setting that is wrong or does nothing, the sentence to stand at its field, and how it looks."""
    if not value:
        return {}
    kind = RECIPES[value["method"]]
    wrong = complaints(kind, value["values"])
    if wrong:
        return {name: (words, "error") for name, words in wrong.items()}
    try:
        recipe = kind(**coerced(kind, value["values"]))
    except ValueError as error:  # pydantic's: what the recipe itself holds together
        words = str(error).split("Value error, ")[-1].split(" [type=")[0]
        return {name: (f"{words}.", "error") for name in ("per_device_train_batch_size", "gradient_accumulation_steps")}
    found: dict[str, tuple[str, str]] = {}
    situation = Situation(**(value.get("situation") or {}))  # type: ignore[arg-type]
    for clash in [*recipe.clashes(), *clashes_with(recipe, situation)]:
        for name in clash.settings:
            found.setdefault(name, (f"{clash.words}.", "error" if clash.is_fatal else "warn"))
    return found


def describe_form(recipe: TrainingRecipe, reasons: dict[str, str], made: str = "") -> Markup:
    """The basic settings in sight, the others folded away in their groups, and a search over all of them."""
    every = settings(type(recipe))

    def shown(some: list[Setting]) -> Markup:
        return join(describe_setting(s, getattr(recipe, s.name), reasons.get(s.name, "")) for s in some)

    basic = [setting for setting in every if setting.knob.level == "basic"]
    more = [setting for setting in every if setting.knob.level != "basic"]
    groups = join(
        html(
            '<details class="f-settings-group"><summary><b>{}</b> <span>{}</span> <em class="f-count"></em></summary>'
            '<div class="f-settings-list">{}</div></details>',
            group,
            ", ".join(setting.knob.label for setting in some[:3]) + (" …" if len(some) > 3 else ""),
            shown(some),
        )
        for group in GROUPS
        if (some := [setting for setting in more if setting.knob.group == group])
    )
    return html(
        '<div class="f-settings-list" data-made="{}">{}</div>'
        '<details class="f-more"><summary>All settings ({} more)</summary>'
        '<div class="f-search"><label for="find-setting">Find a setting</label>'
        '<input id="find-setting" type="search" autocomplete="off" placeholder="memory, warm-up, lora_rank">'
        '<span class="f-found" role="status"></span></div>{}</details>',
        made,
        shown(basic),
        len(more),
        groups,
    )


def describe_setting(setting: Setting, value: Any, reason: str) -> Markup:
    """One setting: its name in two languages, its value, why this value, and what an expert says of it."""
    knob, words = setting.knob, written(setting, value)
    recommended = str(words).lower() if setting.type is bool else words
    texts = (knob.label, setting.name, knob.group, knob.plain, knob.expert, *setting.choices, *knob.words)
    sought = " ".join(texts).lower()
    return html(
        '<div class="f-setting{}" id="setting-{}" data-name="{}" data-recommended="{}" data-words="{}">'
        '<label for="input-{}">{}</label><p class="f-info" id="info-{}">{}</p><div class="f-field">{}</div>'
        '<p class="f-back">Recommended: {} <button type="button">Take it back</button></p>'
        '<p class="f-wrong" id="wrong-{}" role="alert"></p>{}{}</div>',
        " f-switch" if setting.type is bool else "",
        setting.name,
        setting.name,
        recommended,
        sought,
        setting.name,
        knob.label,
        setting.name,
        knob.plain,
        _field(setting, words),
        _named(setting, value),
        setting.name,
        html('<p class="f-reason">{}</p>', reason) if reason else Markup(""),
        html(
            '<details class="f-expert"><summary><code>{}</code></summary><p>{}</p><p>Why this default: {}</p>'
            "</details>",
            setting.name,
            knob.expert,
            knob.source,
        ),
    )


def _field(setting: Setting, words: Any) -> Markup:
    """Numbers are text fields, so that `2e-4` and `0.0002` can both be typed, and the complaint is ours."""
    name, knob = setting.name, setting.knob
    told = html('id="input-{}" data-value aria-describedby="info-{} wrong-{}"', name, name, name)
    if setting.type is bool:
        return html('<input type="checkbox" {}{}>', told, Markup(" checked") if words else "")
    if setting.choices:
        named = zip(setting.choices, knob.words or setting.choices, strict=True)
        options = join(
            html('<option value="{}"{}>{}</option>', choice, Markup(" selected") if choice == words else "", said)
            for choice, said in named
        )
        return html("<select {}>{}</select>", told, options)
    field = html(
        '<input type="text" inputmode="text" autocomplete="off" spellcheck="false" maxlength="40" {} value="{}"{}>',
        told,
        words,
        Markup(' placeholder="empty"') if setting.optional else "",
    )
    if knob.slider is None:
        return field
    return field + html(
        '<input type="range" min="{}" max="{}" step="{}" value="{}" aria-label="{}, slider">',
        show(setting.low),
        show(setting.high),
        show(knob.slider),
        words,
        knob.label,
    )


def _named(setting: Setting, value: Any) -> str:
    if setting.choices and setting.knob.words:
        return dict(zip(setting.choices, setting.knob.words, strict=True))[value]
    return show(value)


def written(setting: Setting, value: Any) -> Any:
    """A value as the form holds it."""
    if setting.type is bool or setting.choices:
        return value
    return "" if value is None else show(value)
