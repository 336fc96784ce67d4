"""Conversations with models: which weights speak for whom, and what is heard while they load, prove and answer."""

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from facet import starter
from facet.compute.voices import Voices
from facet.compute.zerogpu import Zerogpu
from facet.errors import DataError, NotFoundError
from facet.gemma.sight import blind, require_sight
from facet.identity import Grant, Person
from facet.model.source import BaseSource
from facet.model.speak import Decoding, Piece
from facet.model.tuned import is_whole, tuned_in, weight_files
from facet.train.runs import Runs
from facet.work import checkpoint
from facet.work.task import Task

Messages = dict[Literal["base", "tuned"], list[dict[str, Any]]]
MOST_SPEAKERS = 4


@dataclass(frozen=True)
class Speaker:
    """Who shall answer a conversation. `target` is a run, a save point of one (`run@step`), or a starting model."""

    key: str  # names its answers
    target: str
    messages: list[dict[str, Any]]
    untouched: bool = False  # the model under the target, without its adapter


@dataclass(frozen=True)
class Proof:
    """Whether an adapter changes what the model says to this very conversation. The other side ran without it."""

    key: str
    changes: bool
    largest: float  # difference of a logit
    words: str


Heard = Piece | Proof | str  # a `str` says what is being waited for


@dataclass(frozen=True)
class Talks:
    """Finds the person's own weights and passes the conversations to the chat process."""

    voices: Voices
    runs: Runs
    model_folder: Callable[[Person, str], Path]
    models: Path
    zerogpu: Zerogpu | None = None
    picture: Callable[[Person, str], Path] | None = None  # the file of one that the person shows, by its name

    def speak(
        self, person: Person, target: str, messages: Messages, decoding: Decoding, grant: Grant | None = None
    ) -> Iterator[Piece | str]:
        """See `Studio.chat`."""
        speakers = [Speaker(side, target, turns, side == "base") for side, turns in messages.items()]
        for heard in self.hear(person, speakers, decoding, grant):
            if not isinstance(heard, Proof):
                yield heard

    def hear(
        self,
        person: Person,
        speakers: Sequence[Speaker],
        decoding: Decoding,
        grant: Grant | None = None,
        prove: bool = False,
    ) -> Iterator[Heard]:
        """See `Studio.talk`."""
        if not 1 <= len(speakers) <= MOST_SPEAKERS:
            raise _too_many()
        asked = [self._asked(person, speaker) for speaker in speakers]
        request = {"speakers": asked, "decoding": decoding.as_dict(), "prove": prove}
        if self.zerogpu is not None and any(one["base"] != str(starter.FOLDER) for one in asked):
            yield "Waiting for a graphics card"
            yield from _heard(self.zerogpu.speak(request, grant))
            return
        yield from _heard(self.voices.speak(request, person.key))

    def _asked(self, person: Person, speaker: Speaker) -> dict[str, Any]:
        base, adapter = self.weights(person, speaker.target)
        return {
            "key": speaker.key,
            "base": str(base),
            "adapter": None if speaker.untouched or adapter is None else str(adapter),
            "messages": self._shown(person, base, speaker.messages),
        }

    def _shown(self, person: Person, base: Path, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The same with the person's own pictures. Raises: `DataError` for a model that sees none, or one gone."""
        if not any(turn.get("images") for turn in messages):
            return messages
        require_sight(base)
        if self.picture is None:
            raise blind()
        find = functools.partial(self.picture, person)
        return [turn | {"images": [str(find(name)) for name in turn.get("images", ())]} for turn in messages]

    def weights(self, person: Person, target: str) -> tuple[Path, Path | None]:
        """Folders of the base, and of the adapter or the whole model that was trained from it.

        Raises: `DataError` for a run or save point that has none."""
        run_id, at, step = target.partition("@")
        try:
            run = self.runs.folder(person, run_id)
        except NotFoundError:
            return self.model_folder(person, target), None
        adapter = _save_point(run, step) if at else self._finished(person, run)
        return BaseSource.of(Task(run).request["base"]).folder(self.models), adapter

    def _finished(self, person: Person, run: Path) -> Path:
        if (tuned := tuned_in(run)) is None:
            raise DataError(
                "This run has no finished model yet.",
                f"Its training is {self.runs.progress(person, run.name).stage}.",
                "Wait until it is finished, or press “Stop and keep”.",
            )
        return tuned


def save_points(run: Path) -> list[int]:
    """Steps of a run whose weights are still there, oldest first."""
    folders = Task(run).checkpoints.glob("[0-9]*")
    return sorted(int(folder.name) for folder in folders if folder.name.isdigit() and _has_weights(folder))


def _has_weights(folder: Path) -> bool:
    return is_whole(folder) or weight_files(folder)[0].is_file()


def _save_point(run: Path, step: str) -> Path:
    """Raises: `DataError` for one that is gone or spoiled."""
    folder = Task(run).checkpoints / f"{int(step):06d}" if step.isdigit() and len(step) < 10 else run
    found = checkpoint.verified(folder)
    if found is None or not _has_weights(folder):
        raise DataError(
            "This save point is not there any more.",
            "A run keeps its newest save points, and older ones make room.",
            "Choose another model in “Talk to”.",
        )
    return found.folder


def _too_many() -> DataError:
    return DataError(
        "That many models cannot answer at once.",
        f"From one to {MOST_SPEAKERS} fit side by side.",
        "Take one away in “More beside them”.",
    )


_PIECE = {field.name for field in fields(Piece)}


def _heard(answers: Iterator[dict[str, Any]]) -> Iterator[Heard]:
    for answer in answers:
        if "waiting" in answer:
            yield answer["waiting"]
        elif "proof" in answer:
            yield Proof(**answer["proof"])
        elif "loading" in answer:
            if answer["loading"]:
                yield answer.get("words") or "Loading the model"
        elif "side" in answer:
            yield Piece(**{name: value for name, value in answer.items() if name in _PIECE})
