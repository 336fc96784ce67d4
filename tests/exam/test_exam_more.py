"""Free text, preferences, plain text and prompts; and whether it got worse elsewhere."""

import pytest

from facet.errors import SettingError
from facet.exam.exams import Options
from facet.exam.plan import Plan
from facet.identity import LOCAL
from facet.work import worker
from facet.work.task import Task
from tests.exam.small_bank import sat, small_bank, trained
from tests.journeys import a_studio, prepared_example, progress

pytestmark = pytest.mark.tiny
QUICK = Options(general=False, most=6)


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    return a_studio(tmp_path_factory.mktemp("more") / "home")


@pytest.fixture(scope="module")
def pirates(studio):
    return prepared_example(studio)


@pytest.fixture(scope="module")
def pirate(studio, pirates):
    return trained(studio, pirates, max_steps=24)


@pytest.fixture(scope="module")
def whole(studio, pirate):
    """With the general check, cut in the middle."""
    task = Task(studio.workspace.find(LOCAL, "exams", studio.start_exam(LOCAL, pirate.id, options=Options(most=6))))
    worker.advance(task, studio.workspace.models, seconds=4)
    worker.advance(task, studio.workspace.models)
    assert progress(task).stage == "finished", progress(task).failure
    return task


def test_free_text_is_compared_by_letters_and_by_meaning(studio, whole):
    outcome = studio.outcome(LOCAL, whole.id)
    untouched, tuned = outcome.contestants
    examples, _ = studio.exam_examples(LOCAL, whole.id, part="exam")

    assert outcome.type.name == "text" and outcome.verdicts[-1].metric == "chrf"
    assert outcome.parts["exam"][tuned].metrics["similarity"] == pytest.approx(
        sum(one.scores[tuned]["similarity"] for one in examples) / 6
    )
    assert outcome.parts["exam"][tuned].metrics["chrf"] > outcome.parts["exam"][untouched].metrics["chrf"]
    assert all(one.answers[tuned].startswith("Arr!") for one in examples)


def test_the_general_check_says_what_was_lost_elsewhere_and_is_not_asked_twice(studio, whole, pirate):
    outcome = studio.outcome(LOCAL, whole.id)
    untouched, tuned = outcome.contestants

    assert outcome.general[untouched].asked == outcome.general[tuned].asked
    assert outcome.general[untouched].kl is None and outcome.general[tuned].kl > 0
    assert list(outcome.lights) == [tuned] and outcome.lights[tuned].words.endswith(".")

    again = sat(studio, studio.start_exam(LOCAL, pirate.id, options=Options(most=6)))
    assert progress(again).outputs["given_last"] == 0
    assert studio.outcome(LOCAL, again.id) == outcome
    assert "Elsewhere: **" in studio.model_card(LOCAL, pirate.id)


def test_prompts_are_chosen_on_validation_and_confirmed_on_the_exam(studio, pirates, pirate, whole):
    shout = "Begin every answer with: Arr!"
    options = Options(general=False, most=4, max_new_tokens=12)
    task = sat(studio, studio.try_prompts(LOCAL, pirates, "starter", [shout], [2], tuned=pirate.id, options=options))
    outcome = studio.outcome(LOCAL, task.id)
    names = {key: one.name for key, one in outcome.contestants.items()}
    asked = {one.key: (one.system, len(one.shots)) for one in outcome.contestants.values()}

    assert sorted(asked.values()) == [("", 0), ("", 0), ("", 2), (shout, 0), (shout, 2)]
    assert len(outcome.parts["validation"]) == 5
    finalists = outcome.parts["exam"].keys()
    assert {outcome.chosen} <= finalists and len(finalists) == len(
        {outcome.chosen, *list(names)[:1], *list(names)[-1:]}
    )
    assert studio.exam_card(LOCAL, task.id).kind == "prompts" and outcome.notes
    assert [card.id for card in studio.exams(LOCAL, dataset_id=pirates)] == [
        card.id for card in studio.exams(LOCAL) if card.dataset_id == pirates
    ]
    with pytest.raises(SettingError, match="nothing to try"):
        studio.try_prompts(LOCAL, pirates, "starter")
    assert all(proposal.text and proposal.why for proposal in studio.proposed_prompts(LOCAL, pirates))


def test_of_two_answers_the_better_one_should_be_likelier(studio):
    rows = [
        {"prompt": f"What is {n} plus 1?", "chosen": f"{n} plus 1 is {n + 1}.", "rejected": "No."} for n in range(30)
    ]
    table = [["prompt", "chosen", "rejected"], *([str(cell) for cell in row.values()] for row in rows)]
    dataset = studio.prepare(LOCAL, studio.bring_rows(LOCAL, table, "pairs"), "pairs")
    assert studio.dataset(LOCAL, dataset).summary["type"] == "preference"

    outcome = studio.outcome(LOCAL, sat(studio, studio.compare(LOCAL, dataset, ["starter"], ("exam",), QUICK)).id)

    (scored,) = outcome.parts["exam"].values()
    assert outcome.type.name == "preference" and scored.metrics["preference_accuracy"] > 0.5


def test_plain_text_is_read_and_nothing_is_asked(studio):
    table = [["text"], *([f"The number {n} comes before {n + 1}, and it is a number."] for n in range(30))]
    upload = studio.bring_rows(LOCAL, table, "numbers")
    dataset = studio.prepare(LOCAL, upload, "numbers", {"kind": "text", "type": "text", "text": "text"})
    assert studio.dataset(LOCAL, dataset).summary["type"] == "text"

    task = sat(studio, studio.compare(LOCAL, dataset, ["starter"], ("exam",), QUICK))
    outcome = studio.outcome(LOCAL, task.id)

    (scored,) = outcome.parts["exam"].values()
    assert not Plan.of(task.folder).asks and not (task.folder / "said").exists()
    assert scored.tokens > 10 and scored.perplexity > 1 and scored.metrics.keys() == {"likelihood"}


def test_a_type_chosen_by_hand_counts(studio):
    dataset = small_bank(studio)
    options = Options(general=False, most=3, type="exact")
    outcome = studio.outcome(LOCAL, sat(studio, studio.compare(LOCAL, dataset, ["starter"], ("exam",), options)).id)
    assert outcome.type.name == "exact" and "by hand" in outcome.type.reason
    assert "exact_match" in next(iter(outcome.parts["exam"].values())).metrics
