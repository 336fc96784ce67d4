"""Typed junk to every handler of the served page: no fault of ours, no traceback to the person, no HTTP 500."""

import json
import logging
import os
import secrets

import httpx
import pytest

from facet.errors import HubError

pytestmark = pytest.mark.page
VALUES = [
    "NaN",
    "Infinity",
    "-1",
    "true",
    "null",
    "[]",
    "{}",
    '"x"',
    "1e400",
    '"../../etc/passwd"',
    '["a"]',
    '{"path": "/etc/passwd"}',
    '"<img src=x onerror=alert(1)>"',
    json.dumps("\ud800"),
    json.dumps("long " * 50_000),
]


BEGINNERS = ("begin", "take_example")  # they take nothing from outside and really do begin


VISIT = secrets.token_hex(4)
SINGLE = ("NaN", "true", "[]", "{}", '"x"')
SOAK = os.environ.get("FACET_SOAK") == "1"  # else one kind of junk in each place, another in the next one
PARTS = 4  # of all handlers: together they take minutes


def calls(page, part: int):
    """Each handler with junk in all places, in each single place, and in a wrong number."""
    for index, fn in page.fns.items():
        if fn.fn is None or fn.name in BEGINNERS or index % PARTS != part:
            continue
        for value in VALUES:
            yield index, fn, [value] * len(fn.inputs)
        yield index, fn, ["1"] * (len(fn.inputs) + 3)
        usual = [usually(component) for component in fn.inputs]
        for place in range(len(usual)):
            for value in SINGLE if SOAK else (SINGLE[(index + place) % len(SINGLE)],):
                yield index, fn, [*usual[:place], value, *usual[place + 1 :]]


def usually(component) -> str:
    """What an untouched control sends."""
    value = getattr(component, "value", None)
    return json.dumps(value) if isinstance(value, str | int | float | bool) else "null"


@pytest.fixture
def harmless(served, monkeypatch):
    """The page without what would really begin: no chat process, no run, no question to the Hub."""

    def unreachable(*_, **__):
        raise HubError("The Hub is not here.", "This is a test.", "Go on.")

    monkeypatch.setattr(type(served.studio.voices), "warm_up", lambda _: None)
    monkeypatch.setattr(served.studio, "start", lambda *_, **__: pytest.fail("junk started a run"))
    for name in ("dataset_look", "dataset_beginning", "dataset_files", "check_model"):
        monkeypatch.setattr(type(served.studio.hub), name, unreachable)


def send(client: httpx.Client, index: int, data: list[str]) -> httpx.Response:
    """Every handler in a visit of its own: to open one takes Gradio longer than most calls."""
    body = f'{{"data": [{", ".join(data)}], "fn_index": {index}, "session_hash": "{VISIT}-{index}"}}'
    return client.post("/gradio_api/run/predict", content=body, headers={"content-type": "application/json"})


@pytest.mark.parametrize("part", range(PARTS))
def test_junk_is_refused_and_never_a_fault(served, harmless, caplog, part):
    done = 0
    with caplog.at_level(logging.ERROR, "facet.page"), httpx.Client(base_url=served.url, timeout=60) as client:
        for index, fn, data in calls(served.page, part):
            answer = send(client, index, data)
            done += 1
            assert answer.status_code < 500, (fn.name, data[:1], answer.text[:300])
            assert "Traceback" not in answer.text and "site-packages" not in answer.text
    assert [record.getMessage() for record in caplog.records if record.name == "facet.page"] == []
    assert done > 1500 / PARTS


def test_ten_megabytes_of_text_are_refused_in_words(served):
    with httpx.Client(base_url=served.url, timeout=60) as client:
        index = next(index for index, fn in served.page.fns.items() if fn.api_name == "chat")
        answer = send(client, index, ['"starter"', json.dumps("x" * 10_000_000), "false", "0", "16", "0"])
    assert answer.status_code < 500
    assert "more text than this field takes" in answer.text
