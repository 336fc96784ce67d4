"""Judgings under way: who judges, in which thread, how far it is, and why it stands still. Keys are not kept here.

A judging lies in the folder of its test and goes on from its file, whatever ended it.
"""

import contextlib
import logging
import secrets
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from filelock import FileLock

from facet.errors import CapacityError, DataError, FacetError, NotFoundError, SettingError, full_disk
from facet.exam.asking import Judge, Messages, Reply, Trial, complaint, in_vain
from facet.exam.assignment import Assignment, Material
from facet.exam.judge import MOST_IN_VAIN, InVain, Judgements, work
from facet.exam.openai_reply import LONGEST_REPLY, reply_of
from facet.identity import Person
from facet.locks import claim, is_held
from facet.model.speak import Piece
from facet.workspace import ID, new_id, read_json, whole_or_gone, write_json

if TYPE_CHECKING:  # its libraries are read when somebody asks a hosted model
    from facet.hub.inference import Hosted

Stage = Literal["working", "paused", "done"]
MOST_PER_PERSON, MOST_IN_ALL = 2, 8
LONGEST_LOCAL_REPLY = 300  # tokens
LOCK = "judge.lock"
Talk = Callable[[Messages], Generator[Any, None, None]]
log = logging.getLogger("facet.judging")


@dataclass(frozen=True)
class Judging:
    """How one stands. `failure`: why it pauses, where nobody asked it to. `done` of `of` questions are judged.

    `stopping`: it was asked to pause, and waits for the answers that are on their way.
    """

    id: str
    stage: Stage
    done: int
    of: int
    assignment: Assignment
    failure: FacetError | None = None
    stopping: bool = False


class HostedJudge:
    """A model of the Inference Providers, asked in a person's name."""

    at_once = 4

    def __init__(self, hosted: "Hosted") -> None:
        self.hosted = hosted

    def close(self) -> None:
        self.hosted.close()

    def ask(self, messages: Messages, stop: threading.Event) -> Reply:
        status, headers, body = self.hosted.complete(messages, LONGEST_REPLY)
        if status == 0:
            raise Trial("broken")
        if 300 <= status < 400:
            raise Trial("redirect", status)
        return reply_of(status, headers, body)


class LocalJudge:
    """A model on this machine, through its chat: one question at a time, in line with everybody else's."""

    at_once = 1

    def __init__(self, talk: Talk) -> None:
        self.talk = talk

    def close(self) -> None: ...

    def ask(self, messages: Messages, stop: threading.Event) -> Reply:
        said = Piece("base", "")
        try:
            with contextlib.closing(self.talk(messages)) as heard:
                for piece in heard:
                    if stop.is_set():
                        raise Trial("stopped")
                    said = piece if isinstance(piece, Piece) else said
        except CapacityError as error:  # others are before it in the line, or the chat's process ended
            raise Trial("broken", cause=error) from None
        except DataError:  # this one question is longer than the model can read
            return Reply("")
        if not said.done or said.ended == "stopped":  # the person stopped their chat, and this with it
            raise Trial("broken")
        return Reply(said.text, cut=said.ended == "length", tokens_out=said.tokens)


