"""What a person wants judged, and by whom: which fields a judge needs, and what it will take."""

from typing import Any

import gradio as gr

from facet.errors import FacetError
from facet.exam import providers
from facet.exam.rubric import MOST_RUBRIC, RUBRIC
from facet.gemma.models import STARTER
from facet.identity import Grant, Person
from facet.judge_door import JudgeWish
from facet.studio import Studio
from facet.ui.markup import note, trouble
from facet.ui.models import chosen_model, model_choices
from facet.ui.visitors import on_space

TO_KEY = "What is typed stays in Facet's memory, for you alone, and goes nowhere but to the judge"
WAYS = [("A mark for each answer, 1 to 10", "score"), ("Which of two answers is better", "pairs")]
UNSTORED = gr.InputHTMLAttributes(autocomplete="new-password", spellcheck=False)


def asked_layout() -> tuple[Any, ...]:
    """What is judged, by whom and how; in the order of `judge.JudgeTab`, from `exam` to `forget`."""
    with gr.Row():
        exam = gr.Dropdown([], label="Test to judge", min_width=220)
        rows = gr.Number(50, label="Questions to judge", minimum=1, maximum=2000, precision=0, min_width=120)
    mode = gr.Radio(WAYS, value="pairs", label="How to judge")
    with gr.Row():
        judges = [(known.name, known.id) for known in providers.offered(at_home=not on_space())]
        provider = gr.Dropdown(judges, value=providers.LOCAL.id, label="Judge", min_width=220)
        starter = [("Facet starter, untouched", STARTER)]
        model = gr.Dropdown(starter, value=STARTER, label="Model of the judge", allow_custom_value=True, min_width=220)
    address = gr.Textbox(
        label="Address of the server",
        info="It must speak as OpenAI's does: Ollama, LM Studio, llama.cpp and vLLM do",
        placeholder="http://localhost:11434/v1",
        visible=False,
        max_length=500,
        max_lines=1,
    )
    key = gr.Textbox(label="Key", info=TO_KEY, type="password", visible=False, max_length=500, html_attributes=UNSTORED)
    counts = gr.Textbox(
        RUBRIC,
        label="What counts",
        info="What makes an answer good. Experts call it a rubric",
        lines=4,
        max_lines=14,
        max_length=MOST_RUBRIC,
    )
    plan = gr.HTML(elem_id="judge-plan")
    with gr.Row(elem_classes="f-buttons"):
        start = gr.Button("Start judging", variant="primary", scale=0, elem_id="start-judging")
        forget = gr.Button("Forget my keys", visible=False, scale=0)
    return exam, mode, rows, provider, model, address, key, counts, plan, start, forget


def wish_of(mode: str, rows: float | None, provider: str | None, model: str, address: str, counts: str) -> JudgeWish:
    return JudgeWish(mode, int(rows or 0), counts, provider or "", model, address)


def known_judge(studio: Studio, person: Person, provider: str | None) -> providers.Provider:
    return next((known for known in studio.judges(person) if known.id == provider), providers.LOCAL)


def model_field(studio: Studio, person: Person, known: providers.Provider) -> gr.Dropdown:
    if known is not providers.LOCAL:
        return gr.Dropdown(choices=[known.model] if known.model else [], value=known.model or None)
    choices = model_choices(studio, person)
    return gr.Dropdown(choices=choices, value=chosen_model(choices, STARTER))


def key_fields(studio: Studio, person: Person, known: providers.Provider) -> list[Any]:
    """Address, key and the button that forgets: what this judge needs. The key is never sent back to the page."""
    wants_key = known.needs in ("key", "address")
    held = known.needs == "key" and studio.has_judge_key(person, known.id)
    info = "It is in memory; leave this empty to use it, or enter another one" if held else TO_KEY
    return [
        gr.Textbox(visible=known.needs == "address"),
        gr.Textbox(value="", visible=wants_key, info=info),
        gr.Button(visible=studio.keys.any_of(person)),
    ]


def plan_words(studio: Studio, grant: Grant, exam: str | None, wish: JudgeWish) -> str:
    """What it will take, or why it cannot be; and for hosted models whether the sign-in allows them."""
    known = known_judge(studio, grant.person, wish.provider)
    stand_in = JudgeWish(
        wish.mode, wish.most_rows, wish.what_counts, known.id, wish.model or "model", "http://localhost"
    )
    try:
        plan = studio.plan_judging(grant.person, exam or "", stand_in)
        if known is providers.HUGGING_FACE:
            grant.need("inference-api", "to let a hosted model judge")
    except FacetError as error:
        return str(trouble(error, "warn"))
    head, _, rest = plan.words.partition(", ")
    return str(note(f"{head}.", rest[:1].upper() + rest[1:]))
