"""What the client may raise while we write, and what we make of it."""

import json

import hf_xet
import pytest
from huggingface_hub import errors as theirs
from huggingface_hub.utils import httpx

from facet.errors import AccessError, CapacityError, HubError
from facet.hub.client import Interrupted, wait_of
from facet.hub.writing import Busy, Moved, OwnRepo, Taken, trouble_of

STORAGE = "Network error: Request error: HTTP status client error ({} Whatever), domain: https://cas"


def answer(status, message="", **headers):
    response = httpx.Response(status, headers=headers, request=httpx.Request("POST", "https://huggingface.co/api/x"))
    return theirs.HfHubHTTPError("no", response=response, server_message=message)


def wrapped(error):
    outer = RuntimeError("Error while uploading 'x' to the Hub.")
    outer.__cause__ = error
    return outer


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (answer(412), Moved),
        (answer(409), Taken),
        (answer(409, "another conflicting operation is in progress"), Busy),
        (answer(500), Busy),
        (answer(429), Busy),
        (answer(404), Busy),
        (answer(401), AccessError),
        (answer(402), CapacityError),
        (answer(403), AccessError),
        (answer(403, "Storage quota exceeded"), CapacityError),
        (answer(413), CapacityError),
        (answer(418), HubError),
        (wrapped(answer(413)), CapacityError),
        (wrapped(wrapped(httpx.ReadTimeout("slow"))), Busy),
        (RuntimeError("Cannot send a request, as the client has been closed."), Busy),
        (Interrupted("cut"), Busy),
        (httpx.ConnectError("no"), Busy),
        (ConnectionError(STORAGE.format(413)), CapacityError),
        (ConnectionError(STORAGE.format(403)), AccessError),
        (ConnectionError(STORAGE.format(404)), Busy),
        (hf_xet.XetAuthenticationError("over"), Busy),
        (hf_xet.XetObjectNotFoundError("gone"), Busy),
        (theirs.OfflineModeIsEnabled("offline"), HubError),
        (json.JSONDecodeError("no", "", 0), Busy),
        (KeyError("commitOid"), Busy),
        (UnboundLocalError("operation"), Busy),
        (ValueError("LFS batch API returned errors: size exceeds the limit"), CapacityError),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_every_trouble_has_a_kind(error, kind):
    trouble = trouble_of(error, "ann/poems")
    assert type(trouble) is kind
    if not isinstance(trouble, (Busy, Moved, Taken)):
        assert all(sentence.endswith(".") for sentence in trouble.args)


@pytest.mark.parametrize("error", [FileNotFoundError("a file here is gone"), MemoryError(), PermissionError("here")])
def test_a_trouble_of_this_machine_is_not_taken_for_one_of_the_hub(error):
    assert trouble_of(error, "ann/poems") is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": " 7 "}, 7),
        ({"RateLimit": '"api";r=0;t=55', "Retry-After": "7"}, 55),
        ({"RateLimit": '"api";r=3;t=55'}, None),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"Retry-After": "-3"}, None),
        ({"Retry-After": "²"}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait_is_read_where_it_is_a_number(headers, seconds):
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    assert wait_of(httpx.Response(429, headers=encoded)) == seconds


def test_a_repository_does_not_show_its_token():
    assert "secret" not in repr(OwnRepo("ann/poems", "hf_secret"))
