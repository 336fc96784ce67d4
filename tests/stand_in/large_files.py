"""Uploads of large files by the Git LFS protocol, in one piece each: batch, PUT, verify."""

from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from tests.stand_in.refused import Refused
from tests.stand_in.repos import is_large, sha256

if TYPE_CHECKING:
    from tests.stand_in.server import StandInHub


def add_routes(app: FastAPI, hub: "StandInHub") -> None:
    doors = hub.doors

    @app.post("/{things}/{owner}/{name}.git/info/lfs/objects/batch")
    @app.post("/{owner}/{name}.git/info/lfs/objects/batch")
    async def batch(request: Request, owner: str, name: str, things: str = "models") -> Response:
        repo, asked = doors.write(request, things, f"{owner}/{name}"), await request.json()
        for files in (commit.files for commit in repo.commits.values()):
            repo.uploaded |= {sha256(data): data for path, data in files.items() if is_large(path, data)}
        answers = []
        for file in asked["objects"]:
            answer = {"oid": file["oid"], "size": file["size"]}
            if sha256(repo.uploaded.get(file["oid"], b"")) != file["oid"]:  # what arrived damaged may come again
                here = f"{hub.url}/lfs/{repo.things}/{repo.name}/{file['oid']}"
                actions = {"upload": {"href": f"{here}?size={file['size']}"}, "verify": {"href": f"{here}/verify"}}
                answer["actions"] = actions
            answers.append(answer)
        return JSONResponse({"transfer": "basic", "objects": answers})

    @app.put("/lfs/{things}/{owner}/{name}/{oid}")
    async def put(request: Request, things: str, owner: str, name: str, oid: str, size: int) -> Response:
        """The address itself is the permission, as with a signed one. Storage looks at the size, not at the hash."""
        repo, data = doors.find(things, f"{owner}/{name}"), await request.body()
        if repo is None or len(data) != size:
            raise Refused(400, f"Expected {size} bytes and got {len(data)}")
        repo.uploaded[oid] = data
        return Response(headers={"ETag": f'"{sha256(data)}"'})

    @app.post("/lfs/{things}/{owner}/{name}/{oid}/verify")
    async def verify(request: Request, things: str, owner: str, name: str, oid: str) -> Response:
        repo, asked = doors.write(request, things, f"{owner}/{name}"), await request.json()
        if len(repo.uploaded.get(oid, b"")) != asked["size"]:
            raise Refused(404, "This file was not uploaded")
        return JSONResponse({})
