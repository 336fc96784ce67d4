"""What is taken home: whole, from an allow-list, and working without Facet."""

import json
import zipfile

import pytest
import yaml

from facet.errors import DataError, FacetError, SettingError
from facet.identity import LOCAL
from facet.model.tuned import ADAPTER_FILES
from tests.journeys import a_studio, prepared_example, queued_run

pytestmark = pytest.mark.tiny
EXPECTED = {
    *ADAPTER_FILES,
    "README.md",
    "NOTICE",
    "curve.svg",
    "facet-run.yaml",
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "generation_config.json",
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    studio = a_studio(tmp_path_factory.mktemp("export") / "home")
    task = queued_run(studio, prepared_example(studio))
    list(studio.backend.advance(task))
    return studio, task


def test_an_export_holds_what_is_needed_and_nothing_else(lab, tmp_path):
    studio, task = lab
    folder = studio.export(LOCAL, task.id, tmp_path / "mine")

    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {name for name in names if not name.startswith("base/")} == EXPECTED
    assert not [path for path in folder.rglob("*") if str(studio.workspace.home).encode() in _bytes(path)]


def _bytes(path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def test_the_exported_adapter_works_with_plain_peft_and_speaks_like_in_facet(lab, tmp_path):
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from facet import starter
    from facet.model.load import load_base, with_adapter

    studio, task = lab
    folder = studio.export(LOCAL, task.id, tmp_path / "mine")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = tokenizer.apply_chat_template(
        [{"role": "user", "content": "What is the capital of Peru?"}], add_generation_prompt=True, return_tensors="pt"
    )["input_ids"]
    theirs = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(folder / "base", dtype=torch.float32), folder
    )
    ours = with_adapter(load_base(starter.FOLDER, "float32", "cpu"), task.folder / "adapter")

    with torch.inference_mode():
        assert torch.equal(theirs.eval()(input_ids=ids).logits, ours(input_ids=ids).logits)
    assert json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"] == "starter"


def test_a_download_is_one_zip_of_the_same_files_and_equal_each_time(lab):
    studio, task = lab
    first, second = studio.download(LOCAL, task.id), studio.download(LOCAL, task.id)

    with zipfile.ZipFile(first) as archive:
        names = {name.split("/", 1)[1] for name in archive.namelist()}
        assert archive.testzip() is None
    assert names >= EXPECTED
    assert first.read_bytes() == second.read_bytes()


def test_the_run_file_gives_the_same_run_again(lab, tmp_path):
    from facet.cli.run_file import dataset_for, read_run_file

    studio, task = lab
    folder = studio.export(LOCAL, task.id, tmp_path / "mine")
    described = read_run_file(folder / "facet-run.yaml")
    elsewhere = a_studio(tmp_path / "another home")

    dataset_id = dataset_for(elsewhere, described)
    again = queued_run(elsewhere, dataset_id, **described["recipe"])
    list(elsewhere.backend.advance(again))

    run, repeated = studio.run(LOCAL, task.id).progress, elsewhere.run(LOCAL, again.id).progress
    assert repeated.outputs["adapter_sha256"] == run.outputs["adapter_sha256"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: b",
        "facet_run: 1",
        "facet_run: 2\nmodel: {}",
        "[1, 2",
        "!!python/object:os.system x",
        "a: &a [1]\nb: *a",
        "\x00",
        "facet_run: 1\nmodel: {id: 3}\ndata: {}\nrecipe: {}",
    ],
)
def test_what_is_no_run_file_is_refused_with_the_reason(tmp_path, text):
    from facet.cli.run_file import read_run_file

    file = tmp_path / "facet-run.yaml"
    file.write_text(text)
    with pytest.raises(SettingError, match="not a run file"):
        read_run_file(file)


def test_the_card_names_base_data_licence_and_settings(lab, tmp_path):
    studio, task = lab
    text = (studio.export(LOCAL, task.id, tmp_path / "mine") / "README.md").read_text()
    front = yaml.safe_load(text.split("---")[1])

    assert front["license"] == "apache-2.0" and front["library_name"] == "peft"
    assert "0.002" in text and "curve.svg" in text and "facet-run.yaml" in text


def test_a_folder_in_use_or_a_damaged_model_is_refused_and_nothing_is_written(lab, tmp_path):
    studio, task = lab
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "letter.txt").write_text("mine")
    with pytest.raises(SettingError, match="in use"):
        studio.export(LOCAL, task.id, tmp_path / "used")
    adapter = task.folder / "adapter" / "adapter_model.safetensors"
    whole = adapter.read_bytes()
    adapter.write_bytes(whole[:-1] + b"\x00\x01")
    try:
        with pytest.raises(DataError, match="damaged"):
            studio.export(LOCAL, task.id, tmp_path / "new")
    finally:
        adapter.write_bytes(whole)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["used"]


def test_an_unfinished_run_has_nothing_to_take_home(lab, tmp_path):
    studio, _task = lab
    other = queued_run(studio, studio.datasets(LOCAL)[0].id)
    with pytest.raises(FacetError, match="no model to take home yet"):
        studio.export(LOCAL, other.id, tmp_path / "new")
