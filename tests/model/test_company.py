"""One base serves several adapters; without one it is, bit for bit, a model that never met any."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from facet import starter
from facet.errors import DataError, SettingError
from facet.model import company as module
from facet.model.proof import prove
from tests.model.conftest import save_adapter, spoil
from tests.tiny_models import tiny_gemma3

pytestmark = pytest.mark.tiny
ASKED = [{"role": "user", "content": "What is the capital of Peru?"}]
FRESH = """
import hashlib, sys, torch
from pathlib import Path
from transformers import AutoModelForCausalLM
torch.set_num_threads(1)
model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32).eval()
ids = torch.tensor([[int(number) for number in sys.argv[2].split()]])
with torch.inference_mode():
    logits = model(input_ids=ids, use_cache=False).logits
assert "peft" not in sys.modules
print(hashlib.sha256(logits.numpy().tobytes()).hexdigest())
"""


def logits(company, key):
    import torch

    ids = torch.tensor([company.renderer.prompt(ASKED)])
    with torch.inference_mode(), company.speaking_as(key) as model:
        return model(input_ids=ids, use_cache=False).logits


def test_the_untouched_side_is_bit_identical_to_a_process_that_never_loaded_peft(company, adapter, another):
    company.add("a", adapter)
    company.add("b", another)
    ids = " ".join(map(str, company.renderer.prompt(ASKED)))
    fresh = subprocess.run(
        [sys.executable, "-c", FRESH, str(starter.FOLDER), ids], capture_output=True, text=True, check=True
    ).stdout.strip()

    assert hashlib.sha256(logits(company, None).numpy().tobytes()).hexdigest() == fresh
    company.drop("a")
    company.drop("b")
    assert hashlib.sha256(logits(company, None).numpy().tobytes()).hexdigest() == fresh


def test_each_adapter_speaks_as_it_does_alone_whatever_stands_beside_it(company, adapter, another):
    import torch

    company.add("a", adapter)
    alone = logits(company, "a")
    company.add("b", another)
    untouched, first, second = logits(company, None), logits(company, "a"), logits(company, "b")

    assert torch.equal(first, alone)
    assert not torch.equal(first, second) and not torch.equal(first, untouched)
    company.drop("b")
    assert torch.equal(logits(company, "a"), alone) and torch.equal(logits(company, None), untouched)
    with pytest.raises(KeyError):
        logits(company, "b")


def test_a_new_file_in_the_place_of_an_adapter_is_read_again(company, adapter, another, tmp_path):
    import torch

    place = tmp_path / "adapter"
    shutil.copytree(adapter, place)
    company.add("a", place)
    before = logits(company, "a")
    shutil.copyfile(another / "adapter_model.safetensors", place / "adapter_model.safetensors")
    assert not company.has("a", place)
    company.add("a", place)

    assert not torch.equal(logits(company, "a"), before)
    company.add("same", another)
    assert torch.equal(logits(company, "a"), logits(company, "same"))


def test_the_adapter_that_spoke_longest_ago_makes_room(company, adapter, monkeypatch):
    monkeypatch.setattr(module, "MOST_ADAPTERS", 2)
    company.add("a", adapter)
    company.add("b", adapter)
    logits(company, "a")
    company.add("c", adapter)
    assert company.keys == ["a", "c"]


def test_an_adapter_that_is_gone_is_forgotten(company, adapter, tmp_path):
    place = tmp_path / "adapter"
    shutil.copytree(adapter, place)
    company.add("a", place)
    shutil.rmtree(place)
    with pytest.raises(DataError, match="missing"):
        company.add("a", place)
    assert company.keys == []


def _nan(name, weight):
    return weight * float("nan") if "layers.3" in name and "lora_B" in name else weight


def _narrow(name, weight):
    return weight[:, :7].contiguous() if "lora_A" in name else weight


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [(_nan, DataError, "not numbers|cannot be used"), (_narrow, SettingError, "another starting model")],
    ids=["nan", "shapes"],
)
def test_a_broken_adapter_is_named_and_nothing_changes(company, adapter, tmp_path, change, kind, words):
    import torch

    untouched = logits(company, None)
    with pytest.raises(kind, match=words):
        company.add("broken", spoil(adapter, tmp_path / "broken", change))
    assert company.keys == []
    assert torch.equal(logits(company, None), untouched)


def test_an_adapter_for_another_base_is_named(company, tmp_path):
    theirs = save_adapter(tmp_path / "adapter", tiny_gemma3(tmp_path / "base"))
    with pytest.raises(SettingError, match="made for another starting model"):
        company.add("theirs", theirs)


def test_the_proof_measures_what_an_adapter_does(company, adapter, tmp_path):
    company.add("works", adapter)
    company.add("idle", save_adapter(tmp_path / "idle", size=0.0))
    company.add("faint", save_adapter(tmp_path / "faint", size=1e-7))
    ids = company.renderer.prompt(ASKED)
    works, idle, faint = (prove(company, key, ids) for key in ("works", "idle", "faint"))
    exact = float((logits(company, "works") - logits(company, None)).abs().max())

    assert works.changes and works.largest == pytest.approx(exact) and "is at work" in works.words
    assert (idle.changes, idle.largest) == (False, 0.0) and "changes nothing" in idle.words
    assert faint.changes and 0 < faint.largest < 1e-3 and "almost nothing" in faint.words


def test_the_proof_names_an_adapter_that_breaks_in_use(company, adapter, tmp_path):
    def huge(name: str, weight):
        return weight * 1e37

    company.add("huge", spoil(adapter, tmp_path / "huge", huge))
    with pytest.raises(DataError, match="adapter is broken"):
        prove(company, "huge", company.renderer.prompt(ASKED))


def test_closing_gives_everything_back(adapter):
    company = module.Company.load(Path(starter.FOLDER))
    company.add("a", adapter)
    company.close()
    assert company.keys == [] and company.model is None
