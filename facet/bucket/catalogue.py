"""What the bucket holds, as the one process that writes to it knows: which copies, and which blobs they need."""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from facet.bucket.manifest import KEY, MACHINE, Address, Copy
from facet.bucket.mount import Bucket

FEWEST: Final = 2  # copies of an object that stay while it may change
SETTLED_SECONDS: Final = 120.0  # after this, what was written is taken to have arrived
OVER_SECONDS: Final = 600.0  # a finished object's newest copy is read once more after this; then the others go
AT_ONCE: Final = 8  # questions to the bucket: each may take a trip over the network


class Catalogue:
    """Copies by address, newest first. Nothing is removed that a copy which stays may need."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket
        self.pinned: set[str] = set()  # blobs that a copy being made counts on
        self._names: dict[Address, list[str]] = {}
        self._read: dict[tuple[Address, str], Copy | None] = {}

    def look(self) -> None:
        """Read the names of everything that is there."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = [address for some in pool.map(self.bucket.addresses, self.bucket.keys()) for address in some]
            found.append(MACHINE)
            self._names = dict(zip(found, pool.map(self.bucket.names, found), strict=True))
        self._read.clear()

    def addresses(self) -> list[Address]:
        return [address for address, names in self._names.items() if names]

    def people(self) -> set[str]:
        return {address.key for address in self._names if address.key}

    def names(self, address: Address) -> list[str]:
        return self._names.get(address, [])

    def copies(self, address: Address) -> Iterator[Copy]:
        """Those that verify, newest first, each read when it is asked for."""
        for name in list(self.names(address)):
            if copy := self._copy(address, name):
                yield copy

    def newest(self, address: Address) -> Copy | None:
        return next(self.copies(address), None)

    def _copy(self, address: Address, name: str) -> Copy | None:
        if (address, name) not in self._read:
            copy = self.bucket.read(address, name)
            self._read[address, name] = copy.light if copy else None
        return self._read[address, name]

    def blob(self, address: Address, sha256: str) -> str | None:
        """A blob with this content that some copy of the same person names."""
        for (other, _), copy in self._read.items():
            if copy and other.tenant == address.tenant:
                for held in copy.files.values():
                    if held.sha256 == sha256 and held.blob and self.bucket.has(address, held):
                        return held.blob
        return None

    # ---- changes
    def add(self, copy: Copy) -> None:
        self._names.setdefault(copy.address, []).insert(0, copy.name)
        self._read[copy.address, copy.name] = copy.light

    def prune(self, address: Address) -> None:
        """Let go of old copies, but never of what is needed should the newest ones be lost on their way."""
        settled = [copy.name for copy in self.copies(address) if time.time() - copy.made > SETTLED_SECONDS]
        names = self.names(address)
        keep = max(FEWEST, names.index(settled[0]) + 1) if settled else len(names)
        self._drop(address, names[keep:])

    def settle(self, address: Address) -> bool:
        """Keep the newest copy of a finished object alone, once it is known to be good. False when it is not."""
        newest = self.newest(address)
        if newest is None or len(self.names(address)) < 2 or time.time() - newest.made < OVER_SECONDS:
            return True
        whole = self.bucket.read(address, newest.name)
        if whole is None or not self.bucket.verifies(whole):
            self._drop(address, [newest.name])
            return False
        self._drop(address, [name for name in self.names(address) if name != newest.name])
        return True

    def forget(self, address: Address) -> None:
        self._drop(address, list(self.names(address)))
        self.bucket.remove_object(address)
        self._names.pop(address, None)

    def forget_person(self, key: str) -> None:
        if not KEY.fullmatch(key):
            return
        self.bucket.remove_person(key)
        for address in [address for address in self._names if address.key == key]:
            self._names.pop(address)
        self._read = {(address, name): copy for (address, name), copy in self._read.items() if address.key != key}

    def _drop(self, address: Address, names: list[str]) -> None:
        if not names:
            return
        gone = [copy for name in names if (copy := self._copy(address, name))]
        for name in list(names):
            self.bucket.remove_copy(address, name)
            self._names[address].remove(name)
            self._read.pop((address, name), None)
        self._remove_unneeded(address.tenant, {blob for copy in gone for blob in copy.blobs})

    def sweep(self, key: str) -> None:
        """Remove blobs that no copy of a person names: a crash may have come before their manifest."""
        tenant = Address(key, "", "").tenant
        self._remove_unneeded(tenant, self.bucket.blobs(tenant))

    def _remove_unneeded(self, tenant: str, blobs: Iterable[str]) -> None:
        blobs = set(blobs) - self.pinned
        if not blobs:
            return
        needed: set[str] = set()
        for address in [address for address in self._names if address.tenant == tenant]:
            for name in self.names(address):
                if copy := self._copy(address, name):
                    needed |= copy.blobs
                elif self.bucket.is_later(address, name):
                    return  # it cannot be told what a later Facet's copy needs
        for blob in blobs - needed:
            self.bucket.remove_blob(tenant, blob)
