"""The first screen promises only what is true."""

from facet.dataset.examples import EXAMPLES
from facet.identity import LOCAL
from facet.ui import hero
from facet.ui.asker import Asker, Talk
from facet.ui.hero import EXAMPLE, QUESTIONS, SAMPLE, describe_answers, describe_invitation, describe_work
from facet.work.log import Progress
from tests.journeys import a_studio, prepared_example, queued_run

FILE = next(example.path for example in EXAMPLES if example.name == EXAMPLE).read_text("utf-8")


def test_the_example_it_shows_is_one_of_the_file():
    assert all(f'"{words}"' in FILE for words in SAMPLE)
    assert FILE.count("\n") == 100 and "One of the 100 examples" in describe_invitation(100)


def test_the_questions_are_about_things_the_examples_do_not_mention():
    assert all(question not in FILE for question in QUESTIONS)
    assert all(word not in FILE.lower() for word in ("japan", "tokyo", "early", "lion "))


def test_the_work_in_progress_says_what_is_done_and_how_long_it_takes():
    waiting = describe_work(Progress(stage="preparing", words="Loading the libraries"), 100)
    assert "Loading the libraries" in waiting and "until the answers" in waiting and "Read 100 examples" in waiting
    learning = describe_work(Progress(stage="running", step=10, total_steps=40), 100)
    assert "10 of 40 steps" in learning and 'aria-valuenow="25"' in learning
    failed = describe_work(Progress(stage="failed", failure={"what": "A.", "why": "<b>", "next": "C."}), 100)
    assert "That did not work" in failed and "&lt;b&gt;" in failed


def test_both_answers_stand_beside_each_other_and_are_escaped():
    talk = Talk(("Who?",), ["plain"], ["<i>Arr</i>"], waiting="", done=True)
    shown = describe_answers(talk, Progress(stage="finished", step=40, working_seconds=12))
    assert "plain" in shown and "&lt;i&gt;Arr&lt;/i&gt;" in shown and "40 steps" in shown


def test_a_run_that_was_paused_is_looked_at_again_for_it_may_go_on(tmp_path):
    studio = a_studio(tmp_path / "home")
    run_id = queued_run(studio, prepared_example(studio)).id
    asker = Asker(studio)

    def now() -> tuple[str, float]:
        _, view, _, _, tick, *_ = hero._shown(studio, asker, LOCAL, run_id)
        assert tick.active
        return view, tick.value

    studio.pause(LOCAL, run_id)
    assert "You find it on the Train tab" in now()[0] and now()[1] == hero.LOOK_AGAIN
    studio.resume(LOCAL, run_id)
    assert "until the answers" in now()[0] and now()[1] == hero.LOOK_EVERY
