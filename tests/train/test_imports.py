"""An adapter trained elsewhere comes in as a run: it speaks as it did, says where it is from, and hides nothing."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from facet.cli.run_file import read_run_file
from facet.errors import CapacityError, DataError, SettingError
from facet.export import bundle
from facet.identity import LOCAL, Person
from facet.model.source import BaseSource
from facet.model.speak import Decoding
from facet.publish.card import card
from facet.train import imports
from facet.work import worker
from tests.adapters import Small, base_folder, files_in, small_lab, zip_of
from tests.journeys import a_studio, prepared_example, progress, queued_run

STARTER = BaseSource("starter", "starter")
VISITOR = Person("visitor-" + "a" * 32, "A visitor", "visitor")


def bring(studio, place, came_from: str = "", person: Person = LOCAL, name: str = "") -> str:
    """What the studio does for a starting model that is here."""
    with imports.taken(studio.workspace, person, place, came_from) as taken:
        check = studio.chooser.check(person, *taken.base())
        assert check.ok, check.problem
        folder = check.base.folder(studio.workspace.models)
        return imports.create(studio.workspace, person, taken, check.base, check.facts.generation, folder, name)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A finished run, taken home as a folder and as a zip."""
    place = tmp_path_factory.mktemp("imports")
    studio = a_studio(place / "home")
    task = queued_run(studio, prepared_example(studio))
    list(studio.backend.advance(task))
    assert progress(task).stage == "finished", progress(task).failure
    return studio, task, studio.export(LOCAL, task.id, place / "exported"), studio.download(LOCAL, task.id)


def said(studio, run_id) -> list[str]:
    questions = ["What is the capital of Peru?", "Who are you?"]
    answers = []
    try:
        for question in questions:
            asked = {"tuned": [{"role": "user", "content": question}]}
            pieces = studio.chat(LOCAL, run_id, asked, Decoding(max_new_tokens=20))
            answers += [piece.text for piece in pieces if not isinstance(piece, str) and piece.done]
    finally:
        studio.voices.close()
    return answers


def logits(adapter):
    import torch

    from facet import starter
    from facet.model.load import load_base, with_adapter

    with torch.inference_mode():
        model = with_adapter(load_base(starter.FOLDER, "float32", "cpu"), adapter)
        return model(input_ids=torch.arange(20, 60)[None]).logits


@pytest.mark.tiny
def test_in_another_workspace_the_adapter_speaks_as_it_did_where_it_was_trained(lab, tmp_path):
    import torch

    studio, task, folder, zipped = lab
    there = a_studio(tmp_path / "another home")
    runs = [bring(there, folder), bring(there, zipped, name="from a zip")]
    expected, heard = logits(task.folder / "adapter"), said(studio, task.id)

    for run_id in runs:
        run = there.run(LOCAL, run_id)
        assert run.progress.stage == "finished" and run.has_model
        assert run.progress.outputs["adapter_sha256"] == progress(task).outputs["adapter_sha256"]
        assert torch.equal(logits(there.runs_shelf.folder(LOCAL, run_id) / "adapter"), expected)
        assert said(there, run_id) == heard
    assert [there.run(LOCAL, run_id).imported["from"] for run_id in runs] == ["folder", "zip"]
    assert there.run(LOCAL, runs[1]).name == "from a zip"


@pytest.mark.tiny
def test_an_imported_run_is_a_run_like_any_other_and_says_what_it_is(lab, tmp_path):
    studio, _task, folder, _zipped = lab
    run_id = bring(studio, folder)
    run = studio.run(LOCAL, run_id)

    assert run_id in [card.id for card in studio.runs(LOCAL)]
    assert (run.recipe.lora_rank, run.recipe.lora_scale, run.recipe.lora_dropout) == (16, 2.0, 0.1)
    assert run.dataset["splits"] == {"train": 0, "validation": 0, "exam": 0} and run.dataset_name == "Imported"
    assert not studio.conductor.has_work(), "nothing conducts it"
    with pytest.raises(SettingError, match="no exam part"):
        studio.start_exam(LOCAL, run_id)

    exported = studio.export(LOCAL, run_id, tmp_path / "again")
    described = yaml.safe_load((exported / "facet-run.yaml").read_text())
    assert described["method"] == "imported" and described["imported"] == run.imported
    with pytest.raises(SettingError, match="no training in this file"):
        read_run_file(exported / "facet-run.yaml")
    assert bring(studio, exported) != run_id
    studio.delete(LOCAL, "runs", run_id)


@pytest.mark.tiny
def test_the_card_says_where_it_came_from_and_claims_no_training(lab):
    studio, _task, folder, _zipped = lab
    run_id = bring(studio, folder, came_from=f"hub:ann/pirate@{'c' * 40}")
    facts = bundle.card_facts(studio._bundle(LOCAL, run_id))
    text = card(replace(facts, imported=studio.run(LOCAL, run_id).imported))

    assert "[ann/pirate](https://huggingface.co/ann/pirate)" in text and "c" * 40 in text
    assert studio.run(LOCAL, run_id).imported["sha256"] in text
    assert "example conversations" not in text and "learning_rate" not in text
    assert studio.run(LOCAL, run_id).name == "pirate"


