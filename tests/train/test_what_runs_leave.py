"""What a run of any kind of weights leaves is of use in all that follows: chat, test, download, GGUF, going on."""

import contextlib
import io
import re
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
import yaml

from facet.cli.main import read_arguments
from facet.cli.plan import plan
from facet.errors import CapacityError, DataError, SettingError
from facet.exam.options import Options
from facet.export.gguf import write_gguf
from facet.identity import LOCAL, Grant
from facet.model.company import Company
from facet.model.decoding import Decoding
from facet.model.load import load_base, load_tuned, with_adapter
from facet.model.tuned import digest, is_whole, tuned_in
from facet.publish.card import CardFacts, card
from facet.publish.files import to_publish
from facet.recipe.knobs import read_recipe
from facet.recipe.recipes import SftRecipe
from facet.talk import save_points
from facet.ui import train
from facet.ui.forms import read
from facet.ui.train_advice import advised
from facet.ui.train_words import Start
from facet.work import worker
from facet.work.task import Task
from tests.journeys import TASTE, curve, progress
from tests.train.weights_lab import SHORT, Lab, tensors

pytestmark = pytest.mark.tiny
ASKED = [{"role": "user", "content": "What is the capital of Peru?"}]


@pytest.fixture(scope="module")
def lab(lab_of_weights) -> Lab:
    return lab_of_weights


@pytest.fixture(scope="module")
def voice():
    from facet.model.voice import Voice

    return Voice()


def said(voice, *speakers: tuple[str, Path | None], base: Path, **more) -> list[dict[str, Any]]:
    named = [
        {"key": key, "base": str(base), "adapter": str(place) if place else None, "messages": ASKED}
        for key, place in speakers
    ]
    request = {"id": "1", "speakers": named, "decoding": Decoding(max_new_tokens=8).as_dict(), **more}
    answers = list(voice.answers(request, threading.Event()))
    assert answers[-1] == {"over": True}, answers[-1]
    return answers


def texts(answers: list[dict[str, Any]]) -> dict[str, str]:
    return {answer["side"]: answer["text"] for answer in answers if answer.get("done")}


@pytest.mark.parametrize("kind", ["dora", "4bit", "full"])
def test_it_speaks_beside_the_untouched_model_which_stays_untouched(lab, voice, kind):
    task = lab.run(kind)
    base, tuned = lab.studio.talks.weights(LOCAL, task.id)
    assert (base, tuned) == (lab.model, tuned_in(task.folder))
    alone = texts(said(voice, ("base", None), base=base))
    answers = said(voice, ("base", None), ("tuned", tuned), base=base, prove=True)
    assert texts(answers)["base"] == alone["base"] != texts(answers)["tuned"]
    proof = next(answer["proof"] for answer in answers if "proof" in answer)
    assert proof["changes"] and proof["key"] == "tuned"
    said(voice, ("tuned", tuned), ("another", tuned_in(lab.run("dora").folder)), base=base)


def test_a_save_point_of_a_whole_model_speaks_and_is_tested_as_the_finished_one_is(lab, voice):
    task = lab.run("full")
    last = max(save_points(task.folder))
    base, point = lab.studio.talks.weights(LOCAL, f"{task.id}@{last}")
    kept = progress(task).outputs.get("kept_step", last)
    assert point != tuned_in(task.folder) and is_whole(point)
    answers = texts(said(voice, ("point", point), base=base))
    if kept == last:
        assert answers["point"] == texts(said(voice, ("done", tuned_in(task.folder)), base=base))["done"]


def test_all_weights_go_on_as_such_without_being_told(lab, monkeypatch):
    whole, dataset = lab.run("full").id, lab.data["sft"]
    with gr.Blocks():
        tab = train.layout(lab.studio)

    def form(run_id: str | None) -> dict[str, str]:
        begin = Start("starter", run_id, "a run" if run_id else "")
        return advised(tab, lab.studio, Grant(LOCAL), dataset, begin, "any", "balanced")[-1].value

    lora, full = read(form(None)), read(form(whole))

    assert (lora.tuning, full.tuning) == ("lora", "full")
    assert full.learning_rate == pytest.approx(lora.learning_rate / 10)
    assert lab.studio.as_decided(LOCAL, full, full.model_dump(), whole) == full
    assert read(form(lab.run("dora").id)).use_dora

    monkeypatch.setenv("FACET_HOME", str(lab.studio.workspace.home))
    asked = f"plan --data {dataset} --from {whole}".split()
    with pytest.raises(SettingError, match="kind of weights"):
        plan(read_arguments([*asked, "--tuning", "lora"]))
    assert plan(read_arguments(asked))["steps"] > 0


