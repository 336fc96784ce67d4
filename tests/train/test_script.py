"""A run as a plain script: it says what the trainer was told, holds no example, and does the same when it is run."""

import ast
import json
import subprocess
import sys

import pytest

from facet import starter
from facet.errors import SettingError
from facet.identity import LOCAL
from facet.recipe.knobs import read_recipe
from facet.recipe.recipes import PretrainRecipe, SftRecipe
from facet.train.script import facts, script
from tests.journeys import TASTE, a_studio, prepared_example, queued_run
from tests.train.test_history_of_runs import a_run

PLAIN = {"argparse", "json", "random", "collections", "typing", "pyarrow", "torch", "datasets", "peft", "transformers"}


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    return a_studio(tmp_path_factory.mktemp("script") / "home")


@pytest.fixture(scope="module")
def dataset_id(studio):
    return prepared_example(studio)


def written(studio, task, recipe=None) -> str:
    card = studio.run(LOCAL, task.id)
    if recipe is not None:
        card = type(card)(**{**vars(card), "recipe": recipe})
    return script(card, task, studio.workspace.models)


@pytest.mark.parametrize(
    "recipe",
    [
        SftRecipe(max_steps=3),
        SftRecipe(max_steps=3, train_on="last_answer", use_dora=True),
        SftRecipe(max_steps=3, train_on="everything", tuning="full", train_sampling_strategy="random"),
        SftRecipe(max_steps=3, base_precision="4bit"),
        PretrainRecipe(max_steps=3),
        PretrainRecipe(max_steps=3, packing=False),
    ],
    ids=["lora", "last answer, dora", "full", "4 bits", "texts", "texts, not packed"],
)
def test_the_script_is_python_and_needs_no_facet(studio, dataset_id, recipe):
    text = written(studio, a_run(studio, dataset_id, 'a """name"""\n\\'), recipe)
    tree = ast.parse(text)
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}

    assert {name.split(".")[0] for name in imported} <= PLAIN | {"trl"}
    assert ("LORA = {" in text) == (recipe.tuning == "lora")
    assert ("BitsAndBytesConfig(" in text) == (recipe.base_precision == "4bit")
    assert ("class ByLength" in text) == (recipe.train_sampling_strategy == "group_by_length")
    assert str(studio.workspace.home) not in text
    assert subprocess.run(["ruff", "check", "--select", "F", "-"], input=text, text=True).returncode == 0


def test_a_setting_that_does_nothing_for_texts_is_not_said_to_be_missing(studio, dataset_id):
    task = a_run(studio, dataset_id)
    assert "too long" in written(studio, task, SftRecipe(max_steps=3, too_long="leave_out"))
    assert "too long" not in written(studio, task, PretrainRecipe(max_steps=3, too_long="leave_out"))


def test_every_argument_of_the_trainer_stands_in_it(studio, dataset_id):
    task = a_run(studio, dataset_id, learning_rate=7e-3, lora_rank=3, weight_decay=0.25)
    card = studio.run(LOCAL, task.id)
    text, told = written(studio, task), facts(card, task, studio.workspace.models)
    values = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }

    assert values["TRAINING"] == told["sft"] and values["LORA"] == told["lora"]
    assert values["TRAINING"]["learning_rate"] == 7e-3 and values["LORA"]["r"] == 3
    assert (values["MODEL"], values["SEED"], values["MAX_LENGTH"]) == (None, 42, card.recipe.max_length)


def test_an_adapter_that_was_brought_in_has_no_script(studio, dataset_id):
    card = studio.run(LOCAL, (task := a_run(studio, dataset_id)).id)
    brought = type(card)(**{**vars(card), "imported": {"from": "hub:a/b@c", "sha256": "0"}})

    with pytest.raises(SettingError, match="brought in"):
        script(brought, task, studio.workspace.models)


TEXTS = "repair_handbook"  # an example of running text
SAME = 1e-3  # of a loss
HALF = 0.03  # where TRL holds the adapter in bfloat16, and Facet in float32


@pytest.mark.long
@pytest.mark.parametrize(
    ("settings", "example", "template", "near"),
    [
        ({}, "pirate", None, SAME),
        ({"train_sampling_strategy": "random"}, "pirate", None, SAME),
        ({"use_dora": True}, "pirate", None, SAME),
        ({"tuning": "full", "learning_rate": 1e-4}, "pirate", None, SAME),
        ({"train_on": "last_answer"}, "pirate", None, SAME),
        ({}, "pirate", "plain", SAME),
        ({"packing": True}, TEXTS, None, SAME),
        ({"packing": False}, TEXTS, None, SAME),
        ({"base_precision": "4bit"}, "pirate", None, HALF),
        ({"base_precision": "8bit"}, "pirate", None, HALF),
    ],
    ids=["lora", "random", "dora", "full", "last answer", "template", "texts", "texts, divided", "4 bits", "8 bits"],
)
def test_the_script_gives_the_losses_of_the_run(tmp_path, settings, example, template, near):
    studio = a_studio(tmp_path / "home")
    chosen = {**TASTE, "max_steps": 6, "evaluations": 2, "lora_dropout": 0.0, **settings}
    recipe = read_recipe(PretrainRecipe if example == TEXTS else SftRecipe, chosen)
    more = {"template": template} if template else None
    run_id = studio.start(LOCAL, prepared_example(studio, example), "starter", recipe, "a run", more=more)
    task = studio.runs_shelf.task(LOCAL, run_id)
    list(studio.backend.advance(task))
    file = tmp_path / "train.py"
    file.write_text(studio.run_script(LOCAL, task.id), "utf-8")

    where = ["--data", str(task.folder / "data"), "--model", str(starter.FOLDER), "--out", str(tmp_path / "tuned")]
    done = subprocess.run([sys.executable, str(file), *where], capture_output=True, text=True, cwd=tmp_path, check=True)
    said = [
        json.loads("{" + line.split("{", 1)[1].split("}")[0] + "}")
        for line in done.stdout.splitlines()
        if '"step"' in line
    ]

    progress = studio.progress(LOCAL, task.id)
    losses = [(one["step"], one["loss"]) for one in said if "loss" in one]
    looks = [(one["step"], one["eval_loss"]) for one in said if "eval_loss" in one]
    assert losses == [(step, pytest.approx(loss, abs=near)) for step, loss in progress.curves["loss"]]
    assert looks == [(step, pytest.approx(loss, abs=near)) for step, loss in progress.curves["validation_loss"]]


@pytest.mark.long
def test_a_run_file_gives_the_very_same_losses(tmp_path):
    studio = a_studio(tmp_path / "home")
    task = queued_run(studio, prepared_example(studio), max_steps=6, use_rslora=True, train_on="last_answer")
    list(studio.backend.advance(task))
    file = tmp_path / "facet-run.yaml"
    file.write_text(studio.run_file(LOCAL, task.id), "utf-8")

    elsewhere = a_studio(tmp_path / "another home")
    again = elsewhere.again_from_file(LOCAL, file)
    repeated = elsewhere.runs_shelf.task(LOCAL, elsewhere.start_again(LOCAL, again))
    list(elsewhere.backend.advance(repeated))

    first, second = studio.progress(LOCAL, task.id), elsewhere.progress(LOCAL, repeated.id)
    assert second.curves["loss"] == first.curves["loss"] and len(first.curves["loss"]) == 6
    assert second.outputs["adapter_sha256"] == first.outputs["adapter_sha256"]
