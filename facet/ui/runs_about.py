"""One run in words: what it was and came to, the person's own note, starting it again, what can be taken from it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet.identity import Person
from facet.studio import Studio
from facet.track.trackers import TRACKERS
from facet.train.history import LONGEST_NOTE
from facet.ui.downloads import handed_out
from facet.ui.events import Gate
from facet.ui.markup import each, html, note
from facet.ui.values import Id, Line, Take, Words
from facet.ui.words import count

NEEDS_KEY = "wandb"
TAKEN = [("Run file: repeats this run in Facet", "file"), ("Python script: repeats it without Facet", "script")]


@dataclass(frozen=True)
class About:
    fold: gr.Accordion
    words: gr.HTML
    note: gr.Textbox
    keep: gr.Button
    again: gr.Button
    take: gr.Dropdown
    key: gr.Textbox
    go: gr.Button
    file: gr.DownloadButton
    said: gr.HTML


def about_layout() -> About:
    with gr.Accordion("About this run", open=False, elem_id="about-run") as fold, gr.Column(elem_classes="f-gap"):
        words = gr.HTML(elem_id="run-summary")
        with gr.Row(elem_classes="f-finish"):
            text = gr.Textbox(
                label="Your note on this run", lines=2, max_lines=8, max_length=LONGEST_NOTE, elem_id="run-note"
            )
            keep = gr.Button("Keep the note")
        again = gr.Button("Start again with these settings …", scale=0, elem_classes="f-left", elem_id="run-again")
        with gr.Row(elem_classes="f-finish"):
            take = gr.Dropdown(_choices(), value="file", label="Take with you, or send", elem_id="run-take")
            key = gr.Textbox(
                label="Key for Weights & Biases",
                type="password",
                max_length=200,
                visible=False,
                info="Made on wandb.ai/authorize; kept in memory only",
            )
            go = gr.Button("Get it", elem_id="run-get")
            file = gr.DownloadButton("Download it", visible=False, variant="primary", elem_id="run-download")
        said = gr.HTML(elem_id="run-said")
    return About(fold, words, text, keep, again, take, key, go, file, said)


def _choices() -> list[tuple[str, str]]:
    """What is installed here; the rest is not offered."""
    return [*TAKEN, *((f"{one.label}: {_short(one.name)}", one.name) for one in TRACKERS.values() if one.is_here)]


def _short(name: str) -> str:
    return {"tensorboard": "files with its curves", "trackio": "a project with its curves"}.get(name, "to your account")


def wire_about(about: About, chosen: Any, studio: Studio, gate: Gate) -> None:
    def choose(person: Person, run: Id | None) -> list[Any]:
        text = studio.run(person, run).note if run else ""
        return [gr.Accordion(open=False), "", text, gr.DownloadButton(visible=False), ""]

    def read(person: Person, run: Id | None) -> str:
        return str(describe(studio, person, run)) if run else ""

    def keep(person: Person, run: Id | None, text: Words) -> str:
        studio.note(person, run or "", text)
        return str(note("", "The note is kept." if text.strip() else "The note is gone.", "good"))

    def offer(person: Person, take: Take) -> list[Any]:
        return [gr.Textbox(visible=take == NEEDS_KEY), gr.Button(visible=True), gr.DownloadButton(visible=False), ""]

    def get(person: Person, run: Id | None, take: Take, key: Line) -> list[Any]:
        file, words = taken(studio, person, run or "", take, key)
        ready = gr.DownloadButton(value=str(handed_out(file, person)), visible=True) if file else gr.skip()
        return [ready, str(words), ""]

    mine = {"run": chosen}
    gate.on(chosen.change, choose, mine, [about.fold, about.words, about.note, about.file, about.said], quiet=True)
    gate.on(about.fold.expand, read, mine, about.words, show_progress="minimal")
    gate.on(about.keep.click, keep, mine | {"text": about.note}, about.said, show_progress="hidden")
    gate.on(about.take.input, offer, {"take": about.take}, [about.key, about.go, about.file, about.said], quiet=True)
    asked = mine | {"take": about.take, "key": about.key}
    gate.on(about.go.click, get, asked, [about.file, about.said, about.key], show_progress_on=about.go)


def taken(studio: Studio, person: Person, run_id: str, take: str, key: str = "") -> tuple[Path | None, Markup]:
    """A file to download, if that is what is wanted, and what was done."""
    if take in ("file", "script"):
        text = studio.run_file(person, run_id) if take == "file" else studio.run_script(person, run_id)
        folder = studio.workspace.create(person, "exports", "a run")
        file = folder / ("facet-run.yaml" if take == "file" else "train.py")
        file.write_text(text, "utf-8")
        how = (
            "Bring it back with “Start from a run file”, or at a terminal: python -m facet train --file facet-run.yaml"
            if take == "file"
            else "Read its first lines: they say what to install and which folder it wants. It holds no example."
        )
        return file, note("", how, "good")
    told = studio.track(person, run_id, take, key)  # type: ignore[arg-type]
    rest = "" if told.over else " What comes behind the newest save point follows while the run goes on."
    words = note("", f"{told.words(take, told.points)}{rest}", "good")
    if take == NEEDS_KEY:
        return None, words
    return studio.tracked_files(person, run_id, take), words  # type: ignore[arg-type]


def describe(studio: Studio, person: Person, run_id: str) -> Markup:
    """The summary of a run, and its settings that are not as one would expect."""
    lines = html('<dl class="f-facts">{}</dl>', each("<dt>{}</dt><dd>{}</dd>", studio.run_summary(person, run_id)))
    if studio.run(person, run_id).imported:
        return lines
    than, unusual = studio.unusual_settings(person, run_id)
    if not unusual:
        return lines + html('<p class="f-small">All settings are as {} has them.</p>', than)
    told = each("<li>{}: <strong>{}</strong>, and {} is {}</li>", [(a, b, than, c) for a, b, c in unusual])
    return lines + html(
        '<details><summary>{} unlike {}</summary><ul class="f-unlike">{}</ul></details>',
        count(len(unusual), "setting"),
        than,
        told,
    )
