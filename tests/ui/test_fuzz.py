"""Typed junk to every handler of the served page: no fault of ours, no traceback to the person, no HTTP 500."""

import json
import logging
import secrets

import httpx
import pytest

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


def calls(page):
    """Every handler with each kind of junk in all places at once, and in the right and a wrong number."""
    for index, fn in page.fns.items():
        if fn.fn is None:
            continue
        for value in VALUES:
            yield index, fn, [value] * len(fn.inputs)
        yield index, fn, ["1"] * (len(fn.inputs) + 3)


def send(client: httpx.Client, index: int, data: list[str]) -> httpx.Response:
    body = f'{{"data": [{", ".join(data)}], "fn_index": {index}, "session_hash": "{secrets.token_hex(4)}"}}'
    return client.post("/gradio_api/run/predict", content=body, headers={"content-type": "application/json"})


def test_junk_is_refused_and_never_a_fault(served, caplog, monkeypatch):
    monkeypatch.setattr(served.studio.voices, "warm_up", lambda: None)
    monkeypatch.setattr(served.studio, "start", lambda *_: pytest.fail("junk started a run"))
    done = 0
    with caplog.at_level(logging.ERROR, "facet.page"), httpx.Client(base_url=served.url, timeout=60) as client:
        for index, fn, data in calls(served.page):
            if fn.name in ("begin", "take_example"):  # they take nothing from outside and really do begin
                continue
            answer = send(client, index, data)
            done += 1
            assert answer.status_code < 500, (fn.name, data[:1], answer.text[:300])
            assert "Traceback" not in answer.text and "site-packages" not in answer.text
    faults = [record.getMessage() for record in caplog.records if record.name == "facet.page"]
    assert faults == []
    assert done > 600


def test_ten_megabytes_of_text_are_refused_in_words(served):
    with httpx.Client(base_url=served.url, timeout=60) as client:
        index = next(index for index, fn in served.page.fns.items() if fn.api_name == "chat")
        answer = send(client, index, ['"starter"', json.dumps("x" * 10_000_000), "false", "0", "16", "0"])
    assert answer.status_code < 500
    assert "more text than this field takes" in answer.text
