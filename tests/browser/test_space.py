"""On a Space: visitors, the whole sign-in in a real browser, publishing, and everything that can go wrong with it."""

import json
import re
import time
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.apps import Space, free_port
from tests.browser.steps import A_MINUTE, go, late, prepare, train, until_finished
from tests.hub_stand_in import StandInHub

pytestmark = pytest.mark.browser
VISITOR = "__Host-facet-visitor"


@pytest.fixture(scope="module")
def hub() -> Iterator[StandInHub]:
    with StandInHub() as hub:
        hub.person("ann", orgs={"acme": "write"})
        hub.person("bob")
        yield hub


@pytest.fixture(scope="module")
def space(hub, tmp_path_factory) -> Iterator[Space]:
    folder = tmp_path_factory.mktemp("space")
    space = Space(folder / "home", free_port(), folder / "app.log", hub=hub)
    space.home.mkdir()
    space.start()
    yield space
    space.end()
    log = space.log.read_text("utf-8", "replace")
    assert "fault" not in log, log[-3000:]
    assert not any(token in log for token in hub.tokens)


@pytest.fixture
def window(chromium, album, request) -> Iterator[BrowserContext]:
    """One person's browser."""
    window = chromium.new_context(viewport={"width": 1440, "height": 1000})
    yield window
    album.pictures([window], request.node.name)
    window.close()


def opened(window: BrowserContext, space: Space, path: str = "") -> Page:
    page = window.new_page()
    page.goto(space.url + path)
    page.get_by_role("tab", name="Data", exact=True).wait_for()
    expect(page.locator("#who")).to_contain_text(re.compile("visitor|Signed in"), timeout=20_000)
    return page


def sign_in(page: Page, name: str) -> None:
    page.locator("#who").get_by_role("link", name="Sign in with Hugging Face").click()
    page.get_by_role("button", name=f"Authorize as {name}").click()
    expect(page.locator("#who")).to_contain_text(f"Signed in as {name}", timeout=20_000)


@pytest.fixture(scope="module")
def anns_run(chromium, space) -> tuple[BrowserContext, str]:
    """Ann begins as a visitor, prepares data, signs in, and trains a model: all of it stays hers."""
    window = chromium.new_context(viewport={"width": 1440, "height": 1000})
    page = opened(window, space)
    page.locator("#example-pirate").click()
    expect(page.locator("#look")).to_be_visible(timeout=A_MINUTE)
    prepare(page)
    sign_in(page, "ann")
    run = train(page, max_steps="6", evaluations="0")
    until_finished(page)
    page.close()
    yield window, run
    window.close()


def test_a_visitor_is_told_what_they_are_and_the_page_says_where_it_runs(window, space):
    page = opened(window, space)
    expect(page.locator("#who")).to_contain_text("You are a visitor")
    expect(page.locator("#rail")).to_contain_text("This Space")
    expect(page.locator("#hero")).not_to_contain_text("this computer")
    assert VISITOR in {cookie["name"] for cookie in window.cookies() if cookie["httpOnly"] and cookie["secure"]}


def test_what_a_visitor_made_is_still_theirs_after_the_sign_in(anns_run, space):
    window, _ = anns_run
    page = opened(window, space)
    go(page, "Runs")
    expect(page.locator("#runs")).to_contain_text("pirate", ignore_case=True, timeout=20_000)
    assert len(list(space.home.glob("tenants/visitor-*/datasets/*"))) == 1
    assert len(list(space.home.glob("tenants/hf-*/runs/*"))) == 1
    page.close()


def test_another_person_finds_nothing_of_it_not_even_by_its_link(anns_run, window, space):
    page = opened(window, space, f"/?run={anns_run[1]}")
    expect(page.locator("#train")).to_contain_text("We could not find this run", timeout=20_000)
    sign_in(page, "bob")
    go(page, "Runs")
    expect(page.locator("#runs")).to_contain_text("No runs yet", timeout=20_000)


