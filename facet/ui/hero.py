"""The first screen: one button that tunes the starter model, and then both answers side by side, by themselves."""

import os
from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet.errors import FacetError
from facet.gemma.models import STARTER
from facet.identity import Person
from facet.studio import Studio
from facet.ui.asker import Asker, Talk
from facet.ui.events import Gate
from facet.ui.markup import each, html, join, track, trouble
from facet.ui.session import REMEMBER_FIRST, go_to, remembered
from facet.ui.values import Id
from facet.ui.visitors import on_space
from facet.ui.words import count, duration
from facet.work.log import Progress

EXAMPLE = "pirate"
NAME = "First taste: a pirate"
QUESTIONS = ("What is the capital of Japan?", "What is the opposite of early?", "What does a lion eat?")
SAMPLE = ("What is the capital of Austria?", "Arr! The capital of Austria is Vienna. Yo ho ho!")
LOOK_EVERY = 1.0  # seconds
LOOK_AGAIN = 5.0  # at a run that stands still, for it may be resumed on another tab
AT_HOME = ("on this computer", "nothing leaves this computer")
STARTING, ASKING = 12.0, 8.0  # seconds, on two processor cores; used until there is something measured


@dataclass(frozen=True)
class Hero:
    box: gr.Column
    view: gr.HTML
    start: gr.Button
    after: gr.Row
    mine: gr.Button
    talk: gr.Button
    see: gr.Button
    tick: gr.Timer
    run: gr.Textbox  # the first taste that is shown
    seen: gr.State  # what the browser already has

    @property
    def shown(self) -> list[Any]:
        return [self.box, self.view, self.start, self.after, self.tick, self.run, self.seen]


def layout(studio: Studio, say: gr.I18n) -> Hero:
    with gr.Column(elem_id="hero", elem_classes="card") as box:  # in sight at once; hidden for those who know it
        view = gr.HTML(describe_invitation(rows_of_example(studio)))
        start = gr.Button(say("hero_start"), variant="primary", size="lg", elem_id="hero-start", scale=0)
        with gr.Row(visible=False, elem_classes="f-buttons") as after:
            mine = gr.Button(say("hero_mine"), variant="primary", scale=0)
            talk = gr.Button(say("hero_talk"), scale=0)
            see = gr.Button(say("hero_see"), scale=0)
    return Hero(
        box,
        view,
        start,
        after,
        mine,
        talk,
        see,
        gr.Timer(LOOK_EVERY, active=False),
        remembered("first-run"),
        gr.State(None),
    )


def wire(hero: Hero, studio: Studio, asker: Asker, gate: Gate) -> None:
    def begin(person: Person) -> list[Any]:
        return _shown(studio, asker, person, start_first_taste(studio, person))

    def follow(person: Person, run: Id | None, seen: Any) -> Any:
        if not run:
            return gr.skip()
        shown = _shown(studio, asker, person, run)
        return gr.skip() if shown[-1] == seen else shown

    gate.on(hero.start.click, begin, None, hero.shown, show_progress="hidden").success(
        None, hero.run, None, js=REMEMBER_FIRST
    )
    gate.on(hero.tick.tick, follow, {"run": hero.run, "seen": hero.seen}, hero.shown, quiet=True)
    hero.talk.click(None, None, None, js=go_to("chat"))
    hero.see.click(None, None, None, js=go_to("train"))
    hero.mine.click(None, None, None, js="() => document.getElementById('source').scrollIntoView({behavior: 'smooth'})")


def restored(studio: Studio, asker: Asker, person: Person, query: dict[str, str]) -> list[Any]:
    """Values of `Hero.shown` on arrival: the first screen is for those who have nothing yet."""
    run_id = _first_run(studio, asker, person, query.get("first", ""))
    if run_id:
        return _shown(studio, asker, person, run_id)
    fresh = not studio.runs(person) and "run" not in query
    return [gr.skip() if fresh else gr.Column(visible=False), *[gr.skip()] * 6]


def rows_of_example(studio: Studio) -> int:
    return next(example.rows for example in studio.examples() if example.name == EXAMPLE)


def start_first_taste(studio: Studio, person: Person) -> str:
    """Bring the bundled example, prepare it, and start a quick run on the starter model."""
    studio.warm_up_chat()
    upload = studio.bring_example(person, EXAMPLE)
    mapping = studio.look(person, upload)["shape"]["mapping"]
    dataset = studio.prepare(person, upload, NAME, mapping)
    advice = studio.advise(person, dataset, STARTER, "quick")
    return studio.start(person, dataset, STARTER, advice.recipe, NAME)


def _first_run(studio: Studio, asker: Asker, person: Person, asked: str) -> str | None:
    """The first taste to show: the one in the address, or the only run there is while it is news."""
    runs = studio.runs(person)
    if asked and any(run.id == asked for run in runs):
        return asked
    only = runs[0] if len(runs) == 1 and runs[0].name == NAME else None
    return only.id if only and (only.progress.is_active or asker.has_asked(person, only.id)) else None


