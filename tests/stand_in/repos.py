"""Repositories in memory: commits with files of their own, branches, tags, and how the Hub lists them."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from tests.stand_in.refused import Refused

Thing = Literal["model", "dataset", "space"]
LARGE = 1000  # bytes from which a file is kept as the Hub keeps LFS files; the Hub's own limit is 10 MB
LFS_ENDINGS = (".safetensors", ".bin", ".model", ".parquet", ".pt", ".pth", ".gz", ".zip", ".npz", ".onnx", ".gguf")
PAGES = (".md", ".gitattributes")  # never large on the Hub
GIT_ATTRIBUTES = "".join(f"*{ending} filter=lfs diff=lfs merge=lfs -text\n" for ending in LFS_ENDINGS).encode()


def is_large(path: str, data: bytes) -> bool:
    """Whether a file is kept as an LFS file: listed with its SHA-256, uploaded by itself."""
    return bool(data) and (path.endswith(LFS_ENDINGS) or (len(data) > LARGE and not path.endswith(PAGES)))


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def pointer(data: bytes) -> bytes:
    """What git keeps of a large file."""
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256(data)}\nsize {len(data)}\n".encode()


def blob_id(path: str, data: bytes) -> str:
    """The name git gives to a file's content."""
    if is_large(path, data):
        data = pointer(data)
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def etag(path: str, data: bytes) -> str:
    return sha256(data) if is_large(path, data) else blob_id(path, data)


@dataclass(frozen=True)
class Commit:
    """One version: all files as they were then."""

    sha: str
    files: dict[str, bytes]
    parent: str | None = None
    title: str = "initial commit"
    message: str = ""
    author: str = ""
    when: str = field(default_factory=lambda: datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"))


@dataclass
class Repo:
    """One repository. `branches` and `tags` name commits; `files` and `sha` are those of the newest on main."""

    thing: Thing
    name: str
    gated: bool | str = False
    private: bool = False
    card: dict[str, Any] = field(default_factory=dict)  # as added, or as the page of the last commit says
    safetensors: dict[str, Any] | None = None
    sizes: dict[str, int] = field(default_factory=dict)  # stated sizes that differ from the true ones
    made_by: str | None = None  # the application a sign-in came through, for `contribute-repos`
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    uploaded: dict[str, bytes] = field(default_factory=dict)  # large files by the SHA-256 they were announced with

    @property
    def owner(self) -> str:
        return self.name.split("/")[0]

    @property
    def things(self) -> str:
        return f"{self.thing}s"

    @property
    def sha(self) -> str:
        return self.branches["main"]

    @property
    def files(self) -> dict[str, bytes]:
        return self.commits[self.sha].files

    @property
    def history(self) -> list[Commit]:
        """The commits of main, newest first."""
        return self.history_of(self.sha)

    def history_of(self, sha: str | None) -> list[Commit]:
        found = []
        while sha:
            found.append(self.commits[sha])
            sha = found[-1].parent
        return found

    def push(
        self,
        files: Mapping[str, bytes | str],
        delete: Iterable[str] = (),
        *,
        title: str = "push",
        message: str = "",
        author: str = "",
        branch: str = "main",
    ) -> str:
        """A new version: these files added or replaced, those deleted, the others as they were."""
        parent = self.branches.get(branch)
        now = dict(self.commits[parent].files) if parent else {}
        gone = set(delete)
        now = {path: data for path, data in now.items() if path not in gone}
        now |= {path: data.encode() if isinstance(data, str) else data for path, data in files.items()}
        content = b"".join(path.encode() + data for path, data in sorted(now.items()))
        past = f" {parent} {len(self.commits)} {title}" if parent else ""
        sha = hashlib.sha1(f"{self.thing} {self.name}{past}".encode() + content).hexdigest()
        self.commits[sha] = Commit(sha, now, parent, title, message, author)
        self.branches[branch] = sha
        return sha

    def at(self, revision: str) -> Commit:
        """The commit of a branch, a tag or a (shortened) hash."""
        name = revision.removeprefix("refs/heads/").removeprefix("refs/tags/")
        sha = self.branches.get(name) or self.tags.get(name)
        if sha is None and len(revision) >= 7:
            sha = next((known for known in self.commits if known.startswith(revision)), None)
        if sha is None:
            raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return self.commits[sha]

    def info(self, revision: str = "main") -> dict[str, Any]:
        commit, history = self.at(revision), self.history_of(self.at(revision).sha)
        return {
            "_id": "0" * 24,
            "id": self.name,
            "author": self.owner,
            "sha": commit.sha,
            "private": self.private,
            "gated": self.gated,
            "disabled": False,
            "tags": [],
            "downloads": 0,
            "likes": 0,
            "lastModified": commit.when,
            "createdAt": history[-1].when,
            "cardData": self.card,
            "siblings": [self._sibling(path, data) for path, data in sorted(commit.files.items())],
            **({"safetensors": self.safetensors} if self.safetensors else {}),
        }

    def _sibling(self, path: str, data: bytes) -> dict[str, Any]:
        size = self.sizes.get(path, len(data))
        listed: dict[str, Any] = {"rfilename": path, "size": size, "blobId": blob_id(path, data)}
        if is_large(path, data):
            listed["lfs"] = {"sha256": sha256(data), "size": size, "pointerSize": len(pointer(data))}
        return listed

    def entries(self, revision: str, folder: str = "", recursive: bool = True) -> list[dict[str, Any]]:
        """A folder as `tree` and `paths-info` list it, folders among the files."""
        files, start = self.at(revision).files, f"{folder}/" if folder else ""
        if folder and not any(path.startswith(start) for path in files):
            raise Refused(404, f"{folder} does not exist on “{revision}”", "EntryNotFound")
        found = {}
        for path, data in files.items():
            if not path.startswith(start):
                continue
            inner = path.removeprefix(start).split("/")
            for depth in range(1, len(inner)):
                name = start + "/".join(inner[:depth])
                found[name] = {"type": "directory", "oid": hashlib.sha1(name.encode()).hexdigest(), "size": 0} | {
                    "path": name
                }
            found[path] = self._file_entry(path, data)
        return [found[path] for path in sorted(found) if recursive or "/" not in path.removeprefix(start)]

    def _file_entry(self, path: str, data: bytes) -> dict[str, Any]:
        size = self.sizes.get(path, len(data))
        entry: dict[str, Any] = {"type": "file", "oid": blob_id(path, data), "size": size, "path": path}
        if is_large(path, data):
            entry["lfs"] = {"oid": sha256(data), "size": size, "pointerSize": len(pointer(data))}
        return entry
