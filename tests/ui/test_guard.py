"""Twenty hosts times twenty origins times reading, writing, uploading: only the page itself gets through."""

import asyncio
import itertools

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from facet.ui.guard import Guard, Rules
from facet.ui.limits import Limits
from facet.ui.people import OnSpace
from facet.ui.visitors import OPEN, Visitors
from facet.workspace import Workspace

PORT = 7860
OURS = {"127.0.0.1:7860", "localhost:7860", "[::1]:7860"}
HOSTS = [
    *OURS,
    "127.0.0.1",
    "localhost",
    "127.0.0.1:7861",
    "127.0.0.1:7860.evil.example",
    "evil.example",
    "evil.example:7860",
    "localhost.evil.example:7860",
    "0.0.0.0:7860",
    "10.0.0.5:7860",
    "x.hf.space",
    "127.0.0.1:7860, evil.example",
    "127.0.0.1:7860@evil.example",
    "LOCALHOST:7860",
    "",
    "[::1]",
    "2130706433:7860",
    "localhost:7860\t",
]
ORIGINS = [
    None,
    "http://127.0.0.1:7860",
    "http://localhost:7860",
    "http://[::1]:7860",
    "null",
    "https://evil.example",
    "http://evil.example:7860",
    "http://127.0.0.1",
    "http://localhost",
    "https://localhost:7860",
    "http://127.0.0.1:7861",
    "http://127.0.0.1:7860.evil.example",
    "http://evil.example/http://127.0.0.1:7860",
    "file://",
    "",
    "http://localhost:7860/",
    "http://127.0.0.1:7860 https://evil.example",
    "chrome-extension://abc",
    "http://LOCALHOST:7860",
    "https://huggingface.co",
]
FINE = {None, "http://127.0.0.1:7860", "http://localhost:7860", "http://[::1]:7860", "http://LOCALHOST:7860"}
ASKED = [
    ("GET", "/"),
    ("POST", "/gradio_api/queue/join"),
    ("POST", "/gradio_api/upload"),
    ("GET", "/gradio_api/queue/data"),
]


def ask(method: str, path: str, headers: list[tuple[str, str]], rules: Rules | None = None) -> int:
    """The status a request gets; 200 means that it went on to Gradio."""

    async def behind(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    sent: list[dict] = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    scope = {"type": "http", "method": method, "path": path, "headers": raw, "query_string": b""}
    asyncio.run(Guard(behind, rules or Rules.at_home(PORT))(scope, receive, send))
    return sent[0]["status"]


@pytest.mark.parametrize("named", ["a-b.hf.space", "a-b.hf.space,www.my.org", " www.my.org , a-b.hf.space"])
def test_a_space_answers_to_each_of_its_names(named):
    rules = Rules.on_space(PORT, named)
    for name in named.split(","):
        ours = [("host", name.strip()), ("origin", f"https://{name.strip()}")]
        assert ask("GET", "/", ours, rules) == 200
    assert ask("GET", "/", [("host", named)], rules) == (200 if named.isascii() and "," not in named else 403)


@pytest.mark.parametrize(("method", "path"), ASKED)
def test_only_our_own_host_and_origin_get_through(method, path):
    through = [
        (host, origin)
        for host, origin in itertools.product(HOSTS, ORIGINS)
        if ask(method, path, [("host", host), *([("origin", origin)] if origin is not None else [])]) == 200
    ]
    assert through
    assert all(host.lower() in OURS and origin in FINE for host, origin in through)
    assert len(through) == (len(OURS) + 1) * len(FINE)


def test_two_hosts_or_two_origins_are_none():
    assert ask("GET", "/", [("host", "localhost:7860"), ("host", "localhost:7860")]) == 403
    assert ask("GET", "/", []) == 403
    ours = ("origin", "http://localhost:7860")
    assert ask("GET", "/", [("host", "localhost:7860"), ours, ours]) == 403


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/", "GET", 200),
        ("/config", "GET", 200),
        ("/assets/x.js", "GET", 200),
        ("/gradio_api/file=/tmp/gradio/a", "GET", 200),
        ("/gradio_api/run/predict", "POST", 200),
        ("/gradio_api/call/chat", "POST", 200),
        ("/gradio_api/heartbeat/abc", "GET", 200),
        ("/gradio_api/deep_link", "GET", 404),
        ("/monitoring", "GET", 404),
        ("/gradio_api/runs", "GET", 404),
        ("/gradio_api/proxy=http://x", "GET", 404),
        ("/gradio_api/component_server", "POST", 404),
        ("/openapi.json", "GET", 404),
        ("/gradio_api/openapi.json", "GET", 404),
        ("/gradio_api/dev/reload", "GET", 404),
        ("/docs", "GET", 404),
        ("/login", "POST", 404),
        ("/gradio_api/api/predict", "POST", 404),
        ("/gradio_api/custom_component/x/y/z/w", "GET", 404),
        ("/assets/../config", "GET", 404),
        ("/", "POST", 405),
        ("/gradio_api/upload", "DELETE", 405),
        ("/gradio_api/queue/status", "GET", 404),
    ],
)
def test_only_what_the_page_needs_can_be_asked_for(path, method, status):
    assert ask(method, path, [("host", "localhost:7860")]) == status


