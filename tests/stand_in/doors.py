"""The way in to a repository: who asks, which repository is meant, and whether they may."""

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from fastapi import Request

from tests.stand_in.people import Token
from tests.stand_in.refused import Refused, not_found
from tests.stand_in.repos import Repo, Thing

if TYPE_CHECKING:
    from tests.stand_in.server import StandInHub

THINGS: dict[str, Thing] = {"models": "model", "datasets": "dataset", "spaces": "space"}
NAME = re.compile(r"(?!.*(--|\.\.))[A-Za-z0-9_][\w.-]{0,94}[A-Za-z0-9_]|[A-Za-z0-9_]", re.ASCII)


class Doors:
    """Every route asks here first; what is refused is raised as `Refused`."""

    def __init__(self, hub: "StandInHub") -> None:
        self.hub = hub

    def token(self, request: Request) -> Token | None:
        """The token of a request. One that is not valid is refused, even where none is needed."""
        authorization = request.headers.get("authorization")
        if authorization is None:
            return None
        token = self.hub.tokens.get(authorization.removeprefix("Bearer "))
        if token is None or not token.is_valid:
            raise Refused(401, "Invalid credentials in Authorization header")
        return token

    def signed_in(self, request: Request) -> Token:
        token = self.token(request)
        if token is None:
            raise Refused(401, "Invalid username or password.")
        return token

    def find(self, things: str, name: str) -> Repo | None:
        """A repository by its name; upper and lower case make no difference."""
        thing = THINGS.get(things, "model")
        known = {(kind, known.lower()): repo for (kind, known), repo in self.hub.repos.items()}
        return self.hub.repos.get((thing, name)) or known.get((thing, name.lower()))

    def see(self, request: Request, things: str, name: str) -> Repo:
        """A repository whose description this person may read."""
        token, repo = self.token(request), self.find(things, name)
        if repo is None or (repo.private and not (token and token.may_see(repo))):
            raise not_found(token is not None)
        return repo

    def read(self, request: Request, things: str, name: str) -> Repo:
        """One whose files they may read."""
        repo, token = self.see(request, things, name), self.token(request)
        if repo.gated and not (token and token.may_read_gated(repo)):
            words = f"Access to {repo.thing} {repo.name} is restricted and you are not in the authorized list. "
            words += f"Visit {self.hub.url}/{repo.name} to ask for access."
            raise Refused(403 if token else 401, words, "GatedRepo")
        return repo

    def write(self, request: Request, things: str, name: str, manage: bool = False) -> Repo:
        """One they may commit to, or with `manage` change the settings of and delete."""
        token, repo = self.signed_in(request), self.see(request, things, name)
        if not (token.may_manage(repo) if manage else token.may_write(repo)):
            raise Refused(403, "Forbidden: pass a token with the right to write to this repository")
        return repo


def parts_after(request: Request, word: str, most: int = 1) -> list[str]:
    """What follows a word in the path, where `%2F` does not divide: `tree/refs%2Fpr%2F1/a` has two parts."""
    tail = request.scope["raw_path"].decode().split(f"/{word}/", 1)[1]
    return [unquote(part) for part in tail.split("/", most)]
