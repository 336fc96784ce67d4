"""The stand-in Hub itself: what a test says to it, and the server."""

import secrets
import socket
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, Self

import uvicorn
from fastapi import FastAPI

from tests.stand_in import devices, large_files, openid, reading, writing
from tests.stand_in.devices import Devices
from tests.stand_in.doors import Doors
from tests.stand_in.faults import Fault, Faults, Trouble
from tests.stand_in.openid import CLIENT_ID, CLIENT_SECRET, OpenId
from tests.stand_in.people import Person, Role, Token, stable_id
from tests.stand_in.refused import Refused, answer
from tests.stand_in.repos import Repo, Thing


class StandInHub:
    """A Hub on loopback with people, rights and versions. `asked` logs every request."""

    def __init__(self) -> None:
        self.repos: dict[tuple[Thing, str], Repo] = {}
        self.people: dict[str, Person] = {}
        self.tokens: dict[str, Token] = {}
        self.moved: dict[str, str] = {}
        self.faults: dict[str, int] = {}  # the start of a path -> a status, for as long as it stands here
        self.broken: dict[str, bytes] = {}  # a file's path -> the bytes to send instead
        self.planned: list[Fault] = []
        self.slow_seconds = 0.0
        self.ignores_ranges = False  # answers with the whole file when asked for a piece of it
        self.page_size = 1000  # entries in one answer of `tree`
        self.asked: list[tuple[str, str, str | None]] = []  # method, path, Authorization
        self.auto_login: str | None = None  # who signs in without being asked
        self.refused_scopes: set[str] = set()  # permissions nobody gives
        self.token_seconds = 8 * 3600.0  # how long a sign-in lasts
        self.device_seconds, self.device_interval = 900.0, 1.0  # a device's code lasts; it asks again after
        self.hosts = {"127.0.0.1", "localhost"}  # where a sign-in may lead back to
        self.doors, self.openid, self.devices = Doors(self), OpenId(self), Devices(self)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        app = Faults(self._app(), self)
        # h11 by name: faults reach for its transport. A request left hanging must not hold up the end of a test.
        how = {"http": "h11", "ws": "none", "lifespan": "off", "log_level": "error", "timeout_graceful_shutdown": 3}
        self._server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, **how))
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    @property
    def environment(self) -> dict[str, str]:
        """What another process needs to have this as its Hub."""
        quiet = {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
        return {"HF_ENDPOINT": self.url, "NO_PROXY": "127.0.0.1,localhost", **quiet}

    def space_environment(
        self,
        port: int,
        *,
        host: str | None = None,
        scopes: str = "openid profile contribute-repos gated-repos",
        space: str = "facet/facet",
    ) -> dict[str, str]:
        """What an app at this port needs to be served as if on a Space.

        With a `host` the login leads to `https://HOST/login/callback`, which only a proxy can answer; without one
        it leads back to where the app is.
        """
        self.hosts |= {host} if host else set()
        return {
            **self.environment,
            "SYSTEM": "spaces",
            "SPACE_ID": space,
            "OAUTH_CLIENT_ID": CLIENT_ID,
            "OAUTH_CLIENT_SECRET": CLIENT_SECRET,
            "OAUTH_SCOPES": scopes,
            "OPENID_PROVIDER_URL": self.url,
            "GRADIO_SERVER_PORT": str(port),
            **({"SPACE_HOST": host} if host else {}),
        }

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()

    def add(self, thing: Thing, name: str, files: Mapping[str, bytes | str], **about: Any) -> Repo:
        """A repository with its first version. To add another version to it, `repo.push(files)`."""
        repo = Repo(thing, name, **about)
        repo.push(files, title="initial commit", author=repo.owner)
        self.repos[thing, name] = repo
        return repo

    def address(self, repo: Repo) -> str:
        prefix = "" if repo.thing == "model" else f"/{repo.things}"
        return f"{self.url}{prefix}/{repo.name}"

    def person(
        self, name: str, *, sub: str | None = None, orgs: Mapping[str, str] | None = None, **about: Any
    ) -> Person:
        """An account. `about`: `fullname`, and `claims` that their sign-in tells beside the usual ones."""
        about = {"fullname": name.title()} | about
        self.people[name] = Person(name, sub or stable_id(name), orgs=dict(orgs or {}), **about)
        return self.people[name]

    def token(
        self,
        name: str,
        *,
        scopes: Iterable[str] | None = None,
        role: Role = "write",
        expires_in: float | None = None,
        app: str = CLIENT_ID,
        permissions: Mapping[str, set[str]] | None = None,
    ) -> str:
        """A token of this person: with `scopes` as a sign-in to `app` gives it, without them one of their own.

        `permissions` are those of a `fineGrained` one by namespace, such as `{"ann": {"repo.write"}}`;
        under `""` stands `gated` when it may read gated repositories.
        """
        person = self.people.get(name) or self.person(name)
        value = f"hf_{'oauth_' if scopes is not None else ''}{secrets.token_hex(17)}"
        ends = time.time() + expires_in if expires_in is not None else None
        given = frozenset(scopes) if scopes is not None else None
        issued_to = app if scopes is not None else None
        self.tokens[value] = Token(value, person, role, given, ends, issued_to, dict(permissions or {}))
        return value

    def revoke(self, token: str) -> None:
        self.tokens[token].revoked = True

    def accept(self, name: str, repo: str) -> None:
        """The person accepts a gated repository's terms."""
        self.people[name].accepted.add(repo)

    def approve_device(self, name: str, user_code: str | None = None) -> None:
        """The person agrees to the sign-in of the device that began last, or shows this code."""
        self.devices.answer(name, user_code)

    def deny_device(self, user_code: str | None = None) -> None:
        self.devices.answer("", user_code)

    def expire_device(self, user_code: str | None = None) -> None:
        self.devices.find(user_code).ends = 0.0

    def plan(self, match: str, status: int | Trouble, **about: Any) -> Fault:
        """Something that goes wrong with a coming request; see `Fault` for what can be said of it.

        `status` is a number, or "cut" (the connection ends while the request is read), "slow", "lost" (the work is
        done, the answer never comes), "truncate" (half an answer) or "wrong-hash" (bytes or hashes are not the true
        ones). `retry_after` is a short word for that header.
        """
        if (wait := about.pop("retry_after", None)) is not None:
            about["headers"] = about.get("headers", {}) | {"Retry-After": str(wait)}
        self.planned.append(Fault(match, status, **about))
        return self.planned[-1]

    def _app(self) -> FastAPI:
        app = FastAPI(openapi_url=None)
        app.add_exception_handler(Refused, answer)
        for part in (openid, devices, large_files, reading, writing):
            part.add_routes(app, self)
        return app
