"""Makes one copy of one object: what is new of it goes to the bucket, and a manifest names it all."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from facet.bucket.catalogue import Catalogue
from facet.bucket.faults import ChangedError
from facet.bucket.manifest import INLINE, Address, Copy, Held
from facet.bucket.mount import CHUNK
from facet.bucket.snapshot import Snapshot, Source


@dataclass
class Copier:
    catalogue: Catalogue
    _spoiled: set[Path] = field(default_factory=set)  # save points that are not what their own manifest says

    def copy(self, address: Address, snapshot: Snapshot, between: Callable[[], None]) -> Copy:
        """Raises: `ChangedError` when the object changed meanwhile, `BucketError`, whatever `between` raises."""
        last = self.catalogue.newest(address)
        files: dict[str, Held] = {}
        self.catalogue.pinned.clear()
        try:
            for name, source in snapshot.files.items():
                between()
                if source.path.parent not in self._spoiled:
                    files[name] = self._held(address, source, last.files.get(name) if last else None, between)
            copy = self.catalogue.bucket.write(address, files, snapshot.facts, self.catalogue.names(address))
        finally:
            self.catalogue.pinned.clear()
        self.catalogue.add(copy)
        self.catalogue.prune(address)
        return copy

    def _held(self, address: Address, source: Source, last: Held | None, between: Callable[[], None]) -> Held:
        content = source.content
        if content is not None and len(content) <= INLINE:
            return Held(source.size, hashlib.sha256(content).hexdigest(), source.modified, content)
        bucket = self.catalogue.bucket
        if content is None and last and last.blob and source.is_like(last) and bucket.has(address, last):
            self.catalogue.pinned.add(last.blob)
            return last
        sha256 = _digest(source)
        blob = self.catalogue.blob(address, sha256)
        if blob is None:
            try:
                blob = bucket.put(address, source.path if content is None else content, sha256, between)
            except ChangedError:
                if source.sha256 and source.path.exists():  # a save point never changes: this one is damaged
                    self._spoiled.add(source.path.parent)
                raise
        self.catalogue.pinned.add(blob)
        return Held(source.size, sha256, source.modified, None, blob)


def _digest(source: Source) -> str:
    if source.sha256:
        return source.sha256
    digest = hashlib.sha256(source.content or b"")
    if source.content is None:
        try:
            with open(source.path, "rb", buffering=0) as content:
                while chunk := content.read(CHUNK):
                    digest.update(chunk)
        except OSError as error:
            raise ChangedError(source.path.name) from error
    return digest.hexdigest()
