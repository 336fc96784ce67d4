"""Signing in, publishing and bringing back, from a terminal: the real client against the stand-in Hub."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from facet.compute.child import PACKAGE_ROOT
from tests.cli.terminal import Terminal
from tests.hub_stand_in import StandInHub

pytestmark = pytest.mark.tiny
PLAIN_PEFT = """
import sys, torch
from huggingface_hub import snapshot_download
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer
token, adapter = sys.argv[1:]
folder = snapshot_download("ann/pirate", token=token)
ids = AutoTokenizer.from_pretrained(folder).apply_chat_template(
    [{"role": "user", "content": "What is the capital of Peru?"}], add_generation_prompt=True, return_tensors="pt"
)["input_ids"]
def logits(which, **how):
    base = AutoModelForCausalLM.from_pretrained(folder + "/base", dtype=torch.float32)
    with torch.inference_mode():
        return PeftModel.from_pretrained(base, which, **how).eval()(input_ids=ids).logits
assert torch.equal(logits("ann/pirate", token=token), logits(adapter))
print("equal")
"""


class Person(Terminal):
    """A terminal on a computer with its own login, and the stand-in for its Hub."""

    def __init__(self, folder: Path, hub: StandInHub) -> None:
        super().__init__(folder)
        self.environment = hub.environment | {"HF_HOME": str(folder / "hf")}

    def start(self, *words: str) -> subprocess.Popen:
        environment = (
            os.environ | self.environment | {"FACET_HOME": str(self.folder / "home"), "PYTHONPATH": PACKAGE_ROOT}
        )
        return subprocess.Popen(
            [sys.executable, "-m", "facet", *words],
            cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __call__(self, *words: str) -> subprocess.CompletedProcess:
        process = self.start(*words)
        out, errors = process.communicate(timeout=300)
        return subprocess.CompletedProcess(words, process.returncode, out, errors)


@pytest.fixture(scope="module")
def hub():
    with StandInHub() as hub:
        hub.person("ann", orgs={"acme": "write", "readers": "read"})
        hub.person("bob")
        hub.device_interval = 0.05
        yield hub


@pytest.fixture(scope="module")
def ann(hub, tmp_path_factory) -> Person:
    """Somebody who has signed in with the code, and has tuned a model."""
    terminal = Person(tmp_path_factory.mktemp("ann"), hub)
    signing_in = terminal.start("login", "--json")
    shown = signing_in.stderr.readline() + signing_in.stderr.readline() + signing_in.stderr.readline()
    assert hub.url in shown and re.search(r"The code is \S{4,}", shown)
    hub.approve_device("ann")
    out, errors = signing_in.communicate(timeout=60)
    assert (signing_in.returncode, json.loads(out)["name"]) == (0, "ann"), errors
    return terminal


@pytest.fixture(scope="module")
def run_id(ann) -> str:
    data = ann.json("prepare", "example:pirate")["dataset_id"]
    return ann.json("train", "--data", data, "--model", "starter", "--max-steps", "8", "--wait")["run_id"]


@pytest.fixture(scope="module")
def published(ann, run_id) -> dict:
    return ann.json("publish", run_id, "ann/pirate", "--tag", "v1")


def test_who_is_signed_in_and_where_they_may_publish(ann):
    answer = ann.json("whoami")
    assert (answer["name"], answer["orgs"]) == ("ann", ["acme"])


def test_a_model_is_published_privately_in_one_commit_and_read_back(ann, hub, run_id, published):
    repo = hub.repos["model", "ann/pirate"]
    assert repo.private and not published["public"] and published["url"].endswith("ann/pirate")
    assert published["sha"] == repo.sha and "v1" in repo.tags
    adapter = ann.folder / "home" / "tenants" / "local" / "runs" / run_id / "adapter" / "adapter_model.safetensors"
    assert repo.files["adapter_model.safetensors"] == adapter.read_bytes()
    assert {"README.md", "NOTICE", "facet-run.yaml", "tokenizer.json", "base/config.json"} <= repo.files.keys()


def test_publishing_again_changes_nothing_until_it_is_made_public(ann, hub, run_id, published):
    before = hub.repos["model", "ann/pirate"].sha
    assert ann.json("publish", run_id, "ann/pirate")["unchanged"]
    assert hub.repos["model", "ann/pirate"].sha == before
    assert ann.json("publish", run_id, "acme/pirate", "--public")["public"]
    assert not hub.repos["model", "acme/pirate"].private


@pytest.mark.parametrize(
    ("repo", "says"),
    [
        ("bob/pirate", "publish under bob"),
        ("readers/pirate", "publish under readers"),
        ("ann/a b", "name"),
        ("x", "one slash"),
    ],
)
def test_a_place_that_is_not_theirs_is_refused_and_nothing_is_sent(ann, hub, run_id, repo, says):
    before = len(hub.repos)
    refused = ann("publish", run_id, repo)
    assert refused.returncode == 1 and says in refused.stderr and len(hub.repos) == before


def test_the_published_adapter_works_with_plain_peft_in_a_fresh_process(ann, hub, run_id, published):
    adapter = ann.folder / "home" / "tenants" / "local" / "runs" / run_id / "adapter"
    done = subprocess.run(
        [sys.executable, "-c", PLAIN_PEFT, hub.token("ann"), str(adapter)],
        env=os.environ | ann.environment | {"HF_HOME": str(ann.folder / "hf of a stranger")},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.stdout.strip() == "equal", done.stderr[-2000:]


def test_it_can_be_brought_back_talked_to_and_trained_further(ann, hub, tmp_path_factory, run_id, published):
    elsewhere = Person(tmp_path_factory.mktemp("elsewhere"), hub)
    elsewhere.environment["HF_TOKEN"] = hub.token("ann", scopes={"read-repos"})
    brought = elsewhere.json("import", "hub:ann/pirate")["run_id"]
    asked = ("--prompt", "What is the capital of Peru?")
    assert elsewhere.json("chat", brought, *asked)["reply"] == ann.json("chat", run_id, *asked)["reply"]

    data = elsewhere.json("prepare", "example:pirate")["dataset_id"]
    further = elsewhere.json("train", "--data", data, "--from", brought, "--max-steps", "2", "--wait")
    assert further["stage"] == "finished"
    first = ann.json("runs", run_id)["losses"][0][1]
    assert further["losses"][0][1] < first  # it goes on from what had been learned


def test_data_is_published_with_a_card_and_comes_back_the_same(ann, hub):
    made = ann.json("prepare", "example:museum_facts", "--group", "fact")
    done = ann.json("publish-data", made["dataset_id"], "ann/museum", "--licence", "cc-by-4.0")
    repo = hub.repos["dataset", "ann/museum"]
    assert repo.private and done["url"].endswith("datasets/ann/museum")
    assert {"README.md", "data/train.parquet", "data/validation.parquet", "data/test.parquet"} <= repo.files.keys()
    assert b"license: cc-by-4.0" in repo.files["README.md"] and str(ann.folder).encode() not in repo.files["README.md"]
    back = ann.json("prepare", "hub:ann/museum:default/all", "--splits", "given")
    assert (back["fingerprint"], back["splits"]) == (made["fingerprint"], made["splits"])


def test_a_stranger_does_not_find_a_private_model(hub, tmp_path_factory, published):
    bob = Person(tmp_path_factory.mktemp("bob"), hub)
    bob.environment["HF_TOKEN"] = hub.token("bob")
    foreign, missing = bob("import", "hub:ann/pirate"), bob("import", "hub:ann/nothing")
    assert foreign.returncode == missing.returncode == 1
    assert foreign.stderr.replace("ann/pirate", "X") == missing.stderr.replace("ann/nothing", "X")


def test_no_token_is_in_anything_that_facet_keeps(ann, hub, published):
    tokens = [token.encode() for token in hub.tokens]
    files = [path for path in (ann.folder / "home").rglob("*") if path.is_file()]
    assert len(files) > 20 and len(tokens) > 2
    assert [path for path in files if any(token in path.read_bytes() for token in tokens)] == []
    assert not any(token in data for token in tokens for repo in hub.repos.values() for data in repo.files.values())


def test_a_login_that_is_no_longer_accepted_is_said(hub, tmp_path_factory):
    late = Person(tmp_path_factory.mktemp("late"), hub)
    late.environment["HF_TOKEN"] = hub.token("bob", expires_in=-1)
    refused = late("whoami")
    assert refused.returncode == 1 and "no longer accepted" in refused.stderr
    assert late.environment["HF_TOKEN"] not in refused.stdout + refused.stderr


def test_after_signing_out_nothing_is_published(ann, hub, run_id, published):
    """Last, because it ends what the others rest on."""
    assert ann.json("logout")["name"] is None
    for words in (("whoami",), ("publish", run_id, "ann/other")):
        refused = ann(*words)
        assert refused.returncode == 1 and "facet login" in refused.stderr
    assert ("model", "ann/other") not in hub.repos
