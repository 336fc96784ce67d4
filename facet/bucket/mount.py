"""A storage bucket mounted as a folder: whole files under new names, read back, and named by a manifest written last.

Of such a mount little is known for sure: no lock, rename, append or link is relied upon, and what was written a moment
ago may still be lost when the machine goes down. So a manifest proves itself by a hash, earlier ones stay for some
minutes, and whoever reads trusts nothing that does not verify.
"""

import contextlib
import errno
import hashlib
import os
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from facet.bucket.faults import BucketError, ChangedError, SpoiledError, asking, in_words
from facet.bucket.manifest import BLOB, KEY, KINDS, Address, Copy, Held, is_later, read, written

CHUNK: Final = 1 << 20  # bytes
LARGEST_MANIFEST: Final = 64_000_000  # bytes
MANIFEST = re.compile(r"\d{8}-[0-9a-f]{8}\.json")
NO_SUCH_CALL: Final = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP}


@dataclass(frozen=True)
class Bucket:
    """Everything that touches the mount. One process at a time may write to it; the lock for that lies elsewhere."""

    root: Path  # the mount itself; ours is the folder `facet` in it
    is_mount: bool = False  # it was one at the start: without it the same path is the disk that is lost

    @classmethod
    def here(cls) -> "Bucket | None":
        """`FACET_BUCKET` (a folder, or `none`), else what is mounted at /data of a Space."""
        named = os.environ.get("FACET_BUCKET", "").strip()
        if named.lower() == "none":
            return None
        root = Path(named or "/data").expanduser().absolute()
        is_mount = os.path.ismount(root)
        return cls(root, is_mount) if named or (os.environ.get("SPACE_ID") and is_mount) else None

    @property
    def ours(self) -> Path:
        return self.root / "facet"

    def _require(self) -> None:
        """Raises: `BucketError` when the mount is gone: what is missing then was not removed."""
        if not (os.path.ismount(self.root) if self.is_mount else os.path.isdir(self.root)):
            raise BucketError("it is not there")

    # ---- writing
    def write(self, address: Address, files: dict[str, Held], facts: dict[str, Any], before: Iterable[str]) -> Copy:
        """Name files that are there already, after the manifests of `before`. Raises: `BucketError`."""
        newest = max((int(name[:8]) for name in before), default=0)
        name = f"{newest + 1:08d}-{secrets.token_hex(4)}.json"
        copy = Copy(address, name, time.time(), files, facts)
        self._put(self.ours / address.folder / name, [written(copy)])
        return copy

    def put(self, address: Address, source: Path | bytes, sha256: str, between: Callable[[], None]) -> str:
        """Write content as a blob, and give the blob's name. One of that name that is spoiled is left alone.

        `between` is called now and then. Raises: `ChangedError` when the source is not what it was said to be (any
        more), `BucketError`.
        """
        place = self.ours / address.tenant / "blobs"
        name = sha256
        with asking():
            is_taken = (place / name).exists()
        if is_taken:  # left by a crash before it was named
            if self._digest(place / name) == sha256:
                return name
            name = f"{sha256}-{secrets.token_hex(4)}"
        if self._put(place / name, _chunks(source, between)) != sha256:
            self._remove(place / name)
            raise ChangedError(name)
        return name

    def _put(self, target: Path, chunks: Iterable[bytes]) -> str:
        """Write, close, read back. Gives the hash."""
        digest = hashlib.sha256()
        try:
            with self._opened(target) as file:
                for chunk in chunks:
                    digest.update(chunk)
                    with asking():
                        _write_all(file, chunk)
                with asking():
                    _settle(file.fileno())
                    file.close()  # a bucket that takes a file on closing refuses it here
            if self._digest(target) != digest.hexdigest():
                raise BucketError("what was written could not be read back")
        except BaseException:
            with contextlib.suppress(BucketError):
                self._remove(target)
            raise
        return digest.hexdigest()

    @contextlib.contextmanager
    def _opened(self, target: Path) -> Iterator[BinaryIO]:
        self._require()
        with asking():
            target.parent.mkdir(parents=True, exist_ok=True)
            file = open(target, "wb", buffering=0)  # noqa: SIM115
        try:
            yield file
        finally:
            with contextlib.suppress(OSError):
                file.close()

    def _digest(self, file: Path) -> str:
        digest = hashlib.sha256()
        with asking(), open(file, "rb", buffering=0) as content:
            while chunk := content.read(CHUNK):
                digest.update(chunk)
        return digest.hexdigest()

    # ---- reading
    def keys(self) -> list[str]:
        return [key for key in self._names(self.ours / "tenants") if KEY.fullmatch(key)]

    def addresses(self, key: str) -> list[Address]:
        """Every object of a person that has a folder here. What else lies on the bucket is passed by."""
        place = self.ours / "tenants" / key
        return [Address(key, kind, name) for kind in KINDS for name in self._names(place / kind) if KEY.fullmatch(name)]

    def names(self, address: Address) -> list[str]:
        """Files of manifests, newest first."""
        return sorted(filter(MANIFEST.fullmatch, self._names(self.ours / address.folder)), reverse=True)

    def read(self, address: Address, name: str) -> Copy | None:
        """What a manifest names, or None unless it verifies. Raises: `BucketError` when the bucket does not answer."""
        file = self.ours / address.folder / name
        with asking():
            try:
                text = file.read_bytes() if file.stat().st_size <= LARGEST_MANIFEST else b""
            except FileNotFoundError:
                self._require()
                text = b""
        return read(address, name, text)

    def is_later(self, address: Address, name: str) -> bool:
        """Whether a manifest that does not verify was written by a later Facet."""
        with asking():
            try:
                return is_later((self.ours / address.folder / name).read_bytes())
            except FileNotFoundError:
                self._require()
                return False

    def has(self, address: Address, held: Held) -> bool:
        """Whether a blob is there and has its length. What it holds was checked when it was written."""
        with asking():
            try:
                return (self.ours / address.tenant / "blobs" / held.blob).stat().st_size == held.size
            except FileNotFoundError:
                self._require()
                return False

    def chunks(self, address: Address, held: Held) -> Iterator[bytes]:
        """The content of one file.

        Raises: `SpoiledError`, at its end at the latest, unless it is what was written; `BucketError`.
        """
        if held.content is not None:
            yield held.content
            return
        digest, size = hashlib.sha256(), 0
        try:
            with open(self.ours / address.tenant / "blobs" / held.blob, "rb", buffering=0) as content:
                while chunk := content.read(CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    yield chunk
        except OSError as error:
            self._require()
            raise SpoiledError(held.blob) from error
        if (size, digest.hexdigest()) != (held.size, held.sha256):
            raise SpoiledError(held.blob)

    def verifies(self, copy: Copy) -> bool:
        """Read everything of a copy once more."""
        try:
            for held in copy.files.values():
                for _ in self.chunks(copy.address, held):
                    pass
        except SpoiledError:
            return False
        return True

    # ---- removing
    def blobs(self, tenant: str) -> list[str]:
        return [name for name in self._names(self.ours / tenant / "blobs") if BLOB.fullmatch(name)]

    def remove_copy(self, address: Address, name: str) -> None:
        self._remove(self.ours / address.folder / name)

    def remove_blob(self, tenant: str, name: str) -> None:
        self._remove(self.ours / tenant / "blobs" / name)

    def remove_object(self, address: Address) -> None:
        """All of its manifests. Its blobs may be others' too."""
        self._remove_folder(self.ours / address.folder)

    def remove_person(self, key: str) -> None:
        """Everything of a person; what restores goes first, so that half a removal brings nothing back."""
        place = self.ours / "tenants" / key
        for kind in (*KINDS, "blobs"):
            self._remove_folder(place / kind)
        self._remove_folder(place)

    def _remove_folder(self, place: Path) -> None:
        for folder, _, names in os.walk(place, topdown=False, onerror=self._unless_missing):
            for name in names:
                self._remove(Path(folder) / name)
            with contextlib.suppress(OSError):  # a bucket has no folders, and some mounts drop them by themselves
                os.rmdir(folder)

    def _remove(self, file: Path) -> None:
        try:
            file.unlink()
        except OSError as error:
            self._unless_missing(error)

    def _unless_missing(self, error: OSError) -> None:
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            raise BucketError(in_words(error)) from error
        self._require()

    def _names(self, folder: Path) -> list[str]:
        with asking():
            try:
                return os.listdir(folder)
            except (FileNotFoundError, NotADirectoryError):
                self._require()
                return []


def _chunks(source: Path | bytes, between: Callable[[], None]) -> Iterator[bytes]:
    """The content of a file here. Raises: `ChangedError` when it cannot be read any more."""
    if isinstance(source, bytes):
        yield source
        return
    try:
        with open(source, "rb", buffering=0) as content:
            while chunk := content.read(CHUNK):
                yield chunk
                between()
    except OSError as error:
        raise ChangedError(source.name) from error


def _write_all(file: BinaryIO, chunk: bytes) -> None:
    left = memoryview(chunk)
    while left:
        left = left[file.write(left) or 0 :]


def _settle(handle: int) -> None:
    """Ask for it to be kept; mounts that cannot be asked say so."""
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in NO_SUCH_CALL:
            raise
