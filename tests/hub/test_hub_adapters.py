"""Adapters on the Hub: what is fetched of them, at which version, and what is refused before anything is."""

import pytest

from facet.errors import FacetError, NotFoundError, SettingError
from facet.hub.adapters import adapter_name, fetch_adapter
from facet.hub.hub import Hub
from facet.identity import LOCAL
from facet.model.source import BaseSource
from facet.train import imports
from tests.adapters import Small, files_in, small_lab

pytestmark = pytest.mark.hub


@pytest.fixture
def small(tmp_path) -> Small:
    return small_lab(tmp_path)


def test_an_adapter_of_the_hub_is_fetched_at_a_pinned_commit_and_nothing_beside_it(stand_in, small, tmp_path):
    studio, theirs, base = small.studio, small.theirs, small.base
    files = {file.name: file.read_bytes() for file in theirs.iterdir()}
    unwanted = {"training_args.bin": b"\x80canary", "optimizer.pt": b"canary", "evil.py": b"canary", "README.md": "#"}
    repo = stand_in.add("model", "ann/pirate", files | unwanted)
    hub = Hub(tmp_path / "cache", endpoint=stand_in.url)

    fetched = fetch_adapter(hub, *adapter_name("hub:ann/pirate"))
    with imports.taken(studio.workspace, LOCAL, fetched.folder, fetched.came_from) as taken:
        source = BaseSource("ann/tiny-gemma", "hub", "a" * 40, "x")
        run_id = imports.create(studio.workspace, LOCAL, taken, source, "3", base)
    fetched.discard()

    run = studio.run(LOCAL, run_id)
    assert run.imported["from"] == f"hub:ann/pirate@{repo.sha}" and run.name == "pirate"
    asked = [path for _, path, _ in stand_in.asked if "/resolve/" in path]
    assert all(
        repo.sha in path and path.endswith(("adapter_config.json", "adapter_model.safetensors")) for path in asked
    )
    assert not any(b"canary" in path.read_bytes() for path in files_in(tmp_path))
    assert not files_in(hub.cache / "adapters")


def test_a_private_adapter_is_fetched_for_its_owner_alone_and_leaves_nothing_in_the_cache(stand_in, small, tmp_path):
    files = {file.name: file.read_bytes() for file in small.theirs.iterdir()}
    stand_in.add("model", "ann/secret", files, private=True)
    hub = Hub(tmp_path / "cache", endpoint=stand_in.url)
    with pytest.raises(NotFoundError):
        fetch_adapter(hub, "ann/secret")
    with pytest.raises(NotFoundError):
        fetch_adapter(hub, "ann/secret", token=stand_in.token("bob"))

    fetched = fetch_adapter(hub, "ann/secret", token=stand_in.token("ann"))
    assert fetched.private and {file.name for file in files_in(fetched.folder)} == set(files)
    fetched.discard()
    assert not any(file.name.startswith("adapter") for file in files_in(hub.cache))


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"adapter_config.json": "{}", "adapter_model.bin": "x"}, "hide programs"),
        ({"config.json": "{}", "model.safetensors": "x"}, "whole model"),
        ({"README.md": "x"}, "no adapter here"),
        ({"deep/adapter_config.json": "{}", "deep/adapter_model.safetensors": "x"}, "no adapter here"),
        ({"adapter_config.json": "x" * 200_001, "adapter_model.safetensors": "x"}, "too large"),
    ],
)
def test_a_repository_without_an_adapter_is_refused_before_anything_is_fetched(stand_in, tmp_path, files, words):
    stand_in.add("model", "ann/thing", files)
    with pytest.raises(FacetError, match=words):
        fetch_adapter(Hub(tmp_path / "cache", endpoint=stand_in.url), "ann/thing")
    assert not any("/resolve/" in path for _, path, _ in stand_in.asked)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("hub:ann/x", ("ann/x", None)),
        ("ann/x@main", ("ann/x", "main")),
        (" https://huggingface.co/ann/x/ ", ("ann/x", None)),
        ("https://huggingface.co/ann/x/tree/refs/pr/1", ("ann/x", "refs/pr/1")),
    ],
)
def test_the_ways_to_write_an_adapter_of_the_hub(text, meant):
    assert adapter_name(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "a" * 500,
        "a",
        "a/b/c",
        "/etc",
        "../x",
        "./data",
        "~",
        "C:\\x",
        "file:///etc/passwd",
        "http://127.0.0.1",
        "https://huggingface.co/datasets/a/b",
        "a/b#x",
        "a/b?x",
        "a/b\0",
        "a/b\nc",
        "a/🙂",
        "a/..",
        "a/b@../../etc",
        "hub:hub:a/b",
    ],
)
def test_any_other_name_is_refused(text):
    with pytest.raises(SettingError):
        adapter_name(text)
