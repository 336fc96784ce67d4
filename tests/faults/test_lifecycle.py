"""What may happen to a person's work while it lives, case by case: each has a test, here or in its own room.

`CASES` is the list; the last test of this file holds it against the tests that there are.
"""

import ast
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from facet.errors import CapacityError, FacetError, SettingError
from facet.export import bundle
from facet.identity import LOCAL, Person
from facet.model.tuned import ADAPTER_FILES
from facet.recipe.recipes import SftRecipe
from facet.studio import Studio
from facet.ui.live import look
from facet.ui.pace import Pace
from facet.ui.words import STAGE_WORDS
from facet.work import checkpoint, log, worker
from facet.work.task import Task
from facet.workspace import read_json, write_json
from tests.journeys import TASTE, a_studio, prepared_example, progress, queued_run

pytestmark = [pytest.mark.faults, pytest.mark.tiny]
TESTS = Path(__file__).parents[1]
HERE = "faults/test_lifecycle.py"
CASES: dict[str, tuple[str, ...]] = {
    "the data is deleted while it is learned from": (f"{HERE}::test_data_that_is_renamed_replaced_or_deleted_",),
    "the data is renamed meanwhile": (f"{HERE}::test_data_that_is_renamed_replaced_or_deleted_",),
    "other data comes under the same name": (f"{HERE}::test_data_that_is_renamed_replaced_or_deleted_",),
    "the columns are chosen in two tabs": (f"{HERE}::test_two_choices_of_columns_make_two_datasets",),
    "start is pressed twice": (f"{HERE}::test_a_second_press_waits", f"{HERE}::test_of_two_starts_at_once_"),
    "the same is started in two tabs": ("train/test_twins.py::test_the_second_start_of_the_same_",),
    "stop is pressed twice": (f"{HERE}::test_stop_pressed_twice_is_pressed_once",),
    "stop is pressed during a save": (f"{HERE}::test_stop_during_a_save_keeps_a_whole_model",),
    "stop is pressed before the first step": (f"{HERE}::test_stop_before_the_first_step_",),
    "pause and resume are pressed in a hurry": (
        f"{HERE}::test_pause_and_resume_in_a_hurry_",
        "work/test_conductor.py::test_resume_pressed_twice_",
        "faults/test_kills.py::test_pause_and_resume_by_button_",
    ),
    "the page is refreshed in each state": (
        f"{HERE}::test_a_refreshed_page_says_what_is_true_in_every_state",
        "browser/test_runs_live.py::test_a_link_opens_the_run_and_a_refresh_shows_the_truth",
    ),
    "the browser is closed for a day": (
        "faults/test_kills.py::test_the_app_is_killed_and_the_run_goes_on_",
        "work/test_people_on_disk.py::test_visitors_go_after_a_day_unless_",
    ),
    "telephone and desktop at once": ("browser/test_runs_live.py::test_a_second_window_sees_a_pause_",),
    "the back button": (f"{HERE}::test_the_page_makes_no_history_to_go_back_through",),
    "somebody else's session id": (
        "ui/test_people.py::test_nobody_can_act_in_or_listen_to_another_persons_page",
        "ui/test_isolation.py::test_an_open_page_of_ann_answers_nobody_else",
    ),
    "the server is killed": ("faults/test_restarts.py::test_three_restarts_in_one_run_",),
    "the conductor is killed": ("faults/test_kills.py::test_the_app_is_killed_and_the_run_goes_on_",),
    "the worker is killed": ("faults/test_kills.py::test_four_kills_leave_no_trace_",),
    "both are killed": ("bucket/test_bucket_restart.py::test_a_run_whose_space_restarted_twice_",),
    "after a reboot another process has the worker's number": (
        f"{HERE}::test_a_foreign_process_with_the_workers_number_is_left_alone",
        "work/test_queue.py::test_a_process_is_known_by_more_than_its_number",
    ),
    "the clock jumps back": (f"{HERE}::test_a_clock_that_jumps_back_",),
    "two servers on one folder": (
        "work/test_conductor.py::test_two_conductors_never_share_a_folder",
        "work/test_taking_turns.py::test_of_two_conductors_one_works_",
    ),
    "the disk is full": (
        "faults/test_disk_full.py::test_a_disk_that_is_full_",
        "train/test_room.py::test_a_disk_that_is_full_at_the_end_",
    ),
    "an upload is cut off": ("ui/test_cut_upload.py::test_an_upload_that_is_cut_off_",),
    "the same file is uploaded twice": (f"{HERE}::test_the_same_file_twice_is_two_files",),
    "the queue is full": (
        "compute/test_line.py::test_the_line_has_an_end",
        "load/test_crowd.py::test_who_asks_a_thousand_times_",
    ),
    "one run more than the quota": ("work/test_people_on_disk.py::test_one_more_than_the_quota_",),
    "a visitor's quota": (
        "work/test_people_on_disk.py::test_two_at_once_do_not_get_past_the_quota",
        f"{HERE}::test_of_two_starts_at_once_",
    ),
    "the janitor comes during an export": (f"{HERE}::test_the_janitor_leaves_an_export_alone",),
    "runs of an earlier and of a later Facet": (f"{HERE}::test_a_run_of_another_version_",),
    "the waiting line's file is damaged": ("work/test_queue.py::test_a_damaged_file_is_set_aside_",),
    "the newest save point is damaged": ("faults/test_kills.py::test_a_spoiled_newest_save_point_",),
    "ZeroGPU: a slice is aborted, minutes are gone, the visitor leaves": (
        "compute/test_zerogpu.py::test_a_scheduler_in_trouble_loses_no_run",
        "compute/test_zerogpu.py::test_what_is_asked_for_fits_the_quota_",
        "compute/test_zerogpu.py::test_closing_the_page_saves_",
    ),
    "a Space is put to sleep": (
        "bucket/test_bucket_goodbye.py::test_told_to_end_it_copies_what_is_new",
        "bucket/test_bucket_restart.py::test_a_run_whose_space_restarted_twice_",
    ),
    "a Hub job is cancelled, times out or loses its logs": (),  # Facet trains in no Hub jobs
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> tuple[Studio, str]:
    studio = a_studio(tmp_path_factory.mktemp("lifecycle") / "home")
    return studio, prepared_example(studio)


def advanced(studio: Studio, task: Task) -> log.Progress:
    worker.advance(task, studio.workspace.models)
    return progress(task)


def test_data_that_is_renamed_replaced_or_deleted_changes_nothing_for_the_run_that_learns_from_it(lab, monkeypatch):
    studio, _ = lab
    mine, other = prepared_example(studio), prepared_example(studio)
    alone, task = queued_run(studio, mine, max_steps=4), queued_run(studio, mine, max_steps=4)
    untouched = advanced(studio, alone)
    upload = studio.bring_example(LOCAL, "json_replies")

    def meanwhile(self: object) -> None:
        studio.rename(LOCAL, "datasets", other, "another")
        studio.prepare(LOCAL, upload, studio.dataset(LOCAL, mine).name)
        studio.delete(LOCAL, "datasets", mine)

    monkeypatch.setattr(Task, "stop_asked", _once(meanwhile, Task.stop_asked))

    done = advanced(studio, task)
    assert done.stage == "finished", done.failure
    assert done.outputs["adapter_sha256"] == untouched.outputs["adapter_sha256"]
    assert mine not in [card.id for card in studio.datasets(LOCAL)]
    assert studio.run(LOCAL, task.id).dataset_name, "it knows what it learned from"


def _once(act, real):
    """`real`, with `act` done before the second time it is asked: a slice has begun to work by then."""
    asked: list[int] = []

    def stand_in(self):
        asked.append(1)
        if len(asked) == 2:
            act(self)
        return real(self)

    return stand_in


def test_two_choices_of_columns_make_two_datasets_and_neither_is_lost(lab, tmp_path):
    studio, _ = lab
    file = tmp_path / "both.csv"
    file.write_text("a,b\n" + "".join(f"one {n},two {n}\n" for n in range(40)))
    upload = studio.bring_file(LOCAL, file, "both.csv")
    first, second = (
        studio.prepare(LOCAL, upload, "both", {"kind": "question_answer", "user": question, "assistant": answer})
        for question, answer in (("a", "b"), ("b", "a"))
    )
    assert first != second
    assert [studio.dataset(LOCAL, made).summary["mapping"]["user"] for made in (first, second)] == ["a", "b"]


def test_a_second_press_waits_for_the_answer_to_the_first(tmp_path):
    from facet.ui.page import build

    page = build(a_studio(tmp_path / "home"))
    pressed = {each["api_name"]: each["trigger_mode"] for each in page.config["dependencies"]}
    for button in ("page_start", "page_prepare", "page_publish", "page_press", "page_delete"):
        assert pressed[button] == "once", f"{button} could be asked for twice by a double click"


def test_of_two_starts_at_once_a_visitor_gets_one_and_the_other_is_told(lab):
    studio, _ = lab
    ann = Person("visitor-" + "a" * 24, "Visitor", "visitor")
    dataset = prepared_example(studio, person=ann)
    came: list[object] = []

    def start() -> None:
        try:
            came.append(queued_run(studio, dataset, ann))
        except FacetError as error:
            came.append(error)

    tabs = [threading.Thread(target=start) for _ in range(3)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()

    told = [each for each in came if isinstance(each, CapacityError)]
    assert len(studio.runs(ann)) == 1 and len(told) == 2
    assert "still going on" in told[0].what


def test_stop_pressed_twice_is_pressed_once(lab):
    studio, dataset = lab
    task = queued_run(studio, dataset)
    seen = iter(range(10**6))
    real = Task.stop_asked

    def press_twice(self: Task) -> object:
        if next(seen) == 3:
            studio.stop(LOCAL, task.id)
            studio.stop(LOCAL, task.id)
        return real(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Task, "stop_asked", press_twice)
        ended = advanced(studio, task)
    studio.stop(LOCAL, task.id)

    assert ended.stage == "finished" and ended.early and ended.step < TASTE["max_steps"]
    assert progress(task) == ended, "the third press changes nothing"
    assert studio.run(LOCAL, task.id).has_model


@pytest.mark.parametrize("how", ["keep", "pause"])
def test_stop_during_a_save_keeps_a_whole_model_and_a_pause_a_whole_save_point(lab, monkeypatch, how):
    studio, dataset = lab
    task, seal = queued_run(studio, dataset, max_steps=12), checkpoint.seal

    def pressed_meanwhile(*given: object) -> object:
        task.ask_to_stop(how)
        return seal(*given)

    monkeypatch.setattr(checkpoint, "seal", pressed_meanwhile)
    ended = advanced(studio, task)

    assert ended.step < 12
    assert checkpoint.verified(task.checkpoints / f"{ended.step:06d}")
    if how == "keep":
        assert ended.stage == "finished" and ended.early
        assert checkpoint.sha256(task.folder / "adapter" / ADAPTER_FILES[0]) == ended.outputs["adapter_sha256"]
    else:
        assert ended.stage == "paused"


def test_stop_before_the_first_step_is_refused_or_keeps_the_first_step(lab):
    studio, dataset = lab
    task = queued_run(studio, dataset)
    with pytest.raises(SettingError, match="nothing to keep"):
        studio.stop(LOCAL, task.id)
    with task.lock():  # a worker that is still loading
        studio.stop(LOCAL, task.id)
    ended = advanced(studio, task)
    assert ended.stage == "finished" and ended.early and ended.step == 1


def test_pause_and_resume_in_a_hurry_end_as_the_last_press_says(lab):
    studio, dataset = lab
    task = queued_run(studio, dataset, max_steps=3)
    for _ in range(5):
        studio.pause(LOCAL, task.id)
        studio.resume(LOCAL, task.id)
    assert progress(task).stage == "waiting" and task.stop_asked() is None
    assert advanced(studio, task).stage == "finished"

    other = queued_run(studio, dataset, max_steps=3)
    for _ in range(5):
        studio.resume(LOCAL, other.id)
        studio.pause(LOCAL, other.id)
    assert progress(other).stage == "paused" and not other.resume_asked()


STATES: dict[str, list[log.Event]] = {
    "waiting": [],
    "preparing": [log.Staged(words="Reading the data")],
    "running": [log.Started(total_steps=9), log.Logged(step=4, values={"loss": 1.0})],
    "paused": [log.Started(total_steps=9), log.Paused(step=4)],
    "interrupted": [log.Started(total_steps=9), log.Interrupted()],
    "finished": [log.Started(total_steps=9), log.Finished(step=9)],
    "failed": [log.Started(total_steps=9), log.Failed.of(CapacityError("It is full.", "So it is.", "Do that."))],
}


@pytest.mark.parametrize("stage", STAGE_WORDS)
def test_a_refreshed_page_says_what_is_true_in_every_state(lab, stage):
    """A page that was opened anew knows nothing but the run in its address."""
    studio, dataset = lab
    task = queued_run(studio, dataset)
    for event in STATES[stage]:
        log.append(task.events_file, event)

    for seen in (None, ["an older page", 1, "its state", "is not ours"]):
        shown = str(look(studio, Pace(), LOCAL, task.id, seen)[2])
        assert f">{STAGE_WORDS[stage]}<" in shown
    studio.delete(LOCAL, "runs", task.id)


def test_the_page_makes_no_history_to_go_back_through():
    """The address names what is open, and is replaced: “back” leaves the page, and coming again shows the truth."""
    written = "".join(file.read_text("utf-8") for file in (TESTS.parent / "facet" / "ui").glob("*.*"))
    assert "replaceState" in written and "pushState" not in written


def test_a_foreign_process_with_the_workers_number_is_left_alone(lab):
    studio, dataset = lab
    task = queued_run(studio, dataset)
    foreign = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        for started in (None, 1.0, time.time() + 3600):
            write_json(task.folder / "worker.json", {"pid": foreign.pid, "started": started})
            studio.backend.stop(task)
            assert foreign.poll() is None, "it only has the number of a worker that is gone"
        assert advanced(studio, task).stage == "finished", "and it does not hold the run up"
        write_json(task.folder / "worker.json", {"pid": foreign.pid, "started": 1.0})
        studio.delete(LOCAL, "runs", task.id)
        assert foreign.poll() is None
    finally:
        foreign.kill()
        foreign.wait()


def test_a_clock_that_jumps_back_costs_no_result_and_makes_no_negative_time(lab):
    studio, dataset = lab
    task, pace = queued_run(studio, dataset, max_steps=3), Pace()
    now = time.time()
    hours = [now, now - 3600, now - 3590, now - 7200]
    log.append(task.events_file, log.Started(at=hours[0], total_steps=3))
    pace.left(task.id, progress(task))
    for step, at in enumerate(hours[1:], 1):
        log.append(task.events_file, log.Logged(at=at, step=step, values={"loss": 1.0}))
        left = pace.left(task.id, progress(task))
        assert left is None or left >= 0
    before = progress(task)
    assert 0 <= before.working_seconds <= 10.1
    assert look(studio, pace, LOCAL, task.id, None)

    log.append(task.events_file, log.Interrupted(at=hours[-1]))
    assert advanced(studio, task).stage == "finished"
    assert studio.run(LOCAL, task.id).progress.working_seconds >= before.working_seconds


def test_the_same_file_twice_is_two_files_and_each_is_whole(lab, tmp_path):
    studio, _ = lab
    file = tmp_path / "same.csv"
    file.write_text("question,answer\n" + "".join(f"what is {n}?,it is {n}\n" for n in range(40)))
    brought: list[str] = []

    def bring() -> None:
        brought.append(studio.bring_file(LOCAL, file, "same.csv"))

    tabs = [threading.Thread(target=bring) for _ in range(2)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert len(set(brought)) == 2
    made = [studio.prepare(LOCAL, upload, "same") for upload in brought]
    assert len({studio.dataset(LOCAL, dataset).summary["fingerprint"] for dataset in made}) == 1


def test_the_janitor_leaves_an_export_alone_that_is_being_made(lab, monkeypatch):
    studio, dataset = lab
    task = queued_run(studio, dataset, max_steps=2)
    assert advanced(studio, task).stage == "finished"
    alone = studio.download(LOCAL, task.id).read_bytes()
    zipped = bundle.zipped

    def with_the_janitor(folder: Path, into: Path) -> Path:
        for old in studio.workspace.everyones("exports"):
            if old != into.parent:
                os.utime(old, (1, 1))
        studio.janitor()
        made = zipped(folder, into)
        studio.janitor()
        return made

    monkeypatch.setattr(bundle, "zipped", with_the_janitor)
    beside = studio.download(LOCAL, task.id)
    assert beside.read_bytes() == alone
    assert [folder.name for folder in studio.workspace.everyones("exports")] == [beside.parent.name]


def test_a_run_of_another_version_is_listed_shown_and_goes_on(lab):
    """What an earlier Facet did not write has a default; what a later one writes besides is left as it is."""
    studio, dataset = lab
    task = queued_run(studio, dataset, max_steps=3)
    written, about = read_json(task.folder / "task.json"), read_json(task.folder / "about.json")
    written["request"].pop("generation")
    written["request"]["recipe"].pop("evaluations")
    written |= {"of a later time": [1]}
    written["request"] |= {"of a later time": {"a": 1}}
    write_json(task.folder / "task.json", written)
    write_json(task.folder / "about.json", about | {"of a later time": True})
    with open(task.events_file, "a") as events:
        events.write(json.dumps({"kind": "of a later time", "at": 1.0}) + "\n")

    assert studio.run(LOCAL, task.id).recipe.evaluations == SftRecipe().evaluations
    assert task.id in [card.id for card in studio.runs(LOCAL)]
    assert advanced(studio, task).stage == "finished", progress(task).failure
    studio.rename(LOCAL, "runs", task.id, "renamed")
    assert read_json(task.folder / "about.json")["of a later time"] is True
    assert studio.run_file(LOCAL, task.id)


def test_a_run_with_a_setting_of_a_later_version_is_not_trained_with_another_one_in_its_place(lab):
    studio, dataset = lab
    task = queued_run(studio, dataset, max_steps=3)
    written = read_json(task.folder / "task.json")
    written["request"]["recipe"]["of_a_later_time"] = 7
    write_json(task.folder / "task.json", written)

    assert advanced(studio, task).stage != "finished"
    assert not (task.folder / "adapter").exists()
    assert studio.runs(LOCAL), "the others are listed all the same"


def test_every_case_has_a_test_that_exists():
    missing = [
        f"{case}: {named}"
        for case, tests in CASES.items()
        for named in tests
        if not any(name.startswith(named.partition("::")[2]) for name in functions_of(named.partition("::")[0]))
    ]
    assert missing == []
    assert [case for case, tests in CASES.items() if not tests] == [
        "a Hub job is cancelled, times out or loses its logs"
    ]


def functions_of(file: str) -> list[str]:
    tree = ast.parse((TESTS / file).read_text("utf-8"))
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
