"""The one HTTP client of this process, with limits that `huggingface_hub` does not set by itself."""

from typing import Any, Final

from huggingface_hub import HfApi, set_client_factory
from huggingface_hub.utils import disable_progress_bars, hf_raise_for_status, httpx, parse_ratelimit_headers
from huggingface_hub.utils._http import hf_request_event_hook

SECONDS: Final = 30.0  # between two signs of life; the client's own default is to wait for ever
CONNECT_SECONDS: Final = 10.0
PATIENT_SECONDS: Final = 30.0  # more than this and a person is told instead
WRITER: Final = "facet-writing"  # our name in what we write, and the mark by which `Client` knows it


def reader(endpoint: str | None) -> HfApi:
    """Asks for what anybody may see; a token goes with single calls only."""
    return HfApi(endpoint=endpoint, token=False, library_name="facet")


def writer(endpoint: str | None, token: str) -> HfApi:
    return HfApi(endpoint=endpoint, token=token, library_name=WRITER)


class Interrupted(httpx.TransportError):
    """The connection failed in the middle of a write."""


class Client(httpx.Client):
    """Tells us at once what became of a write, and of everything that would have to wait long.

    Left to itself the library repeats a failed write, sleeps for as long as a server's Retry-After says, however long
    that is, and repeats the making of a repository without end while the Hub answers that it is busy.
    """

    def send(self, request: httpx.Request, **how: Any) -> httpx.Response:
        writing = WRITER in request.headers.get("user-agent", "")
        try:
            response = super().send(request, **how)
        except httpx.TransportError as error:
            if writing:
                raise Interrupted(str(error), request=request) from error
            raise
        if response.status_code >= 400 and (writing or (wait_of(response) or 0.0) > PATIENT_SECONDS):
            response.read()
            hf_raise_for_status(response)
        return response


def wait_of(response: httpx.Response) -> float | None:
    """How long the Hub asks us to wait, in seconds, if it says so."""
    limit = parse_ratelimit_headers(response.headers)
    if limit is not None and limit.remaining == 0 and response.status_code == 429:
        return float(limit.reset_in_seconds)
    stated = response.headers.get("Retry-After", "").strip()
    return float(stated) if stated.isdecimal() else None


def _client() -> httpx.Client:
    timeout = httpx.Timeout(SECONDS, connect=CONNECT_SECONDS)
    return Client(event_hooks={"request": [hf_request_event_hook]}, follow_redirects=True, timeout=timeout)


set_client_factory(_client)  # on import, before the first request: it closes the client it replaces
disable_progress_bars()  # we report progress ourselves
