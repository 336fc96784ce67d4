"""One repository on the Hub, of a model or a dataset, written to in one person's name. Every call asks once.

What the client raises leaves as one of three kinds that the caller can go on after (`Busy`, `Moved`, `Taken`), or as a
`FacetError` that ends the matter.
"""

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from huggingface_hub import CommitOperationAdd, CommitOperationDelete
from huggingface_hub import errors as theirs
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils import httpx

from facet.errors import AccessError, CapacityError, FacetError, HubError
from facet.hub.account import Account, account_of
from facet.hub.client import wait_of, writer
from facet.hub.errors import (
    NOT_REACHED,
    SCOPE,
    TOKEN,
    Thing,
    checked,
    printable,
    said,
    scope_missing,
    signed_out,
    status_of,
)

AGAIN: Final = frozenset([404, 408, 425, 429])  # and every 5xx; 404: a repository made a second ago may not be seen yet
STUMBLES: Final = (ValueError, LookupError, TypeError, AttributeError, NameError, RuntimeError)  # over an odd answer
REFUSED_BY_STORAGE: Final = re.compile(
    r"HTTP status client error \((401|402|403|413)\b"
)  # hf_xet has only words for it
FULL: Final = ("storage", "quota", "too large", "exceed")


class Busy(Exception):
    """It may work in a moment. Whether what was asked has been done is not known."""

    def __init__(self, words: str, seconds: float | None = None) -> None:
        super().__init__(words)
        self.words, self.seconds = words, seconds  # seconds: as long as the Hub asks us to wait


class Moved(Exception):
    """Somebody else has changed the repository since it was looked at."""


class Taken(Exception):
    """There is something of that name already."""


@dataclass(frozen=True)
class Stored:
    """A file as the Hub lists it."""

    size: int
    blob: str  # what git calls it; of a large file this is its pointer
    sha256: str | None = None  # stated for large files only


@dataclass(frozen=True)
class State:
    """A repository at one commit."""

    repo: str  # as the Hub spells it
    sha: str
    private: bool
    files: Mapping[str, Stored]


@dataclass(frozen=True)
class OwnRepo:
    name: str  # owner/name
    token: str = field(repr=False)
    endpoint: str | None = None
    thing: Thing = "model"

    @property
    def api(self) -> Any:
        return writer(self.endpoint, checked(self.token))

    @property
    def page(self) -> str:
        return f"{self.api.endpoint}/{'datasets/' if self.thing == 'dataset' else ''}{self.name}"

    @property
    def _how(self) -> dict[str, Any]:
        return {"repo_type": self.thing}

    def account(self) -> Account:
        with self._asking():
            return account_of(self.api.whoami())

    def look(self, revision: str | None = None) -> State | None:
        """The newest commit, or the one of this hash; None when there is no such repository for this person."""
        try:
            with self._asking():
                try:
                    info = self.api.repo_info(self.name, revision=revision, **self._how)
                except theirs.RepositoryNotFoundError as error:
                    if status_of(error) == 401:
                        self.account()  # to a token it no longer accepts the Hub shows nothing either
                    return None
                files = self._files(info.sha)
        except theirs.RevisionNotFoundError as error:
            raise Busy("The Hub does not show the new version yet.") from error
        return State(info.id, info.sha, bool(info.private), files)

    def _files(self, sha: str) -> dict[str, Stored]:
        try:
            listed = list(self.api.list_repo_tree(self.name, recursive=True, revision=sha, **self._how))
        except theirs.RemoteEntryNotFoundError:
            return {}  # a repository without any file
        return {
            file.path: Stored(file.size, file.blob_id, file.lfs.sha256 if file.lfs else None)
            for file in listed
            if isinstance(file, RepoFile)
        }

    def create(self) -> None:
        """Make it, private. Raises: `Taken` when it is there."""
        with self._asking(Taken):
            self.api.create_repo(self.name, visibility="private", **self._how)

    def commit(self, add: Mapping[str, Path], delete: Iterable[str], title: str, parent: str) -> str:
        """All changes as one commit on top of `parent`, or nothing. Raises: `Moved` when that is not the newest."""
        changes = [CommitOperationAdd(name, file) for name, file in add.items()]
        changes += [CommitOperationDelete(name, is_folder=False) for name in delete]
        with self._asking(Moved, Taken):
            how = {"commit_message": title, "parent_commit": parent, **self._how}
            return self.api.create_commit(self.name, changes, **how).oid

    def tags(self) -> dict[str, str]:
        """Tag → commit."""
        with self._asking():
            return {tag.name: tag.target_commit for tag in self.api.list_repo_refs(self.name, **self._how).tags}

    def tag(self, name: str, sha: str) -> None:
        """Raises: `Taken` when there is a tag of that name."""
        with self._asking(Taken):
            self.api.create_tag(self.name, tag=name, revision=sha, **self._how)

    def show(self, private: bool) -> None:
        """Change who sees it."""
        with self._asking():
            self.api.update_repo_settings(self.name, visibility="private" if private else "public", **self._how)

    @contextlib.contextmanager
    def _asking(self, *conflicts: type[Exception]) -> Iterator[None]:
        """`conflicts`: those this call can have; any other means that the Hub is not well."""
        try:
            yield
        except (FacetError, Busy, theirs.RevisionNotFoundError):
            raise
        except Exception as error:
            trouble = trouble_of(error, self.name, self.thing)
            if trouble is None:
                raise
            if isinstance(trouble, (Moved, Taken)) and not isinstance(trouble, conflicts):
                trouble = Busy("The Hub is at work on this repository.")
            raise trouble from printable(error, self.token)


