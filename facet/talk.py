"""A conversation with a run or a starting model: which weights speak, and what is said while they load."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from facet import starter
from facet.compute.voices import Voices
from facet.compute.zerogpu import Zerogpu
from facet.errors import DataError, NotFoundError
from facet.identity import Grant, Person
from facet.model.source import BaseSource
from facet.model.speak import Decoding, Piece
from facet.train.runs import Runs
from facet.work.task import Task

Messages = dict[Literal["base", "tuned"], list[dict[str, str]]]


@dataclass(frozen=True)
class Talks:
    """Finds the person's own weights and passes the conversation to the chat process."""

    voices: Voices
    runs: Runs
    model_folder: Callable[[Person, str], Path]
    models: Path
    zerogpu: Zerogpu | None = None

    def speak(
        self, person: Person, target: str, messages: Messages, decoding: Decoding, grant: Grant | None = None
    ) -> Iterator[Piece | str]:
        """See `Studio.chat`."""
        request = self._weights(person, target) | {"messages": messages, "decoding": decoding.as_dict()}
        if self.zerogpu is not None and request["base"] != str(starter.FOLDER):
            yield "Waiting for a graphics card"
            yield from _pieces(self.zerogpu.speak(request, grant))
            return
        yield from _pieces(self.voices.speak(request, person.key))

    def _weights(self, person: Person, target: str) -> dict[str, Any]:
        """Folders of the base and of the adapter. Raises: `DataError` for a run that has none yet."""
        try:
            run = self.runs.folder(person, target)
        except NotFoundError:
            return {"base": str(self.model_folder(person, target)), "adapter": None}
        if not (run / "adapter").is_dir():
            raise DataError(
                "This run has no finished model yet.",
                f"Its training is {self.runs.progress(person, target).stage}.",
                "Wait until it is finished, or press “Stop and keep”.",
            )
        base = BaseSource.of(Task(run).request["base"])
        return {"base": str(base.folder(self.models)), "adapter": str(run / "adapter")}


def _pieces(answers: Iterator[dict[str, Any]]) -> Iterator[Piece | str]:
    for answer in answers:
        if "waiting" in answer:
            yield answer["waiting"]
        elif "loading" not in answer:
            yield Piece(**{name: value for name, value in answer.items() if name != "id"})
        elif answer["loading"]:
            yield "Loading the model"
