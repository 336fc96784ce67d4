"""Who is asking, and what they carry for the length of one call."""

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Person:
    """The owner of things. `key` names their folder and never comes from a name they can change."""

    key: str  # "local", or a hash of the sign-in's subject
    name: str  # shown, never used to decide anything
    kind: Literal["local", "signed-in", "visitor"] = "local"


LOCAL = Person(key="local", name="You", kind="local")


@dataclass(frozen=True)
class Grant:
    """What a person lends for one call and nobody stores: a token, and the request it came with."""

    person: Person
    token: str | None = field(default=None, repr=False)
    context: Any = field(default=None, repr=False)
