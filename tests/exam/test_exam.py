"""A test as a task: measured right, killed and resumed without a trace, never answered twice, and one's own alone."""

import json
import math
import os
import random
import shutil
import signal
import time

import pytest

from facet import starter
from facet.errors import DataError, NotFoundError, SettingError
from facet.exam.exams import Options
from facet.identity import LOCAL, Person
from facet.work import log, worker
from facet.work.task import Task
from tests.exam.small_bank import sat, small_bank, trained, written
from tests.journeys import a_studio, progress, queued_run

pytestmark = pytest.mark.tiny
QUICK = Options(general=False)
ANN, BEN = Person("ann", "Ann", "local"), Person("ben", "Ben", "local")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    studio = a_studio(tmp_path_factory.mktemp("exam") / "home")
    dataset = small_bank(studio)
    return studio, dataset, trained(studio, dataset)


@pytest.fixture(scope="module")
def tested(lab):
    studio, _, run = lab
    exam_id = studio.start_exam(LOCAL, run.id, options=QUICK)
    return exam_id, sat(studio, exam_id)


def test_the_perplexity_equals_a_direct_computation_to_six_digits(lab, tested):
    import torch

    from facet.dataset.render import Renderer
    from facet.exam.questions import read_questions
    from facet.model.load import load_base

    studio, _, _ = lab
    exam_id, task = tested
    renderer, model = Renderer.load(starter.FOLDER), load_base(starter.FOLDER, "float32", "cpu")
    nats = tokens = 0.0
    for question in read_questions(task.folder):
        if question.part == "exam":
            whole = renderer.render([*question.messages, {"role": "assistant", "content": question.expected}])
            labels = [token if taught else -100 for token, taught in zip(whole.ids, whole.trained, strict=True)]
            loss = model(input_ids=torch.tensor([whole.ids]), labels=torch.tensor([labels])).loss
            nats, tokens = nats + float(loss) * sum(whole.trained), tokens + sum(whole.trained)

    outcome = studio.outcome(LOCAL, exam_id)
    untouched = next(key for key, one in outcome.contestants.items() if one.is_untouched)
    measured = outcome.parts["exam"][untouched]
    assert measured.tokens == tokens
    assert measured.loss == pytest.approx(nats / tokens, abs=1e-6)
    assert measured.perplexity == pytest.approx(math.exp(nats / tokens), rel=1e-6)
    assert measured.bits_per_token == pytest.approx(nats / tokens / math.log(2), abs=1e-6)


def test_categories_are_seen_and_everything_about_them_is_measured(lab, tested):
    studio, _, run = lab
    exam_id, task = tested
    outcome, card = studio.outcome(LOCAL, exam_id), studio.exam(LOCAL, run.id)
    untouched, tuned = outcome.contestants
    splits = studio.run(LOCAL, run.id).dataset["splits"]

    assert outcome.type.name == "classification" and outcome.type.labels == ("card", "loan", "money", "phone")
    assert [outcome.contestants[key].adapter != "" for key in (untouched, tuned)] == [False, True]
    assert {part: scored[tuned].rows for part, scored in outcome.parts.items()} == {
        part: splits[part] for part in ("validation", "exam")
    }
    assert {"accuracy", "macro_f1", "roc_auc"} <= outcome.parts["exam"][tuned].metrics.keys()
    assert sum(map(sum, outcome.parts["exam"][tuned].confusion)) == splits["exam"]
    assert outcome.parts["exam"][tuned].loss < outcome.parts["exam"][untouched].loss
    assert [(one.a, one.b, one.comparisons) for one in outcome.verdicts] == [(untouched, tuned, 1)] * 2
    assert card.id == exam_id and card.words == outcome.verdicts[1].words and card.kind == "run"
    assert card.results["exam"]["tuned"].loss == outcome.parts["exam"][tuned].loss
    assert progress(task).step == progress(task).total_steps == 4 * (splits["validation"] + splits["exam"])


def test_answers_are_looked_through_by_words_and_by_who_was_better(lab, tested):
    studio, _, _ = lab
    exam_id, _ = tested
    everything, count = studio.exam_examples(LOCAL, exam_id)
    first, total = studio.exam_examples(LOCAL, exam_id, start=1, count=2)
    found, matching = studio.exam_examples(LOCAL, exam_id, search=everything[0].question.upper())
    exam, of_exam = studio.exam_examples(LOCAL, exam_id, part="exam")
    wrong, of_wrong = studio.exam_examples(LOCAL, exam_id, only="wrong")
    better = studio.exam_examples(LOCAL, exam_id, only="better")[1]
    worse = studio.exam_examples(LOCAL, exam_id, only="worse")[1]

    assert count == total == len(everything) == 12 and first == everything[1:3]
    assert everything[0] in found and matching == len(found) < count
    assert of_exam == 6 and {one.part for one in exam} == {"exam"}
    verdicts = studio.outcome(LOCAL, exam_id).verdicts
    assert (better, worse) == (sum(one.wins for one in verdicts), sum(one.losses for one in verdicts))
    assert all(one.scores[verdicts[0].b]["accuracy"] == 0 for one in wrong) and of_wrong == len(wrong)
    assert [one.disagreement for one in everything] == sorted((one.disagreement for one in everything), reverse=True)