def test_a_model_goes_into_the_persons_account_privately(anns_run, space, hub):
    window, run = anns_run
    page = opened(window, space, f"/?run={run}")
    press = page.locator("#publish").get_by_role("button", name="Publish", exact=True)
    with late(page, "list_publish"):
        go(page, "Publish")
        page.wait_for_timeout(1500)
        expect(press).to_be_hidden()  # nothing can be sent before it is known what
    press.click()
    expect(page.locator("#publish")).to_contain_text("Published", timeout=A_MINUTE)
    repos = [repo for (thing, name), repo in hub.repos.items() if thing == "model" and name.startswith("ann/")]
    assert len(repos) == 1 and repos[0].private and "adapter_model.safetensors" in repos[0].files
    page.reload()
    go(page, "Publish")
    expect(page.locator("#publish")).to_contain_text(repos[0].name, timeout=20_000)
    page.close()


def test_prepared_data_goes_into_the_persons_account_with_a_card(anns_run, space, hub):
    page = opened(anns_run[0], space)
    go(page, "Runs")
    go(page, "Data")
    expect(page.locator("#prepared")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Download it, or share it on the Hub").click()
    page.get_by_label("Name on the Hub").filter(visible=True).fill("pirate-talk")
    page.get_by_role("button", name="Publish the data").click()
    expect(page.locator("#data-publication")).to_contain_text("It is on the Hub", timeout=A_MINUTE)
    repo = hub.repos["dataset", "ann/pirate-talk"]
    assert repo.private and {"README.md", "data/train.parquet", "data/test.parquet"} <= repo.files.keys()
    page.close()


def test_a_permission_that_was_not_given_is_named(window, space, hub):
    hub.refused_scopes = {"contribute-repos"}
    try:
        page = opened(window, space)
        sign_in(page, "bob")
        expect(page.locator("#who")).to_contain_text("contribute-repos")
    finally:
        hub.refused_scopes = set()


def test_who_refuses_on_the_hubs_page_is_told_so_and_stays_a_visitor(window, space, hub):
    page = opened(window, space)
    page.locator("#who").get_by_role("link", name="Sign in with Hugging Face").click()
    page.get_by_role("button", name="Deny").click()
    page.get_by_role("tab", name="Data", exact=True).wait_for()
    expect(page.locator("#who")).to_contain_text("You are not signed in", timeout=20_000)
    hub.plan("/oauth/token", 503, method="POST")
    page.locator("#who").get_by_role("link", name="Sign in with Hugging Face").click()
    page.get_by_role("button", name="Authorize as bob").click()
    page.get_by_role("tab", name="Data", exact=True).wait_for()
    expect(page.locator("#who")).to_contain_text("You are not signed in", timeout=20_000)
    sign_in(page, "bob")


def test_somebody_of_many_organisations_can_sign_in(window, space, hub):
    claims = {
        "orgs": [{"sub": f"{n:024d}", "name": f"an organisation called {n}", "picture": "x" * 90} for n in range(20)]
    }
    hub.person("cleo", claims=claims)
    sign_in(opened(window, space), "cleo")
    session = next(cookie for cookie in window.cookies() if cookie["name"] == "session")
    assert len(session["value"]) < 1500


def test_a_token_that_the_hub_has_revoked_leads_to_signing_in_again(window, space, hub):
    page = opened(window, space)
    before = set(hub.tokens)
    sign_in(page, "bob")
    for token in set(hub.tokens) - before:
        hub.revoke(token)
    page.wait_for_timeout(500)
    space_restarted(space)  # the answer to “who is this” is kept for a few minutes
    page = opened(window, space)
    expect(page.locator("#who")).to_contain_text("no longer accepted", timeout=20_000)


def space_restarted(space: Space) -> None:
    space.end()
    space.start()


def test_a_sign_in_that_runs_out_in_mid_action_is_said_and_can_be_repeated(window, space, hub):
    hub.token_seconds = 25
    try:
        page = opened(window, space)
        sign_in(page, "bob")
        page.wait_for_timeout(26_000)
        page.locator("#example-pirate").click()
        expect(page.get_by_text("Your sign-in has run out.")).to_be_visible(timeout=20_000)
    finally:
        hub.token_seconds = 8 * 3600
    page.reload()
    page.get_by_role("tab", name="Data", exact=True).wait_for()
    expect(page.locator("#who")).to_contain_text("visitor", timeout=20_000)
    sign_in(page, "bob")


def test_a_second_account_in_another_tab_never_mixes_with_the_first(window, space):
    first = opened(window, space)
    sign_in(first, "ann")
    second = opened(window, space)
    second.goto(space.url + "/logout")
    second.get_by_role("tab", name="Data", exact=True).wait_for()
    sign_in(second, "bob")
    first.locator("#example-pirate").click()
    expect(first.get_by_text("This page was opened as somebody else.")).to_be_visible(timeout=20_000)


def test_deleting_everything_asks_and_leaves_nothing(window, space):
    page = opened(window, space)
    page.locator("#example-pirate").click()
    expect(page.locator("#look")).to_be_visible(timeout=A_MINUTE)
    prepare(page)
    key = next(path.parents[1].name for path in space.home.glob("tenants/visitor-*/datasets/*") if _newest(path))
    page.locator("#my-data").get_by_role("button", name="Your data").click()
    page.get_by_role("button", name="Delete all my data").click()
    page.get_by_label("Type “delete” to confirm").fill("delete")
    with page.expect_navigation(timeout=20_000):
        page.get_by_role("button", name="Delete it all").click()
    expect(page.locator("#hero")).to_be_visible(timeout=20_000)
    assert not (space.home / "tenants" / key / "datasets").exists()


def _newest(path) -> bool:
    return time.time() - path.stat().st_mtime < 30


def test_no_token_is_kept_anywhere_on_the_space(anns_run, space, hub):
    files = [path for path in space.home.rglob("*") if path.is_file()]
    assert len(files) > 20 and len(hub.tokens) > 3
    assert [path for path in files if any(token.encode() in path.read_bytes() for token in hub.tokens)] == []
    config = httpx.get(space.url + "/config").text
    assert not any(word in config for word in (*hub.tokens, anns_run[1], "ann/"))


@pytest.mark.parametrize("cookie", ["session=forged", "session=" + "x" * 5000, f"{VISITOR}=forged", "session=e30.x.y"])
def test_a_forged_cookie_is_a_stranger(space, cookie):
    answer = httpx.get(space.url, headers={"cookie": cookie})
    assert answer.status_code == 200
    assert VISITOR in answer.headers["set-cookie"]


def test_a_token_in_the_body_of_a_call_makes_nobody_anybody(space, hub):
    runs = set(space.home.glob("tenants/*/runs/*"))
    body = {"data": ["x", "starter", "quick", "", None], "oauth_token": hub.token("ann"), "session_hash": "abc"}
    for path in ("run/start_run", "call/start_run", "queue/join"):
        answer = httpx.post(f"{space.url}/gradio_api/{path}", json=body | {"fn_index": 0})
        assert "run_id" not in answer.text and answer.status_code != 500, answer.text[:300]
    assert set(space.home.glob("tenants/*/runs/*")) == runs
    assert "hf_" not in httpx.get(space.url + "/config").text


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "////evil.example", "/\\evil.example"])
def test_signing_out_leads_nowhere_else(space, target):
    answer = httpx.get(space.url + "/logout", params={"_target_url": target})
    assert answer.status_code in (302, 303, 307)
    assert json.dumps(answer.headers["location"]).count("evil") == 0 or answer.headers["location"].startswith("/evil")


def test_another_site_can_neither_sign_out_nor_act_for_a_person(space):
    strange = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    for method, path in (("GET", "/logout"), ("GET", "/login/huggingface"), ("POST", "/gradio_api/queue/join")):
        assert httpx.request(method, space.url + path, headers=strange).status_code == 403