def trouble_of(error: BaseException, repo: str, thing: Thing = "model") -> Exception | None:
    """What an error of the client means for the one who writes; None when it is none of the Hub's."""
    while isinstance(error, RuntimeError) and error.__cause__ is not None:
        error = error.__cause__  # the client wraps what happens in its threads
    status = status_of(error)
    if status is not None:
        return _by_status(status, error, repo, thing)
    if isinstance(error, theirs.OfflineModeIsEnabled):
        return HubError(
            "The Hub cannot be reached.", "Facet was started without a network (HF_HUB_OFFLINE).", "Start it with one."
        )
    if told := REFUSED_BY_STORAGE.search(str(error)):
        return _by_status(int(told[1]), error, repo, thing)
    if isinstance(error, (*NOT_REACHED, httpx.HTTPError)):
        return Busy("The Hub could not be reached.")
    if type(error).__module__.startswith("hf_xet"):
        return Busy("The Hub's storage did not take the files.")
    if isinstance(error, ValueError) and any(word in str(error).lower() for word in FULL):
        return full(repo, thing)
    if isinstance(error, STUMBLES):
        return Busy("The Hub's answer was not complete.")
    return None


def _by_status(status: int, error: Any, repo: str, thing: Thing) -> Exception:
    words = said(error)
    if status == 412:
        return Moved()
    if status == 409:
        return Busy("The Hub is at work on this account.") if "in progress" in words else Taken()
    if status in AGAIN or status >= 500:
        return Busy(_why(status), wait_of(error.response))
    if status == 401:
        return signed_out()
    if status in (402, 413) or (status == 403 and any(word in words.lower() for word in FULL)):
        return full(repo, thing)
    if status == 403:
        scope = SCOPE.search(words)
        return scope_missing(scope[1]) if scope else forbidden(repo)
    return HubError(
        "The Hub did not accept the files.",
        f"It answered {status}{_quoted(words)}.",
        "Publish under another name, or take the files home and upload them on the Hub's own page.",
    )


def _why(status: int) -> str:
    if status == 429:
        return "The Hub was asked too often from here."
    if status == 404:
        return "The Hub does not show the repository."
    return "The Hub has a problem of its own." if status >= 500 else "The Hub did not answer in time."


def _quoted(words: str) -> str:
    line = " ".join(TOKEN.sub("…", words).split())
    return f" and said “{line[:160].rstrip('.')}”" if line else ""


def forbidden(repo: str) -> AccessError:
    owner = repo.split("/")[0]
    return AccessError(
        f"You may not write to {repo}.",
        f"Your role in {owner} does not allow it, or this repository was not made by Facet with your permission.",
        "Choose another name, or one of your own, and publish again.",
    )


def full(repo: str, thing: Thing) -> CapacityError:
    smaller = "a smaller adapter (a lower LoRA rank)" if thing == "model" else "fewer rows"
    return CapacityError(
        f"There is not enough room for this {thing} in the account.",
        f"The Hub does not take files as large as these for {repo.split('/')[0]}.",
        f"Delete what you no longer need on huggingface.co, or publish {smaller}.",
    )
