"""The Runs tab: a list to search, several runs beside each other, one run in words, and starting one again."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from facet.errors import NotFoundError, SettingError
from facet.identity import LOCAL
from facet.recipe.knobs import settings
from facet.train.history import compare
from facet.ui import again as start_again
from facet.ui import runs, runs_about, runs_compare
from facet.ui.train_words import Start
from tests.journeys import a_studio, prepared_example
from tests.train.test_history_of_runs import a_run

pytestmark = pytest.mark.page
HOSTILE = "<script>alert(1)</script> `x` \"'"


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    return a_studio(tmp_path_factory.mktemp("runs") / "home")


@pytest.fixture(scope="module")
def tasks(studio):
    dataset_id = prepared_example(studio)
    return [a_run(studio, dataset_id, f"Run {n} {HOSTILE}", learning_rate=n * 1e-3) for n in range(1, 7)]


def test_every_run_can_be_ticked_and_nothing_of_a_persons_is_markup(studio, tasks):
    studio.note(LOCAL, tasks[0].id, HOSTILE)
    listed = str(runs.describe(studio.runs(LOCAL), {}))

    assert listed.count('type="checkbox"') == 6 and 'type="search"' in listed
    assert "<script" not in listed and "Compare Run 1" in listed


def test_one_run_alone_is_neither_searched_nor_compared(studio, tasks):
    listed = str(runs.describe(studio.runs(LOCAL)[:1], {}))

    assert 'type="search"' not in listed and "Tick two" not in listed


def test_six_runs_have_six_lines_and_a_table_of_what_differs(studio, tasks):
    box, which, chart, words = runs_compare.shown(studio, LOCAL, [task.id for task in tasks], "loss", "step")

    assert box.visible and chart.visible and which.value == "loss"
    assert ("Validation loss", "validation_loss") in which.choices
    figure = runs_compare.overlay([studio.run(LOCAL, task.id) for task in tasks], "loss", "step")
    assert len({line.line.color for line in figure.data}) == 6 and not figure.layout.annotations
    assert "Learning speed" in words and "Adapter size" not in words and "<script" not in words
    assert words.count('class="f-swatch"') == 18


def test_a_curve_that_no_chosen_run_has_gives_way_to_the_validation_loss(studio, tasks):
    _, which, _, _ = runs_compare.shown(studio, LOCAL, [tasks[0].id, tasks[1].id], "memory_gb", "epoch")

    assert which.value == "validation_loss"


def test_a_run_that_is_gone_is_said_in_place_of_the_comparison(studio, tasks):
    _, _, chart, words = runs_compare.shown(studio, LOCAL, [tasks[0].id, "2026-01-01-gone-abcd"], "loss", "step")

    assert not chart.visible and 'role="alert"' in words


def test_equal_runs_are_said_to_be_equal(studio, tasks):
    card = studio.run(LOCAL, tasks[0].id)

    assert "are the same" in str(runs_compare.describe(compare([card, card], [None, None])))


def test_what_can_be_taken_is_there_and_holds_no_example(studio, tasks):
    rows = studio.shelf.folder(LOCAL, studio.datasets(LOCAL)[0].id)
    for take, named in (("file", "facet-run.yaml"), ("script", "train.py")):
        file, words = runs_about.taken(studio, LOCAL, tasks[0].id, take)
        assert file and file.name == named and "f-note good" in words
        assert "Arr" not in file.read_text("utf-8") and str(studio.workspace.home) not in file.read_text("utf-8")
    file, _ = runs_about.taken(studio, LOCAL, tasks[0].id, "tensorboard")
    assert rows.is_dir() and zipfile.is_zipfile(file)


def test_about_a_run_names_its_settings_unlike_the_advice(studio, tasks):
    words = str(runs_about.describe(studio, LOCAL, tasks[5].id))

    assert "unlike the balanced advice" in words and "<script" not in words


def test_start_again_keeps_every_setting_until_something_it_was_chosen_for_changes(studio, tasks):
    again = studio.again(LOCAL, tasks[2].id)
    filling = start_again.filled(studio, LOCAL, again, "any", "quick")[0]
    asked = (again.dataset_id, "starter", "any", "quick")

    found = start_again.recipe_again(filling, *asked)

    assert all(getattr(found, one.name) == getattr(again.recipe, one.name) for one in settings(type(again.recipe)))
    for place in range(4):
        other = [*asked[:place], "another", *asked[place + 1 :]]
        assert start_again.recipe_again(filling, *other) is None
    assert start_again.recipe_again(None, *asked) is None


def test_start_again_of_a_run_that_went_on_from_another_keeps_what_it_went_on_from(studio, tasks):
    again = replace(studio.again(LOCAL, tasks[2].id), start_from=f"{tasks[2].id}@0")
    mine = start_again.filled(studio, LOCAL, again, "any", "quick")[6]
    assert mine.visible and mine.value is None, "nothing else is taken for what is not there"

    task = studio.runs_shelf.task(LOCAL, tasks[2].id)
    told = task.folder / "task.json"
    before = told.read_text("utf-8")
    noted = {"start_from": {"run": "gone", "name": "gone", "adapter_sha256": "0" * 64, "from": None}}
    told.write_text(json.dumps(json.loads(before) | {"request": task.request | noted}), "utf-8")
    try:
        mine = start_again.filled(studio, LOCAL, again, "any", "quick")[6]
        assert mine.value == again.start_from
        assert dict((key, name) for name, key in mine.choices)[again.start_from].startswith("Run 3 ")
        begun = Start.of(studio, LOCAL, "mine", "", "", again.start_from)
        assert (begun.model, begun.run_id) == ("starter", again.start_from)
    finally:
        told.write_text(before, "utf-8")


@pytest.mark.parametrize(
    ("base", "asked_for"), [("unsloth/gemma-3-270m-it", "google/gemma-3-270m-it"), ("ann/own", "ann/own")]
)
def test_start_again_takes_the_model_as_it_was_then_and_any_other_as_it_is_now(studio, tasks, base, asked_for):
    again = replace(studio.again(LOCAL, tasks[2].id), base_model=base, revision="a" * 40)
    filling = start_again.filled(studio, LOCAL, again, "any", "quick")[0]

    assert filling["revision"] == "a" * 40
    assert start_again.is_still_again(filling, again.dataset_id, asked_for, "any", "quick")
    assert not start_again.is_still_again(filling, again.dataset_id, "starter", "any", "quick")
    assert not start_again.is_still_again(None, again.dataset_id, asked_for, "any", "quick")


@pytest.mark.parametrize(
    ("template", "shown", "which", "own"),
    [(None, False, None, ""), ("plain", True, "plain", ""), ("{{ messages }}", True, "own", "{{ messages }}")],
)
def test_start_again_brings_the_model_as_the_list_names_it_and_the_template(
    studio, tasks, template, shown, which, own
):
    more = {"template": template} if template else {}
    again = replace(studio.again(LOCAL, tasks[2].id), base_model="unsloth/gemma-3-270m-it", more=more)

    filling, *_, chosen, text, _ = start_again.filled(studio, LOCAL, again, "any", "quick")

    assert filling["model"] == "google/gemma-3-270m-it"
    further = start_again.filled(studio, LOCAL, replace(again, start_from=tasks[2].id), "any", "quick")[0]
    assert further["model"] == "unsloth/gemma-3-270m-it", "what goes on learning names the copy it was made from"
    assert (chosen.visible, chosen.value, text.value) == (shown, which, own)


def test_a_run_file_gives_the_same_as_the_run_it_came_from(studio, tasks, tmp_path):
    file = tmp_path / "facet-run.yaml"
    file.write_text(studio.run_file(LOCAL, tasks[3].id), "utf-8")

    from_file, from_run = studio.again_from_file(LOCAL, file), studio.again(LOCAL, tasks[3].id)

    assert (from_file.recipe, from_file.dataset_id) == (from_run.recipe, from_run.dataset_id)
    assert from_file.base_model == from_run.base_model


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (("learning_rate: 0.004", "learning_rate: fast"), SettingError),
        (("method: sft", "method: magic"), SettingError),
        (("learning_rate:", "unknown_setting: 1\n  learning_rate:"), SettingError),
        (("facet_run: 1", "facet_run: 2"), SettingError),
    ],
)
def test_a_run_file_of_a_stranger_is_refused_with_the_reason(studio, tasks, tmp_path, change, error):
    text = studio.run_file(LOCAL, tasks[3].id)
    assert change[0] in text
    file = tmp_path / "facet-run.yaml"
    file.write_text(text.replace(*change), "utf-8")

    with pytest.raises(error):
        studio.again_from_file(LOCAL, file)


def test_on_the_page_a_run_file_opens_no_file_of_this_machine(studio, tasks, tmp_path):
    secret = tmp_path / "secret.jsonl"
    secret.write_text('{"a": 1}\n')
    text = studio.run_file(LOCAL, tasks[3].id)
    fingerprint = studio.run(LOCAL, tasks[3].id).dataset["fingerprint"]
    text = (
        text.replace(fingerprint, "0" * 64)
        .replace("kind: example", "kind: file")
        .replace("where: pirate", f"where: {secret}")
    )
    file = tmp_path / "facet-run.yaml"
    file.write_text(text, "utf-8")

    with pytest.raises(NotFoundError, match="not here"):
        studio.again_from_file(LOCAL, file)
    assert Path(secret).exists()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"test_size": "abc"}, "test_size: abc"),
        ({"validation_size": 0.9}, "validation_size: 0.9"),
        ({"seed": -1}, "seed: -1"),
        ({"mapping": 3}, "mapping"),
        ({"correction": 3}, "correction"),
        ({"correction": {"encoding": 8}}, "correction"),
        ({"cleaning": {"scrub": True}}, "cleaning"),
        ({"cleaning": [1]}, "cleaning"),
        ({"sample_size": "many"}, "sample_size: many"),
        ({"splits": "mine"}, "splits: mine"),
        ({"stratify": 3}, "stratify: 3"),
        ({"repairs": [{"kind": "shell", "command": "x"}]}, "repairs"),
        ({"repairs": {"kind": "mend_letters"}}, "repairs"),
    ],
    ids=str,
)
def test_data_of_a_run_file_that_cannot_be_prepared_is_refused_before_anything_is_brought(studio, tmp_path, data, said):
    file = tmp_path / "facet-run.yaml"
    described = {"facet_run": 1, "model": {"id": "starter"}, "recipe": {}}
    source = {"source": {"kind": "example", "where": "household"}}
    file.write_text(yaml.safe_dump(described | {"data": source | data}), "utf-8")

    with pytest.raises(SettingError, match="not a run file") as refused:
        studio.again_from_file(LOCAL, file)

    assert said in refused.value.why
