"""What one copy of one object consists of, written down so that it proves itself: a torn manifest is no manifest."""

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from typing import Any, Final

VERSION: Final = 1
INLINE: Final = 16_384  # bytes; smaller files lie inside of the manifest: on a bucket each file costs a round trip
MOST_PARTS: Final = 6  # folders in the name of a copied file
KINDS: Final = ("person", "datasets", "runs", "exams")
KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,80}")
NAME_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\- ]{0,120}")
SHA256 = re.compile(r"[0-9a-f]{64}")
BLOB = re.compile(r"[0-9a-f]{64}(-[0-9a-f]{8})?")


@dataclass(frozen=True, order=True)
class Address:
    """One object on the bucket: whose, of which kind, which one. Without a key: of the machine itself."""

    key: str
    kind: str
    id: str

    @property
    def tenant(self) -> str:
        """The folder of all that shares blobs."""
        return f"tenants/{self.key}" if self.key else "machine"

    @property
    def folder(self) -> str:
        return f"{self.tenant}/{self.kind}/{self.id}" if self.key else f"machine/{self.id}"


MACHINE: Final = Address("", "machine", "visitors")  # what signs visitors' cookies


@dataclass(frozen=True)
class Held:
    """One file of a copy: inside of the manifest, or a blob beside it."""

    size: int
    sha256: str
    modified: int  # nanoseconds since 1970
    content: bytes | None = field(default=None, repr=False)
    blob: str = ""

    def as_dict(self) -> dict[str, Any]:
        where = {"blob": self.blob} if self.content is None else {"base64": base64.b64encode(self.content).decode()}
        return {"size": self.size, "sha256": self.sha256, "modified": self.modified} | where

    @classmethod
    def of(cls, data: dict[str, Any]) -> "Held":
        """Raises: `ValueError`, `KeyError`, `TypeError` for anything that `as_dict` did not write."""
        content = base64.b64decode(data["base64"], validate=True) if "base64" in data else None
        held = cls(int(data["size"]), str(data["sha256"]), int(data["modified"]), content, str(data.get("blob", "")))
        if content is None:
            if held.size < 0 or not BLOB.fullmatch(held.blob) or not SHA256.fullmatch(held.sha256):
                raise ValueError(held.blob)
        elif len(content) != held.size or hashlib.sha256(content).hexdigest() != held.sha256:
            raise ValueError("the content is not what the manifest says")
        return held


@dataclass(frozen=True)
class Copy:
    """A manifest that verified. What its blobs hold is checked when they are read."""

    address: Address
    name: str  # of its file
    made: float  # seconds since 1970
    files: dict[str, Held]
    facts: dict[str, Any]

    @property
    def blobs(self) -> frozenset[str]:
        return frozenset(held.blob for held in self.files.values() if held.blob)

    @property
    def size(self) -> int:
        return sum(held.size for held in self.files.values())

    @property
    def light(self) -> "Copy":
        """Without the content of small files: enough to compare with, and to know its blobs."""
        return replace(self, files={name: replace(held, content=None) for name, held in self.files.items()})


def written(copy: Copy) -> bytes:
    """The text of a manifest, with its own hash inside."""
    address = copy.address
    said = {
        "facet_copy": VERSION,
        "key": address.key,
        "kind": address.kind,
        "id": address.id,
        "made": copy.made,
        "facts": copy.facts,
        "files": {name: held.as_dict() for name, held in copy.files.items()},
    }
    return json.dumps(said | {"sha256": _proof(said)}, ensure_ascii=False).encode()


def read(address: Address, name: str, text: bytes) -> Copy | None:
    """None unless it is whole, of this object and version, and names only places inside of its own object."""
    try:
        said = json.loads(text)
        proof = said.pop("sha256")
        if proof != _proof(said) or said["facet_copy"] != VERSION:
            return None
        if (said["key"], said["kind"], said["id"]) != (address.key, address.kind, address.id):
            return None
        files = {_safe(path): Held.of(held) for path, held in said["files"].items()}
        return Copy(address, name, float(said["made"]), files, dict(said["facts"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error):
        return None


def is_later(text: bytes) -> bool:
    """Whether it looks like a manifest of a version that is not known yet."""
    try:
        return int(json.loads(text)["facet_copy"]) > VERSION
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def is_safe(path: str) -> bool:
    """Whether a name leads to a place inside of its object, on any system."""
    parts = path.split("/")
    return len(parts) <= MOST_PARTS and all(NAME_PART.fullmatch(part) for part in parts)


def _safe(path: str) -> str:
    if not is_safe(path):
        raise ValueError(path)
    return path


def _proof(said: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(said, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
