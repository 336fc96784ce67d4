"""The stand-in Hub, seen by the real client and the real login: what the other tests build on."""

import contextlib
import re
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, hf_hub_download
from huggingface_hub import errors as theirs
from huggingface_hub.utils import _oauth_device

from tests.hub_stand_in import StandInHub

pytestmark = pytest.mark.hub
WEIGHTS = bytes(range(256)) * 40
PAGE = b"---\nlicense: gemma\nbase_model: google/gemma-3-270m-it\n---\n# Poems\n"
FILES = {"README.md": PAGE, "adapter_model.safetensors": WEIGHTS, "base/config.json": b"{}"}


@pytest.fixture
def hub(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    with StandInHub() as hub:
        hub.person("ann", orgs={"acme": "write", "readers": "read"})
        hub.person("bob")
        yield hub


def api(hub, token):
    return HfApi(endpoint=hub.url, token=token)


def commit(client, name, files=FILES, **about):
    additions = [CommitOperationAdd(path, data) for path, data in files.items()]
    return client.create_commit(name, additions, commit_message="Add", **about)


@contextlib.contextmanager
def refused(status, code=None):
    with pytest.raises(theirs.HfHubHTTPError) as caught:
        yield
    assert caught.value.response.status_code == status
    assert caught.value.response.headers.get("X-Error-Code") == code


def test_a_token_tells_whose_it_is_until_it_ends(hub):
    told = api(hub, hub.token("ann")).whoami()
    assert (told["name"], told["auth"]["accessToken"]["role"]) == ("ann", "write")
    assert [(org["name"], org["roleInOrg"]) for org in told["orgs"]] == [("acme", "write"), ("readers", "read")]
    signed_in = hub.token("ann", scopes={"contribute-repos"}, expires_in=60)
    assert api(hub, signed_in).whoami()["auth"]["type"] == "app_token_as_user"
    hub.revoke(signed_in)
    for token in (signed_in, hub.token("ann", expires_in=-1), "hf_unknown"):
        with refused(401):
            api(hub, token).whoami()


def test_a_private_repository_is_not_there_for_others(hub):
    hub.add("model", "ann/secret", FILES, private=True)
    hub.add("model", "readers/plans", FILES, private=True)
    for token in (hub.token("ann"), hub.token("ann", role="read"), hub.token("ann", scopes={"read-repos"})):
        assert api(hub, token).model_info("ann/secret").private
        api(hub, token).auth_check("readers/plans")
    for token in (hub.token("bob"), hub.token("ann", scopes={"contribute-repos"})):
        for name in ("ann/secret", "ann/nothing"):
            with refused(404, "RepoNotFound"):
                api(hub, token).model_info(name)
    with refused(401, "RepoNotFound"):
        api(hub, False).auth_check("ann/secret")


def test_a_gated_model_opens_for_those_who_accepted_its_terms(hub, tmp_path):
    name = "google/gemma-3-270m-it"
    hub.add("model", name, FILES, gated="manual")
    mine, weak = hub.token("ann", scopes={"gated-repos"}), hub.token("ann", scopes={"contribute-repos"})

    def fetch(token):
        return hf_hub_download(name, "base/config.json", token=token, endpoint=hub.url, cache_dir=tmp_path)

    assert api(hub, weak).model_info(name).gated == "manual"
    for attempt in (lambda: fetch(mine), lambda: api(hub, mine).auth_check(name)):
        with refused(403, "GatedRepo"):
            attempt()
    hub.accept("ann", name)
    with refused(403, "GatedRepo"):
        fetch(weak)
    assert Path(fetch(mine)).read_text() == "{}"


def test_a_model_is_published_and_read_back_at_each_of_its_versions(hub, tmp_path):
    client = api(hub, hub.token("ann", scopes={"contribute-repos"}))
    assert client.create_repo("ann/poems", private=True).repo_id == "ann/poems"
    first = client.model_info("ann/poems").sha
    done = commit(client, "ann/poems", parent_commit=first)
    listed = {entry.path: entry for entry in client.list_repo_tree("ann/poems", recursive=True, revision=done.oid)}
    assert set(listed) == {*FILES, ".gitattributes", "base"}
    assert listed["adapter_model.safetensors"].lfs.size == len(WEIGHTS) and listed["README.md"].lfs is None
    assert [entry.path for entry in client.get_paths_info("ann/poems", ["README.md", "nothing"])] == ["README.md"]

    client.create_tag("ann/poems", tag="facet/1", revision=done.oid)
    gone = [CommitOperationDelete("base/"), CommitOperationAdd("README.md", PAGE + b"Second.\n")]
    client.create_commit("ann/poems", gone, commit_message="Change")
    path = client.hf_hub_download("ann/poems", "README.md", revision="facet/1", cache_dir=tmp_path)
    assert Path(path).read_bytes() == PAGE
    assert not client.file_exists("ann/poems", "base/config.json")
    assert [each.title for each in client.list_repo_commits("ann/poems")] == ["Change", "Add", "initial commit"]
    assert client.list_repo_refs("ann/poems").tags[0].target_commit == done.oid

    client.update_repo_settings("ann/poems", private=False)
    assert api(hub, False).model_info("ann/poems").card_data["license"] == "gemma"
    client.delete_repo("ann/poems")
    assert not client.repo_exists("ann/poems")


def test_a_long_list_comes_in_pages(hub):
    hub.add("model", "ann/many", {f"{number}.txt": b"x" for number in range(7)})
    hub.page_size = 3
    assert len(list(api(hub, False).list_repo_tree("ann/many"))) == 7
    assert sum("tree" in path for _, path, _ in hub.asked) == 3


def test_a_name_that_is_taken_and_a_version_that_is_old_are_refused(hub):
    client = api(hub, hub.token("ann"))
    client.create_repo("ann/poems")
    first = client.model_info("ann/poems").sha
    for name in ("ann/poems", "ann/Poems"):
        with refused(409):
            client.create_repo(name)
    hub.repos["model", "ann/poems"].push({"a.txt": b"somebody else was faster"})
    with refused(412):
        commit(client, "ann/poems", parent_commit=first)
    client.create_tag("ann/poems", tag="v1")
    with refused(409):
        client.create_tag("ann/poems", tag="v1")
    with pytest.raises(ValueError, match="license"):
        commit(client, "ann/poems", {"README.md": b"---\nlicense: nobodys\n---\n"})


@pytest.mark.parametrize("name", ["bob/x", "readers/x", "nobody/x"])
def test_nobody_writes_where_they_have_no_right(hub, name):
    hub.add("model", name, FILES)
    client = api(hub, hub.token("ann"))
    attempts = [
        lambda: client.create_repo(f"{name}2"),
        lambda: commit(client, name),
        lambda: client.create_tag(name, tag="v1"),
        lambda: client.update_repo_settings(name, private=True),
        lambda: client.auth_check(name, write=True),
    ]
    for attempt in attempts:
        with refused(403):
            attempt()


def test_a_token_may_do_what_its_role_or_its_permissions_say(hub):
    hub.add("model", "ann/older", FILES)
    ours = hub.token("ann", scopes={"contribute-repos"})
    another_app = hub.token("ann", scopes={"contribute-repos"}, app="another")
    api(hub, ours).create_repo("acme/new")
    commit(api(hub, ours), "acme/new")
    narrow = hub.token("ann", role="fineGrained", permissions={"acme": {"repo.write"}})
    commit(api(hub, narrow), "acme/new", {"b.txt": b"b"})
    for token, name in ((ours, "ann/older"), (another_app, "acme/new"), (narrow, "ann/older")):
        with refused(403):
            commit(api(hub, token), name)
    for token in (hub.token("ann", role="read"), hub.token("ann", scopes={"read-repos"}), narrow):
        with refused(403):
            api(hub, token).create_repo("ann/new")


def test_planned_faults_come_once_each_in_order_and_then_no_more(hub):
    hub.add("model", "ann/poems", FILES)
    hub.plan("/api/models/ann", 429, retry_after=7)
    last = hub.plan("/revision/|/ann/poems$", 503, method="GET", after=1)
    with httpx.Client(base_url=hub.url, trust_env=False) as web:
        answers = [web.get("/api/models/ann/poems") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [429, 200, 503, 200]
    assert (answers[0].headers["Retry-After"], last.met) == ("7", 1)


@pytest.mark.parametrize(("trouble", "work_done"), [("cut", False), ("lost", True), ("truncate", True)])
def test_a_connection_breaks_before_or_after_the_work(hub, trouble, work_done):
    client = api(hub, hub.token("ann"))
    client.create_repo("ann/poems")
    fault = hub.plan("/api/models/ann/poems/commit", trouble)
    with pytest.raises(Exception, match=r"connection|disconnected"):
        commit(client, "ann/poems")
    assert ("README.md" in hub.repos["model", "ann/poems"].files, fault.met) == (work_done, 1)


def test_bytes_and_hashes_can_arrive_wrong_and_answers_late(hub):
    client = api(hub, hub.token("ann"))
    client.create_repo("ann/poems")
    hub.plan("/lfs/", "wrong-hash", method="PUT")
    commit(client, "ann/poems")
    assert hub.repos["model", "ann/poems"].files["adapter_model.safetensors"] != WEIGHTS
    commit(client, "ann/poems")
    assert hub.repos["model", "ann/poems"].files["adapter_model.safetensors"] == WEIGHTS

    weights = "adapter_model.safetensors"
    hub.plan("/api/models/ann/poems/paths-info", "wrong-hash")
    told, true = (client.get_paths_info("ann/poems", [weights])[0].lfs.sha256 for _ in range(2))
    hub.plan("/ann/poems/resolve", "wrong-hash")
    hub.plan("/ann/poems/resolve", "slow", seconds=0.3)
    with httpx.Client(base_url=hub.url, trust_env=False) as web:
        bad, start = web.get(f"/ann/poems/resolve/main/{weights}"), time.monotonic()
        good = web.get(f"/ann/poems/resolve/main/{weights}")
    assert told != true and bad.content != good.content == WEIGHTS and time.monotonic() - start >= 0.3


def test_a_device_signs_in_once_the_person_agrees(hub, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
    hub.device_interval = 0.02
    device = _oauth_device.request_device_code()
    given = _oauth_device.poll_device_token(device, on_pending=lambda: hub.approve_device("ann"))
    again = _oauth_device.refresh_access_token(given["refresh_token"])
    for token in (given["access_token"], again["access_token"]):
        assert api(hub, token).whoami()["name"] == "ann"
    for end, code in ((hub.deny_device, "access_denied"), (hub.expire_device, "expired_token")):
        with pytest.raises(theirs.DeviceCodeError) as caught:
            _oauth_device.poll_device_token(_oauth_device.request_device_code(), on_pending=end)
        assert caught.value.error_code == code


@pytest.fixture
def space(hub, monkeypatch):
    """An app with Gradio's own login, as if on a Space."""
    oauth = pytest.importorskip("gradio.oauth")
    for name, value in hub.space_environment(7860).items():
        monkeypatch.setenv(name, value)
        if hasattr(oauth, name):
            monkeypatch.setattr(oauth, name, value)
    app = FastAPI()
    oauth.attach_oauth(app)

    @app.get("/session")
    def session(request: Request) -> dict:
        return oauth._get_valid_oauth_info_from_session(request.session) or {}

    with TestClient(app, base_url="https://127.0.0.1:7860", follow_redirects=False) as client:
        yield client


def signed_in(space, choose=None):
    """Through the whole login; returns what the app's session holds. `choose` presses a button of the Hub's page."""
    asked = space.get("/login/huggingface").headers["location"]
    with httpx.Client(trust_env=False) as web:
        answer = web.get(asked)
        if choose is not None:
            hidden = dict(re.findall(r'name="([a-z_]+)" value="([^"]*)"', answer.text.replace("&amp;", "&")))
            address = asked.split("?")[0]
            answer = web.post(address, data=hidden | {"person": choose})
    back = answer.headers["location"]
    assert parse_qs(urlsplit(back).query)["state"] == parse_qs(urlsplit(asked).query)["state"]
    space.get(back)
    return space.get("/session").json()


@pytest.mark.page
def test_the_login_of_a_space_runs_through(hub, space):
    hub.auto_login, hub.refused_scopes, hub.token_seconds = "ann", {"gated-repos"}, 60
    first = signed_in(space)
    assert first["scope"].split() == ["contribute-repos", "openid", "profile"]
    assert (first["userinfo"]["sub"], first["userinfo"]["preferred_username"]) == (hub.people["ann"].sub, "ann")
    assert first["expires_at"] <= time.time() + 60
    assert api(hub, first["access_token"]).whoami()["name"] == "ann"
    told = httpx.get(f"{hub.url}/oauth/userinfo", headers={"Authorization": f"Bearer {first['access_token']}"})
    assert [org["name"] for org in told.json()["orgs"]] == ["acme", "readers"]

    hub.auto_login, hub.token_seconds = None, -1
    assert signed_in(space, choose="bob") == {}
    hub.token_seconds = 60
    assert signed_in(space, choose="bob")["userinfo"]["preferred_username"] == "bob"


def test_a_code_works_once_and_only_for_the_app_that_asked(hub):
    hub.auto_login = "ann"
    asked = {"client_id": "facet-space", "response_type": "code", "redirect_uri": "http://127.0.0.1:1/login/callback"}
    secret = ("facet-space", "facet-space-secret")
    with httpx.Client(base_url=hub.url, trust_env=False) as web:
        for wrong in ({"client_id": "another"}, {"redirect_uri": "https://example.com/"}):
            assert web.get("/oauth/authorize", params=asked | wrong).status_code == 400
        back = web.get("/oauth/authorize", params=asked).headers["location"]
        form = {"grant_type": "authorization_code", "redirect_uri": asked["redirect_uri"]}
        form["code"] = parse_qs(urlsplit(back).query)["code"][0]
        answers = [web.post("/oauth/token", data=form, auth=auth) for auth in (("facet-space", "no"), secret, secret)]
        denied = web.post("/oauth/authorize", data=asked | {"person": ""}).headers["location"]
    assert [answer.status_code for answer in answers] == [401, 200, 400]
    assert "error=access_denied" in denied
