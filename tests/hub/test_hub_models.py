import json
import time

import pytest

from facet.errors import AccessError, DataError, FacetError, HubError, NotFoundError, SettingError
from facet.hub.hub import Hub
from tests.gemma.folders import CONFIG, model_folder

pytestmark = pytest.mark.hub
NAME = "ann/tiny-gemma"


@pytest.fixture
def files(tmp_path):
    folder = model_folder(tmp_path / "made")
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_a_model_is_understood_before_its_weights_are_fetched(stand_in, hub, files):
    repo = stand_in.add("model", NAME, files, safetensors={"total": 2112, "parameters": {"BF16": 2112}})
    found = hub.check_model(NAME)
    assert (found.repo, found.sha, found.facts.parameters) == (NAME, repo.sha, 2112)
    assert found.facts.has_template and found.licence.card_id == "gemma"
    assert found.size_gb == pytest.approx(sum(map(len, files.values())) / 1e9)
    assert not any("safetensors" in path for _, path, _ in stand_in.asked)


def test_a_snapshot_has_the_files_that_matter_and_no_others(stand_in, hub, files, tmp_path):
    unwanted = {"pytorch_model.bin": b"x", "modeling_evil.py": b"x", "README.md": b"x", "deep/model.safetensors": b"x"}
    repo = stand_in.add("model", NAME, files | unwanted)
    told = []
    snapshot = hub.model_snapshot(NAME, None, tmp_path / "models", lambda done, total: told.append((done, total)))
    assert {file.name for file in snapshot.folder.iterdir()} == {*files, ".complete.json"}
    assert all((snapshot.folder / name).read_bytes() == data for name, data in files.items())
    assert snapshot.folder == tmp_path / "models" / hub.place(NAME, repo.sha)
    assert told[-1][0] == pytest.approx(told[-1][1]) and told == sorted(told)


def test_what_is_here_is_found_without_asking_and_checked_for_wholeness(stand_in, hub, files, tmp_path):
    stand_in.add("model", NAME, files)
    models = tmp_path / "models"
    assert hub.downloaded(NAME, models) is None
    snapshot = hub.model_snapshot(NAME, None, models)
    stand_in.asked.clear()
    assert hub.downloaded(NAME, models) == snapshot == hub.downloaded(NAME, models, snapshot.sha)
    assert hub.model_snapshot(NAME, snapshot.sha, models) == snapshot
    assert not stand_in.asked
    (snapshot.folder / "model.safetensors").write_bytes(b"cut")
    assert hub.downloaded(NAME, models) is None
    assert hub.model_snapshot(NAME, snapshot.sha, models) == snapshot
    assert hub.downloaded(NAME, models) == snapshot


def test_no_token_is_ever_sent(stand_in, hub, files, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_canary")
    stand_in.add("model", NAME, files)
    hub.check_model(NAME)
    hub.model_snapshot(NAME, None, tmp_path / "models")
    assert {authorization for *_, authorization in stand_in.asked} == {None}


def test_a_moved_model_is_followed(stand_in, hub, files):
    stand_in.add("model", NAME, files)
    stand_in.moved["old/name"] = NAME
    assert hub.check_model("old/name").repo == NAME


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"model.safetensors": None, "pytorch_model.bin": b"x"}, SettingError, "hide programs"),
        ({"model.safetensors": None, "model-Q4_0.gguf": b"x"}, SettingError, "GGUF"),
        ({"config.json": None, "adapter_config.json": b"{}"}, SettingError, "an adapter"),
        ({"tokenizer.json": None}, DataError, "tokenizer.json"),
        ({"config.json": json.dumps(CONFIG | {"auto_map": {"AutoModel": "x.Y"}}).encode()}, SettingError, "auto_map"),
        ({"config.json": json.dumps(CONFIG | {"model_type": "mamba"}).encode()}, SettingError, "mamba"),
        ({"config.json": b"{" * 5000}, DataError, "cannot be read"),
    ],
)
def test_a_model_facet_does_not_take_is_refused_before_the_download(stand_in, hub, files, change, kind, words):
    changed = {name: data for name, data in (files | change).items() if data is not None}
    stand_in.add("model", NAME, changed)
    with pytest.raises(kind, match=words):
        hub.check_model(NAME)