@dataclass
class Judgings:
    """Those of this process. Another process of the same home is kept out by a lock."""

    _stops: dict[Path, tuple[str, threading.Event, threading.Thread]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @staticmethod
    def create(exam: Path, assignment: Assignment) -> Path:
        shelf = exam / "judge"
        shelf.mkdir(exist_ok=True)
        folder = shelf / new_id(assignment.provider)
        folder.mkdir()
        with whole_or_gone(folder):
            assignment.save(folder)
            _note(folder, "paused")
        return folder

    @staticmethod
    def find(exam: Path, judging_id: str) -> Path:
        folder = exam / "judge" / judging_id if ID.fullmatch(judging_id or "") else None
        if folder is None or not (folder / "assignment.json").is_file():
            raise NotFoundError.of("judging")
        return folder

    @staticmethod
    def all(exam: Path) -> list[Path]:
        """Newest first."""
        folders = [file.parent for file in exam.glob("judge/*/assignment.json")]
        return sorted(folders, key=lambda folder: (folder / "assignment.json").stat().st_mtime, reverse=True)

    def start(self, person: Person, exam: Path, folder: Path, judge: Judge, name: str) -> None:
        """Let a judge begin or go on, in a thread. `name` is what people call it.

        Raises: `CapacityError`, `SettingError` while it works already. The judge is closed in every case.
        """
        with contextlib.ExitStack() as undone:
            undone.callback(judge.close)
            stop = threading.Event()
            with self._lock:
                self._require_room(person)
                lock = _claimed(folder)
                undone.callback(lock.release)
                how = {"name": "judging", "daemon": True, "args": (exam, folder, judge, name, stop, lock)}
                thread = threading.Thread(target=self._work, **how)
                _note(folder, "working")
                thread.start()
                self._stops[folder] = (person.key, stop, thread)
            undone.pop_all()  # from here on the thread undoes it

    def _require_room(self, person: Person) -> None:
        mine = sum(owner in person.keys for owner, _, _ in self._stops.values())
        if mine >= MOST_PER_PERSON or len(self._stops) >= MOST_IN_ALL:
            raise CapacityError(
                "No more can be judged right now.",
                f"{mine} judgings of yours are going on." if mine else "Others are judging on this machine.",
                "Wait until one is done, or pause one, then press again.",
            )

    def pause(self, folder: Path) -> None:
        """Ask it to stop after the questions that are on their way."""
        if found := self._stops.get(folder):
            found[1].set()

    def pause_all(self, person: Person | None = None, exam: Path | None = None, seconds: float = 5.0) -> None:
        """Of one person, or of one test, or everybody's; and wait for that, but not long."""
        for folder, (owner, stop, thread) in list(self._stops.items()):
            if (person is None or owner in person.keys) and (exam is None or exam in folder.parents):
                stop.set()
                thread.join(seconds)

    def wait(self, folder: Path, seconds: float | None = None) -> None:
        """For a terminal."""
        if found := self._stops.get(folder):
            found[2].join(seconds)

    def look(self, folder: Path) -> Judging:
        """Raises: `NotFoundError` for one that was deleted just now."""
        try:
            assignment = Assignment.read(folder)
        except (OSError, ValueError, KeyError, TypeError):
            raise NotFoundError.of("judging") from None
        stage, failure = _state(folder)
        if stage == "working" and folder not in self._stops and not is_held(folder / LOCK):
            stage, failure = _state(folder)  # it may have ended between the two looks
            if stage == "working":
                stage, failure = "paused", _interrupted().as_dict()
        done = Judgements(folder).count()
        told = FacetError.from_dict(failure) if failure else None
        found = self._stops.get(folder)
        stopping = bool(found and found[1].is_set())
        return Judging(folder.name, stage, done, len(assignment.calls()), assignment, told, stopping)

    def _work(self, exam: Path, folder: Path, judge: Judge, name: str, stop: threading.Event, lock: FileLock) -> None:
        stage, failure = "paused", None
        try:
            material = Material.of(exam, Assignment.read(folder))
            stage = "done" if work(folder, material, judge, stop) else "paused"
        except Trial as trial:
            failure = complaint(trial, name) if trial.name != "stopped" else None
        except InVain:
            failure = in_vain(MOST_IN_VAIN)
        except FacetError as error:
            failure = error
        except Exception as error:
            if (folder / "assignment.json").exists():  # or else it was deleted while it worked
                failure = full_disk(error) or _reported(error)
        finally:
            judge.close()
            with contextlib.suppress(OSError):
                _note(folder, stage, failure)
            with self._lock:
                self._stops.pop(folder, None)
            lock.release()


def _note(folder: Path, stage: str, failure: FacetError | None = None) -> None:
    write_json(folder / "state.json", {"stage": stage, "failure": failure and failure.as_dict(), "when": time.time()})


def _state(folder: Path) -> tuple[Stage, dict[str, str] | None]:
    try:
        state = read_json(folder / "state.json")
        return state["stage"], state.get("failure")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return "paused", None


def _claimed(folder: Path) -> FileLock:
    """Raises: `SettingError` while it is judged already, here or by another process."""
    if lock := claim(folder / LOCK):
        return lock
    raise SettingError(
        "This is being judged already.", "One judge at a time keeps the file in order.", "Wait until it is done."
    )


def _reported(error: Exception) -> FacetError:
    number = secrets.token_hex(4)
    log.error("fault %s: a judging failed: %s", number, type(error).__name__)  # its text may quote a person
    return FacetError.unexpected(number)


def _interrupted() -> CapacityError:
    return CapacityError(
        "The judging was interrupted.",
        "Facet was closed while it went on, and keys are forgotten then.",
        "Press “Go on judging”: what was judged is kept.",
    )
