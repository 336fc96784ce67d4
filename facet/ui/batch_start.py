"""How a batch begins: which rows, which models. A file is prepared beside the page, and watched until it is done."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from facet.errors import CapacityError, SettingError
from facet.exam.batches import MOST_TOGETHER
from facet.identity import Grant, Person
from facet.model.decoding import Decoding
from facet.studio import Studio
from facet.ui.events import Gate
from facet.ui.exam_compare import targets
from facet.ui.exam_forecast import FEW, of_batch
from facet.ui.making import PATIENCE, Waiting, describe_waiting, waiting_layout, watch
from facet.ui.markup import section
from facet.ui.prepared import choices_of
from facet.ui.values import File, Id, Name, Number

PARTS = [("Exam", "exam"), ("Validation", "validation"), ("To learn from", "train")]
FILES = [".csv", ".tsv", ".json", ".jsonl", ".xlsx", ".parquet", ".txt", ".md", ".zip"]
Opened = Callable[[Person, str], list[Any]]


@dataclass(frozen=True)
class StartForm:
    dataset: gr.Dropdown
    part: gr.Dropdown
    file: gr.File
    models: gr.Dropdown
    longest: gr.Number
    start: gr.Button
    waiting: Waiting

    @property
    def asked(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("dataset", "part", "file", "models", "longest")}

    @property
    def listed(self) -> list[Any]:
        return [self.dataset, self.models, *self.waiting.shown]


def start_layout() -> StartForm:
    with gr.Column(elem_classes="card f-gap", elem_id="batch-start"):
        gr.HTML(
            section(
                "Many questions at once",
                "Models of your choice answer every row of your data, or of a file. Nothing is judged here.",
            )
        )
        with gr.Row():
            dataset = gr.Dropdown([], label="Rows of", min_width=220)
            part = gr.Dropdown(PARTS, value="exam", label="Which of them", min_width=140)
            file = gr.File(label="Or of a file", file_types=FILES, height=130, min_width=240, elem_id="batch-file")
        with gr.Row(elem_classes="f-finish"):
            models = gr.Dropdown(
                [], label="Answered by", info=FEW, multiselect=True, max_choices=MOST_TOGETHER, min_width=300
            )
            longest = gr.Number(
                Decoding().max_new_tokens, label="Longest reply", info="Tokens", precision=0, min_width=130
            )
            start = gr.Button("Answer them all", variant="primary", elem_id="start-batch")
        waiting = waiting_layout("batch-waiting")
    return StartForm(dataset, part, file, models, longest, start, waiting)


def wire_start(form: StartForm, studio: Studio, gate: Gate, shown: list[Any], opened: Opened) -> None:
    """`opened` gives the values of `shown` for a batch that was just begun."""
    outputs = [form.file, *shown]
    kept: dict[str, Path] = {}  # making → the file as the page has it, kept there until its rows are

    def made(person: Person, batch: str) -> list[Any]:
        return [None, *opened(person, batch)]

    def made_of_file(job: str) -> Callable[[Person, str], list[Any]]:
        def finished(person: Person, batch: str) -> list[Any]:
            if file := kept.pop(job, None):
                file.unlink(missing_ok=True)  # ours is a copy; Gradio's can be read by whoever knows its address
            return made(person, batch)

        return finished

    def begin(
        person: Person,
        grant: Grant,
        dataset: Id | None,
        part: Name,
        file: File | None,
        models: list[Id] | None,
        longest: Number | None,
    ) -> list[Any]:
        decoding = Decoding(max_new_tokens=longest if longest is not None else 0)
        if not file:
            batch = studio.start_batch(
                person, models or [], dataset_id=chosen(dataset), part=part, decoding=decoding, grant=grant
            )
            return ["", None, gr.Timer(active=False), *made(person, batch)]
        require_none_in_the_making(studio, person)
        upload = studio.bring_file(person, Path(file), Path(file).name)
        job = studio.start_batch_of_file(person, models or [], upload, decoding=decoding, grant=grant)
        kept[job] = Path(file)
        return watch(studio, person, job, made_of_file(job), len(outputs), PATIENCE)

    def follow_file(person: Person, job: Id | None) -> Any:
        if not job:
            return [gr.skip(), gr.skip(), gr.Timer(active=False), *[gr.skip()] * len(outputs)]
        return watch(studio, person, job, made_of_file(job), len(outputs))

    def say_how_long(
        person: Person,
        dataset: Id | None,
        part: Name,
        file: File | None,
        models: list[Id] | None,
        longest: Number | None,
    ) -> gr.Dropdown:
        return gr.Dropdown(info=of_batch(studio, person, dataset, part, bool(file), models or [], longest))

    waiting = form.waiting
    gate.on(
        form.start.click,
        begin,
        form.asked,
        [*waiting.shown, *outputs],
        show_progress="minimal",
        show_progress_on=form.start,
    )
    gate.on(waiting.tick.tick, follow_file, {"job": waiting.job}, [*waiting.shown, *outputs], quiet=True)
    changed = [form.dataset.input, form.part.input, form.file.change, form.models.input, form.longest.change]
    gate.on(changed, say_how_long, form.asked, form.models, quiet=True, trigger_mode="always_last")


def chosen(dataset: str | None) -> str:
    if not dataset:
        raise SettingError(
            "There is nothing to answer.", "No data was chosen.", "Choose it in “Rows of”, or drop a file."
        )
    return dataset


def require_none_in_the_making(studio: Studio, person: Person) -> None:
    if studio.batch_in_the_making(person):
        raise CapacityError(
            "Another file is being prepared.",
            "Its rows are read first, and one file at a time is enough for this machine.",
            "Wait until its answers begin below, then press “Answer them all” again.",
        )


def listed(studio: Studio, person: Person, dataset: str | None) -> list[Any]:
    """Values of `StartForm.listed`; a file that is still being prepared is watched again."""
    cards = studio.datasets(person)
    card = next((card for card in cards if card.id == dataset), cards[0] if cards else None)
    job = studio.batch_in_the_making(person)
    words = str(describe_waiting(studio.making(person, job).words)) if job else ""
    return [
        gr.Dropdown(choices=choices_of(cards, card), value=card.id if card else None),
        gr.Dropdown(choices=targets(studio, person)),
        words if job else gr.skip(),
        job,
        gr.Timer(active=bool(job)),
    ]