def test_what_a_kill_leaves_behind_at_any_byte_is_gone_on_from_to_the_same_answers(lab, tested, tmp_path):
    studio, _, _ = lab
    _, task = tested
    whole, outcome = written(task.folder), json.loads((task.folder / "results.json").read_text())
    dice = random.Random(6)
    grown = sorted([*task.folder.glob("said/*"), *task.folder.glob("answers/*")], key=lambda file: file.stat().st_mtime)
    for number in range(5):
        cut = Task(shutil.copytree(task.folder, tmp_path / str(number)))
        torn = dice.randrange(len(grown))
        for file in grown[torn + 1 :]:
            (cut.folder / file.relative_to(task.folder)).unlink()
        file = cut.folder / grown[torn].relative_to(task.folder)
        file.write_bytes(file.read_bytes()[: dice.randrange(file.stat().st_size)])
        for name in ("results.json", "examples.jsonl", "events.jsonl"):
            (cut.folder / name).unlink()

        worker.advance(cut, studio.workspace.models)

        assert progress(cut).stage == "finished", progress(cut).failure
        assert written(cut.folder) == whole, (number, grown[torn].name)
        assert json.loads((cut.folder / "results.json").read_text()) == outcome


def test_a_worker_that_is_killed_in_the_middle_leaves_answers_and_the_next_one_keeps_them(lab, tested):
    studio, _, run = lab
    _, before = tested
    for file in before.folder.glob("answers/*"):  # nothing to be had from the earlier test
        file.rename(file.with_suffix(".away"))
    try:
        task = Task(studio.workspace.find(LOCAL, "exams", studio.start_exam(LOCAL, run.id, options=QUICK)))
    finally:
        for file in before.folder.glob("answers/*.away"):
            file.rename(file.with_suffix(".jsonl"))
    child = studio.backend.begin(task)
    while not list(task.folder.glob("said/*")):
        assert child.poll() is None
        time.sleep(0.002)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert not (task.folder / "results.json").exists()

    worker.advance(task, studio.workspace.models)

    assert written(task.folder) == written(before.folder)
    studio.delete(LOCAL, "exams", task.id)


def test_a_pause_is_heard_and_what_was_answered_is_kept(lab, tested):
    studio, dataset, _ = lab
    exam_id = studio.compare(LOCAL, dataset, ["starter"], options=Options(general=False, most=5))
    task = Task(studio.workspace.find(LOCAL, "exams", exam_id))
    studio.pause_exam(LOCAL, exam_id)
    worker.advance(task, studio.workspace.models)
    assert progress(task).stage == "paused" and studio.outcome(LOCAL, exam_id) is None

    studio.resume_exam(LOCAL, exam_id)
    assert progress(task).stage == "waiting"
    task.clear_resume()
    worker.advance(task, studio.workspace.models, seconds=0.5)
    assert progress(task).stage == "waiting" and progress(task).out_of_time
    worker.advance(task, studio.workspace.models)
    assert progress(task).stage == "finished"
    assert next(iter(studio.outcome(LOCAL, exam_id).parts["exam"].values())).rows == 5


def test_what_the_untouched_model_answered_before_is_not_answered_again(tmp_path):
    studio = a_studio(tmp_path / "home")
    dataset = small_bank(studio)
    first = sat(studio, studio.compare(LOCAL, dataset, ["starter"], options=QUICK))
    outcome = studio.outcome(LOCAL, first.id)
    (key,) = outcome.contestants
    assert outcome.verdicts == [] and "6 questions" in studio.exam_card(LOCAL, first.id).words
    file = first.folder / "answers" / f"exam.{key}.jsonl"
    file.write_text(file.read_text().replace('"text": "', '"text": "As I said: '))  # to know it again

    run = trained(studio, dataset)
    studio.delete(LOCAL, "datasets", dataset)
    second = sat(studio, studio.start_exam(LOCAL, run.id, options=QUICK))

    said = [one.answers[key] for one in studio.exam_examples(LOCAL, second.id, part="exam")[0]]
    assert said and all(text.startswith("As I said: ") for text in said)
    assert not (second.folder / "answers" / f"exam.{key}.jsonl").exists()
    assert progress(second).outputs["given_last"] == 12  # the tuned model's alone


