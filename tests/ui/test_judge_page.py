"""The judge's place on the page: which fields it needs, what is said before and after, a key that never returns."""

import json

import gradio as gr
import pytest

from facet.exam import providers
from facet.identity import LOCAL, Grant, Person, person_key
from facet.judge_door import JudgeWish
from facet.studio import Studio
from facet.ui import judge
from facet.ui.events import Gate
from facet.ui.judge_fields import key_fields, known_judge, model_field, plan_words
from facet.ui.judged import describe_judging, describe_rows
from facet.ui.limits import Limits
from facet.ui.session import session
from tests.exam.judged_exam import fill
from tests.judge_stand_in import JudgeStandIn

KEY = "sk-canary-5d6e7f80"
ANNA = Person(person_key("hf", "anna"), "anna", "signed-in")


class Request:
    query_params: dict = {}  # noqa: RUF012


@pytest.fixture
def mine(workspace):
    """A studio of its own with one finished test, and the judge's handlers by name."""
    studio = Studio(workspace)
    exam = workspace.create(LOCAL, "exams", "Pirate").name
    fill(workspace.find(LOCAL, "exams", exam), rows=8)
    with gr.Blocks() as page:
        shared = session()
        tab = judge.layout()
        judge.wire(tab, studio, Gate(limits=Limits(10_000, 10_000)), shared)
    handlers = {fn.fn.__name__: fn.fn for fn in page.fns.values() if fn.fn is not None}
    yield studio, exam, handlers, page
    studio.close()


def asked(exam, address, **more):
    wish = {"exam": exam, "mode": "pairs", "rows": 50.0, "provider": "own", "model": "big", "counts": "", "key": KEY}
    return wish | {"address": address} | more


def likes_the_good(request):
    text = request["messages"][0]["content"]
    better = "1" if text.index("good answer") < text.index("bad answer") else "2"
    return json.dumps({"reason": "<img src=x onerror=alert(1)> plain", "better": better})


def test_from_the_press_to_the_verdict_and_the_key_never_comes_back(mine):
    studio, exam, handlers, page = mine
    with JudgeStandIn(likes_the_good, key=KEY) as served:
        begun = handlers["begin_judging"](Request(), **asked(exam, served.url))
        made = studio.judgings_of(LOCAL, exam)[0].id
        studio.wait_for_judging(LOCAL, exam, made, 30)
        shown = handlers["follow_judging"](Request(), exam=exam, judging=made, seen=None)
    everything = f"{begun}{shown}{page.config}" + "".join(
        str(vars(each)) for each in begun + shown if hasattr(each, "value")
    )
    assert KEY not in everything
    result, cases = shown[1], shown[6]
    assert "is better than the untouched model" in result and "Better, says the judge" in result
    assert "same of 8 of 8 pairs (100 %)" in result
    assert "<img" not in cases and "&lt;img src=x" in cases and "1 to 6 of 8 questions" in cases
    assert shown[8].visible  # a later leaf
    later = handlers["turn_leaf"](Request(), exam=exam, judging=made, place=0)
    assert "7 to 8 of 8 questions" in later[0]


def test_while_it_works_nothing_is_said_of_who_leads(mine):
    studio, exam, _, _ = mine
    with JudgeStandIn(likes_the_good) as served:
        made = studio.start_judging(Grant(LOCAL), exam, JudgeWish("pairs", 8, "", "own", "big", served.url))
        studio.wait_for_judging(LOCAL, exam, made, 30)
    one, found = studio.judging(LOCAL, exam, made), studio.judged(LOCAL, exam, made)
    working = describe_judging(type(one)(one.id, "working", 9, 16, one.assignment), None)
    assert "9 of 16 calls done" in working and "better" not in working.replace("which of two is better", "")
    paused = describe_judging(type(one)(one.id, "paused", 9, 16, one.assignment), found)
    assert "easily fooled" in paused


def test_what_it_takes_is_said_before_and_what_cannot_be_in_its_place(mine):
    studio, exam, handlers, _ = mine
    grant = Grant(LOCAL)
    said = plan_words(studio, grant, exam, JudgeWish("pairs", 50, "", "gemini"))
    assert "8 questions × 2 orders = 16 calls." in said and "unknown to Facet" in said and "go to Google" in said
    said = plan_words(studio, grant, exam, JudgeWish("score", 4, "", "local", "starter"))
    assert "4 questions × 2 models + 8 asked twice = 16 calls." in said and "Nothing leaves this machine" in said
    assert "have to be signed in" in plan_words(studio, grant, exam, JudgeWish("pairs", 5, "", "huggingface"))
    assert "no number of questions" in plan_words(studio, grant, exam, JudgeWish("pairs", 0))
    assert "could not find" in plan_words(studio, Grant(ANNA), exam, JudgeWish("pairs", 5))
    named = {name: value for name, value in asked(exam, "").items() if name != "key"}
    assert "16 calls" in handlers["reckon"](Request(), **named)


def test_each_judge_has_the_fields_it_needs(mine):
    studio, _, handlers, _ = mine
    for known in studio.judges(LOCAL):
        model, address, key, forget = handlers["choose_judge"](Request(), provider=known.id)
        assert address.visible is (known.needs == "address")
        assert key.visible is (known.needs in ("key", "address")) and key.value == ""
        assert forget.visible is False
        assert (model.value == known.model) or known.needs in ("nothing", "address")
    assert known_judge(studio, ANNA, "own") is providers.LOCAL
    assert model_field(studio, LOCAL, providers.LOCAL).value == "starter"


def test_a_key_that_is_held_is_said_and_can_be_forgotten(mine):
    studio, _, handlers, _ = mine
    gemini = known_judge(studio, LOCAL, "gemini")
    studio.keys.keep(LOCAL, gemini.base_url, KEY)
    _, key, forget = key_fields(studio, LOCAL, gemini)
    assert "It is in memory" in key.info and key.value == "" and forget.visible
    _, key, forget = handlers["forget_keys"](Request(), provider="gemini")
    assert "It is in memory" not in key.info and not forget.visible
    assert studio.keys.find(LOCAL, gemini.base_url) == ""


@pytest.mark.parametrize(
    "junk",
    [
        {"rows": float("nan")}, {"rows": True}, {"rows": None}, {"mode": "odd"}, {"key": "k" * 5000}, {"key": {"a": 1}},
        {"counts": "x" * 9000}, {"address": "http://169.254.169.254?x=1"}, {"exam": "../../x"}, {"model": "a b"},
    ],
)  # fmt: skip
def test_junk_is_refused_and_nothing_has_begun(mine, junk):
    studio, exam, handlers, _ = mine
    with pytest.raises(gr.Error) as refused:
        handlers["begin_judging"](Request(), **asked(exam, "http://localhost:1/v1") | junk)
    assert KEY not in str(refused.value) and "kkkk" not in str(refused.value)
    assert studio.judgings_of(LOCAL, exam) == []


def test_an_empty_place_says_how_to_fill_it(mine):
    studio, exam, _, _ = mine
    empty, box, *_ = judge.refreshed(studio, ANNA)
    assert empty.visible and not box.visible
    empty, box, tests, *_ = judge.refreshed(studio, LOCAL)
    assert box.visible and not empty.visible and tests.value == exam
    assert str(describe_rows(None, [], 0, 0)) == ""