def test_a_whole_model_that_has_no_room_beside_the_untouched_one_is_refused_with_the_numbers(lab, monkeypatch):
    company = Company.load(lab.model)
    monkeypatch.setattr("facet.model.company.free_memory_gb", lambda: 1e-6)
    with pytest.raises(CapacityError, match="no room") as refused:
        company.add("tuned", tuned_in(lab.run("full").folder))
    assert "GB" in refused.value.why and company.keys == []
    with company.speaking_as(None) as model:
        assert model is company.model


def test_a_test_holds_the_whole_model_to_the_untouched_one(lab):
    task = lab.run("full")
    options = Options(general=False, most=4, max_new_tokens=4)
    exam_id = lab.studio.start_exam(LOCAL, task.id, ("exam",), options)
    exam = Task(lab.studio.workspace.find(LOCAL, "exams", exam_id))
    worker.advance(exam, lab.studio.workspace.models)
    assert progress(exam).stage == "finished", progress(exam).failure
    scores = lab.studio.exams(LOCAL, task.id)[0].results["exam"]
    assert scores["tuned"].loss < scores["base"].loss


@pytest.mark.parametrize("kind", ["dora", "4bit", "full"])
def test_what_is_taken_home_is_whole_and_its_card_says_what_it_is(lab, tmp_path, monkeypatch, kind):
    task = lab.run(kind)
    folder = lab.studio.export(LOCAL, task.id, tmp_path / "taken")
    text = (folder / "README.md").read_text()
    front = yaml.safe_load(text.split("---")[1])
    assert ("lora" in front["tags"], "dora" in front["tags"]) == (kind == "4bit", kind == "dora")
    assert front["library_name"] == ("transformers" if kind == "full" else "peft")
    assert ("4 bits (QLoRA)" in text) == (kind == "4bit")
    if kind != "full":
        with pytest.raises(DataError, match="Nobody else could use"):
            to_publish(folder)  # its starting model lies in a folder of this machine
        return
    needed = {"model.safetensors", "config.json", "tokenizer.json", "README.md", "facet-run.yaml"}
    assert needed <= set(to_publish(folder)) and not (folder / "adapter_config.json").exists()
    assert (folder / "model.safetensors").read_bytes() == (task.folder / "model" / "model.safetensors").read_bytes()
    program = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    monkeypatch.chdir(folder)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(program, {})
    assert printed.getvalue().endswith("\n")


def test_a_whole_model_on_the_hub_is_a_finetune_and_an_adapter_is_an_adapter():
    facts = CardFacts("x", "google/gemma-3-270m-it", "a" * 40, "3", {"base_precision": "auto"}, {})
    for whole, relation in ((True, "finetune"), (False, "adapter")):
        front = yaml.safe_load(card(replace(facts, whole=whole)).split("---")[1])
        assert front["base_model_relation"] == relation and front["base_model"] == "google/gemma-3-270m-it"


@pytest.mark.parametrize("kind", ["dora", "full"])
def test_a_gguf_file_holds_the_weights_it_was_tuned_to(lab, tmp_path, kind):
    """Against the model that transformers and PEFT merge, tensor by tensor."""
    from gguf import GGUFReader

    task = lab.run(kind)
    write_gguf(lab.model, tuned_in(task.folder), tmp_path / "tuned.gguf", "f32")
    found = {one.name: np.array(one.data) for one in GGUFReader(tmp_path / "tuned.gguf").tensors}
    if kind == "full":
        model = load_tuned(tuned_in(task.folder), "float32", "cpu")
    else:
        model = with_adapter(load_base(lab.model, "float32", "cpu"), tuned_in(task.folder)).merge_and_unload()
    weights = {name: weight.detach().numpy() for name, weight in model.named_parameters()}
    for layer in range(2):
        for theirs, ours in (("attn_output", "self_attn.o_proj"), ("ffn_down", "mlp.down_proj")):
            expected = weights[f"model.layers.{layer}.{ours}.weight"]
            assert np.abs(found[f"blk.{layer}.{theirs}.weight"] - expected).max() < 1e-6
            assert np.abs(expected - tensors(lab.model)[f"model.layers.{layer}.{ours}.weight"]).max() > 1e-5