def test_other_questions_or_settings_are_answered_anew(lab, tested):
    studio, _, run = lab
    for options in (Options(general=False, max_new_tokens=5), Options(general=False, most=3)):
        task = Task(studio.workspace.find(LOCAL, "exams", studio.start_exam(LOCAL, run.id, options=options)))
        assert not list(task.folder.glob("reused/*"))
        studio.delete(LOCAL, "exams", task.id)


def test_somebody_elses_test_is_not_found(tmp_path):
    studio = a_studio(tmp_path / "home")
    dataset = small_bank(studio, ANN)
    exam = studio.compare(ANN, dataset, ["starter"], options=QUICK)
    run = queued_run(studio, dataset, ANN)
    for act in (
        lambda: studio.exam_card(BEN, exam),
        lambda: studio.outcome(BEN, exam),
        lambda: studio.exam_examples(BEN, exam),
        lambda: studio.download_exam(BEN, exam),
        lambda: studio.pause_exam(BEN, exam),
        lambda: studio.resume_exam(BEN, exam),
        lambda: studio.start_exam(BEN, run.id),
        lambda: studio.exam(BEN, run.id),
        lambda: studio.compare(BEN, dataset, ["starter"]),
        lambda: studio.try_prompts(BEN, dataset, "starter", ["Be kind."]),
        lambda: studio.proposed_prompts(BEN, dataset),
        lambda: studio.delete(BEN, "exams", exam),
    ):
        with pytest.raises(NotFoundError):
            act()
    assert studio.exams(BEN) == [] and [card.id for card in studio.exams(ANN)] == [exam]


def test_somebody_elses_run_is_no_contestant(tmp_path):
    studio = a_studio(tmp_path / "home")
    run = queued_run(studio, small_bank(studio, ANN), ANN)
    mine = small_bank(studio, BEN)
    for target in (run.id, f"{run.id}@3"):
        with pytest.raises((NotFoundError, SettingError)):
            studio.compare(BEN, mine, [target])
    assert studio.exams(BEN) == []


def test_a_run_without_a_model_and_a_save_point_that_is_gone_are_said(lab):
    studio, dataset, run = lab
    waiting = queued_run(studio, dataset)
    with pytest.raises(SettingError, match="no model"):
        studio.start_exam(LOCAL, waiting.id)
    for step in ("5000", "-1", "²", "9" * 12, "../../adapter"):
        with pytest.raises(DataError, match="save point"):
            studio.compare(LOCAL, dataset, [f"{run.id}@{step}"])
    with pytest.raises(SettingError, match="No model was chosen"):
        studio.compare(LOCAL, dataset, [])
    with pytest.raises(SettingError, match="too many models"):
        studio.compare(LOCAL, dataset, [f"{run.id}@{step}" for step in range(9)])
    with pytest.raises(SettingError, match="parts"):
        studio.compare(LOCAL, dataset, ["starter"], parts=("train",))
    for wrong in ({"most": 0}, {"most": math.nan}, {"max_new_tokens": True}, {"type": "essay"}, {"max_length": 10**9}):
        with pytest.raises(SettingError, match="not right"):
            Options(**wrong)


def test_save_points_runs_and_untouched_models_are_compared_on_other_data(lab):
    studio, dataset, run = lab
    step = max(int(folder.name) for folder in run.checkpoints.iterdir() if folder.name.isdigit())
    other = trained(studio, dataset, max_steps=3)
    targets = [run.id, "starter", f"{run.id}@{step}", other.id, other.id]
    exam_id = studio.compare(LOCAL, dataset, targets, ("exam",), Options(general=False, most=4, max_new_tokens=3))
    sat(studio, exam_id)
    outcome = studio.outcome(LOCAL, exam_id)

    assert [one.name for one in outcome.contestants.values()] == ["a run", "Untouched", "a run (2)"]  # the point is it
    assert len(outcome.verdicts) == 3 and {one.comparisons for one in outcome.verdicts} == {3}
    assert {card.id for card in studio.exams(LOCAL, other.id)} == {exam_id}
    studio.delete(LOCAL, "runs", other.id)
    assert studio.outcome(LOCAL, exam_id) == outcome


