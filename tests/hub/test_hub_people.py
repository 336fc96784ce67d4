"""Reading in a person's name: gated and private models and datasets, and sign-ins that are not enough."""

import logging
import time
from types import SimpleNamespace

import pytest

from facet.errors import AccessError, FacetError, HubError, NotFoundError
from tests.gemma.folders import model_folder

pytestmark = pytest.mark.hub
ROWS = b'{"question": "q", "answer": "a"}\n'
READING = ["read-repos", "gated-repos"]


@pytest.fixture
def files(tmp_path):
    folder = model_folder(tmp_path / "made")
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.fixture
def world(stand_in, files):
    """A gated and a private model and dataset of Ben's; Ann has accepted nothing yet."""
    stand_in.person("ann")
    stand_in.person("ben")
    for thing, content in (("model", files), ("dataset", {"train.jsonl": ROWS, "README.md": b"x"})):
        stand_in.add(thing, f"ben/gated-{thing}", content, gated="manual")
        stand_in.add(thing, f"ben/private-{thing}", content, private=True)
        stand_in.add(thing, f"ann/private-{thing}", content, private=True)
        stand_in.add(thing, f"ben/open-{thing}", content)
    return stand_in


def readers(hub, thing, folder):
    """Every way to read of a model or a dataset."""
    if thing == "model":
        return [
            lambda name, token: hub.check_model(name, token=token),
            lambda name, token: hub.model_snapshot(name, None, folder, token=token),
        ]
    return [lambda name, token: hub.dataset_file(name, token=token)]


def fetched(world):
    return [path for _, path, _ in world.asked if "/resolve/" in path]


@pytest.mark.parametrize("thing", ["model", "dataset"])
def test_gated_without_a_sign_in_says_to_sign_in_first(world, hub, thing, tmp_path):
    for read in readers(hub, thing, tmp_path):
        with pytest.raises(AccessError, match="accept a licence once") as caught:
            read(f"ben/gated-{thing}", None)
        page = f"https://huggingface.co/{'datasets/' if thing == 'dataset' else ''}ben/gated-{thing}"
        assert caught.value.next.startswith("Sign in first") and f" {page} " in caught.value.next
    assert not fetched(world)


@pytest.mark.parametrize("thing", ["model", "dataset"])
def test_gated_and_not_accepted_leads_to_its_page_and_accepting_opens_it(world, hub, thing, tmp_path):
    token, name = world.token("ann", scopes=READING), f"ben/gated-{thing}"
    for read in readers(hub, thing, tmp_path):
        with pytest.raises(AccessError, match="your account has not done so") as caught:
            read(name, token)
        assert caught.value.next.startswith("Open https://huggingface.co/") and name in caught.value.next
    assert not fetched(world)
    world.accept("ann", name)
    for read in readers(hub, thing, tmp_path):
        read(name, token)
    world.people["ann"].accepted.clear()
    with pytest.raises(AccessError):
        readers(hub, thing, tmp_path)[0](name, token)


@pytest.mark.parametrize("thing", ["model", "dataset"])
def test_private_of_others_and_missing_are_the_same_sentence(world, hub, thing, tmp_path):
    sentences = set()
    for token in (world.token("ann", scopes=READING), world.token("ann"), None):
        for name in (f"ben/private-{thing}", f"ben/nothing-{thing}"):
            for read in readers(hub, thing, tmp_path):
                with pytest.raises(NotFoundError) as caught:
                    read(name, token)
                sentences.add(str(caught.value).replace(name, "NAME"))
    assert len(sentences) == 1 and not fetched(world)


def test_what_only_some_may_read_is_marked_and_nothing_of_it_stays_behind(world, hub, tmp_path):
    token = world.token("ann", scopes=READING)
    world.accept("ann", "ben/gated-model")
    gated = hub.check_model("ben/gated-model", token=token)
    private = hub.check_model("ann/private-model", token=token)
    assert (gated.gated, gated.private, gated.is_open) == (True, False, False)
    assert (private.gated, private.private, private.is_open) == (False, True, False)
    assert not [path for path in hub.cache.rglob("*") if path.is_file()]
    assert hub.check_model("ben/open-model", token=token).is_open
    with pytest.raises(NotFoundError):
        hub.check_model("ann/private-model", token=world.token("ben"))


def test_a_check_that_fails_leaves_nothing_behind_either(world, hub, tmp_path):
    token = world.token("ann")
    world.add(
        "model", "ann/odd", {"config.json": b"{" * 99, "model.safetensors": b"", "tokenizer.json": b""}, private=True
    )
    world.add("dataset", "ann/odd", {"README.md": b"x", "a.py": b"x"}, private=True)
    for read in (hub.check_model, hub.dataset_file):
        with pytest.raises(FacetError):
            read("ann/odd", token=token)
    assert not [path for path in hub.cache.rglob("*") if path.is_file()]


def test_a_private_model_is_fetched_whole_into_its_owners_folder(world, hub, files, tmp_path):
    mine = tmp_path / "tenants" / "hf-ann" / "models"
    snapshot = hub.model_snapshot("ann/private-model", None, mine, token=world.token("ann", scopes=READING))
    assert all((snapshot.folder / name).read_bytes() == data for name, data in files.items())
    assert snapshot.folder.is_relative_to(mine)


