"""A recipe as controls, and controls as a recipe. Everything is read from the one declaration of each setting."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet.recipe.knobs import Recipe, Setting, complaints, read_recipe, settings, show
from facet.ui.markup import html


@dataclass(frozen=True)
class Form:
    """The controls of one kind of recipe, by the name of their setting."""

    recipe: type[Recipe]
    controls: dict[str, Any]
    notes: dict[str, gr.HTML]  # below each control: why this value, and the expert's word for it

    def read(self, values: dict[str, Any]) -> Recipe:
        """Raises: `SettingError` that names the first setting that is not right."""
        return read_recipe(self.recipe, values)

    def verdicts(self, values: dict[str, Any]) -> list[dict[str, Any]]:
        """For each control, in order, whether its value is right, and the sentence beside it if not."""
        wrong = complaints(self.recipe, {name: values.get(name) for name in self.controls})
        return [gr.validate(name not in wrong, wrong.get(name, "")) for name in self.controls]

    @property
    def outputs(self) -> list[Any]:
        return [*self.controls.values(), *self.notes.values()]

    def filled(self, recipe: Recipe, reasons: dict[str, str]) -> list[Any]:
        """Values of `outputs`: every setting as recommended, with the reason where there is one."""
        every = settings(self.recipe)
        values = [_written(setting, getattr(recipe, setting.name)) for setting in every]
        return values + [str(explained(setting, reasons.get(setting.name, ""))) for setting in every]


def recipe_form(recipe: type[Recipe]) -> Form:
    """The basic settings in sight, the others folded away in their groups."""
    every = settings(recipe)
    made = {setting.name: _control(setting) for setting in every if setting.knob.level == "basic"}
    more = [setting for setting in every if setting.knob.level != "basic"]
    with gr.Accordion(f"All settings ({len(more)} more)", open=False, elem_classes="f-more"):
        for group in dict.fromkeys(setting.knob.group for setting in more):
            gr.HTML(html('<h4 class="f-group">{}</h4>', group))
            made |= {setting.name: _control(setting) for setting in more if setting.knob.group == group}
    return Form(recipe, {s.name: made[s.name][0] for s in every}, {s.name: made[s.name][1] for s in every})


def _control(setting: Setting) -> tuple[Any, gr.HTML]:
    """Numbers are text boxes, so that `2e-4` and `0.0002` can both be typed, and the complaint is ours."""
    words = {"label": setting.knob.label, "info": setting.knob.plain, "elem_id": f"setting-{setting.name}"}
    if setting.type is bool:
        control = gr.Checkbox(value=setting.default, **words)
    elif setting.choices:
        control = gr.Dropdown(list(setting.choices), value=setting.default, **words)
    else:
        control = gr.Textbox(value=_written(setting, setting.default), max_length=40, max_lines=1, **words)
    note = gr.HTML(explained(setting), elem_classes="f-below")
    return control, note


def explained(setting: Setting, reason: str = "") -> Markup:
    """Why this value for this data; and the expert's word in small print, so that people learn it by the way."""
    why = html('<p class="f-reason">{}</p>', reason) if reason else Markup("")
    return why + html(
        '<details class="f-expert"><summary><code>{}</code></summary><p>{}</p><p>Why this default: {}</p></details>',
        setting.name,
        setting.knob.expert,
        setting.knob.source,
    )


def _written(setting: Setting, value: Any) -> Any:
    if setting.type is bool or setting.choices:
        return value
    return "" if value is None else show(value)
