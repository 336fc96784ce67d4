"""Loss and perplexity: equal to a direct computation, measured on both sides, and resumed without a trace."""

import math

import pytest

from facet import starter
from facet.errors import SettingError
from facet.exam.exam import Score, negative_log_likelihood, words
from facet.identity import LOCAL
from facet.work import log, worker
from facet.work.task import Task
from tests.journeys import a_studio, prepared_example, progress, queued_run


def test_the_sentence_says_no_more_than_the_numbers():
    def results(before: float, after: float):
        return {"exam": {"base": Score(10, 100, before * 100), "tuned": Score(10, 100, after * 100)}}

    assert "2.7 times more likely" in words(results(3.0, 2.0))
    assert "2.7 times less likely" in words(results(2.0, 3.0))
    assert "about as likely" in words(results(2.0, 2.01))
    assert words({}) == "Not measured yet."


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    studio = a_studio(tmp_path_factory.mktemp("exam") / "home")
    return studio, prepared_example(studio)


@pytest.mark.tiny
def test_the_loss_equals_a_direct_computation_to_six_digits():
    import torch

    from facet.dataset.render import Renderer
    from facet.model.load import load_base
    from facet.model.tokens import IGNORED

    renderer, model = Renderer.load(starter.FOLDER), load_base(starter.FOLDER, "float32", "cpu")
    rows = [
        [
            {"role": "user", "content": f"What is {n} plus 2?"},
            {"role": "assistant", "content": f"{n} plus 2 is {n + 2}." * n},
        ]
        for n in range(1, 6)
    ]
    rendered = renderer.render_many(rows)
    labels = [[t if m else IGNORED for t, m in zip(r.ids, r.trained, strict=True)] for r in rendered]

    nats, tokens = negative_log_likelihood(model, {"input_ids": [r.ids for r in rendered], "labels": labels}, "cpu")

    direct = sum(
        float(model(input_ids=torch.tensor([r.ids]), labels=torch.tensor([row])).loss) * sum(r.trained)
        for r, row in zip(rendered, labels, strict=True)
    )
    assert tokens == sum(sum(r.trained) for r in rendered)
    assert nats / tokens == pytest.approx(direct / tokens, abs=1e-6)


@pytest.mark.tiny
def test_a_test_that_is_stopped_and_resumed_gives_the_same_numbers(lab):
    studio, dataset_id = lab
    run = queued_run(studio, dataset_id)
    with pytest.raises(SettingError, match="no model"):
        studio.start_exam(LOCAL, run.id)
    list(studio.backend.advance(run))
    whole = Task(studio.workspace.find(LOCAL, "exams", studio.start_exam(LOCAL, run.id)))
    list(studio.backend.advance(whole))
    before = studio.exam(LOCAL, run.id)
    assert before.progress.stage == "finished", before.progress.failure
    assert before.results["exam"]["tuned"].loss < before.results["exam"]["base"].loss
    assert before.results["exam"]["base"].perplexity == pytest.approx(math.exp(before.results["exam"]["base"].loss))

    cut = Task(studio.workspace.find(LOCAL, "exams", studio.start_exam(LOCAL, run.id)))
    cut.ask_to_stop("pause")
    worker.advance(cut, studio.workspace.models)
    assert progress(cut).stage == "paused"
    cut.clear_stop()
    worker.advance(cut, studio.workspace.models)

    assert studio.exam(LOCAL, run.id).results == before.results
    assert studio.exam(LOCAL, run.id).id == cut.id


@pytest.mark.tiny
def test_a_deleted_run_takes_its_tests_along(lab):
    studio, dataset_id = lab
    run = queued_run(studio, dataset_id, max_steps=2)
    list(studio.backend.advance(run))
    exam_id = studio.start_exam(LOCAL, run.id)
    assert log.progress_of(Task(studio.workspace.find(LOCAL, "exams", exam_id)).events_file).stage == "waiting"

    studio.delete(LOCAL, "runs", run.id)

    assert exam_id not in [folder.name for folder in studio.workspace.all(LOCAL, "exams")]
    assert not (studio.workspace.shelf(LOCAL, "exams") / exam_id).exists()
