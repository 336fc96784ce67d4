"""Everything the page and the command line do in a chat, through the studio's one door."""

import functools
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from facet.compute.voices import Voices
from facet.dataset.conversation import DatasetType
from facet.dataset.from_chat import Feedback, as_rows, examples_of, read_feedback, write_feedback
from facet.dataset.making import Makings, Say
from facet.dataset.shelf import Shelf
from facet.errors import CapacityError, DataError, FacetError, NotFoundError
from facet.gemma.models import find
from facet.gemma.sight import blind, sees_pictures, will_see_pictures
from facet.identity import Grant, Person
from facet.model.speak import Decoding, Piece
from facet.showing import Showing
from facet.starting import Starting
from facet.talk import Heard, Speaker, Talks, save_points
from facet.train.runs import Runs
from facet.workspace import Workspace

LOOK_EVERY_SECONDS = 0.5
MOST_FEEDBACK = 1_000  # of one person, until it is put into data
MOST_FEEDBACK_CHARACTERS = 4_000_000


@dataclass
class Present:
    """Which open pages have a conversation, and whose they are: memory is given back when the last one closes."""

    pages: dict[str, str] = field(default_factory=dict)  # page → key of the person
    stops: Counter[str] = field(default_factory=Counter)  # key of the person → how often they pressed Stop
    lock: threading.Lock = field(default_factory=threading.Lock)

    def comes(self, page: str, person: Person) -> None:
        with self.lock:
            self.pages[page] = person.key

    def goes(self, page: str) -> tuple[str | None, bool]:
        """Whose page it was, if they have no other one; and whether nobody is left."""
        with self.lock:
            key = self.pages.pop(page, None)
            return (key if key not in self.pages.values() else None), bool(key) and not self.pages


