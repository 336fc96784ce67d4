"""People, organisations, tokens, and who may do what with which repository."""

import hashlib
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from tests.stand_in.repos import Repo

Role = Literal["read", "write", "admin", "fineGrained"]
WRITING_ROLES = frozenset(["write", "admin"])
WRITING_SCOPES = frozenset(["write-repos", "manage-repos"])
READING_SCOPES = frozenset(["read-repos", *WRITING_SCOPES])


@dataclass
class Person:
    """An account. `orgs` maps organisations to the role in them; `accepted` holds gated repositories."""

    name: str
    sub: str
    fullname: str
    orgs: dict[str, str] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)  # added to what the sign-in tells of them
    accepted: set[str] = field(default_factory=set)

    def may_write(self, namespace: str) -> bool:
        return namespace == self.name or self.orgs.get(namespace) in WRITING_ROLES

    def belongs(self, namespace: str) -> bool:
        return namespace == self.name or namespace in self.orgs


@dataclass
class Token:
    """`scopes` is None for a person's own token with a role, and a set for what a sign-in gave to an `app`."""

    value: str
    person: Person
    role: Role = "write"
    scopes: frozenset[str] | None = None
    expires_at: float | None = None  # seconds since 1970
    app: str | None = None
    permissions: dict[str, set[str]] = field(default_factory=dict)  # of a fine-grained one, by namespace
    revoked: bool = False

    @property
    def is_valid(self) -> bool:
        return not self.revoked and (self.expires_at is None or self.expires_at > time.time())

    def may_create(self, namespace: str) -> bool:
        allowed = self._allows(namespace, {"repo.write"}, frozenset(["contribute-repos", "manage-repos"]), None)
        return allowed and self.person.may_write(namespace)

    def may_write(self, repo: Repo) -> bool:
        """Commit and tag."""
        return self.person.may_write(repo.owner) and self._allows(repo.owner, {"repo.write"}, WRITING_SCOPES, repo)

    def may_manage(self, repo: Repo) -> bool:
        """Change who sees it, or delete it."""
        manage = frozenset(["manage-repos"])
        return self.person.may_write(repo.owner) and self._allows(repo.owner, {"repo.write"}, manage, repo)

    def may_see(self, repo: Repo) -> bool:
        """Know of a private repository, and read it unless it is gated too."""
        reads = {"repo.content.read", "repo.write"}
        return self.person.belongs(repo.owner) and (
            self.role == "read" or self._allows(repo.owner, reads, READING_SCOPES, repo)
        )

    def may_read_gated(self, repo: Repo) -> bool:
        if self.person.belongs(repo.owner) and self.may_see(repo):
            return True
        if self.scopes is not None and "gated-repos" not in self.scopes:
            return False
        if self.role == "fineGrained" and "gated" not in self.permissions.get("", set()):
            return False
        return repo.name in self.person.accepted

    def _allows(self, namespace: str, permissions: set[str], scopes: frozenset[str], repo: Repo | None) -> bool:
        """`repo` None: the question is whether a new one may be made."""
        if self.scopes is not None:
            its_own = repo is not None and repo.made_by is not None and repo.made_by == self.app
            return bool(scopes & self.scopes) or (its_own and "contribute-repos" in self.scopes)
        if self.role == "fineGrained":
            return bool(permissions & self.permissions.get(namespace, set()))
        return self.role in WRITING_ROLES


def stable_id(name: str) -> str:
    """24 hexadecimal digits, as the Hub gives its accounts; it does not change with the name's owner."""
    return hashlib.sha1(name.encode()).hexdigest()[:24]


def whoami(token: Token, url: str) -> dict[str, Any]:
    """What `whoami-v2` tells. Of a sign-in it tells neither role nor scopes, only when it ends."""
    person = token.person
    return {
        "type": "user",
        "id": person.sub,
        "name": person.name,
        "fullname": person.fullname,
        "email": f"{person.name}@example.com",
        "emailVerified": True,
        "canPay": False,
        "periodEnd": None,
        "isPro": False,
        "avatarUrl": f"{url}/avatars/{person.name}.svg",
        "orgs": [_organisation(name, role, url) for name, role in person.orgs.items()],
        "auth": _auth(token),
    }


def userinfo(person: Person, url: str, scopes: frozenset[str]) -> dict[str, Any]:
    """The claims of a sign-in."""
    orgs = [{"sub": stable_id(name), "name": name, "preferred_username": name} for name in person.orgs]
    for org, role in zip(orgs, person.orgs.values(), strict=True):
        org |= {"picture": f"{url}/avatars/{org['name']}.svg", "isEnterprise": False, "roleInOrg": role}
    return {
        "sub": person.sub,
        "name": person.fullname,
        "preferred_username": person.name,
        "profile": f"{url}/{person.name}",
        "picture": f"{url}/avatars/{person.name}.svg",
        "isPro": False,
        "orgs": orgs,
        **({"email": f"{person.name}@example.com", "email_verified": True} if "email" in scopes else {}),
        **person.claims,
    }


def _organisation(name: str, role: str, url: str) -> dict[str, Any]:
    return {
        "type": "org",
        "id": stable_id(name),
        "name": name,
        "fullname": name.title(),
        "email": None,
        "canPay": False,
        "periodEnd": None,
        "isEnterprise": False,
        "avatarUrl": f"{url}/avatars/{name}.svg",
        "roleInOrg": role,
    }


def _auth(token: Token) -> dict[str, Any]:
    ends = {"expiresAt": _iso(token.expires_at)} if token.expires_at else {}
    if token.scopes is not None:
        return {"type": "app_token_as_user", **ends}
    about: dict[str, Any] = {"displayName": f"{token.person.name}'s token", "role": token.role}
    about["createdAt"] = "2026-01-01T00:00:00.000Z"
    if token.role == "fineGrained":
        everywhere = token.permissions.get("", set())
        scoped = [
            {"entity": _entity(name, token.person), "permissions": sorted(given)}
            for name, given in token.permissions.items()
            if name
        ]
        about["fineGrained"] = {"canReadGatedRepos": "gated" in everywhere, "global": [], "scoped": scoped}
    return {"type": "access_token", "accessToken": about, **ends}


def _entity(name: str, person: Person) -> dict[str, str]:
    if name == person.name:
        return {"_id": person.sub, "type": "user", "name": name}
    return {"_id": stable_id(name), "type": "org", "name": name}


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
