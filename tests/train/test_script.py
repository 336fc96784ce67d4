"""A run as a plain script: it says what the trainer was told, holds no example, and does the same when it is run."""

import ast
import json
import subprocess
import sys
from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from facet import starter
from facet.dataset.render import Renderer
from facet.dataset.store import ExampleWriter
from facet.errors import SettingError
from facet.identity import LOCAL
from facet.recipe.knobs import read_recipe
from facet.recipe.recipes import PretrainRecipe, SftRecipe
from facet.train.script import facts, script
from facet.workspace import write_json
from tests.dataset import toy_tools
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


def with_recipe(card, recipe, **more):
    return type(card)(**{**vars(card), "recipe": recipe, **more})


@pytest.mark.parametrize(("tuning", "flag", "other"), [("full", "weights", "adapter"), ("lora", "adapter", "weights")])
def test_what_a_run_went_on_from_is_what_its_script_loads(studio, dataset_id, tuning, flag, other):
    task = a_run(studio, dataset_id)
    card = with_recipe(studio.run(LOCAL, task.id), SftRecipe(max_steps=3, tuning=tuning, lora_dropout=0.25))
    text = script(type(card)(**{**vars(card), "continues": {"run": "x"}}), task, studio.workspace.models)

    assert f'"--{flag}", required=True' in text and f"--{flag} FOLDER" in text and f"--{other}" not in text
    assert f"from_pretrained(options.{flag}" in text or f"from_pretrained(model, options.{flag}" in text
    assert ("config.lora_dropout = 0.25" in text) == (tuning == "lora")
    assert "LORA = {" not in text and "LoraConfig(**LORA)" not in text


@pytest.mark.parametrize(("kind", "double"), [("nf4", True), ("fp4", False)])
def test_weights_are_squeezed_as_the_recipe_says(studio, dataset_id, kind, double):
    recipe = SftRecipe(max_steps=3, base_precision="4bit", bnb_4bit_quant_type=kind, bnb_4bit_use_double_quant=double)
    text = written(studio, a_run(studio, dataset_id), recipe)

    assert f"bnb_4bit_quant_type='{kind}', bnb_4bit_use_double_quant={double}" in text
    assert "support_avx512bf16_for_cpu = False" in text, "or nothing is learned on processors with bfloat16"
    assert "bitsandbytes" in next(line for line in text.splitlines() if "pip install" in line)


def test_examples_come_in_the_order_of_the_seed_for_data(studio, dataset_id):
    text = written(studio, a_run(studio, dataset_id), SftRecipe(max_steps=3, seed=1, data_seed=9))
    values = ast.literal_eval(text.split("TRAINING = ")[1].split("\n}")[0] + "}")

    assert values["data_seed"] == 9 and 'ByLength(lengths, TRAINING["data_seed"]' in text


def test_pip_is_told_versions_that_it_can_find(studio, dataset_id):
    task = a_run(studio, dataset_id)
    execution = {"device": "cpu", "dtype": "float32", "threads": 1, "versions": {"torch": "2.13.0+cpu", "trl": "1.5.0"}}
    write_json(task.folder / "execution.json", execution)

    assert task.execution() == execution
    assert "pip install torch==2.13.0 transformers trl==1.5.0 peft datasets\n" in written(studio, task)


def test_a_run_that_was_stopped_and_kept_has_a_script_that_stops_there(studio, dataset_id):
    card = studio.run(LOCAL, (task := a_run(studio, dataset_id)).id)
    stopped = type(card)(**{**vars(card), "progress": replace(card.progress, step=14, early=True)})

    text = script(stopped, task, studio.workspace.models)

    assert "type=int, default=14" in text and "ended early, at step 14" in text
    assert "'max_steps': 20" in text, "the learning speed falls as it did, towards a later end"
    assert "default=14" not in written(studio, task)


