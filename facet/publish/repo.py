"""A tuned model or a prepared dataset into its owner's account on the Hub: whole or not at all, once, public last.

Everything can be done again. What is there already is not sent twice, so pressing “Publish” after any mishap goes on
where it stopped. A version is one commit on top of the one we looked at; after every doubtful answer the repository is
read again before anything is repeated, so there is never a second commit of the same files.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facet.errors import FacetError
from facet.hub.errors import Thing
from facet.hub.writing import Busy, Moved, OwnRepo, State, Taken
from facet.publish import sentences
from facet.publish.files import RUN_FILE, LocalFile, is_allowed, to_publish
from facet.publish.names import NEXT, VERSION, check_name, check_tag, next_version
from facet.publish.patience import MOST_TRIES, Patience

__all__ = ["Parcel", "Published", "Target", "check_name", "publish", "send"]
UNTOUCHED: Final = frozenset([".gitattributes", ".gitignore"])  # files the Hub puts into a new repository
RACES: Final = MOST_TRIES + 2  # commits begun, for whatever reason the one before was not made
Say = Callable[[str, float], None]  # words, share done


@dataclass(frozen=True)
class Target:
    repo: str  # owner/name
    private: bool = True
    tag: str | None = None  # a name for this version; "next" is the next free one of v1, v2, …


@dataclass(frozen=True)
class Published:
    repo: str
    url: str
    sha: str
    tag: str | None
    private: bool
    created: bool  # the first version in this repository
    unchanged: bool  # all files were there already


@dataclass(frozen=True)
class Parcel:
    """What goes into a repository, by its names there, and how Facet knows a repository it made."""

    thing: Thing
    files: Mapping[str, LocalFile]
    mark: str  # the file by which it knows one
    is_allowed: Callable[[str], bool]  # whether it ever publishes a file of this name, and so may remove it
    titles: tuple[str, str]  # of the first version and of every later one


def publish(
    folder: Path,
    target: Target,
    token: str,
    say: Say,
    endpoint: str | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Published:
    """Publish an exported model, or go on with what an earlier press began.

    Raises: `SettingError` when something has to be chosen otherwise; `AccessError`, `CapacityError`; `DataError` for
    a folder that must not be published; `HubError` when the Hub stays out of reach.
    """
    titles = "A model tuned with Facet", "A new version, tuned with Facet"
    return send(
        lambda: Parcel("model", to_publish(folder), RUN_FILE, is_allowed, titles), target, token, say, endpoint, sleep
    )


def send(
    pack: Callable[[], Parcel],
    target: Target,
    token: str,
    say: Say,
    endpoint: str | None = None,
    sleep: Callable[[float], None] = time.sleep,
    thing: Thing = "model",
) -> Published:
    """Publish what `pack` makes. Names are checked before it is asked; it raises when there is something amiss."""
    check_name(target.repo, thing)
    check_tag(target.tag)
    say("Checking the files", 0.0)
    remote = OwnRepo(target.repo, token, endpoint, thing)
    return _Publishing(remote, target, pack(), say, Patience(sleep, say, thing=thing)).run()


@dataclass
class _Publishing:
    """One press of the button. `first` and `unchanged` are found out on the way."""

    remote: OwnRepo
    target: Target
    parcel: Parcel
    say: Say
    patience: Patience
    first: bool = True
    unchanged: bool = True

    @property
    def files(self) -> Mapping[str, LocalFile]:
        return self.parcel.files

    @property
    def thing(self) -> Thing:
        return self.parcel.thing

    def run(self) -> Published:
        self._tell(f"Looking at {self.target.repo} on the Hub", 0.05)
        account = self.patience.ask(self.remote.account)
        if not account.may_write(self.target.repo.split("/")[0]):
            raise sentences.not_yours(self.target.repo, account)
        before = self._ready(self.patience.ask(self.remote.look) or self._created())
        self.patience.public = not before.private
        self._require_free_tag(before)
        version = self._committed(before)
        tag = self._tagged(version)
        private = self._shown(version)
        self.say("Done", 1.0)
        page = self.remote.page
        return Published(self.target.repo, page, version.sha, tag, private, self.first, self.unchanged)

    def _tell(self, words: str, share: float) -> None:
        self.patience.share = max(share, self.patience.share)
        self.say(words, self.patience.share)

    def _created(self) -> State:
        self._tell("Making a private repository", 0.1)
        try:
            self.patience.ask(self.remote.create)
        except Taken:
            if (there := self.patience.ask(self.remote.look)) is None:
                raise sentences.taken(self.target.repo, self.thing) from None
            return there  # our own, made by a press whose answer was lost or by one at the same moment
        return self.patience.ask(self._seen)

    def _seen(self) -> State:
        """A repository that must be there; the Hub may need a moment to show it."""
        if (state := self.remote.look()) is None:
            raise Busy("The Hub does not show the new repository yet.")
        return state

    def _ready(self, state: State) -> State:
        """A repository this model may go into, private if nobody has seen it yet.

        Raises: `SettingError` for one of other files, of another spelling, or public where private was asked for.
        """
        if state.repo != self.target.repo:
            raise sentences.other_spelling(self.target.repo, state.repo, self.thing)
        self.first = self.parcel.mark not in state.files
        if not self.first:
            if self.target.private and not state.private:
                raise sentences.public_already(self.target.repo, self.thing)
            return state
        if set(state.files) - UNTOUCHED:
            raise sentences.foreign(self.target.repo, self.thing, self.parcel.mark)
        if state.private:
            return state
        self.patience.ask(lambda: self.remote.show(private=True))
        return self.patience.ask(self._seen)

    def _committed(self, state: State) -> State:
        """The commit that has all files as they are here; made if there is none yet, and read back."""
        for attempt in range(RACES):
            if self._is_whole(state):
                return state
            sha = self._commit(state, attempt)
            self._tell("Checking every file on the Hub", 0.75)
            now = self.patience.ask(lambda sha=sha: self._at(sha))
            if sha is not None and not self._is_whole(now):
                raise sentences.damaged(self.patience.kept)
            if now.sha != state.sha and not self._is_whole(now) and self._ours(now) != self._ours(state):
                raise sentences.changed_meanwhile(self.target.repo, self.thing)
            state = now
        if self._is_whole(state):
            return state
        raise sentences.restless(self.target.repo, self.patience.kept, self.thing)

    def _commit(self, state: State, attempt: int) -> str | None:
        """The new commit's hash; None when there is none, or when nobody can tell."""
        megabytes = sum(file.size for file in self.files.values()) / 1e6
        self._tell(f"Uploading {len(self.files)} files ({megabytes:.1f} MB)", 0.2)
        add = {name: file.path for name, file in self.files.items() if not file.equals(state.files.get(name))}
        title = self.parcel.titles[0 if self.first else 1]
        try:
            sha = self.remote.commit(add, self._stale(state), title, state.sha)
        except (Moved, Taken):
            return None
        except Busy as busy:
            sha = None
            self.patience.wait(busy, attempt)
        self.unchanged = False
        return sha

    def _at(self, sha: str | None) -> State:
        if (state := self.remote.look(sha)) is None:
            raise Busy("The Hub does not show the repository.")
        return state

    def _is_whole(self, state: State) -> bool:
        whole = all(file.equals(state.files.get(name)) for name, file in self.files.items())
        return whole and not self._stale(state)

    def _stale(self, state: State) -> list[str]:
        """What an earlier version of ours had and this one has not."""
        return sorted(name for name in state.files if self.parcel.is_allowed(name) and name not in self.files)

    def _ours(self, state: State) -> dict[str, object]:
        return {name: stored for name, stored in state.files.items() if self.parcel.is_allowed(name)}

    def _require_free_tag(self, before: State) -> None:
        """Before anything is sent. Raises: `SettingError`."""
        if self.target.tag in (None, NEXT) or self.first:
            return
        tags = self.patience.ask(self.remote.tags)
        here = tags.get(self.target.tag)
        if here and (here != before.sha or not self._is_whole(before)):
            raise sentences.tag_taken(self.target.tag, next_version(list(tags)), self.patience.kept)

    def _tagged(self, version: State) -> str | None:
        if self.target.tag is None:
            return None
        self._tell("Naming the version", 0.85)
        tags = self.patience.ask(self.remote.tags)
        wanted = self.target.tag
        if wanted == NEXT:
            here = [tag for tag, sha in tags.items() if sha == version.sha and VERSION.fullmatch(tag)]
            wanted = here[-1] if here else next_version(list(tags))
        if tags.get(wanted) != version.sha:
            try:
                if wanted in tags:
                    raise Taken
                self.patience.ask(lambda: self.remote.tag(wanted, version.sha))
            except Taken:
                now = self.patience.ask(self.remote.tags)
                if now.get(wanted) != version.sha:
                    raise sentences.tag_taken(wanted, next_version(list(now)), self.patience.kept) from None
        return wanted

    def _shown(self, version: State) -> bool:
        """Make it public if that was asked for. Returns whether it is private."""
        if self.target.private or not self.patience.ask(self._seen).private:
            return self.target.private
        self._tell("Making it public", 0.92)
        try:
            self.patience.ask(lambda: self.remote.show(private=False))
            if self.patience.ask(self._seen).private:
                raise Busy("The Hub says that it is still private.")
        except (FacetError, Busy, Taken, Moved) as error:
            raise sentences.still_private(self.remote.page, error, self.thing) from error
        return False
