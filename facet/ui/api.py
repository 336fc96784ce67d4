"""What programs may call, with gradio_client or plain HTTP. Stable names; everything else on the page is private."""

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components.api_component import Api

from facet.identity import Grant, Person
from facet.model.speak import Decoding, Piece
from facet.recipe.advice import asked_on_the_way, notes_on
from facet.studio import Studio
from facet.ui.downloads import handed_out
from facet.ui.events import Gate
from facet.ui.values import File, Goal, Id, Line, Lines, Name, Preset, Settings, Share, Words


def publish_api(studio: Studio, gate: Gate) -> None:
    """Attach the public functions to the page that is being built."""
    _of_runs(studio, gate)
    _of_chat(studio, gate)
    _with_files(studio, gate)


def _of_runs(studio: Studio, gate: Gate) -> None:
    def start_run(
        person: Person,
        dataset_id: Id,
        model: Line = "starter",
        preset: Preset = "balanced",
        name: Name = "",
        settings: Settings = None,
        goal: Goal = "any",
        samples: Lines = None,
        start_from: Id | None = None,
    ) -> dict:
        """Start training and return its `run_id` at once. `settings` replaces recommended values by their name.

        `goal` is what the model is for: any, style, format, classify, facts, language or taste. `samples` are up to
        five questions to answer on the way. `start_from` is a run of yours to train further, `RUN@STEP` a save point
        of one. `notes` in the answer says which settings do nothing.
        """
        model = studio.runs_shelf.model_of(person, start_from)[0] if start_from else model
        advice = studio.advise(person, dataset_id, model, preset, goal=goal)
        chosen = studio.from_advice(person, advice.recipe, settings or {}, start_from)
        more = asked_on_the_way(samples, chosen)
        run_id = studio.start(person, dataset_id, model, chosen, name, start_from=start_from, more=more)
        return {"run_id": run_id, "notes": notes_on(chosen, advice, settings or {})}

    def plan(
        person: Person,
        grant: Grant,
        dataset_id: Id,
        model: Line = "starter",
        preset: Preset = "balanced",
        settings: Settings = None,
        goal: Goal = "any",
        start_from: Id | None = None,
    ) -> dict:
        """What a run would need: steps, memory in GB, minutes, quota and price of each place, and what would help.

        Asked like `start_run`.
        """
        model = studio.runs_shelf.model_of(person, start_from)[0] if start_from else model
        advised = studio.advise(person, dataset_id, model, preset, goal=goal).recipe
        chosen = studio.from_advice(person, advised, settings or {}, start_from)
        return studio.plan(person, dataset_id, model, chosen, None, grant, start_from).described()

    def stop_run(person: Person, run_id: Id) -> dict:
        """End a run now and keep what it has learned."""
        studio.stop(person, run_id)
        return {"run_id": run_id, "stage": studio.progress(person, run_id).stage}

    def resume_run(person: Person, run_id: Id) -> dict:
        """Go on with a paused, interrupted or failed run from its last save point."""
        studio.resume(person, run_id)
        return {"run_id": run_id, "stage": studio.progress(person, run_id).stage}

    for function in (plan, start_run, stop_run, resume_run):
        gate.api(function, function.__name__)


def _of_chat(studio: Studio, gate: Gate) -> None:
    def chat(
        person: Person,
        grant: Grant,
        model: Line,
        prompt: Words,
        compare: bool = False,
        temperature: float = 0.0,
        max_new_tokens: int = 256,
        seed: int = 0,
    ) -> dict:
        """One reply of a run's model (or of a starting model), and with `compare` the untouched model's too."""
        turn = [{"role": "user", "content": prompt}]
        asked: Any = {"base": turn, "tuned": turn} if compare else {"tuned": turn}
        said = {}
        decoding = Decoding(temperature, max_new_tokens=max_new_tokens, seed=seed)
        for piece in studio.chat(person, model, asked, decoding, grant):
            if isinstance(piece, Piece):
                said[piece.side] = piece.text
        return {"reply": said.get("tuned", "")} | ({"base_reply": said.get("base", "")} if compare else {})

    gate.api(chat, chat.__name__)


def _with_files(studio: Studio, gate: Gate) -> None:
    """Functions that take or give a file need Gradio's own file component, which checks where a path may lead."""

    def prepare(
        person: Person, file: File | None = None, source: Line = "", name: Name = "", test_size: Share = 0.1
    ) -> dict:
        """Make prepared data of a file, a public Hub dataset (`hub:owner/name`) or an example (`example:name`).

        The shape of the rows is guessed. Gives `dataset_id` and the summary: rows used, rows not usable, and why.
        """
        try:
            upload = bring(studio, person, file, source)
        finally:
            if file:
                Path(file).unlink(missing_ok=True)  # ours is a copy; Gradio's can be read by whoever knows its address
        dataset = studio.prepare(person, upload, name, None, test_size=test_size)
        return {"dataset_id": dataset, "summary": studio.dataset(person, dataset).summary}

    def export(person: Person, run_id: Id) -> str:
        """A zip with the adapter, tokenizer, card, curve and run file of a finished run."""
        return str(handed_out(studio.download(person, run_id), person))

    with gr.Column(visible=False):
        file, source, name = gr.File(label="file"), gr.Textbox("", label="source"), gr.Textbox("", label="name")
        share, answer = gr.Number(0.1, label="test_size"), Api(None, {"type": "object"}, "answer")
        asked = {"file": file, "source": source, "name": name, "test_size": share}
        gate.on(gr.Button("prepare").click, prepare, asked, answer, api_name="prepare", api_visibility="public")
        run_id, out = gr.Textbox(label="run_id"), gr.File(label="zip")
        gate.on(gr.Button("export").click, export, {"run_id": run_id}, out, api_name="export", api_visibility="public")


def bring(studio: Studio, person: Person, file: str | None, source: str) -> str:
    if file:
        return studio.bring_file(person, Path(file), Path(file).name)
    if source.startswith("example:"):
        return studio.bring_example(person, source.removeprefix("example:"))
    return studio.bring_hub(person, source.removeprefix("hub:"))
