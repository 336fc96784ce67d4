"""A small Hub on loopback for tests: repositories in memory, read by the real client, with faults on request.

    with StandInHub() as hub:
        hub.add("dataset", "ann/poems", {"train.jsonl": b"..."})
        Hub(cache, endpoint=hub.url).dataset_file("ann/poems")

Xet, uploads and sign-in are not imitated. To serve an app in another process, give it `hub.environment`.
"""

import hashlib
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

Thing = Literal["model", "dataset"]
LARGE = 1000  # bytes from which a file is listed with its SHA-256, as the Hub does for LFS files


@dataclass
class Repo:
    """One repository. `refs` maps branches and tags to commits; there is one set of files."""

    thing: Thing
    name: str
    files: dict[str, bytes]
    gated: bool | str = False
    private: bool = False
    card: dict[str, Any] = field(default_factory=dict)
    safetensors: dict[str, Any] | None = None
    sizes: dict[str, int] = field(default_factory=dict)  # stated sizes that differ from the true ones

    @property
    def sha(self) -> str:
        content = b"".join(name.encode() + data for name, data in sorted(self.files.items()))
        return hashlib.sha1(f"{self.thing} {self.name}".encode() + content).hexdigest()

    def info(self) -> dict[str, Any]:
        return {
            "_id": "0" * 24,
            "id": self.name,
            "sha": self.sha,
            "private": self.private,
            "gated": self.gated,
            "disabled": False,
            "tags": [],
            "downloads": 0,
            "likes": 0,
            "cardData": self.card,
            "siblings": [self._sibling(name) for name in sorted(self.files)],
            **({"safetensors": self.safetensors} if self.safetensors else {}),
        }

    def _sibling(self, name: str) -> dict[str, Any]:
        data = self.files[name]
        size = self.sizes.get(name, len(data))
        listed: dict[str, Any] = {"rfilename": name, "size": size, "blobId": etag(data)}
        if len(data) > LARGE:
            listed["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": size, "pointerSize": 130}
        return listed


class StandInHub:
    """`faults` maps the start of a path to a status; `broken` to the bytes to send instead; `asked` logs requests."""

    def __init__(self) -> None:
        self.repos: dict[tuple[Thing, str], Repo] = {}
        self.moved: dict[str, str] = {}
        self.faults: dict[str, int] = {}
        self.broken: dict[str, bytes] = {}
        self.slow_seconds = 0.0
        self.asked: list[tuple[str, str, str | None]] = []  # method, path, Authorization
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        config = uvicorn.Config(self._app(), host="127.0.0.1", port=port, log_level="error")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    @property
    def environment(self) -> dict[str, str]:
        """What another process needs to have this as its Hub."""
        return {"HF_ENDPOINT": self.url, "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()

    def add(self, thing: Thing, name: str, files: Mapping[str, bytes | str], **about: Any) -> Repo:
        data = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
        self.repos[thing, name] = Repo(thing, name, data, **about)
        return self.repos[thing, name]

    def _app(self) -> FastAPI:
        app = FastAPI()

        @app.middleware("http")
        async def watch(request: Request, go_on: Any) -> Response:
            path = request.url.path
            self.asked.append((request.method, path, request.headers.get("authorization")))
            for start, status in self.faults.items():
                if path.startswith(start):
                    return Response(status_code=status)
            return await go_on(request)

        @app.get("/api/{things}/{owner}/{name}")
        @app.get("/api/{things}/{owner}/{name}/revision/{revision:path}")
        def info(things: str, owner: str, name: str, revision: str = "main") -> Response:
            time.sleep(self.slow_seconds)
            wanted = f"{owner}/{name}"
            if wanted in self.moved:
                target = f"/api/{things}/{self.moved[wanted]}/revision/{revision}"
                return Response(status_code=307, headers={"Location": target})
            repo = self._repo(things, wanted)
            refusal = self._refusal(repo, revision, reading=False)
            return refusal or JSONResponse(repo.info())

        @app.api_route("/datasets/{owner}/{name}/resolve/{revision}/{path:path}", methods=["GET", "HEAD"])
        def dataset_file(request: Request, owner: str, name: str, revision: str, path: str) -> Response:
            return self._file(request, self._repo("datasets", f"{owner}/{name}"), revision, path)

        @app.api_route("/{owner}/{name}/resolve/{revision}/{path:path}", methods=["GET", "HEAD"])
        def model_file(request: Request, owner: str, name: str, revision: str, path: str) -> Response:
            return self._file(request, self._repo("models", f"{owner}/{name}"), revision, path)

        return app

    def _repo(self, things: str, name: str) -> Repo | None:
        return self.repos.get(("dataset" if things == "datasets" else "model", name))

    def _refusal(self, repo: Repo | None, revision: str, reading: bool) -> Response | None:
        if repo is None or repo.private:
            return Response(status_code=401, headers={"X-Error-Code": "RepoNotFound"})
        if revision not in ("main", repo.sha):
            return Response(status_code=404, headers={"X-Error-Code": "RevisionNotFound"})
        if repo.gated and reading:
            return Response(status_code=401, headers={"X-Error-Code": "GatedRepo"})
        return None

    def _file(self, request: Request, repo: Repo | None, revision: str, path: str) -> Response:
        refusal = self._refusal(repo, revision, reading=True)
        if refusal or repo is None:
            return refusal or Response(status_code=404)
        if path not in repo.files:
            return Response(status_code=404, headers={"X-Error-Code": "EntryNotFound"})
        data = self.broken.get(path, repo.files[path])
        headers = {"ETag": f'"{etag(repo.files[path])}"', "X-Repo-Commit": repo.sha}
        if request.method == "HEAD":
            return Response(headers=headers | {"Content-Length": str(len(data))})
        start = int(request.headers.get("range", "bytes=0-").removeprefix("bytes=").split("-")[0])
        return Response(data[start:], status_code=206 if start else 200, headers=headers)


def etag(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest() if len(data) > LARGE else hashlib.sha1(data).hexdigest()
