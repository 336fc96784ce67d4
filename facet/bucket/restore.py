"""Bringing back what is on the bucket and not on this disk: each object appears whole, verified, in one step."""

import contextlib
import json
import logging
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from facet.bucket.catalogue import AT_ONCE, Catalogue
from facet.bucket.faults import SpoiledError
from facet.bucket.manifest import MACHINE, Address, Copy, Held
from facet.bucket.snapshot import EVENTS, OF_A_PERSON
from facet.workspace import FREE_DISK_FLOOR_GB, Workspace

log_to = logging.getLogger("facet.bucket")
SHARED: Final = (".parquet", ".safetensors")  # never written to again: equal ones are one file with several names
DAMAGED: Final = "The newest copy on the bucket was damaged; the one before it was brought back."


@dataclass
class Restore:
    """`left` counts down while it works; `failed` is what could not be brought back."""

    workspace: Workspace
    catalogue: Catalogue
    unwanted: Callable[[Address], bool] = lambda address: False  # it is being deleted
    tell: Callable[[int, int], None] = lambda left, failed: None
    left: int = 0
    failed: int = 0
    brought: list[Address] = field(default_factory=list)
    _shared: dict[tuple[str, str], Path] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def everything(self) -> None:
        """First what the page needs to know people again, then datasets, then what was made of them.

        Raises: `BucketError` when the bucket stops to answer.
        """
        missing = [address for address in self.catalogue.addresses() if not self._is_here(address)]
        strangers = {address.key for address in missing if not self.workspace.tenant(address.key).exists()}
        people = [address for address in missing if address.kind in ("machine", "person")]
        data = [address for address in missing if address.kind == "datasets"]
        made = [address for address in missing if address.kind in ("runs", "exams")]
        self.left = len(missing)
        self.tell(self.left, 0)
        for half in self.workspace.home.glob("tenants/*/*/.restoring-*"):  # of a Facet that ended in the middle
            shutil.rmtree(half, ignore_errors=True)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for some in (people, data, made):
                list(pool.map(self._counted, some))
        self._remember_visits(address for address in people if address.key in strangers)

    def place(self, address: Address) -> Path:
        """Where an object belongs. Of a person it is what they are known by: the folder may hold runs already."""
        if address == MACHINE:
            return self.workspace.home / "visitors.key"
        folder = self.workspace.tenant(address.key)
        return folder / "about.json" if address.kind == "person" else folder / address.kind / address.id

    def _is_here(self, address: Address) -> bool:
        place = self.place(address)
        if address.kind == "person":
            return all(place.with_name(name).exists() for name in OF_A_PERSON)
        return place.exists()

    def _counted(self, address: Address) -> None:
        try:
            if not self.unwanted(address):
                self._one(address)
        except OSError as error:
            self.failed += 1
            log_to.error("%s %s could not be brought back: %s", address.kind, address.id, type(error).__name__)
        finally:
            with self._lock:
                self.left -= 1
                self.tell(self.left, self.failed)

    def _one(self, address: Address) -> None:
        names = self.catalogue.names(address)
        for number, name in enumerate(names):
            copy = self.catalogue.bucket.read(address, name)
            if copy is not None and self._from(copy, damaged=number > 0):
                self.brought.append(address)
                return
        self.failed += 1
        log_to.error("no copy of %s %s verifies", address.kind, address.id)

    def _from(self, copy: Copy, damaged: bool) -> bool:
        """Build it beside its place, then give it its name."""
        place = self.place(copy.address)
        if copy.address.kind in ("machine", "person"):
            return self._file(copy, place)
        self._require_room(copy)
        place.parent.mkdir(parents=True, exist_ok=True)
        hidden = place.with_name(f".restoring-{secrets.token_hex(4)}")
        try:
            hidden.mkdir()
            for name, held in copy.files.items():
                if not hidden.is_dir():  # its person deleted everything meanwhile
                    return True
                self._write(copy.address, held, hidden / name)
            if damaged and copy.address.kind != "datasets":
                _note(hidden / EVENTS)
            if self.unwanted(copy.address):  # deleted meanwhile
                return True
            hidden.rename(place)
        except SpoiledError:
            return False
        finally:
            shutil.rmtree(hidden, ignore_errors=True)
        for name, held in copy.files.items():
            if held.blob and name.endswith(SHARED):
                self._shared[copy.address.key, held.sha256] = place / name
        return True

    def _file(self, copy: Copy, place: Path) -> bool:
        """What is files and no object; a person without an `about.json` needs none. What is here is the newer one."""
        for name, held in copy.files.items():
            if copy.address.kind == "person":
                place = place.with_name(name)
                if name not in OF_A_PERSON or place.exists():
                    continue
            place.parent.mkdir(parents=True, exist_ok=True)
            part = place.with_name(f".{place.name}.{secrets.token_hex(4)}.part")
            try:
                self._write(copy.address, held, part)
                part.chmod(0o600)
                part.rename(place)
            except SpoiledError:
                return False
            finally:
                part.unlink(missing_ok=True)
        return True

    def _write(self, address: Address, held: Held, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        same = self._shared.get((address.key, held.sha256)) if held.blob and target.name.endswith(SHARED) else None
        if same is not None:
            with contextlib.suppress(OSError):
                os.link(same, target)
                return
        with open(target, "wb") as file:
            for chunk in self.catalogue.bucket.chunks(address, held):
                file.write(chunk)
        os.utime(target, ns=(held.modified, held.modified))

    def _require_room(self, copy: Copy) -> None:
        free = shutil.disk_usage(self.workspace.home).free
        if free < copy.size + FREE_DISK_FLOOR_GB * 1e9:
            raise OSError("no room on this disk")

    def _remember_visits(self, people: Iterable[Address]) -> None:
        """A visitor's day goes on where it was: a restart is no visit."""
        for address in people:
            folder = self.workspace.tenant(address.key)
            copy = self.catalogue.newest(address)
            seen = copy.facts.get("seen") if copy else None
            if isinstance(seen, int) and folder.is_dir():
                moment = min(float(seen), time.time())
                os.utime(folder, (moment, moment))


def _note(events: Path) -> None:
    line = json.dumps({"at": time.time(), "kind": "noted", "words": DAMAGED, "step": 0}, ensure_ascii=False)
    with open(events, "a", encoding="utf-8") as file:
        file.write(line + "\n")
