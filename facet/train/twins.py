"""The same training asked for twice: a second tab, or a press that seemed to do nothing. It is asked about first."""

import time
from collections.abc import Iterable
from typing import Any

from facet.errors import SettingError
from facet.identity import Person
from facet.train.runs import RunCard
from facet.work.task import Task

SECONDS_TO_INSIST = 120.0


class Twins:
    """Remembers whom it has asked, so that a second press within two minutes is an answer."""

    def __init__(self) -> None:
        self._asked: dict[tuple[str, str], float] = {}

    def ask(self, person: Person, request: dict[str, Any], running: Iterable[tuple[RunCard, Task]]) -> None:
        """Raises: `SettingError`, once, while an equal training of this person is going on."""
        twin = next((card for card, task in running if card.progress.is_active and _same(task, request)), None)
        if twin is None:
            return
        now = time.monotonic()
        self._asked = {key: when for key, when in self._asked.items() if now - when < SECONDS_TO_INSIST}
        if self._asked.pop((person.key, twin.id), None) is not None:
            return
        self._asked[person.key, twin.id] = now
        raise SettingError(
            "This very training is going on already.",
            f"“{twin.name}” has the same data, the same starting model and the same settings.",
            "Open it in the list of runs; or press “Start training” once more to start another one.",
        )


def _same(task: Task, request: dict[str, Any]) -> bool:
    return all(task.request.get(name) == value for name, value in request.items())
