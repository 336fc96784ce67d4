"""From a dataset and a model of the Hub to a tuned model, through the real client and the stand-in."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from facet.errors import CapacityError, HubError
from facet.hub.hub import Hub
from facet.identity import LOCAL
from facet.recipe.recipes import SftRecipe
from facet.studio import Studio
from facet.workspace import Workspace
from tests.hub_stand_in import StandInHub
from tests.journeys import progress
from tests.tiny_models import tiny_gemma3

pytestmark = [pytest.mark.hub, pytest.mark.tiny]
ROWS = "".join(json.dumps({"question": f"What is {n}?", "answer": f"It is {n}."}) + "\n" for n in range(40))


@pytest.fixture(scope="module")
def model_files(tmp_path_factory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("tiny") / "model"
    tiny_gemma3(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def studio_at(hub: StandInHub, home: Path) -> Studio:
    home.mkdir()
    return Studio(Workspace(home), Hub(home / "hub", endpoint=hub.url))


def test_a_hub_dataset_and_a_hub_model_become_a_tuned_model_that_names_both(tmp_path, model_files):
    with StandInHub() as hub:
        data = hub.add("dataset", "ann/numbers", {"train.jsonl": ROWS})
        base = hub.add("model", "ann/tiny-gemma", model_files)
        studio = studio_at(hub, tmp_path / "home")
        upload_id = studio.bring_hub(LOCAL, "ann/numbers")
        mapping = studio.look(LOCAL, upload_id)["shape"]["mapping"]
        dataset_id = studio.prepare(LOCAL, upload_id, "", mapping)
        check = studio.check_model(LOCAL, "ann/tiny-gemma")
        run_id = studio.start(LOCAL, dataset_id, "ann/tiny-gemma", SftRecipe(max_steps=2, evaluations=1))
        task = studio.runs_shelf.task(LOCAL, run_id)
        list(studio.backend.advance(task))

    assert check.ok and check.download_gb > 0
    assert progress(task).stage == "finished", progress(task).failure
    exported = studio.export(LOCAL, run_id, tmp_path / "mine")
    config = json.loads((exported / "adapter_config.json").read_text())
    assert (config["base_model_name_or_path"], config["revision"]) == ("ann/tiny-gemma", base.sha)
    card = (exported / "README.md").read_text()
    assert base.sha in card and "ann/numbers" in card and not (exported / "base").exists()
    assert studio.dataset(LOCAL, dataset_id).summary["source"]["revision"] == data.sha


def test_one_part_of_a_dataset_can_be_named_as_the_error_says(tmp_path):
    with StandInHub() as hub:
        parts = [{"split": part, "path": f"data/en/{part}.jsonl"} for part in ("train", "test")]
        front = yaml.safe_dump({"configs": [{"config_name": "en", "data_files": parts}]})
        files = {"data/en/test.jsonl": ROWS, "data/en/train.jsonl": ROWS * 2, "README.md": f"---\n{front}---\n"}
        hub.add("dataset", "ann/numbers", files)
        studio = studio_at(hub, tmp_path / "home")
        upload_id = studio.bring(LOCAL, "hub:ann/numbers:en/test")

    assert studio.look(LOCAL, upload_id)["row_count"] == 40


def test_the_hub_going_away_before_the_download_is_told_and_the_run_can_go_on_later(tmp_path, model_files):
    with StandInHub() as hub:
        hub.add("dataset", "ann/numbers", {"train.jsonl": ROWS})
        hub.add("model", "ann/tiny-gemma", model_files)
        studio = studio_at(hub, tmp_path / "home")
        upload_id = studio.bring_hub(LOCAL, "ann/numbers")
        dataset_id = studio.prepare(LOCAL, upload_id, "", studio.look(LOCAL, upload_id)["shape"]["mapping"])
        run_id = studio.start(LOCAL, dataset_id, "ann/tiny-gemma", SftRecipe(max_steps=1, evaluations=0))
    task = studio.runs_shelf.task(LOCAL, run_id)

    studio.conductor.round()

    assert progress(task).stage == "failed"
    assert progress(task).failure["kind"] in ("HubError", "AccessError", "NotFoundError")
    with pytest.raises(HubError):
        studio.bring_hub(LOCAL, "ann/numbers")


def test_a_model_larger_than_the_memory_is_refused_with_both_numbers_before_any_download(tmp_path, model_files):
    config = json.loads(model_files["config.json"]) | {"hidden_size": 8192, "num_hidden_layers": 80}
    huge = model_files | {"config.json": json.dumps(config).encode()}
    with StandInHub() as hub:
        hub.add("model", "ann/huge", huge, safetensors={"parameters": {"BF16": 10**12}, "total": 10**12})
        studio = studio_at(hub, tmp_path / "home")
        check = studio.check_model(LOCAL, "ann/huge")

    assert isinstance(check.problem, CapacityError)
    assert f"{check.needs_gb:.1f} GB" in check.words and f"{check.free_gb:.1f} GB are free" in check.words
    assert not (studio.workspace.models / "ann--huge").exists()


def test_a_local_folder_is_tuned_and_one_that_vanished_is_named(tmp_path, model_files):
    folder = tmp_path / "my-model"
    folder.mkdir()
    for name, content in model_files.items():
        (folder / name).write_bytes(content)
    with StandInHub() as hub:
        studio = studio_at(hub, tmp_path / "home")
    (tmp_path / "rows.jsonl").write_text(ROWS)
    upload_id = studio.bring(LOCAL, str(tmp_path / "rows.jsonl"))
    dataset_id = studio.prepare(LOCAL, upload_id, "", studio.look(LOCAL, upload_id)["shape"]["mapping"])
    task = studio.runs_shelf.task(LOCAL, studio.start(LOCAL, dataset_id, str(folder), SftRecipe(max_steps=2)))
    list(studio.backend.advance(task))
    assert progress(task).stage == "finished", progress(task).failure

    later = studio.runs_shelf.task(LOCAL, studio.start(LOCAL, dataset_id, str(folder), SftRecipe(max_steps=2)))
    shutil.rmtree(folder)
    list(studio.backend.advance(later))

    assert "not here any more" in progress(later).failure["what"]
