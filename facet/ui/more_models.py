"""The list of all models that are offered by name, family by family; any other id can be written in its place."""

import gradio as gr

from facet.gemma.models import offered_by_family
from facet.ui.models import Choices


def other_model() -> gr.Dropdown:
    return gr.Dropdown(
        more_models(),
        value=None,
        allow_custom_value=True,
        label="Id of the model",
        info="Choose one, or write owner/name of the Hub, or a folder on this computer with safetensors",
        visible=False,
        elem_id="other-model",
    )


def more_models() -> Choices:
    """The usual ones stand above the list already. A name begins with its family, so that it can be typed."""
    models = [model for family in offered_by_family().values() for model in family if not model.usual]
    return [(f"{model.name}: {model.disk_gb:.1f} GB", model.id) for model in models]
