"""What the client writes: repositories, commits, tags, settings."""

import base64
import json
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from tests.stand_in.card import complaints, front_matter
from tests.stand_in.doors import NAME
from tests.stand_in.refused import Refused, not_found
from tests.stand_in.repos import GIT_ATTRIBUTES, Repo, blob_id, etag, is_large

if TYPE_CHECKING:
    from tests.stand_in.server import StandInHub


def add_routes(app: FastAPI, hub: "StandInHub") -> None:
    doors = hub.doors

    @app.post("/api/repos/create")
    async def create(request: Request) -> Response:
        token, asked = doors.signed_in(request), await request.json()
        owner, thing = asked.get("organization") or token.person.name, asked.get("type") or "model"
        name = f"{owner}/{asked['name']}"
        if not NAME.fullmatch(asked["name"]) or asked["name"].endswith((".git", ".ipynb")):
            raise Refused(400, f"{asked['name']} is not a valid name for a repository")
        if not token.may_create(owner):
            raise Refused(403, f'You don\'t have the rights to create a {thing} under the namespace "{owner}"')
        if there := doors.find(f"{thing}s", name):
            raise Refused(409, f"You already created this {thing} repo", url=hub.address(there))
        private = asked.get("private", asked.get("visibility") == "private")
        repo = hub.add(thing, name, {".gitattributes": GIT_ATTRIBUTES}, private=bool(private), made_by=token.app)
        return JSONResponse({"url": hub.address(repo), "name": name, "id": repo.sha[:24]})

    @app.delete("/api/repos/delete")
    async def delete(request: Request) -> Response:
        token, asked = doors.signed_in(request), await request.json()
        name = f"{asked.get('organization') or token.person.name}/{asked['name']}"
        repo = doors.write(request, f"{asked.get('type') or 'model'}s", name, manage=True)
        del hub.repos[repo.thing, repo.name]
        return Response("OK")

    @app.put("/api/{things}/{owner}/{name}/settings")
    async def settings(request: Request, things: str, owner: str, name: str) -> Response:
        repo, asked = doors.write(request, things, f"{owner}/{name}", manage=True), await request.json()
        if "visibility" in asked or "private" in asked:
            repo.private = asked.get("private", asked.get("visibility") == "private")
        repo.gated = asked.get("gated", repo.gated)
        return JSONResponse({"private": repo.private, "gated": repo.gated})

    @app.post("/api/{things}/{owner}/{name}/tag/{revision:path}")
    async def tag(request: Request, things: str, owner: str, name: str, revision: str) -> Response:
        repo, asked = doors.write(request, things, f"{owner}/{name}"), await request.json()
        commit = repo.at(revision)
        if asked["tag"] in repo.tags:
            raise Refused(409, f"Reference already exists: refs/tags/{asked['tag']}")
        repo.tags[asked["tag"]] = commit.sha
        return JSONResponse({})

    @app.delete("/api/{things}/{owner}/{name}/tag/{tag:path}")
    def untag(request: Request, things: str, owner: str, name: str, tag: str) -> Response:
        repo = doors.write(request, things, f"{owner}/{name}")
        if repo.tags.pop(tag, None) is None:
            raise Refused(404, f"No such tag: {tag}", "RevisionNotFound")
        return JSONResponse({})

    @app.post("/api/validate-yaml")
    async def validate_yaml(request: Request) -> Response:
        asked = await request.json()
        errors, warnings = complaints(asked["content"], asked.get("repoType", "model"))
        body = {"errors": [{"message": each} for each in errors], "warnings": [{"message": each} for each in warnings]}
        return JSONResponse(body, 400 if errors else 200)

    @app.post("/api/{things}/{owner}/{name}/preupload/{revision:path}")
    async def preupload(request: Request, things: str, owner: str, name: str, revision: str) -> Response:
        repo = doors.write(request, things, f"{owner}/{name}")
        there, asked = repo.at(revision).files, await request.json()
        return JSONResponse({"files": [_upload_mode(file, there) for file in asked["files"]]})

    @app.post("/api/{things}/{owner}/{name}/commit/{revision:path}")
    async def commit(request: Request, things: str, owner: str, name: str, revision: str) -> Response:
        token, repo = doors.signed_in(request), doors.write(request, things, f"{owner}/{name}")
        header, *changes = [json.loads(line) for line in (await request.body()).splitlines() if line.strip()]
        if revision not in repo.branches:
            raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        if header["value"].get("parentCommit") not in (None, repo.branches[revision]):
            raise Refused(412, "A commit has happened since. Please refresh and try again.")
        files, gone = _changed(repo, repo.at(revision).files, changes)
        page = files.get("README.md", b"").decode("utf-8", "replace")
        if errors := complaints(page, repo.thing)[0]:
            raise Refused(400, f"Invalid metadata in README.md: {' '.join(errors)}")
        about = {"title": header["value"]["summary"], "message": header["value"].get("description", "")}
        repo.card = (front_matter(page) or {}) if page else repo.card
        sha = repo.push(files, gone, branch=revision, author=token.person.name, **about)
        address = f"{hub.address(repo)}/commit/{sha}"
        return JSONResponse({"success": True, "commitUrl": address, "commitOid": sha, "hookOutput": ""})

    @app.api_route("/api/{rest:path}", methods=["GET", "POST", "PUT", "DELETE"])
    def unknown(request: Request) -> Response:
        raise not_found(doors.token(request) is not None)


def _upload_mode(file: dict[str, Any], there: dict[str, bytes]) -> dict[str, Any]:
    path, sample = file["path"], base64.b64decode(file["sample"])
    large = is_large(path, sample.ljust(min(file["size"], 1_000_000), b"\0"))
    mode = {"path": path, "uploadMode": "lfs" if large else "regular", "shouldIgnore": False}
    if path in there:
        mode["oid"] = etag(path, there[path]) if large else blob_id(path, there[path])
    return mode


def _changed(repo: Repo, before: dict[str, bytes], changes: list[dict[str, Any]]) -> tuple[dict[str, bytes], list[str]]:
    """The files a commit adds and the paths it deletes."""
    files, gone = {}, []
    for change in changes:
        value, path = change["value"], change["value"]["path"]
        if path.startswith(("/", ".git/")) or ".." in path.split("/"):
            raise Refused(400, f"Invalid path: {path}")
        match change["key"]:
            case "file":
                files[path] = base64.b64decode(value["content"])
            case "lfsFile" if value["oid"] in repo.uploaded:
                files[path] = repo.uploaded[value["oid"]]
            case "lfsFile":
                raise Refused(400, f"LFS pointer pointed to a file that does not exist: {path}")
            case "deletedFile" if path in before:
                gone.append(path)
            case "deletedFolder" if inside := [name for name in before if name.startswith(f"{path.rstrip('/')}/")]:
                gone.extend(inside)
            case "deletedFile" | "deletedFolder":
                raise Refused(404, "A file with this name doesn't exist", "EntryNotFound")
            case other:
                raise Refused(400, f"Unknown operation: {other}")
    return files, gone