def test_gated_private_missing_and_misspelt_models_are_told_apart_as_far_as_they_may(stand_in, hub, files, tmp_path):
    stand_in.add("model", "ann/gated", files, gated="manual")
    stand_in.add("model", "ann/private", files, private=True)
    with pytest.raises(AccessError, match="accept a licence once"):
        hub.check_model("ann/gated")
    sentences = []
    for name in ("ann/private", "ann/nothing"):
        with pytest.raises(NotFoundError) as caught:
            hub.model_snapshot(name, None, tmp_path)
        sentences.append(str(caught.value).replace(name, "NAME"))
    assert sentences[0] == sentences[1]
    with pytest.raises(NotFoundError, match="version"):
        stand_in.add("model", NAME, files)
        hub.check_model(NAME, "no-such-branch")


BAD_NAMES = """a|a/b/c|/etc|../x|./data|~|C:\\x|file:///etc/passwd|http://127.0.0.1|hf://datasets/x/y|a/b@main|a/b#x|a/b?x
a/../b|a/b..c|.a/b|a/.git|a b/c|a/b c|a/😀|a--b/c|a/b.git|csv|""".replace("\n", "|").split("|")


@pytest.mark.parametrize("name", [*BAD_NAMES, "a/b\0", "a/b\n", "a/" + "b" * 300])
def test_a_name_that_is_none_is_refused_without_asking_anybody(stand_in, hub, name, tmp_path):
    for ask in (hub.check_model, hub.dataset_file, lambda name: hub.model_snapshot(name, None, tmp_path)):
        with pytest.raises(SettingError):
            ask(name)
    assert not stand_in.asked


def test_a_damaged_download_is_noticed_and_repaired_by_the_next_one(stand_in, hub, files, tmp_path):
    stand_in.add("model", NAME, files)
    weights = files["model.safetensors"]
    stand_in.broken["model.safetensors"] = weights[:-4] + b"evil"
    with pytest.raises(HubError, match="not what the Hub has"):
        hub.model_snapshot(NAME, None, tmp_path)
    assert hub.downloaded(NAME, tmp_path) is None
    stand_in.broken.clear()
    assert (hub.model_snapshot(NAME, None, tmp_path).folder / "model.safetensors").read_bytes() == weights


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [(429, HubError, "asks us to wait"), (503, HubError, "503"), (403, AccessError, "403"), (418, HubError, "418")],
)
def test_an_answer_of_the_hub_becomes_three_sentences(stand_in, hub, files, status, kind, words):
    stand_in.add("model", NAME, files)
    stand_in.faults["/api/models"] = status
    with pytest.raises(kind, match=words):
        hub.check_model(NAME)


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", "http://no-such-host.invalid"])
def test_without_a_network_the_answer_comes_at_once(tmp_path, endpoint):
    hub, start = Hub(tmp_path, endpoint=endpoint), time.monotonic()
    for ask in (hub.check_model, hub.dataset_file, lambda name: hub.model_snapshot(name, None, tmp_path)):
        with pytest.raises(HubError, match="could not be reached"):
            ask("ann/x")
    assert time.monotonic() - start < 10


def test_a_hub_that_does_not_answer_is_given_up_on(stand_in, hub, files, monkeypatch):
    monkeypatch.setattr("facet.hub.hub.ASK_SECONDS", 0.2)
    stand_in.add("model", NAME, files)
    stand_in.slow_seconds = 2.0
    start = time.monotonic()
    with pytest.raises(HubError, match="could not be reached"):
        hub.check_model(NAME)
    assert time.monotonic() - start < 1.5


def test_no_disk_is_said_before_anything_is_fetched(stand_in, hub, files, tmp_path):
    repo = stand_in.add("model", NAME, files)
    repo.sizes["model.safetensors"] = 10**16
    with pytest.raises(FacetError, match="not enough room"):
        hub.model_snapshot(NAME, None, tmp_path)
    assert not any("resolve" in path for _, path, _ in stand_in.asked)