def _shown(studio: Studio, asker: Asker, person: Person, run_id: str) -> list[Any]:
    """Every output of the first screen for this moment of the run; the last is its fingerprint."""
    run = studio.run(person, run_id)
    progress = run.progress
    talk = asker.talk(person, run_id, QUESTIONS) if run.has_model else None
    done, stands_still = bool(talk and talk.done), progress.stage in ("failed", "paused")
    view = describe_answers(talk, progress) if talk and talk.base else describe_work(progress, run.dataset["used"])
    print_of_it = (run_id, progress.stage, progress.step, progress.words, talk and talk.fingerprint())
    return [
        gr.Column(visible=True),
        str(view),
        gr.Button(visible=False),
        gr.Row(visible=done or stands_still),
        gr.Timer(LOOK_AGAIN if stands_still else LOOK_EVERY, active=not done),
        run_id,
        print_of_it,
    ]


def describe_invitation(rows: int) -> Markup:
    return html(
        '<div class="f-hero"><div><h1>Teach a model your way of answering.</h1>'
        '<p class="f-lead">Facet tunes an open model with your own examples, {}, without code. '
        "See it work first: the starter model below learns to talk like a pirate.</p>"
        '<p class="f-small">About a minute. Nothing to download, no sign-in; {}.</p></div>'
        '<div class="f-hero-sample"><h4>One of the {} examples it is given</h4>'
        '<div class="f-turn user"><b>You</b>{}</div><div class="f-turn assistant"><b>Model</b>{}</div></div></div>',
        *_where(),
        rows,
        *SAMPLE,
    )


def _where() -> tuple[str, str]:
    """Where it happens, and what goes where: neither may be said of the wrong place."""
    if on_space():
        return "in your browser", "you may try it as a visitor"
    return ("on this Space", "your work stays on it") if os.environ.get("SPACE_ID") else AT_HOME


def describe_work(progress: Progress, examples: int) -> Markup:
    """What has been done, what is being done now, and about how long the rest takes."""
    learning, over = progress.stage == "running", progress.stage == "finished"
    step = f"{progress.step} of {progress.total_steps} steps" if learning else ""
    stages = [
        (f"Read {count(examples, 'example')}", "done"),
        ("Wake the starter model", "done" if learning or over else "now"),
        (f"Learn from them{': ' + step if step else ''}", "done" if over else "now" if learning else ""),
        ("Ask both models three new questions", "now" if over else ""),
    ]
    share = 100 if over else round(100 * progress.step / progress.total_steps) if progress.total_steps else 0
    if progress.failure:
        return html("<h2>That did not work.</h2>{}", trouble(FacetError.from_dict(progress.failure)))
    return html(
        '<h2>The starter model is learning to talk like a pirate.</h2><p class="f-lead" role="status">{}</p>'
        '{}<ol class="f-steps">{}</ol>',
        _time_left(progress),
        track(share, "Steps learned"),
        each('<li class="{1}"><span>{0}</span></li>', stages),
    )


def _time_left(progress: Progress) -> str:
    if progress.stage == "finished":
        return "Done learning. The two models are being asked; that takes a few seconds."
    if progress.stage == "paused":
        return f"{progress.words} You find it on the Train tab."
    if progress.stage != "running":
        return f"{progress.words or 'Getting ready'}. About {duration(STARTING + ASKING + 10)} until the answers."
    left = progress.total_steps - progress.step
    return f"About {duration(left * 0.3 + ASKING)} until the answers."


def describe_answers(talk: Talk, progress: Progress) -> Markup:
    """The same question to both models, one under the other on a phone."""
    words = html(
        '<h2>The same questions, before and after.</h2><p class="f-lead">{} of learning, {} in all. '
        "None of the examples was about Japan, lions or being early.</p>",
        count(progress.step, "step"),
        duration(progress.working_seconds),
    )
    if talk.waiting and not talk.done:
        words += html('<p class="f-wait" role="status">{}</p>', talk.waiting)
    asked = join(
        html(
            '<h3 class="f-ask">{}</h3><div class="f-pair">{}{}</div>',
            question,
            _side("base", talk, index),
            _side("tuned", talk, index),
        )
        for index, question in enumerate(talk.questions)
    )
    return words + asked + (trouble(talk.failure) if talk.failure else "")


def _side(side: str, talk: Talk, index: int) -> Markup:
    answers = talk.base if side == "base" else talk.tuned
    text = answers[index] if index < len(answers) else ""
    title = "Untouched" if side == "base" else "Tuned"
    body = html("{}", text) if text else Markup('<span class="f-wait">Listening</span>') if not talk.done else "–"
    return html('<div class="f-side {}"><h4>{}</h4><p>{}</p></div>', side, title, body)