# ---- a starting model that is not here yet


@pytest.fixture
def small(tmp_path) -> Small:
    return small_lab(tmp_path)


def test_a_run_whose_starting_model_is_not_here_waits_for_it_and_finishes_then(small):
    studio, theirs, base = small.studio, small.theirs, small.base
    task = studio.runs_shelf.task(LOCAL, small.bring())
    assert progress(task).stage == "waiting" and not studio.run(LOCAL, task.id).has_model
    assert studio.conductor.has_work()

    shutil.copytree(base, studio.workspace.models / task.request["base"]["path"])
    for _ in range(2):  # the second time it was killed before it could say so
        (task.events_file).unlink(missing_ok=True)
        if not (task.folder / imports.INCOMING).exists():
            shutil.copytree(theirs, task.folder / imports.INCOMING)
        worker.advance(task, studio.workspace.models)
        assert progress(task).stage == "finished", progress(task).failure
    assert not (task.folder / imports.INCOMING).exists()
    assert studio.run(LOCAL, task.id).has_model


def test_the_page_takes_an_adapter_in_without_torch(tmp_path):
    code = f"""
import sys
from pathlib import Path
from facet.identity import LOCAL
from facet.model.source import BaseSource
from facet.train import imports
from facet.workspace import Workspace
from tests.adapters import adapter_folder, base_folder
home = Path({str(tmp_path)!r})
with imports.taken(Workspace(home), LOCAL, adapter_folder(home / "a")) as taken:
    imports.create(Workspace(home), LOCAL, taken, BaseSource("ann/x", "hub"), "3", base_folder(home / "b"))
print([name for name in ("torch", "transformers", "peft", "trl") if name in sys.modules])
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout.strip() == "[]"


def test_when_the_model_that_comes_is_another_it_fails_with_the_reason(small, tmp_path):
    studio = small.studio
    task = studio.runs_shelf.task(LOCAL, small.bring())
    shutil.copytree(base_folder(tmp_path / "small", layers=1), studio.workspace.models / task.request["base"]["path"])
    worker.advance(task, studio.workspace.models)
    assert progress(task).stage == "failed" and "another starting model" in progress(task).failure["what"]


def test_an_adapter_that_does_not_fit_leaves_nothing_behind(small, tmp_path):
    studio = small.studio
    with pytest.raises(SettingError, match="another starting model"):
        small.bring(base=base_folder(tmp_path / "one layer", layers=1))
    assert not list(studio.workspace.shelf(LOCAL, "runs").iterdir())


def test_files_that_can_hide_programs_are_left_aside_and_named(small):
    studio, theirs, base = small.studio, small.theirs, small.base
    (theirs / "training_args.bin").write_bytes(b"\x80\x04canary")
    run_id = small.bring(base=base)
    assert any("training_args.bin was left aside" in words for words in studio.progress(LOCAL, run_id).notes)
    assert not any("canary" in str(path.read_bytes()) for path in files_in(studio.workspace.home))


def test_the_adapter_may_lie_one_folder_below_but_there_must_be_only_one(small, tmp_path):
    theirs, base = small.theirs, small.base
    outer = tmp_path / "outer"
    shutil.copytree(theirs, outer / "inner")
    assert small.bring(outer, base)
    shutil.copytree(theirs, outer / "another")
    with pytest.raises(SettingError, match="another, inner"):
        small.bring(outer, base)
    shutil.copytree(theirs, outer, dirs_exist_ok=True)
    assert small.bring(outer, base), "the one at the top is meant"


def test_a_folder_of_links_as_the_hubs_cache_has_them_is_read(small, tmp_path):
    studio, theirs, base = small.studio, small.theirs, small.base
    links = tmp_path / "snapshot"
    links.mkdir()
    for file in theirs.iterdir():
        (links / file.name).symlink_to(file)
    task = studio.runs_shelf.task(LOCAL, small.bring(links, base))
    assert not any(path.is_symlink() for path in task.folder.rglob("*"))


def test_only_a_person_at_home_names_folders(small):
    studio, theirs = small.studio, small.theirs
    with pytest.raises(DataError, match="no adapter here"), imports.taken(studio.workspace, VISITOR, theirs):
        raise AssertionError


def test_an_import_counts_as_a_run(small):
    studio, theirs, base = small.studio, small.theirs, small.base
    packed = zip_of(theirs, studio.workspace.home / "a.zip")
    for _ in range(4):
        small.bring(packed, base, VISITOR)
    with pytest.raises(CapacityError):
        small.bring(packed, base, VISITOR)
