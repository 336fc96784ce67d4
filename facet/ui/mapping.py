"""Which column plays which part, as a person chooses it; and what that choice says to the core."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from facet.ui.markup import html

KINDS = {
    "question_answer": "A question and its answer, in two columns",
    "prompt_completion": "A beginning and how it goes on, in two columns",
    "alpaca": "An instruction, sometimes an input, and an output",
    "text_label": "A text and its label",
    "messages": "Whole conversations in one column",
    "sharegpt": "Whole conversations in one column, ShareGPT style",
    "preference": "A question with a better and a worse answer",
    "unpaired_preference": "An answer, and whether it was liked",
    "prompt_only": "Questions, with right answers to check against",
    "text": "Plain text to read, without questions",
    "instances": "Several examples inside of each row",
    "columns": "Something else: I choose the columns",
}
TYPES = {
    "preference": "preference",
    "unpaired_preference": "unpaired_preference",
    "prompt_only": "prompt_only",
    "text": "text",
}
LIKED = ("preference", "unpaired_preference")  # of which the better answers alone can be learned
ROLES = {
    "user": ("Question", "What the person says"),
    "user_extra": ("Extra input", "Added below it, if there is any"),
    "assistant": ("Answer", "What the model learns to write"),
    "chosen": ("Better answer", "What it should prefer"),
    "rejected": ("Worse answer", "What it should avoid"),
    "label": ("Thumb", "Up or down, yes or no"),
    "reference": ("Right answer", "To check against; may be left empty"),
    "text": ("Text", "Read as it is"),
    "system_column": ("Instructions", "Said before it, if there are any"),
    "messages": ("Conversation", "A list of turns: who speaks, and what is said"),
    "tools": ("Tools", "What the model may call, if there are any"),
    "images": ("Picture", "Shown with the question"),
    "instances": ("Examples", "The list inside of each row"),
}
ASKED_FOR = {
    "messages": ("messages", "tools"),
    "sharegpt": ("messages", "tools"),
    "question_answer": ("user", "assistant", "system_column", "images"),
    "prompt_completion": ("user", "assistant", "system_column"),
    "alpaca": ("user", "user_extra", "assistant", "system_column"),
    "text_label": ("user", "assistant", "system_column", "images"),
    "preference": ("user", "messages", "chosen", "rejected", "system_column"),
    "unpaired_preference": ("user", "messages", "assistant", "label", "system_column"),
    "prompt_only": ("user", "messages", "reference", "system_column"),
    "text": ("text",),
    "instances": ("instances", "user", "user_extra", "assistant"),
}
OTHERWISE = ("user", "user_extra", "assistant", "system_column")
TEMPLATES = {
    "user_template": ("Question, written from columns", "{title}: {body}"),
    "assistant_template": ("Answer, written from columns", "The topic is {label}."),
    "system_template": ("Instruction, written from columns", "You work for {company}."),
}
Choices = dict[str, Any]


@dataclass(frozen=True)
class MappingForm:
    kind: gr.Dropdown
    preferred: gr.Checkbox  # learn the better answers as if there were no others
    columns: dict[str, gr.Dropdown]
    more: gr.Dropdown
    templates: dict[str, gr.Textbox]
    system: gr.Textbox  # one instruction for every example
    guess: gr.State  # the mapping that Facet proposed

    @property
    def choices(self) -> dict[str, Any]:
        """Everything that decides what a row becomes, by name."""
        named = {"kind": self.kind, "preferred": self.preferred, "user_more": self.more, "system": self.system}
        return named | {"guess": self.guess} | self.columns | self.templates

    @property
    def filled(self) -> list[Any]:
        """What a new file fills in."""
        return [self.kind, *self.by_kind, self.more, *self.templates.values(), self.system, self.guess]

    @property
    def by_kind(self) -> list[Any]:
        """What another shape shows or hides."""
        return [self.preferred, *self.columns.values()]


def mapping_layout() -> MappingForm:
    kind = gr.Dropdown([(words, kind) for kind, words in KINDS.items()], value="columns", label="Shape of your data")
    preferred = gr.Checkbox(
        label="Learn only the better answers",
        info="As ordinary examples; the worse ones are left out",
        visible=False,
    )
    with gr.Row(elem_classes="f-columns"):
        columns = {
            name: gr.Dropdown([], label=label, info=info, min_width=200) for name, (label, info) in ROLES.items()
        }
    system = gr.Textbox(
        label="Instruction for the model",
        info="Said before every example; leave it empty if there is none",
        max_length=4_000,
        max_lines=4,
    )
    with gr.Accordion("Put it together from several columns", open=False, elem_id="templates"):
        gr.HTML(
            html(
                "<p>Write a text with the names of columns in braces, such as <code>{}</code>. It goes before the "
                "column chosen above.</p>",
                "{title}: {body}",
            )
        )
        more = gr.Dropdown([], multiselect=True, value=[], label="More columns below the question, in this order")
        with gr.Row():
            templates = {
                name: gr.Textbox(label=label, placeholder=example, max_length=20_000, max_lines=5, min_width=240)
                for name, (label, example) in TEMPLATES.items()
            }
    return MappingForm(kind, preferred, columns, more, templates, system, gr.State(None))


def columns_for(kind: str, guess: dict[str, Any] | None = None) -> tuple[str, ...]:
    """Which columns a shape asks for; and those that the guess of this shape uses besides."""
    asked = ASKED_FOR.get(kind, OTHERWISE)
    used = [name for name in ROLES if (guess or {}).get("kind") == kind and (guess or {}).get(name)]
    return tuple(name for name in ROLES if name in asked or name in used)


def chosen(choices: Choices) -> dict[str, Any]:
    """The mapping. Only what the shape uses goes in, so that a leftover choice changes nothing."""
    kind, guess = choices.get("kind") or "columns", choices.get("guess")
    same = isinstance(guess, dict) and guess.get("kind") == kind
    mapping: dict[str, Any] = dict(guess) if same else {"kind": kind, "type": TYPES.get(kind, "conversation")}
    mapping |= {name: choices.get(name) or None for name in columns_for(kind, guess if same else None)}
    mapping |= {name: (choices.get(name) or "").strip() or None for name in ("system", *TEMPLATES)}
    mapping["user_more"] = list(choices.get("user_more") or ())
    if kind in LIKED:
        mapping["type"] = "conversation" if choices.get("preferred") else TYPES[kind]
    return mapping


def filled_in(names: list[str], mapping: dict[str, Any]) -> list[Any]:
    """Values of `MappingForm.filled` for a file with these columns."""
    kind = mapping["kind"]
    return [
        gr.Dropdown(value=kind),
        *shown_for(kind, mapping, names),
        gr.Dropdown(choices=names, value=list(mapping.get("user_more") or ())),
        *[mapping.get(name) or "" for name in TEMPLATES],
        mapping.get("system") or "",
        mapping,
    ]


def shown_for(kind: str, guess: dict[str, Any] | None, names: list[str] | None = None) -> list[Any]:
    """Values of `MappingForm.by_kind`. With `names` the columns are filled anew."""
    asked = columns_for(kind, guess)
    shown: list[Any] = [gr.Checkbox(visible=kind in LIKED)]
    for role in ROLES:
        value = (guess or {}).get(role)
        filled = {} if names is None else {"choices": names_with(names, value), "value": value}
        shown.append(gr.Dropdown(visible=role in asked, **filled))
    return shown


def names_with(names: list[str], value: str | None) -> list[str]:
    """The columns to choose from; a part of a list inside of a row is none, and stands among them all the same."""
    return names if value is None or value in names else [*names, value]