# ---- going on
def test_going_on_keeps_the_kind_and_starts_at_the_last_number(lab):
    for kind, kept in (("dora", {"use_dora": True, "use_rslora": False}), ("full", {"tuning": "full"})):
        first = lab.run(kind)
        task = lab.queued("full" if kind == "full" else "lora", "sft", first.folder, max_steps=2, keep_best=False)
        recipe = lab.studio.run(LOCAL, task.id).recipe
        assert {name: getattr(recipe, name) for name in kept} == kept
        lab.finished(task)
        kept_step = progress(first).outputs.get("kept_step", SHORT["max_steps"])
        before = dict(curve(first)["validation_loss"])
        assert curve(task)["validation_loss"][0] == (0, before[kept_step])
        assert lab.digest(task) != lab.digest(first)


def test_a_new_run_goes_on_from_a_save_point_of_another(lab):
    first = lab.run("dora")
    step = min(save_points(first.folder))
    target = f"{first.id}@{step}"
    assert lab.studio.runs_shelf.place_of(LOCAL, target) == (first.folder, step)
    assert lab.studio.runs_shelf.model_of(LOCAL, target) == (str(lab.model), None)
    task = lab.queued("lora", "sft", first.folder, step, max_steps=1)
    begun = digest(first.checkpoints / f"{step:06d}")
    assert task.request["start_from"]["step"] == step and task.request["start_from"]["adapter_sha256"] == begun
    assert digest(task.folder / "start") == begun
    lab.finished(task)
    with pytest.raises(DataError, match="not there any more"):
        lab.queued("lora", "sft", first.folder, 999)

    again = lab.studio.again(LOCAL, task.id)
    assert again.start_from == f"{task.id}@0", "a run keeps what it went on from, so that it can be started again"
    repeated = lab.queued("lora", "sft", *lab.studio.runs_shelf.place_of(LOCAL, again.start_from), max_steps=1)
    assert repeated.request["start_from"] == task.request["start_from"]
    lab.finished(repeated)
    assert lab.digest(repeated) == lab.digest(task)
    with pytest.raises(DataError, match="not there any more"):
        lab.queued("lora", "sft", first.folder, 0)
    with pytest.raises(SettingError, match="cannot be found"):
        lab.studio.runs_shelf.place_of(LOCAL, f"{first.id}@last")


def test_what_goes_on_is_planned_and_measured_as_what_it_went_on_from(lab):
    first, data = lab.run("dora"), lab.data["sft"]
    asked = read_recipe(SftRecipe, TASTE | SHORT | {"lora_rank": 64})
    own = asked.model_copy(update={"lora_rank": SHORT["lora_rank"], "use_dora": True})
    for target in (first.id, f"{first.id}@{min(save_points(first.folder))}"):
        planned = lab.studio.plan(LOCAL, data, "starter", asked, start_from=target)
        assert planned.further and planned.needs == lab.studio.plan(LOCAL, data, str(lab.model), own).needs
    measured = lab.studio.start_measuring(LOCAL, data, "starter", asked, start_from=first.id)
    request = Task(lab.studio.workspace.find(LOCAL, "measures", measured)).request
    assert request["recipe"]["use_dora"] and request["recipe"]["lora_rank"] == SHORT["lora_rank"]
    with pytest.raises(SettingError, match="kind of weights"):
        lab.studio.plan(LOCAL, data, "starter", asked.model_copy(update={"tuning": "full"}), start_from=first.id)


@pytest.mark.parametrize(("begun", "wanted"), [("dora", "full"), ("full", "lora")])
def test_an_adapter_never_goes_on_as_a_whole_model_nor_a_whole_model_as_an_adapter(lab, begun, wanted):
    with pytest.raises(SettingError, match="kind of weights"):
        lab.queued(wanted, "sft", lab.run(begun).folder)