@pytest.mark.parametrize("template", list(toy_tools.TEMPLATES))
def test_tools_and_their_calls_are_read_and_learned_as_in_facet(studio, dataset_id, tmp_path, monkeypatch, template):
    from transformers import AutoTokenizer

    monkeypatch.setattr("facet.dataset.render.is_trusted", lambda sha: True)  # our own templates
    folder = toy_tools.save_model(tmp_path / "model", toy_tools.TEMPLATES[template])
    example = {"messages": stored(toy_tools.TALK), "tools": json.dumps(toy_tools.DECLARED)}
    writer = ExampleWriter(tmp_path / "train.parquet", ["tools", "tool_calls", "name"])
    writer.add(1, example, 10)
    writer.close()
    rendered = Renderer.load(folder).render(toy_tools.TALK, tools=example["tools"])
    recipe = SftRecipe(max_steps=3, max_length=512, train_sampling_strategy="random")
    asked = functions_of(written(studio, a_run(studio, dataset_id), recipe))

    row = pq.read_table(tmp_path / "train.parquet").to_pylist()[0]
    found = asked["tokens"](AutoTokenizer.from_pretrained(folder), row)

    assert found[0]["input_ids"] == rendered.ids
    assert [label != -100 for label in found[0]["labels"]] == rendered.trained


def stored(talk):
    return [turn | ({"tool_calls": json.dumps(turn["tool_calls"])} if "tool_calls" in turn else {}) for turn in talk]


def functions_of(text):
    """What a script defines to read its rows, without what it imports."""
    kept = [part for part in ast.parse(text).body if isinstance(part, ast.FunctionDef | ast.Assign)]
    names = {"json": json}
    exec(compile(ast.Module(kept, []), "script", "exec"), names)
    return names


TEXTS = "repair_handbook"  # an example of running text
SAME = 1e-3  # of a loss
HALF = 0.03  # where TRL holds the adapter in bfloat16, and Facet in float32


@pytest.mark.long
@pytest.mark.parametrize(
    ("settings", "example", "template", "near"),
    [
        ({}, "pirate", None, SAME),
        ({"train_sampling_strategy": "random"}, "pirate", None, SAME),
        ({"data_seed": 7}, "pirate", None, SAME),
        ({"use_dora": True}, "pirate", None, SAME),
        ({"tuning": "full", "learning_rate": 1e-4}, "pirate", None, SAME),
        ({"train_on": "last_answer"}, "pirate", None, SAME),
        ({}, "pirate", "plain", SAME),
        ({"packing": True}, TEXTS, None, SAME),
        ({"packing": False}, TEXTS, None, SAME),
        ({"base_precision": "4bit"}, "pirate", None, HALF),
        ({"base_precision": "8bit"}, "pirate", None, HALF),
    ],
    ids=[
        "lora", "random", "data seed", "dora", "full", "last answer", "template", "texts", "texts, divided", "4 bits",
        "8 bits",
    ],
)  # fmt: skip
def test_the_script_gives_the_losses_of_the_run(tmp_path, settings, example, template, near):
    studio = a_studio(tmp_path / "home")
    chosen = {**TASTE, "max_steps": 6, "evaluations": 2, "lora_dropout": 0.0, **settings}
    recipe = read_recipe(PretrainRecipe if example == TEXTS else SftRecipe, chosen)
    more = {"template": template} if template else None
    run_id = studio.start(LOCAL, prepared_example(studio, example), "starter", recipe, "a run", more=more)
    task = studio.runs_shelf.task(LOCAL, run_id)
    list(studio.backend.advance(task))
    require_the_same_losses(studio, task, tmp_path, near)


def require_the_same_losses(studio, task, tmp_path, near, *flags):
    """Runs the script of a finished run beside it."""
    file = tmp_path / "train.py"
    file.write_text(studio.run_script(LOCAL, task.id), "utf-8")
    where = ["--data", str(task.folder / "data"), "--model", str(starter.FOLDER), "--out", str(tmp_path / "tuned")]
    command = [sys.executable, str(file), *where, *flags]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
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
@pytest.mark.parametrize(("tuning", "flag"), [("lora", "--adapter"), ("full", "--weights")])
def test_the_script_of_a_run_that_goes_on_begins_with_what_that_one_learned(tmp_path, tuning, flag):
    studio = a_studio(tmp_path / "home")
    dataset_id = prepared_example(studio)
    settings = {**TASTE, "max_steps": 6, "evaluations": 2, "lora_dropout": 0.0, "tuning": tuning}
    settings |= {"learning_rate": 1e-4} if tuning == "full" else {}
    first = queued_run(studio, dataset_id, **settings)
    list(studio.backend.advance(first))
    recipe = read_recipe(SftRecipe, settings)
    run_id = studio.start(LOCAL, dataset_id, "starter", recipe, "further", start_from=first.id)
    task = studio.runs_shelf.task(LOCAL, run_id)
    list(studio.backend.advance(task))

    require_the_same_losses(studio, task, tmp_path, SAME, flag, str(task.folder / "start"))


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
