"""An open page without a browser: the same requests in the same order, for load, faults and restarts.

The page is read once from its own description (`/config`), so a changed wire is followed. `events("tick")` are the
timers, `events("select")` the tabs, `events("load")` what is asked when the page has been opened.
"""

import asyncio
import contextlib
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

import httpx

Told = Callable[[str, float, int], None]  # kind of call, seconds, status (0: no answer)
SECONDS = 60.0


@dataclass
class Wires:
    """What the page asks for, and when."""

    config: dict[str, Any]

    def __post_init__(self) -> None:
        self.components = {each["id"]: each for each in self.config["components"]}
        self.asked = [each for each in self.config["dependencies"] if each.get("backend_fn")]

    def events(self, event: str, name: str = "", first_input: str | None = None) -> list[dict[str, Any]]:
        """Calls that an event makes, those called `page_name` only, and those whose first input is named so."""
        found = [
            each
            for each in self.asked
            if any(kind == event for _, kind in each["targets"]) and each["api_name"].startswith(f"page_{name}")
        ]
        return [each for each in found if first_input is None or self.labels(each)[:1] == [first_input]]

    def named(self, name: str, queued: bool | None = None) -> dict[str, Any]:
        named = [each for each in self.asked if each["api_name"] in (name, f"page_{name}")]
        return next(each for each in named if queued in (None, each["queue"]))

    def labels(self, call: dict[str, Any]) -> list[str]:
        return [str(self.components[i]["props"].get("label") or "") for i in call["inputs"]]

    def values(self, call: dict[str, Any], given: dict[str, Any]) -> list[Any]:
        """What the page would send: what it shows at first, but for what is given by label."""
        shown = [self.components[i]["props"].get("value") for i in call["inputs"]]
        return [given.get(label, value) for label, value in zip(self.labels(call), shown, strict=True)]


@dataclass
class PageSession:
    """One window of one person. `cookie` is theirs; without one the page gives them one when it is opened."""

    address: str
    told: Told = lambda kind, seconds, status: None
    cookie: str = ""
    wires: Wires | None = None
    page: str = field(default_factory=lambda: secrets.token_hex(6))
    _beat: asyncio.Task | None = None
    _listening: asyncio.Task | None = None
    _answers: dict[str, asyncio.Future] = field(default_factory=dict)

    async def __aenter__(self) -> "PageSession":
        self.http = httpx.AsyncClient(base_url=self.address, timeout=SECONDS, verify=False, trust_env=False)
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in (self._beat, self._listening):
            if task:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        await self.http.aclose()

    async def open(self, kind: str = "first page", **query: str) -> None:
        """The page, its style and description, the sign of life, and what is asked once it stands."""
        began = time.monotonic()
        answer = await self.request("page", "GET", "/", params=query)
        for header in answer.headers.get_list("set-cookie"):
            for name, value in SimpleCookie(header).items():
                if name == "__Host-facet-visitor" and not self.cookie:
                    self.cookie = f"{name}={value.value}"
        await self.request("page", "GET", "/theme.css")
        if self.wires is None:
            self.wires = Wires((await self.request("page", "GET", "/config")).json())
        self._beat = asyncio.create_task(self._live())
        await asyncio.gather(*[self.call("load", each) for each in self.wires.events("load")])
        self.told(kind, time.monotonic() - began, answer.status_code)

    async def request(self, kind: str, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"cookie": self.cookie} if self.cookie else {}
        began, status = time.monotonic(), 0
        try:
            try:
                answer = await self.http.request(method, path, headers=headers, **more)
            except (httpx.ReadError, httpx.RemoteProtocolError):  # a kept line was closed just now; browsers ask again
                answer = await self.http.request(method, path, headers=headers, **more)
            status = answer.status_code
            return answer
        finally:
            self.told(kind, time.monotonic() - began, status)

    async def call(self, kind: str, asked: dict[str, Any], **given: Any) -> list[Any] | None:
        """What a timer, a tab or a button asks, as the page does: at once, or through the queue.

        `given` is by label of the input. None: it was refused, or there was no answer.
        """
        try:
            return await self.send(kind, asked, self.wires.values(asked, given))
        except httpx.TransportError:
            return None  # `told` has heard of it

    async def send(self, kind: str, asked: dict[str, Any], values: list[Any]) -> list[Any] | None:
        body = {"data": values, "fn_index": asked["id"], "session_hash": self.page, "trigger_id": None}
        if asked["queue"]:
            return await self._through_the_queue(kind, body)
        answer = await self.request(kind, "POST", "/gradio_api/run/predict", json=body)
        return answer.json()["data"] if answer.status_code == 200 else None

    async def _through_the_queue(self, kind: str, body: dict[str, Any]) -> list[Any] | None:
        """Joins, and listens until its own answer is there. What was refused counts as status 422."""
        began, status, said = time.monotonic(), 0, None
        try:
            joined = await self.request(f"{kind} (joins)", "POST", "/gradio_api/queue/join", json=body)
            status = joined.status_code
            if status == 200:
                said = await self._answer_to(joined.json()["event_id"])
                status = 200 if said.get("success") else 422
        finally:
            self.told(kind, time.monotonic() - began, status)
        return said["output"]["data"] if said and said.get("success") else None

    async def _answer_to(self, event: str) -> dict[str, Any]:
        answer = self._answers.setdefault(event, asyncio.get_running_loop().create_future())
        if self._listening is None or self._listening.done():
            self._listening = asyncio.create_task(self._listen())
        try:
            return await asyncio.wait_for(answer, SECONDS)
        except TimeoutError:
            return {}
        finally:
            self._answers.pop(event, None)

    async def _listen(self) -> None:
        """One stream tells the answers to everything this page has asked, and ends when all are told."""
        headers, params = {"cookie": self.cookie}, {"session_hash": self.page}
        while any(not answer.done() for answer in self._answers.values()):
            with contextlib.suppress(httpx.RemoteProtocolError):
                async with self.http.stream("GET", "/gradio_api/queue/data", params=params, headers=headers) as stream:
                    async for line in stream.aiter_lines():
                        said = json.loads(line[5:]) if line.startswith("data:") else {}
                        if said.get("msg") == "process_completed":
                            self._heard(said["event_id"], said)

    def _heard(self, event: str, said: dict[str, Any]) -> None:
        """An answer may be there before the one who asked has begun to wait for it."""
        answer = self._answers.setdefault(event, asyncio.get_running_loop().create_future())
        if not answer.done():
            answer.set_result(said)

    async def _live(self) -> None:
        """The page's sign of life: a stream that stays open as long as the page does."""
        headers = {"cookie": self.cookie} if self.cookie else {}
        with contextlib.suppress(httpx.HTTPError):
            async with self.http.stream(
                "GET", f"/gradio_api/heartbeat/{self.page}", headers=headers, timeout=None
            ) as stream:
                async for _ in stream.aiter_raw():
                    pass


def see_run(address: str, run_id: str) -> str:
    """What the page of a run says at this moment, as HTML."""

    async def look() -> str:
        async with PageSession(address) as page:
            await page.open(run=run_id)
            asked = page.wires.events("tick", "follow", "open-run")[0]
            shown = await page.call("look", asked, **{"open-run": run_id})
            return json.dumps(shown, ensure_ascii=False)

    return asyncio.run(look())