class ChatDoor:
    """A part of `Studio`."""

    workspace: Workspace
    talks: Talks
    voices: Voices
    shelf: Shelf
    makings: Makings
    runs_shelf: Runs
    starting: Starting
    present: Present
    showing: Showing

    def chat(
        self,
        person: Person,
        target: str,
        messages: dict[Literal["base", "tuned"], list[dict[str, str]]],
        decoding: Decoding,
        grant: Grant | None = None,
    ) -> Iterator[Piece | str]:
        """Replies of each side asked for, untouched first, as they grow; a `str` says what is being waited for.

        `target` is a run id or a model. `messages` holds one conversation for each side, last turn the person's.
        """
        return self.talks.speak(person, target, messages, decoding, grant)

    def talk(
        self,
        person: Person,
        speakers: Sequence[Speaker],
        decoding: Decoding,
        grant: Grant | None = None,
        *,
        prove: bool = False,
    ) -> Iterator[Heard]:
        """Replies of one to four speakers, one after the other, with the same decoding and the same seed.

        With `prove`, each reply of an adapter comes with a `Proof`. A starting model that is not here is fetched first.
        Raises: `DataError` about the conversation or a model that is not there; `CapacityError`.
        """
        before = self.present.stops[person.key]
        for target in dict.fromkeys(speaker.target for speaker in speakers):
            yield from self._fetched(person, target, grant, before)
        if self.present.stops[person.key] == before:
            yield from self.talks.hear(person, speakers, decoding, grant, prove)

    def _fetched(self, person: Person, target: str, grant: Grant | None, stops: int) -> Iterator[str]:
        """Until a starting model is on this machine; who closes the page, or stops, finds it here later."""
        if self._is_run(person, target) or not (check := self.starting.check(person, target, grant)).download_gb:
            return
        what = f"Downloading {check.name}, {check.download_gb:.1f} GB; this happens once"
        fetch = functools.partial(self.starting.fetch_now, person, target, lambda: None, grant)
        job = self.makings.start(person, what, lambda say: fetch())
        yield what
        while (made := self.makings.look(person, job)).state == "running":
            if self.present.stops[person.key] != stops:
                return
            time.sleep(LOOK_EVERY_SECONDS)
            yield what
        if made.error:
            raise made.error

    def _is_run(self, person: Person, target: str) -> bool:
        try:
            self.runs_shelf.folder(person, target.partition("@")[0])
        except NotFoundError:
            return False
        return True

    def stop_chat(self, person: Person) -> None:
        """End the reply this person is listening to, or waiting for; nobody else's."""
        self.present.stops[person.key] += 1
        self.voices.stop(person.key)

    def warm_up_chat(self) -> None:
        """Load the chat's libraries while a training is being waited for."""
        self.voices.warm_up()

    def save_points(self, person: Person, run_id: str) -> list[int]:
        """Steps of a run that can be talked to, oldest first, as `run_id@step`."""
        return save_points(self.runs_shelf.folder(person, run_id))

    # ---- pictures
    def sees_pictures(self, person: Person, target: str) -> bool:
        """Does this model look at pictures? False for one that cannot be found."""
        if find(target):  # known by name, also before it is downloaded
            return will_see_pictures(target)
        try:
            return sees_pictures(self.talks.weights(person, target)[0])
        except FacetError:
            return False

    def take_pictures(self, person: Person, page: str, files: Sequence[Path], targets: Mapping[str, str]) -> list[str]:
        """Keep pictures for the conversation of one page; their names then stand in a turn as `images`.

        `targets` are the models that shall see them, each with the name a person knows it by.
        Raises: `DataError` when one sees none, and see `Showing.take`; nothing is kept then.
        """
        for target, name in targets.items() if files else ():
            if not self.sees_pictures(person, target):
                raise blind(f"“{name}”")
        return self.showing.take(person, page, files) if files else []

    def shown_picture(self, person: Person, name: str) -> Path:
        """Raises: `DataError` for one that is not there any more, or not this person's."""
        return self.showing.find(person, name)

    def forget_pictures(self, person: Person, page: str | None = None) -> list[str]:
        """The conversation of a page is over, or all of them. Returns the names of the pictures that went."""
        return self.showing.forget(person, page)

    # ---- who is there
    def enter_chat(self, page: str, person: Person) -> None:
        """An open page has a conversation."""
        self.present.comes(page, person)

    def leave_chat(self, page: str) -> None:
        """A page was closed. What is being said to it ends, and when it was the last, models leave the memory."""
        key, nobody_left = self.present.goes(page)
        if key:
            self.voices.stop(key)
        if nobody_left:
            self.voices.release()

    # ---- what people think of answers
    def judge_answer(self, person: Person, feedback: Feedback) -> None:
        """Keep a thumb or a better answer; one that says nothing any more is forgotten.

        Raises: `CapacityError` when there is no room for more.
        """
        with self.workspace.one_by_one(person, "feedback"):
            kept = [one for one in self.feedback(person) if one.key != feedback.key]
            if feedback.says_anything:
                kept.append(feedback)
            if len(kept) > MOST_FEEDBACK or _characters(kept) > MOST_FEEDBACK_CHARACTERS:
                raise _too_much_feedback()
            write_feedback(self._feedback_file(person), kept)

    def feedback(self, person: Person) -> list[Feedback]:
        """Judged answers that are in no data yet, oldest first."""
        return read_feedback(self._feedback_file(person))

    def forget_feedback(self, person: Person, judged: Sequence[Feedback] | None = None) -> None:
        """Drop these judged answers, or all."""
        with self.workspace.one_by_one(person, "feedback"):
            gone = {one.key: one for one in (self.feedback(person) if judged is None else judged)}
            kept = [one for one in self.feedback(person) if gone.get(one.key) != one]
            write_feedback(self._feedback_file(person), kept)

    def _feedback_file(self, person: Person) -> Path:
        return self.workspace.tenant(person.key) / "feedback.json"

    def add_feedback(self, person: Person, dataset_id: str, say: Say | None = None) -> str:
        """Make the next version of a dataset with the judged answers, which are then forgotten. Returns its id.

        Raises: `DataError` when nothing of them fits or is new.
        """
        judged = self._some_feedback(person)
        made = self.shelf.add_from_chat(person, dataset_id, [asdict(one) for one in judged], say)
        self.forget_feedback(person, judged)
        return made

    def dataset_of_feedback(self, person: Person, kind: DatasetType, name: str = "", say: Say | None = None) -> str:
        """Make a dataset of the judged answers alone, which are then forgotten. Returns its id."""
        judged = self._some_feedback(person)
        examples = examples_of(kind, judged)
        if not examples:
            raise _none_fits(kind)
        with tempfile.TemporaryDirectory(prefix="chat-", dir=self.workspace.home) as folder:
            file = Path(folder) / "chat.jsonl"
            file.write_text(as_rows(kind, examples), "utf-8")
            upload = self.shelf.bring_file(person, file, f"{name.strip() or 'From the chat'}.jsonl")
        made = self.shelf.prepare(person, upload, name.strip() or "From the chat", None, {}, say)
        self.forget_feedback(person, judged)
        return made

    def start_learning_from_chat(self, person: Person, into: str, name: str = "") -> str:
        """`add_feedback` or, where `into` is a type of data, `dataset_of_feedback`, in the background.

        Returns an id to ask `making` for, whose result is the id of the data.
        """

        def make(say: Say) -> Any:
            if into in ("conversation", "preference", "unpaired_preference"):
                return self.dataset_of_feedback(person, into, name, say)
            return self.add_feedback(person, into, say)

        return self.makings.start(person, "Making data of your answers", make)

    def _some_feedback(self, person: Person) -> list[Feedback]:
        if judged := self.feedback(person):
            return judged
        raise DataError(
            "No answer was judged yet.",
            "Data is made of thumbs and of answers that you rewrote in the chat.",
            "Give an answer a thumb up, or press its pencil and write a better one.",
        )


def _characters(judged: Sequence[Feedback]) -> int:
    return sum(len(one.answer) + len(one.better) + sum(len(turn["content"]) for turn in one.messages) for one in judged)


def _too_much_feedback() -> CapacityError:
    return CapacityError(
        "There is no room for more judged answers.",
        f"At most {MOST_FEEDBACK:,} are kept until they are put into data.",
        "Press “Make data of them”, then go on.",
    )


def _none_fits(kind: DatasetType) -> DataError:
    needs = {
        "conversation": "A thumb up or a rewritten answer is needed for questions and answers.",
        "preference": "A pair needs a rewritten answer, or one answer with a thumb up and another with a thumb down.",
    }
    return DataError(
        "None of the judged answers fits this kind of data.",
        needs.get(kind, "Thumbs or rewritten answers are needed."),
        "Judge more answers, or choose another kind in “Put them into”.",
    )