def test_a_private_dataset_is_fetched_into_a_folder_of_its_own_and_discarded(world, hub):
    token = world.token("ann", scopes=READING)
    first, second = (hub.dataset_file("ann/private-dataset", token=token) for _ in range(2))
    assert first.path.read_bytes() == ROWS and first.path != second.path
    first.discard()
    second.discard()
    assert not [path for path in hub.cache.rglob("*") if path.is_file()]


@pytest.mark.parametrize("how", ["revoked", "expired"])
@pytest.mark.parametrize("thing", ["model", "dataset"])
def test_a_sign_in_that_is_over_is_told_and_asked_for_once(world, hub, thing, tmp_path, how):
    token = world.token("ann", scopes=READING, expires_in=-1 if how == "expired" else None)
    world.tokens[token].revoked = how == "revoked"
    for which in ("private", "open", "gated", "nothing"):
        for read in readers(hub, thing, tmp_path):
            world.asked.clear()
            with pytest.raises(AccessError, match="no longer accepted"):
                read(f"ben/{which}-{thing}", token)
            assert len(world.asked) <= 2


@pytest.mark.parametrize("whoami", [401, 429, 500])
def test_an_answer_that_could_mean_both_is_cleared_up(world, hub, whoami):
    """As huggingface.co does it: to a token that is over, everything is “not found”."""
    world.plan("/api/models/ann/private-model", 401, headers={"X-Error-Code": "RepoNotFound"})
    world.plan("/api/whoami-v2", whoami)
    kind = AccessError if whoami == 401 else NotFoundError
    with pytest.raises(kind):
        hub.check_model("ann/private-model", token=world.token("ann"))


def test_a_permission_that_is_missing_is_named(world, hub):
    token = world.token("ann", scopes=["contribute-repos"])
    world.plan("/api/models/ben/open-model", 403, message="The token lacks the scope read-repos")
    with pytest.raises(AccessError, match="“read-repos”"):
        hub.check_model("ben/open-model", token=token)
    words = "Please enable access to public gated repositories in your fine-grained token settings."
    world.plan("auth-check", 403, message=words, headers={"X-Error-Code": "GatedRepo"})
    with pytest.raises(AccessError, match="gated-repos"):
        hub.check_model("ben/gated-model", token=token)


def test_waiting_for_the_owners_answer_is_told_apart(world, hub):
    words = "Your request to access model ben/gated-model is awaiting a review from the repo authors."
    world.plan("auth-check", 403, message=words, headers={"X-Error-Code": "GatedRepo"})
    with pytest.raises(AccessError, match="has not answered yet"):
        hub.check_model("ben/gated-model", token=world.token("ann"))


def test_access_taken_away_between_two_questions_is_told(world, hub, tmp_path):
    world.accept("ann", "ben/gated-model")
    world.plan("/ben/gated-model/resolve/", 403, headers={"X-Error-Code": "GatedRepo"}, times=9)
    with pytest.raises(AccessError, match="your account has not done so"):
        hub.model_snapshot("ben/gated-model", None, tmp_path, token=world.token("ann"))


@pytest.mark.parametrize("trouble", [429, 500, "cut"])
def test_a_hub_that_is_not_well_is_no_refusal(world, hub, trouble):
    world.plan("auth-check", trouble, times=9)
    with pytest.raises(HubError):
        hub.check_model("ann/private-model", token=world.token("ann"))


def test_a_token_goes_only_where_it_was_given(world, hub, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_of_the_machine")
    token = world.token("ann", scopes=READING)
    hub.check_model("ann/private-model", token=token)
    assert {sent for *_, sent in world.asked} == {f"Bearer {token}"}
    world.asked.clear()
    hub.check_model("ben/open-model")
    hub.dataset_file("ben/open-dataset")
    assert {sent for *_, sent in world.asked} == {None}


def test_nobody_is_made_to_wait_for_an_hour(world, hub, tmp_path):
    world.plan("/resolve/", 429, retry_after=3600, times=9)
    start = time.monotonic()
    with pytest.raises(HubError, match="asks us to wait"):
        hub.model_snapshot("ben/open-model", None, tmp_path)
    assert time.monotonic() - start < 5


def test_no_token_is_in_any_error_or_log(world, hub, caplog, tmp_path, monkeypatch):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("huggingface_hub.utils._http.time", SimpleNamespace(sleep=lambda _: None))
    token = world.token("ann")
    for status in (400, 401, 403, 404, 500):
        for place in ("/api/models", "auth-check", "/resolve/"):
            world.planned.clear()
            world.plan(place, status, message=f"Bearer {token} is not welcome", times=9)
            with pytest.raises(FacetError) as caught:
                hub.model_snapshot("ann/private-model", None, tmp_path, token=token)
            logging.getLogger("facet").error("reading failed", exc_info=caught.value)
            assert token not in str(caught.value)
    world.planned.clear()
    with pytest.raises(AccessError):
        hub.check_model("ann/private-model", token=f"{token}\n{token}")
    assert "reading failed" in caplog.text and token not in caplog.text
