"""Putting a tuned model or a dataset into a person's account, in the background: what goes on, was done, or failed.

The state lies in the folder of the run or dataset, so that every page shows the same. The token lives in this
process's memory until the upload ends and nowhere else; if the process dies, pressing “Publish” again goes on where it
stopped.
"""

import logging
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock

from facet.errors import FacetError, SettingError, full_disk
from facet.hub.errors import Thing
from facet.locks import claim, is_held
from facet.publish.dataset_repo import DataTerms, publish_dataset, write_dataset
from facet.publish.repo import Published, Target, check_name, publish
from facet.workspace import read_about, read_json, update_about, write_json

log = logging.getLogger("facet.publish")
_KEPT_AS: dict[Thing, str] = {"model": "run", "dataset": "dataset"}
LOCK = "publication.lock"
Stage = Literal["working", "done", "failed", "interrupted"]


@dataclass(frozen=True)
class Publication:
    """One attempt to publish a run or a dataset, the newest."""

    repo: str
    public: bool
    tag: str | None
    stage: Stage = "working"
    words: str = "Getting the files ready"
    share: float = 0.0  # 0 to 1
    url: str = ""
    unchanged: bool = False  # everything was there already
    failure: dict[str, str] | None = None
    when: float = 0.0  # seconds since 1970


@dataclass(frozen=True)
class Publications:
    """Of runs or of datasets; `run` is the folder of one. `endpoint` replaces the Hub's address."""

    endpoint: str | None = None
    thing: Thing = "model"

    def begin(self, run: Path, fill: Callable[[Path], Path], target: Target, token: str) -> None:
        """Publish in the background. `fill` writes the files into a new folder.

        Raises: `SettingError` for an impossible name, or while it is being published already.
        """
        lock = self._claim(run, target)
        threading.Thread(target=self._work, args=(run, fill, target, token, lock), daemon=True).start()

    def now(self, run: Path, fill: Callable[[Path], Path], target: Target, token: str) -> Publication:
        """Publish and wait for it. Raises: what went wrong."""
        self._work(run, fill, target, token, self._claim(run, target))
        done = self.newest(run)
        if done is None or done.failure:
            raise FacetError.from_dict(done.failure) if done else FacetError.unexpected("publish")
        return done

    def begin_data(
        self, dataset: Path, target: Target, token: str, licence: str | None = None, languages: tuple[str, ...] = ()
    ) -> None:
        """Publish the prepared dataset in this folder in the background. `licence` None: that of its source.

        Raises: `SettingError` for an impossible name, or while it is being published already.
        """
        of_data, fill = self._of_data(dataset, target, licence, languages)
        of_data.begin(dataset, fill, target, token)

    def data_now(
        self, dataset: Path, target: Target, token: str, licence: str | None = None, languages: tuple[str, ...] = ()
    ) -> Publication:
        """Publish a prepared dataset and wait for it. Raises: what went wrong."""
        of_data, fill = self._of_data(dataset, target, licence, languages)
        return of_data.now(dataset, fill, target, token)

    def _of_data(
        self, dataset: Path, target: Target, licence: str | None, languages: tuple[str, ...]
    ) -> tuple["Publications", Callable[[Path], Path]]:
        terms = DataTerms(licence, languages)
        return replace(self, thing="dataset"), lambda to: write_dataset(dataset, to, target.repo, terms)

    def newest(self, run: Path) -> Publication | None:
        found = _noted_last(run)
        if found is None or found.stage != "working" or is_held(run / LOCK):
            return found
        found = _noted_last(run)  # it may have ended between the two looks
        if found is None or found.stage != "working":
            return found
        return replace(
            found,
            stage="interrupted",
            words="Facet was closed while it published. Press “Publish” again: it goes on where it stopped.",
        )

    @staticmethod
    def all(run: Path) -> list[dict[str, Any]]:
        """Everything that was published of it, newest first."""
        return list(reversed(read_about(run).get("published", [])))

    def _claim(self, run: Path, target: Target) -> FileLock:
        check_name(target.repo, self.thing)
        lock = claim(run / LOCK)
        if lock is None:
            raise SettingError(
                f"This {self.thing} is being published already.",
                "One upload at a time keeps the versions in order.",
                "Wait until it is done; the page shows how far it is.",
            )
        try:
            self._note(run, Publication(target.repo, not target.private, target.tag, when=time.time()))
        except BaseException:
            lock.release()
            raise
        return lock

    def _work(self, run: Path, fill: Callable[[Path], Path], target: Target, token: str, lock: FileLock) -> None:
        begun = Publication(target.repo, not target.private, target.tag, when=time.time())
        folder = run / "publishing"
        try:
            shutil.rmtree(folder, ignore_errors=True)
            last = self._done(run, fill(folder), target, token, begun)
        except FacetError as error:
            last = replace(begun, stage="failed", words=error.what, failure=error.as_dict())
        except Exception as error:
            fault = full_disk(error) or _reported(error)
            last = replace(begun, stage="failed", words=fault.what, failure=fault.as_dict())
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        try:
            self._note(run, replace(last, when=time.time()))
        finally:
            lock.release()

    def _done(self, run: Path, files: Path, target: Target, token: str, begun: Publication) -> Publication:
        """Upload the files. Raises: what the Hub answers; `SettingError` when what they come from was deleted."""

        def say(words: str, share: float) -> None:
            if not _is_there(run):
                raise SettingError(f"This {_KEPT_AS[self.thing]} is gone.", "It was deleted.", "Publish another one.")
            self._note(run, replace(begun, words=words, share=share))

        publish_it = publish if self.thing == "model" else publish_dataset
        done = publish_it(files, target, token, say, self.endpoint)
        if _is_there(run):
            update_about(run, published=[*read_about(run).get("published", []), _noted(done)])
        words = "Everything was there already." if done.unchanged else "Published, and every file read back."
        return replace(begun, stage="done", words=words, share=1.0, url=done.url, unchanged=done.unchanged,
                       public=not done.private, tag=done.tag)  # fmt: skip

    @staticmethod
    def _note(run: Path, state: Publication) -> None:
        if _is_there(run):
            write_json(run / "publication.json", asdict(state))


def _reported(error: Exception) -> FacetError:
    number = secrets.token_hex(4)
    log.error("fault %s: publishing failed: %s", number, type(error).__name__)  # its text may quote a request
    return FacetError.unexpected(number)


def _noted_last(run: Path) -> Publication | None:
    """None for one that was never published, and for what a later Facet wrote."""
    try:
        return Publication(**read_json(run / "publication.json"))
    except (OSError, ValueError, TypeError):
        return None


def _noted(done: Published) -> dict[str, Any]:
    return {"repo": done.repo, "url": done.url, "sha": done.sha, "tag": done.tag, "public": not done.private,
            "when": time.time()}  # fmt: skip


def _is_there(run: Path) -> bool:
    """A run or dataset may be deleted while it is published; nothing may make its folder anew."""
    return (run / "about.json").is_file()
