"""What a person sees who waits for a shared machine: the place, the time, and a button that says what it does."""

import gradio as gr
import pytest

from facet.identity import Person, person_key
from facet.ui import live, rail, runs
from facet.ui.pace import Pace
from facet.ui.words import stage_sentence
from facet.work import log
from facet.work.fairness import Turn
from facet.work.log import Progress
from facet.work.slots import key_of
from facet.work.task import Task
from tests.journeys import a_studio, prepared_example, queued_run

ANN, BOB = (Person(person_key("hf", name), name, "signed-in") for name in ("ann", "bob"))


@pytest.fixture
def waiting(tmp_path):
    """Ann's run works; Bob's two wait. Nobody conducts: the line is set up as the conductor would."""
    studio = a_studio(tmp_path / "home")
    studio.queue.clock = lambda: 1000.0
    anns = queued_run(studio, prepared_example(studio, person=ANN), ANN)
    data = prepared_example(studio, person=BOB)
    first, second = (queued_run(studio, data, BOB) for _ in range(2))
    slots = studio.conductor.slots
    slots.line_up({key_of(task): task for task in (anns, first, second)})
    assert slots.take({key_of(anns): anns})
    return studio, first, second


def shown(studio, task: Task, person: Person = BOB) -> tuple[str, list]:
    values = live.look(studio, Pace(), person, task.id, None)
    return values[2], values


def test_the_live_card_says_the_place_and_the_time(waiting):
    studio, first, second = waiting
    words, values = shown(studio, first)

    assert "Next in line, starts in about 1 minute." in words
    assert "You may close this page" in words
    assert "2nd in line." in shown(studio, second)[0]
    buttons = {button.value: button.visible for button in values[4:7]}
    assert buttons["Leave the line"] and not buttons["Resume"]
    assert "“Resume” lines it up again" in words


def test_leaving_the_line_gives_the_place_to_the_next(waiting):
    studio, first, second = waiting
    studio.pause(BOB, first.id)
    studio.conductor.slots.line_up({key_of(second): second})

    words, values = shown(studio, first)
    assert "in line" not in words and "Nothing is lost" in words
    assert [button.visible for button in values[4:7]] == [False, True, True]
    assert "Next in line" in shown(studio, second)[0]


def test_the_list_of_runs_and_the_rail_say_it_too(waiting):
    studio, _, _ = waiting
    cards = studio.runs(BOB)

    listed = runs.describe(cards, studio.turns(BOB, cards))
    assert "next in line, starts in about 1 minute" in listed and "2nd in line" in listed
    assert "next in line" in rail.look(studio, BOB)[0]
    assert "in line" not in rail.look(studio, ANN)[0]


def test_the_card_is_painted_again_when_the_place_changes_and_not_otherwise(waiting):
    studio, first, second = waiting
    before = shown(studio, second)[1][-1]
    assert shown(studio, second)[1][-1] == before
    studio.queue.leave(key_of(first))
    assert shown(studio, second)[1][-1] != before


def test_a_run_that_rests_is_told_of_twice_and_then_no_more(waiting):
    """Gradio's page drops what reaches a component it is still fetching: the end of a curve would be missing."""
    studio, first, _ = waiting
    for event in (log.Started(total_steps=2), log.Logged(step=1, values={"loss": 2.0}), log.Paused(step=1)):
        log.append(first.events_file, event)

    shown, sent = None, []
    for _ in range(4):
        values = live.look(studio, Pace(), BOB, first.id, shown)
        sent.append(values[-1] != shown and values[3] != gr.skip())
        shown = values[-1]
    assert sent == [True, True, False, False]


@pytest.mark.parametrize(
    ("progress", "turn", "expected"),
    [
        (Progress(), None, "It begins as soon as the machine is free."),
        (Progress(), Turn(3, 2, 600.0), "3rd in line, starts in about 10 minutes."),
        (
            log.fold([log.Started(total_steps=9), log.Logged(step=4, values={}), log.Paused(step=4, out_of_time=True)]),
            Turn(1, 1, 58.0),
            "It gives way to others for a minute and goes on by itself. Next in line, starts in about 1 minute.",
        ),
    ],
)
def test_what_one_who_waits_reads(progress, turn, expected):
    assert stage_sentence(progress, "local", turn).startswith(expected)
