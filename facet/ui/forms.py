"""A recipe as controls, and controls as a recipe. Everything is read from the one declaration of each setting."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from facet.recipe.knobs import Recipe, Setting, complaints, read_recipe, settings, show
from facet.ui.markup import html


@dataclass(frozen=True)
class Form:
    """The controls of one kind of recipe, by the name of their setting."""

    recipe: type[Recipe]
    controls: dict[str, Any]

    def read(self, values: dict[str, Any]) -> Recipe:
        """Raises: `SettingError` that names the first setting that is not right."""
        return read_recipe(self.recipe, values)

    def verdicts(self, values: dict[str, Any]) -> list[dict[str, Any]]:
        """For each control, in order, whether its value is right, and the sentence beside it if not."""
        wrong = complaints(self.recipe, {name: values.get(name) for name in self.controls})
        return [gr.validate(name not in wrong, wrong.get(name, "")) for name in self.controls]

    def filled(self, recipe: Recipe) -> list[Any]:
        """New values for all controls, in order."""
        return [_written(setting, getattr(recipe, setting.name)) for setting in settings(self.recipe)]


def recipe_form(recipe: type[Recipe]) -> Form:
    """The basic settings in sight, the others folded away in their groups."""
    every = settings(recipe)
    controls = {setting.name: None for setting in every}
    for setting in (s for s in every if s.knob.level == "basic"):
        controls[setting.name] = _control(setting)
    more = [setting for setting in every if setting.knob.level != "basic"]
    with gr.Accordion(f"All settings ({len(more)} more)", open=False, elem_classes="f-more"):
        for group in dict.fromkeys(setting.knob.group for setting in more):
            gr.HTML(html('<h4 class="f-group">{}</h4>', group))
            for setting in (s for s in more if s.knob.group == group):
                controls[setting.name] = _control(setting)
    return Form(recipe, controls)


def _control(setting: Setting) -> Any:
    """Numbers are text boxes, so that `2e-4` and `0.0002` can both be typed, and the complaint is ours."""
    words = {"label": setting.knob.label, "info": explained(setting), "elem_id": f"setting-{setting.name}"}
    if setting.type is bool:
        return gr.Checkbox(value=setting.default, **words)
    if setting.choices:
        return gr.Dropdown(list(setting.choices), value=setting.default, **words)
    return gr.Textbox(value=_written(setting, setting.default), max_length=40, max_lines=1, **words)


def explained(setting: Setting) -> str:
    """The plain sentence, and in small print the expert's: people learn the field's words by the way."""
    return str(html('{} <span class="f-expert"><code>{}</code> {}</span>', setting.knob.plain, setting.name, setting.knob.expert))


def _written(setting: Setting, value: Any) -> Any:
    if setting.type is bool or setting.choices:
        return value
    return "" if value is None else show(value)