def test_another_site_may_link_here_but_not_write_or_embed_files():
    home, cross = ("host", "localhost:7860"), ("sec-fetch-site", "cross-site")
    assert ask("GET", "/", [home, cross]) == 200
    assert ask("POST", "/gradio_api/upload", [home, cross]) == 403
    assert ask("GET", "/gradio_api/file=/tmp/gradio/a", [home, cross]) == 403
    assert ask("POST", "/gradio_api/upload", [home, ("sec-fetch-site", "same-origin")]) == 200


def test_on_a_space_its_own_name_is_allowed_and_no_other(monkeypatch):
    monkeypatch.setenv("SPACE_ID", "somebody/facet")
    monkeypatch.setenv("SPACE_HOST", "somebody-facet.hf.space")
    rules = Rules.from_environment(PORT)
    name = "somebody-facet.hf.space"
    assert ask("GET", "/", [("host", name), ("origin", f"https://{name}")], rules) == 200
    assert ask("GET", "/", [("host", name), ("origin", "https://other.hf.space")], rules) == 403
    assert ask("GET", "/", [("host", "other.hf.space")], rules) == 403


@pytest.mark.page
def test_the_served_page_is_behind_the_guard_and_allows_nothing_from_outside(served):
    import httpx

    answer = httpx.get(served.url)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "img-src 'self' data: blob:;" in policy and "frame-ancestors 'none'" in policy and "http" not in policy
    assert httpx.get(served.url, headers={"host": "evil.example"}).status_code == 403
    assert httpx.get(served.url, headers={"origin": "null"}).status_code == 403
    for path in ("/monitoring", "/gradio_api/runs", "/docs", "/openapi.json", "/gradio_api/deep_link?session_hash=x"):
        assert httpx.get(served.url + path).status_code == 404


def test_a_stranger_who_floods_the_page_is_refused_at_the_door_and_the_others_are_not(tmp_path):
    people = OnSpace(Workspace(tmp_path), Visitors.of(Workspace(tmp_path)))
    ann, bob = (f"{OPEN}={people.visitors.issue()}" for _ in range(2))
    reached = []

    async def gradio(scope, receive, send):
        reached.append(scope["path"])
        await PlainTextResponse("ok")(scope, receive, send)

    limits = Limits(per_second=1, burst=3, clock=lambda: 0.0)
    door = TestClient(Guard(gradio, Rules.at_home(7860), people, limits), base_url="http://127.0.0.1:7860")

    def ask(cookie):
        return door.post("/gradio_api/queue/join", headers={"cookie": cookie})

    assert [ask(ann).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    assert "too fast" in ask(ann).json()["detail"] and len(reached) == 3
    assert ask(bob).status_code == 200
    assert door.get("/", headers={"cookie": ann}).status_code == 200, "looking is not limited"


@pytest.mark.page
def test_a_page_that_was_open_before_a_restart_is_told_so_in_a_whole_answer(served):
    """Gradio says it, then breaks off: the browser saw a torn connection, and the log a page of traceback."""
    import httpx

    answer = httpx.get(f"{served.url}/gradio_api/queue/data?session_hash=before")
    assert '"session_not_found":true' in answer.text
