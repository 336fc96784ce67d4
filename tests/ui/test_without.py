"""Trying it without training: what is proposed and started, how it stands, and what came of it."""

from dataclasses import replace

import gradio as gr
import pytest

from facet.exam.outcome import Contestant, ExamType, Outcome, Scored, Verdict, write_outcome
from facet.identity import LOCAL
from facet.ui import exam_forecast, without
from facet.ui.events import Gate
from facet.ui.limits import Limits
from facet.ui.pace import Pace
from facet.ui.session import session
from facet.work import log
from facet.work.task import Task
from tests.journeys import a_studio, prepared_example

SYSTEM = 'Begin every answer with "Arr!".'


class Request:
    query_params: dict = {}  # noqa: RUF012


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    """A studio in which nothing is conducted, a dataset, and the handlers of the page by name."""
    studio = a_studio(tmp_path_factory.mktemp("without") / "home")
    with gr.Blocks() as page:
        tab = without.layout()
        without.wire(tab, studio, Gate(limits=Limits(10_000, 10_000)), session())
    handlers = {fn.fn.__name__: fn.fn for fn in page.fns.values() if fn.fn is not None}
    yield studio, prepared_example(studio), handlers
    studio.close()


def wish(dataset, **more):
    return {"dataset": dataset, "base": "starter", "beside": "", "system": SYSTEM, "shots": ["3"]} | more


def test_instructions_are_divided_by_lines_of_dashes():
    assert without.instructions_in("Be brief.\n---\n\nBe kind.\n -----  \n") == ["Be brief.", "Be kind."]
    assert without.instructions_in("One - two -- three\n- a list") == ["One - two -- three\n- a list"]
    assert without.instructions_in(" \n---\n") == []


def test_without_data_it_says_how_to_get_some(workspace):
    studio = a_studio(workspace.home)
    empty, box, *rest = without.refreshed(studio, LOCAL, None)
    assert empty.visible and not box.visible
    assert rest[0].value is None


def test_data_models_and_runs_are_offered(mine):
    studio, dataset, _ = mine
    shown = without.refreshed(studio, LOCAL, dataset)
    assert shown[1].visible and shown[2].value == dataset
    assert len(shown[3].choices) > 3 and shown[3].choices[0] == ("Facet starter", "starter")
    assert shown[4].choices[0] == ("No model of mine", "")
    assert "value" not in shown[3].constructor_args and "value" not in shown[4].constructor_args  # stays as chosen


def test_proposals_fill_the_box_and_say_why(mine):
    _, dataset, handlers = mine
    text, why = handlers["propose_instructions"](Request(), dataset=dataset)
    first, second = without.instructions_in(text)
    assert 'Begin every answer with "Arr!".' in first and "Answer in the manner" in second
    assert "80 of 80 begin with" in why


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"dataset": None}, "No data is chosen"),
        ({"system": "", "shots": []}, "nothing to try"),
        ({"shots": ["4"]}, "cannot be used"),
        ({"shots": ["3"] * 9}, "cannot be used"),
        ({"system": "x" * 5_000}, "too long"),
        ({"dataset": "../../etc"}, "<strong>"),
        ({"beside": "2026-01-01-nobody-aaaa"}, "<strong>"),
    ],
)
def test_what_cannot_be_tried_is_refused_in_words(mine, more, words):
    _, dataset, handlers = mine
    with pytest.raises(gr.Error, match=words):
        handlers["begin"](Request(), **wish(dataset) | more)


def test_from_the_press_to_the_result(mine):
    studio, dataset, handlers = mine
    shown = handlers["begin"](Request(), **wish(dataset))
    card = without.latest(studio, LOCAL, dataset)
    assert card.kind == "prompts" and card.contestants[-1] == "Untouched with instructions and 3 examples"
    assert "Waiting its turn" in shown[0]
    assert shown[1].value == "Being tried" and not shown[1].interactive and shown[4].active
    seen = shown[-1]

    held = handlers["hold_try"](Request(), dataset=dataset)
    assert "Paused" in held[0] and held[3].visible and not held[2].visible
    handlers["go_on_trying"](Request(), dataset=dataset)
    assert without.latest(studio, LOCAL, dataset).progress.stage == "waiting"

    finish(studio, card)
    shown = handlers["follow_try"](Request(), dataset=dataset, seen=seen)
    assert shown[1].value == "Try without training" and shown[1].interactive
    assert "is better than the untouched model as it is, without any training" in shown[0]
    assert "chosen" in shown[0] and "Begin every answer" in shown[0] and "→ Arr!" in shown[0]
    again = handlers["follow_try"](Request(), dataset=dataset, seen=shown[-1])
    assert not isinstance(again, list)


def finish(studio, card):
    """As the worker would: the outcome, then the last event."""
    task = Task(card.folder)
    ways = [Contestant.of(one) for one in task.request["contestants"]]
    write_outcome(card.folder, outcome(ways))
    log.append(task.events_file, log.Finished(step=1))


def outcome(ways, name=""):
    def scored(chrf):
        return Scored(10, 1.0, 2.7, 1.4, 100, {"chrf": chrf})

    chosen = ways[-1]
    type = ExamType("text")
    validation = {way.key: scored(0.5 + place / 10) for place, way in enumerate(ways)}
    exam = {ways[0].key: scored(0.5), chosen.key: scored(0.8)}
    verdict = Verdict("exam", ways[0].key, chosen.key, "chrf", "better", 9, 1, 0, 0.3, 0.1, 0.5, 0.01, 1, "")
    everybody = {way.key: replace(way, name=name or way.name) for way in ways}
    return Outcome(type, everybody, {"validation": validation, "exam": exam}, [verdict], chosen=chosen.key)


def test_nothing_a_person_or_a_model_wrote_becomes_markup(mine):
    studio, dataset, _ = mine
    card = without.latest(studio, LOCAL, dataset)
    evil = "<img src=x onerror=alert(1)>"
    ways = [Contestant("Untouched", {}), Contestant(evil, {}, system=evil)]
    shown = str(without.describe(card, outcome(ways, evil)))
    assert "<img" not in shown and "&lt;img" in shown


def test_another_persons_data_is_not_there(mine):
    studio, dataset, _ = mine
    stranger = replace(LOCAL, key="somebody-else", name="Eve", kind="visitor")
    shown = without.look(studio, Pace(), stranger, dataset)
    assert shown[0] == "" and shown[-1] is None


def test_how_long_trying_takes_grows_with_the_ways(mine):
    studio, dataset, _ = mine
    parts = studio.dataset(LOCAL, dataset).summary["splits"]
    few = studio.forecast_prompts(LOCAL, dataset, "starter", None, 2)
    many = studio.forecast_prompts(LOCAL, dataset, "starter", None, 4)
    assert few.answers == 2 * parts["validation"] + 2 * parts["exam"]
    assert many.answers - few.answers == 2 * parts["validation"] and many.seconds > few.seconds
    assert f"{many.answers:,} answers to give" in exam_forecast.of_prompts(studio, LOCAL, dataset, "starter", None, 4)
    assert exam_forecast.of_prompts(studio, LOCAL, dataset, "starter", None, 1) == ""
    assert exam_forecast.of_prompts(studio, LOCAL, "gone", "starter", None, 4) == ""
