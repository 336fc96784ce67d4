"""What the client reads: who I am, what a repository holds, its files."""

import time
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from tests.stand_in.doors import parts_after
from tests.stand_in.people import whoami
from tests.stand_in.refused import Refused
from tests.stand_in.repos import Repo, etag

if TYPE_CHECKING:
    from tests.stand_in.server import StandInHub


def add_routes(app: FastAPI, hub: "StandInHub") -> None:
    doors = hub.doors

    @app.get("/api/whoami-v2")
    def who_am_i(request: Request) -> Response:
        return JSONResponse(whoami(doors.signed_in(request), hub.url))

    @app.get("/api/{things}/{owner}/{name}/auth-check")
    def auth_check(request: Request, things: str, owner: str, name: str) -> Response:
        doors.read(request, things, f"{owner}/{name}")
        return JSONResponse({})

    @app.get("/api/{things}/{owner}/{name}/auth-check/write")
    def auth_check_to_write(request: Request, things: str, owner: str, name: str) -> Response:
        doors.write(request, things, f"{owner}/{name}")
        return JSONResponse({})

    @app.get("/api/{things}/{owner}/{name}/refs")
    def refs(request: Request, things: str, owner: str, name: str) -> Response:
        repo = doors.see(request, things, f"{owner}/{name}")
        branches = [_ref("heads", name, sha) for name, sha in repo.branches.items()]
        tags = [_ref("tags", name, sha) for name, sha in repo.tags.items()]
        return JSONResponse({"branches": branches, "converts": [], "tags": tags, "pullRequests": []})

    @app.get("/api/{things}/{owner}/{name}/commits/{revision:path}")
    def commits(request: Request, things: str, owner: str, name: str, revision: str) -> Response:
        repo = doors.see(request, things, f"{owner}/{name}")
        return JSONResponse(
            [
                {"id": each.sha, "title": each.title, "message": each.message, "date": each.when}
                | {"authors": [{"user": each.author}]}
                for each in repo.history_of(repo.at(revision).sha)
            ]
        )

    @app.get("/api/{things}/{owner}/{name}/tree/{rest:path}")
    def tree(request: Request, things: str, owner: str, name: str) -> Response:
        repo = doors.see(request, things, f"{owner}/{name}")
        revision, *folder = parts_after(request, "tree")
        recursive = request.query_params.get("recursive", "").lower() in ("true", "1")
        entries = repo.entries(revision, "".join(folder), recursive)
        start = int(request.query_params.get("cursor", 0))
        headers, stop = {}, start + hub.page_size
        if stop < len(entries):
            again = request.url.include_query_params(cursor=stop)
            headers["Link"] = f'<{hub.url}{request.scope["raw_path"].decode()}?{again.query}>; rel="next"'
        return JSONResponse(entries[start:stop], headers=headers)

    @app.post("/api/{things}/{owner}/{name}/paths-info/{revision:path}")
    async def paths_info(request: Request, things: str, owner: str, name: str, revision: str) -> Response:
        repo = doors.see(request, things, f"{owner}/{name}")
        wanted = {str(path).strip("/") for path in (await request.form()).getlist("paths")}
        return JSONResponse([entry for entry in repo.entries(revision) if entry["path"] in wanted])

    @app.get("/api/{things}/{owner}/{name}")
    @app.get("/api/{things}/{owner}/{name}/revision/{revision:path}")
    def info(request: Request, things: str, owner: str, name: str, revision: str = "main") -> Response:
        time.sleep(hub.slow_seconds)
        wanted = f"{owner}/{name}"
        found = doors.find(things, wanted)
        moved_to = hub.moved.get(wanted) or (found.name if found and found.name != wanted else None)
        if moved_to:
            return Response(status_code=307, headers={"Location": f"/api/{things}/{moved_to}/revision/{revision}"})
        return JSONResponse(doors.see(request, things, wanted).info(revision))

    @app.api_route("/{things}/{owner}/{name}/resolve/{rest:path}", methods=["GET", "HEAD"])
    @app.api_route("/{owner}/{name}/resolve/{rest:path}", methods=["GET", "HEAD"])
    def file(request: Request, owner: str, name: str, things: str = "models") -> Response:
        repo = doors.read(request, things, f"{owner}/{name}")
        revision, *path = parts_after(request, "resolve")
        return _file(request, hub, repo, revision, "".join(path))


def _ref(kind: str, name: str, sha: str) -> dict[str, str]:
    return {"name": name, "ref": f"refs/{kind}/{name}", "targetCommit": sha}


def _file(request: Request, hub: "StandInHub", repo: Repo, revision: str, path: str) -> Response:
    commit = repo.at(revision)
    if path not in commit.files:
        raise Refused(404, "Entry not found", "EntryNotFound")
    data = hub.broken.get(path, commit.files[path])
    headers = {"ETag": f'"{etag(path, commit.files[path])}"', "X-Repo-Commit": commit.sha}
    if request.method == "HEAD":
        return Response(headers=headers | {"Content-Length": str(len(data))})
    asked = request.headers.get("range")
    if asked is None or hub.ignores_ranges:
        return Response(data, headers=headers)
    start, stop = _range(asked, len(data))
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(data)}"
    return Response(data[start:stop], status_code=206, headers=headers)


def _range(asked: str, size: int) -> tuple[int, int]:
    """The bytes a request is about: the first, and the one behind the last."""
    first, last = asked.removeprefix("bytes=").split("-")
    start, stop = int(first), min(size, int(last) + 1 if last else size)
    if start >= stop:
        raise Refused(416, "The requested range cannot be satisfied")
    return start, stop
