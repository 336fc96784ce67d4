"""Who is asking, and what they carry for the length of one call."""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from facet.errors import AccessError

Scope = Literal["contribute-repos", "gated-repos", "read-repos", "inference-api", "jobs"]
PERMISSIONS: Final[dict[Scope, str]] = {
    "contribute-repos": "make repositories in your account and change the ones it made",
    "gated-repos": "read models whose terms you have accepted",
    "read-repos": "read your private models and datasets",
    "inference-api": "ask hosted models in your name",
    "jobs": "start paid training jobs in your name",
}


@dataclass(frozen=True)
class Person:
    """The owner of things. `key` names their folder and never comes from a name they can change."""

    key: str  # "local", "hf-…" of the sign-in's subject, or "visitor-…" of a random secret
    name: str  # shown, never used to decide anything
    kind: Literal["local", "signed-in", "visitor"] = "local"
    also: tuple[str, ...] = ()  # folders of visitors that this person was before signing in

    @property
    def keys(self) -> tuple[str, ...]:
        """Every folder this person's things lie in; new ones go into the first."""
        return (self.key, *self.also)


LOCAL = Person(key="local", name="You", kind="local")


def person_key(kind: Literal["hf", "visitor"], secret: str) -> str:
    """The folder of a sign-in's subject (never the user name: those change hands) or of a visitor's secret."""
    return f"{kind}-{hashlib.sha256(secret.encode()).hexdigest()[:32]}"


@dataclass(frozen=True)
class Grant:
    """What a person lends for one call and nobody stores: a token, and the request it came with."""

    person: Person
    token: str | None = field(default=None, repr=False)
    scopes: frozenset[str] | None = None  # None: nobody told, as with the login of a machine at home
    expires_at: float | None = None  # seconds since 1970
    username: str = ""
    context: Mapping[str, str] | None = field(default=None, repr=False)  # what a scheduler wants to see of the request

    @property
    def is_valid(self) -> bool:
        return bool(self.token) and (self.expires_at is None or self.expires_at > time.time())

    def has(self, scope: Scope) -> bool:
        return self.is_valid and (self.scopes is None or scope in self.scopes)

    def need(self, scope: Scope, what: str) -> str:
        """The token, for `what` (as in “to publish a model”).

        Raises: `AccessError` when nobody is signed in, the sign-in has run out, or this permission was not given.
        """
        if not self.token:
            raise AccessError(
                f"You have to be signed in {what}.",
                "Facet does this in your own Hugging Face account, with your permission.",
                "Press “Sign in” at the side, then try again. Nothing you have entered is lost.",
            )
        if not self.is_valid:
            raise AccessError(
                "Your sign-in has run out.",
                "Hugging Face lets it last for some hours only.",
                "Press “Sign in” again, then repeat this. Nothing you have entered is lost.",
            )
        if not self.has(scope):
            raise AccessError(
                "A permission is missing.",
                f"Facet was not allowed to {PERMISSIONS[scope]} ({scope}).",
                "Sign out and in again, and leave that permission ticked.",
            )
        return self.token
