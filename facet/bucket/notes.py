"""Deletions that the bucket does not know of yet: a small file for each, so that any process here can leave one."""

import contextlib
import secrets
from dataclasses import dataclass
from pathlib import Path

from facet.bucket.manifest import Address
from facet.workspace import read_json, write_json


@dataclass(frozen=True)
class Notes:
    folder: Path

    def leave(self, key: str, kind: str, object_id: str) -> Path:
        """Of one object, or without a kind of everything of a person."""
        note = self.folder / f"forget-{secrets.token_hex(8)}.json"
        write_json(note, {"key": key, "kind": kind, "id": object_id})
        return note

    def files(self) -> list[Path]:
        return sorted(self.folder.glob("forget-*.json"))

    def read(self) -> dict[Path, Address]:
        """What is to be forgotten; half-written ones are their writer's, who is still there or waits no longer."""
        found = {}
        for note in self.files():
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                said = read_json(note)
                found[note] = Address(str(said["key"]), str(said["kind"]), str(said["id"]))
        return found

    def cover(self, address: Address) -> bool:
        return any(
            said.key == address.key and said.kind in ("", address.kind) and said.id in ("", address.id)
            for said in self.read().values()
        )
