"""The thread that keeps copies of everybody's work on the bucket, and at the start brings back what is missing.

It never disturbs the work: what fails is counted, said, and tried again with growing patience. Of several processes on
the same folder the one that holds the lock does this; the others leave notes for it.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from facet.bucket import snapshot
from facet.bucket.catalogue import OVER_SECONDS, Catalogue
from facet.bucket.copier import Copier
from facet.bucket.faults import BucketError, ChangedError
from facet.bucket.manifest import Address
from facet.bucket.mount import Bucket
from facet.bucket.notes import Notes
from facet.bucket.restore import Restore
from facet.bucket.snapshot import NotNow, NotWhole, everything_here, is_same, only_grew
from facet.bucket.state import State, recall, remember
from facet.workspace import Workspace

EVERY_SECONDS: Final = 5.0
AGAIN_SECONDS: Final = 60.0  # how often a log is copied to which only numbers were added
LONGEST_PATIENCE: Final = 300.0
RESTORE_SECONDS: Final = 60.0  # how long the page waits for what is brought back; the rest follows while it runs
LAST_SECONDS: Final = 20.0  # for the last round when Facet is closed
FORGET_SECONDS: Final = 15.0  # how long a deletion waits for the bucket
SWEEP_AFTER: Final = 600.0  # by then no other process can be in the middle of a copy
ON_THE_BUCKET: Final = "Facet's own folder lies on it, where no lock can be trusted (set FACET_HOME to a local disk)"
log_to = logging.getLogger("facet.bucket")


class _Halted(Exception):
    """Facet is being closed."""


class Copies:
    """Without a bucket, everything here does nothing."""

    def __init__(self, workspace: Workspace, bucket: Bucket | None = None, every: float = EVERY_SECONDS) -> None:
        self.workspace, self.bucket, self.every = workspace, bucket, every
        self.folder = workspace.home / "copies"
        self._notes = Notes(self.folder)
        self._state = State(str(bucket.root) if bucket else "")
        if bucket and workspace.home.is_relative_to(bucket.root):
            self.bucket, self._state = None, replace(self._state, trouble=ON_THE_BUCKET, since=time.time())
        self._thread: threading.Thread | None = None
        self._wake, self._halt, self._restored = threading.Event(), threading.Event(), threading.Event()
        self._deadline = float("inf")
        if self.bucket:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(self.folder / "lock", thread_local=False)
            self._begin(self.bucket)

    def _begin(self, bucket: Bucket) -> None:
        self._catalogue = Catalogue(bucket)
        self._copier = Copier(self._catalogue)
        self._is_open, self._opened_at, self._patience = False, 0.0, self.every
        self._seen: set[Address] = set()  # objects that were here: when one is gone, its copies go
        self._gone: set[Address] = set()  # objects that were deleted: not to be copied again
        self._being_deleted: list[str] = []  # people of whom something is just now: nothing of theirs is copied
        self._signatures: dict[Address, object] = {}
        self._tried: dict[Address, float] = {}
        self._remembered = State()
        self._swept: set[str] = set()

    # ---- for the Studio
    def start(self) -> None:
        """Bring back what is missing here, then copy. Returns when all is there, or after a minute."""
        if not self.bucket or self._thread:
            return
        self._halt.clear()
        self._deadline, self._patience = float("inf"), self.every
        self._thread = threading.Thread(target=self._work, name="copies", daemon=True)
        self._thread.start()
        self._restored.wait(RESTORE_SECONDS)

    def stop(self) -> None:
        """Copy what is new, as far as that goes in some seconds, and end."""
        if self._thread:
            self._deadline = time.monotonic() + LAST_SECONDS
            self._halt.set()
            self._wake.set()
            self._thread.join(LAST_SECONDS + 5)
            self._thread = None

    @property
    def state(self) -> State:
        """Of this process if it copies, else what the one that does has written down."""
        if not self.bucket:
            return self._state
        mine = self._lock.is_locked
        known = self._state if mine else replace(recall(self.folder / "state.json"), bucket=self._state.bucket)
        return replace(known, owed=len(self._notes.files())).now

    @contextlib.contextmanager
    def forgetting(self, key: str, kind: str = "", object_id: str = "") -> Iterator[None]:
        """Take away the copies of an object, or of everything of a person, before the thing itself goes inside.

        In this order nothing comes back that a person saw vanish. A bucket that does not answer is told later.
        """
        if not self.bucket:
            yield
            return
        self._being_deleted.append(key)
        note = self._notes.leave(key, kind, object_id)
        try:
            self._wait_until_forgotten(note)
            yield
        except BaseException:
            note.unlink(missing_ok=True)
            self._gone.discard(Address(key, kind, object_id))
            raise
        finally:
            self._being_deleted.remove(key)

    def _wait_until_forgotten(self, note: Path) -> None:
        end = time.monotonic() + FORGET_SECONDS
        while note.exists() and not self.state.trouble and time.monotonic() < end:
            self._wake.set()
            if not self._thread and self._take_the_lock():
                with contextlib.suppress(BucketError):
                    self._catalogue.look()
                    self._forget_noted()
                self._lock.release()
                return
            time.sleep(0.02)

    # ---- the thread
    def _work(self) -> None:
        while True:
            is_last = self._halt.is_set()
            try:
                if self._take_the_lock():
                    self._round()
                else:
                    self._restored.set()  # whoever holds it does this, or has done it
            except _Halted:
                break
            except Exception as error:  # of this disk, or ours: the work goes on without copies, and says so
                log_to.exception("a round of copies failed")
                self._in_trouble(f"a copy failed with {type(error).__name__}")
            if is_last:
                break
            self._wake.wait(self._patience if self._state.trouble else self.every)
            self._wake.clear()
        if self._lock.is_locked:
            self._lock.release()

    def _take_the_lock(self) -> bool:
        if self._lock.is_locked:
            return True
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            return False
        self._is_open = False  # another process may have copied since this one last did
        return True

    def _round(self) -> None:
        """Look at everything once. The first time, bring back what is missing."""
        self._say(busy_since=time.time())
        try:
            if not self._is_open:
                self._catalogue.look()
            self._forget_noted()
            if not self._is_open:
                self._open()
            self._restored.set()
            self._copy_all()
            self._tidy()
            self._patience = self.every
            self._say(trouble="", since=None, failures=0)
        except BucketError as error:
            self._in_trouble(error.words)
        finally:
            self._restored.set()
            self._say(busy_since=None)
            if self._state != self._remembered:
                self._remembered = self._state
                remember(self.folder / "state.json", self._state)

    def _in_trouble(self, words: str) -> None:
        log_to.warning("the bucket at %s: %s", self._state.bucket, words)
        self._patience = min(2 * self._patience, LONGEST_PATIENCE)
        self._say(trouble=words, since=self._state.since or time.time(), failures=self._state.failures + 1)

    def _say(self, **news: object) -> None:
        self._state = replace(self._state, **news)

    def _between(self) -> None:
        """Called now and then while a copy is made."""
        if self._halt.is_set() and time.monotonic() > self._deadline:
            raise _Halted
        self._forget_noted()

    # ---- bringing back
    def _open(self) -> None:
        def tell(left: int, failed: int) -> None:
            self._say(left=left, failed=failed)

        restore = Restore(self.workspace, self._catalogue, self._is_unwanted, tell)
        restore.everything()
        self._is_open, self._opened_at = True, time.monotonic()
        if restore.brought:
            log_to.info("%d objects were brought back from the bucket", len(restore.brought))

    def _is_unwanted(self, address: Address) -> bool:
        return address in self._gone or self._notes.cover(address)

    # ---- taking away
    def _forget_noted(self) -> None:
        for note, said in self._notes.read().items():
            self._forget(said) if said.kind else self._forget_person(said.key)
            note.unlink(missing_ok=True)

    def _forget(self, address: Address) -> None:
        self._gone.add(address)
        self._seen.discard(address)
        self._signatures.pop(address, None)
        self._catalogue.forget(address)

    def _forget_person(self, key: str) -> None:
        """Their things stay uncopied until they are gone; what the same person makes later is copied again."""
        for address in [address for address in self._signatures if address.key == key]:
            self._signatures.pop(address)
        self._catalogue.forget_person(key)

    def _forget_vanished(self, local: dict[Address, Path]) -> None:
        """What was here and was deleted by other means. What never was here stays: it could not be brought back."""
        for address in self._seen - set(local):
            place = self.workspace.tenant(address.key)
            if address.kind == "person":
                if place.parent.is_dir() and not place.exists():
                    self._forget_person(address.key)
            elif (place / address.kind).is_dir() and not (place / address.kind / address.id).exists():
                self._forget(address)
        self._seen = set(local)

    # ---- copying
    def _copy_all(self) -> None:
        local = everything_here(self.workspace.home)
        self._forget_vanished(local)
        signatures = {address: snapshot.signature(address, folder) for address, folder in local.items()}
        changed = [address for address in local if self._signatures.get(address) != signatures[address]]
        changed.sort(key=lambda address: self._tried.get(address, 0.0))  # what failed last time waits behind the others
        self._say(waiting=len(changed))
        for address in changed:
            if self._is_copied(address, local[address]):
                self._signatures[address] = signatures[address]
                self._say(waiting=self._state.waiting - 1)

    def _is_copied(self, address: Address, folder: Path) -> bool:
        """Copy an object if need be. False when a later look has to see it again."""

        def between() -> None:
            self._between()
            if address in self._gone or address.key in self._being_deleted:
                raise ChangedError(address.id)

        self._tried[address] = time.monotonic()
        try:
            between()
            now, last = snapshot.take(address, folder), self._catalogue.newest(address)
            if last and is_same(now, last):
                return True
            if last and only_grew(now, last) and time.time() - last.made < AGAIN_SECONDS:
                return False
            self._copier.copy(address, now, between)
        except NotWhole:
            return True
        except (NotNow, ChangedError):
            return False
        self._say(last_copied=time.time())
        return True

    def _tidy(self) -> None:
        """One thing at a time, so that it never keeps the copies waiting."""
        for address in self._catalogue.addresses():
            newest = self._catalogue.newest(address) if len(self._catalogue.names(address)) > 1 else None
            is_over = newest is not None and (address.kind == "datasets" or newest.facts.get("over"))
            if newest and is_over and time.time() - newest.made > OVER_SECONDS:
                if not self._catalogue.settle(address):
                    self._signatures.pop(address, None)
                return
        if time.monotonic() - self._opened_at > SWEEP_AFTER:
            for key in sorted(self._catalogue.people() - self._swept)[:1]:
                self._catalogue.sweep(key)
                self._swept.add(key)
