"""Where a run computes, in places where there is a choice."""

import gradio as gr

from facet.studio import Studio


def where_layout(studio: Studio) -> gr.Radio | None:
    places = studio.places.choices
    if len(places) == 1:
        return None
    usual = ("Where it suits the model: the starter on the processors, all others on the graphics card", "usual")
    return gr.Radio(
        [usual, *((place.words, place.where) for place in places)],
        value="usual",
        label="Where it computes",
        info="You can change it later: a run goes on anywhere from its last save point",
        elem_id="where",
    )
