"""Models that are not open to everyone: checked before any download, kept apart, and found by nobody else."""

from pathlib import Path

import pytest

from facet.errors import AccessError, NotFoundError
from facet.hub.hub import Hub
from facet.identity import LOCAL, Grant, Person, person_key
from facet.model.source import BaseSource
from facet.recipe.recipes import SftRecipe
from facet.studio import Studio
from facet.workspace import Workspace
from tests.hub_stand_in import StandInHub
from tests.tiny_models import tiny_gemma3

pytestmark = pytest.mark.tiny
GATED, PRIVATE, OPEN = "google/gemma-tiny-it", "ann/own-gemma", "someone/open-gemma"
ANN, BOB = (Person(person_key("hf", name), name, "signed-in") for name in ("ann", "bob"))
SCOPES = frozenset({"gated-repos", "read-repos", "contribute-repos"})


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, bytes]:
    folder = tiny_gemma3(tmp_path_factory.mktemp("tiny"))
    return {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.is_file()}


@pytest.fixture
def hub(files):
    with StandInHub() as hub:
        for name in ("ann", "bob"):
            hub.person(name)
        hub.add("model", GATED, files, gated="manual")
        hub.add("model", PRIVATE, files, private=True)
        hub.add("model", OPEN, files)
        yield hub


@pytest.fixture
def studio(hub, tmp_path):
    studio = Studio(Workspace(tmp_path), Hub(tmp_path / "hub", endpoint=hub.url))
    yield studio
    studio.close()


def grant(hub: StandInHub, person: Person) -> Grant:
    return Grant(person, hub.token(person.name, scopes=SCOPES), SCOPES)


def weights_asked(hub: StandInHub) -> int:
    return sum(path.endswith(".safetensors") and method == "GET" for method, path, _ in hub.asked)


def test_a_gated_model_asks_for_its_terms_before_a_byte_of_it_is_downloaded(studio, hub):
    out = studio.check_model(ANN, GATED)
    assert (out.access, out.accept_url) == ("sign-in", f"https://huggingface.co/{GATED}")
    asked = studio.check_model(ANN, GATED, grant(hub, ANN))
    assert asked.access == "ask" and isinstance(asked.problem, AccessError)
    hub.accept("ann", GATED)
    accepted = studio.check_model(ANN, GATED, grant(hub, ANN))
    assert accepted.ok and accepted.access == "accepted" and accepted.download_gb > 0
    assert weights_asked(hub) == 0


@pytest.mark.parametrize("model", [GATED, PRIVATE])
def test_it_is_fetched_with_the_persons_right_into_their_own_folder_and_nobody_else_has_it(studio, hub, model):
    hub.accept("ann", GATED)
    anns = grant(hub, ANN)
    data = studio.prepare(ANN, studio.bring_example(ANN, "pirate"))
    run = studio.start(ANN, data, model, SftRecipe(max_steps=1, max_length=64), grant=anns)
    task = studio.runs_shelf.task(ANN, run)
    assert anns.token not in (task.folder / "task.json").read_text()
    studio.starting.fetch_for(task)  # what the conductor does, with nobody present

    folder = BaseSource.of(task.request["base"]).folder(studio.workspace.models)
    assert folder.resolve().is_relative_to(studio.workspace.own_models(ANN).resolve())
    assert not any(studio.workspace.models.glob("*/*/config.json")) and studio.starting._lent == {}
    assert studio.check_model(ANN, model).ok  # here already: to chat with it needs no sign-in
    bobs = studio.check_model(BOB, model, grant(hub, BOB))
    assert isinstance(bobs.problem, AccessError | NotFoundError)
    assert studio.check_model(BOB, model).problem and not any(
        path for path in studio.workspace.own_models(BOB).glob("*")
    )
    files = [path for path in studio.workspace.home.rglob("*") if path.is_file()]
    assert not [path for path in files if anns.token.encode() in path.read_bytes()]


def test_a_right_that_was_taken_away_is_noticed_at_the_next_use(studio, hub):
    hub.accept("ann", GATED)
    anns = grant(hub, ANN)
    studio.fetch_model(ANN, GATED, lambda: None, anns)
    assert studio.check_model(ANN, GATED, anns).download_gb == 0
    hub.revoke(anns.token)
    assert studio.check_model(ANN, GATED, anns).access == "ask"


def test_after_a_restart_an_unfinished_download_asks_to_sign_in_and_goes_on(studio, hub):
    hub.accept("ann", GATED)
    data = studio.prepare(ANN, studio.bring_example(ANN, "pirate"))
    run = studio.start(ANN, data, GATED, SftRecipe(max_steps=1, max_length=64), grant=grant(hub, ANN))
    studio.starting.forget()  # the process that held the token is gone
    task = studio.runs_shelf.task(ANN, run)
    with pytest.raises(AccessError):
        studio.starting.fetch_for(task)
    studio.resume(ANN, run, grant(hub, ANN))
    studio.starting.fetch_for(task)
    assert studio.check_model(ANN, GATED).ok


def test_an_open_model_is_fetched_with_nobodys_right_and_shared(studio, hub):
    studio.fetch_model(ANN, OPEN, lambda: None, grant(hub, ANN))
    fetched = [right for method, path, right in hub.asked if "/resolve/" in path and path.endswith(".safetensors")]
    assert fetched and set(fetched) == {None}
    assert studio.check_model(BOB, OPEN).download_gb == 0


def test_private_and_missing_sound_alike(studio, hub):
    said = {
        str(studio.check_model(BOB, name, grant(hub, BOB)).problem).replace(name, "X") for name in (PRIVATE, "ann/no")
    }
    assert len(said) == 1


def test_at_home_whoever_conducts_later_uses_the_computers_own_login(studio, hub, monkeypatch):
    hub.accept("ann", GATED)
    data = studio.prepare(LOCAL, studio.bring_example(LOCAL, "pirate"))
    token = hub.token("ann", scopes=SCOPES)
    run = studio.start(LOCAL, data, GATED, SftRecipe(max_steps=1, max_length=64), grant=Grant(LOCAL, token))
    studio.starting.forget()  # the command that started it has ended; another process conducts
    monkeypatch.setenv("HF_TOKEN", token)
    studio.starting.fetch_for(studio.runs_shelf.task(LOCAL, run))
    assert studio.check_model(LOCAL, GATED).ok
