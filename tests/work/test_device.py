"""What the page says this machine computes with, for machines we do not have: found without torch."""

import pytest

from facet.work import device

TOLD = "0, NVIDIA RTX A6000, 49140, 48010\n1, NVIDIA T4, 15360, 15000\n"


@pytest.fixture
def machine(monkeypatch):
    """`machine(system, processor, torch, nvidia)`: pretend to be one; `nvidia` is what its driver's tool prints."""

    def pretend(system: str, processor: str, torch: str, nvidia: str | None = None) -> None:
        device._listed.cache_clear()
        device._torch_build.cache_clear()
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        monkeypatch.setattr(device.platform, "system", lambda: system)
        monkeypatch.setattr(device.platform, "machine", lambda: processor)
        monkeypatch.setattr(device.metadata, "version", lambda name: torch)
        monkeypatch.setattr(device.shutil, "which", lambda name: "nvidia-smi" if nvidia else None)
        done = type("Done", (), {"stdout": nvidia})
        monkeypatch.setattr(device.subprocess, "run", lambda *given, **named: done)

    yield pretend
    device._listed.cache_clear()
    device._torch_build.cache_clear()


@pytest.mark.parametrize(
    ("system", "processor", "torch", "nvidia", "kind"),
    [
        ("Linux", "x86_64", "2.13.0", TOLD, "cuda"),
        ("Linux", "x86_64", "2.13.0+cu130", TOLD, "cuda"),
        ("Linux", "x86_64", "2.13.0+cpu", TOLD, "cpu"),
        ("Linux", "x86_64", "2.13.0", None, "cpu"),
        ("Windows", "AMD64", "2.13.0", TOLD, "cpu"),  # PyPI's wheel for Windows knows no card
        ("Windows", "AMD64", "2.13.0+cu130", TOLD, "cuda"),
        ("Darwin", "arm64", "2.13.0", None, "mps"),
        ("Darwin", "x86_64", "2.2.2", None, "cpu"),
    ],
)
def test_the_best_device_that_torch_can_use(machine, system, processor, torch, nvidia, kind):
    machine(system, processor, torch, nvidia)
    assert device.kind() == kind


def test_cards_are_those_torch_is_allowed_to_use_in_its_order():
    assert [card.name for card in device.read_cards(TOLD, None)] == ["NVIDIA RTX A6000", "NVIDIA T4"]
    assert [card.name for card in device.read_cards(TOLD, "1,0")] == ["NVIDIA T4", "NVIDIA RTX A6000"]
    assert device.read_cards(TOLD, "7") == ()
    first = device.read_cards(TOLD, "0")[0]
    assert round(first.memory_gb) == 52 and round(first.free_gb) == 50


@pytest.mark.parametrize("told", ["", "No devices were found\n", "0, Tesla, [N/A], [N/A]\n", "a\x00b,,,\n"])
def test_a_tool_that_tells_nothing_useful_is_no_card(told):
    assert device.read_cards(told, None) == ()


def test_hidden_cards_do_not_count(machine, monkeypatch):
    machine("Linux", "x86_64", "2.13.0", TOLD)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert device.kind() == "cpu"