def test_questions_that_were_learned_are_told(tmp_path):
    studio = a_studio(tmp_path / "home")
    dataset = small_bank(studio)
    run = trained(studio, dataset)
    data = studio.workspace.find(LOCAL, "datasets", dataset)
    shutil.copyfile(data / "train.parquet", data / "learned.parquet")
    (data / "learned.parquet").replace(data / "exam.parquet")
    exam_id = studio.compare(LOCAL, dataset, ["starter", run.id], ("exam",), Options(general=False, most=5))
    sat(studio, exam_id)
    (note,) = studio.outcome(LOCAL, exam_id).notes
    assert note.startswith("5 of the 5 questions of the exam part were among the examples that a run learned from")


def test_an_empty_part_is_said_and_two_empty_ones_end_it(tmp_path):
    studio = a_studio(tmp_path / "home")
    upload = studio.bring_rows(LOCAL, [["question", "answer"], *([f"What is {n}?", f"It is {n}."] for n in range(20))])
    half = studio.prepare(LOCAL, upload, "half", test_size=0.0, validation_size=0.2)
    task = sat(studio, studio.compare(LOCAL, half, ["starter"], options=Options(general=False, type="text")))
    outcome = studio.outcome(LOCAL, task.id)
    assert list(outcome.parts) == ["validation"] and "by hand" in outcome.type.reason
    assert "The exam part is empty, so there is nothing to ask from it." in outcome.notes

    bare = studio.prepare(LOCAL, upload, "bare", test_size=0.0, validation_size=0.0)
    nothing = Task(studio.workspace.find(LOCAL, "exams", studio.compare(LOCAL, bare, ["starter"])))
    worker.advance(nothing, studio.workspace.models)
    assert progress(nothing).failure["what"] == "There is nothing to test on."
    assert studio.outcome(LOCAL, nothing.id) is None and studio.exam_examples(LOCAL, nothing.id) == ([], 0)
    with pytest.raises(NotFoundError):
        studio.download_exam(LOCAL, nothing.id)


def test_a_deleted_run_takes_its_tests_along_also_one_that_works(tmp_path):
    studio = a_studio(tmp_path / "home")
    run = trained(studio, small_bank(studio), max_steps=2)
    exam_id = studio.start_exam(LOCAL, run.id)
    task = Task(studio.workspace.find(LOCAL, "exams", exam_id))
    assert studio.start_exam(LOCAL, run.id) == exam_id
    child = studio.backend.begin(task)
    while log.progress_of(task.events_file).stage == "waiting":
        assert child.poll() is None
        time.sleep(0.02)

    studio.delete(LOCAL, "runs", run.id)

    child.wait(timeout=20)
    assert not task.folder.exists() and studio.exams(LOCAL) == []


def test_results_of_an_earlier_facet_open_as_not_measured(lab):
    studio, _, run = lab
    folder = studio.workspace.create(LOCAL, "exams", "old")
    about = json.loads((folder / "about.json").read_text()) | {"run_id": run.id}
    (folder / "about.json").write_text(json.dumps(about))
    request = {"base": run.request["base"], "parts": ["exam"], "max_length": 128, "run_id": run.id}
    task = Task.create(folder, "exam", request)
    score = {"rows_done": 3, "tokens": 9, "nats": 4.5}
    (folder / "results.json").write_text(json.dumps({"exam": {"base": score, "tuned": score}}))
    log.append(task.events_file, log.Finished(step=6, outputs={"exam_base_loss": 0.5}))

    card = studio.exam(LOCAL, run.id)
    assert (card.id, card.words, card.results) == (folder.name, "Not measured yet.", {})
    assert studio.outcome(LOCAL, folder.name) is None
    assert studio.exam_examples(LOCAL, folder.name) == ([], 0) and studio.model_card(LOCAL, run.id)
    studio.delete(LOCAL, "exams", folder.name)


def test_a_finished_test_is_taken_home_and_stands_in_the_card(lab, tested):
    studio, _, run = lab
    exam_id, _ = tested
    outcome = studio.outcome(LOCAL, exam_id)
    table = studio.download_exam(LOCAL, exam_id, "csv").read_text("utf-8-sig").splitlines()
    rows = [json.loads(line) for line in studio.download_exam(LOCAL, exam_id, "jsonl").read_text().splitlines()]
    text = studio.model_card(LOCAL, run.id)

    assert table[0].startswith("part,row,question,expected,Untouched,Untouched: accuracy") and len(table) == 13
    assert rows[0]["answers"].keys() == {"Untouched", "a run"}
    assert outcome.verdicts[1].words.split(":")[0] in text.replace("\\", "")
    assert "| Right labels |" in text and "| exam (never looked at before) |" in text
    with pytest.raises(SettingError, match="download"):
        studio.download_exam(LOCAL, exam_id, "xlsx")
