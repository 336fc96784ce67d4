"""Whom to test: what a person names, as contestants with the files of their adapters. No torch here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from facet.errors import DataError, NotFoundError, SettingError
from facet.exam.outcome import UNTOUCHED, Contestant
from facet.identity import Grant, Person
from facet.model.choose import ModelCheck
from facet.model.source import BaseSource
from facet.model.tuned import ADAPTER, digest, digest_said, tuned_files, tuned_in
from facet.train.runs import Runs
from facet.work import checkpoint
from facet.work.task import Task

MOST_TARGETS = 8


@dataclass(frozen=True)
class Found:
    """A contestant, the folder its adapter or its whole model lies in, and the run it comes from."""

    contestant: Contestant
    adapter: Path | None = None
    run: Path | None = None

    def link_into(self, task: Task) -> None:
        """Give the task its own names for the adapter, and for what the run learned from."""
        if self.adapter:
            for file in tuned_files(self.adapter):
                task.link_in(file, f"adapters/{self.contestant.key}/{file.name}")
        if self.run and not (task.folder / "trained" / self.run.name).exists():
            for name in ("train.parquet", "dataset.json"):
                if (self.run / "data" / name).is_file() and (self.run / "data" / "train.parquet").is_file():
                    task.link_in(self.run / "data" / name, f"trained/{self.run.name}/{name}")


@dataclass(frozen=True)
class Targets:
    """`check` finds a starting model, and keeps a sign-in ready for its download."""

    runs: Runs
    check: Callable[[Person, str, Grant | None], ModelCheck]

    def find(
        self, person: Person, targets: Sequence[str], grant: Grant | None = None, most: int = MOST_TARGETS
    ) -> list[Found]:
        """In the order named, each once; names are made to differ.

        Raises: `SettingError` for none or too many; what `find_one` raises.
        """
        wanted = list(dict.fromkeys(target.strip() for target in targets if target.strip()))
        if not wanted:
            raise SettingError("No model was chosen.", "Somebody has to answer.", f"Choose from 1 to {most} models.")
        if len(wanted) > most:
            raise SettingError(
                "These are too many models at once.",
                f"You chose {len(wanted)}, and up to {most} can answer the same questions.",
                f"Choose from 1 to {most} models.",
            )
        return _named_apart([self.find_one(person, target, grant) for target in wanted])

    def find_one(self, person: Person, target: str, grant: Grant | None = None) -> Found:
        """A run, a save point of one as `RUN@STEP`, or a starting model.

        Raises: `SettingError` for a run without a model, `DataError` for a save point that is gone, and whatever
        choosing a starting model raises.
        """
        run_id, at, step = target.partition("@")
        try:
            folder = self.runs.folder(person, run_id)
        except NotFoundError:
            check = self.check(person, target, grant)
            return self.untouched(check.base, f"{UNTOUCHED} {check.name}")
        return self.save_point(folder, run_id, person, step) if at else self.run(person, run_id)

    def untouched(self, base: BaseSource | None, name: str = UNTOUCHED) -> Found:
        assert base is not None  # `check` has raised otherwise
        return Found(Contestant(name, base.as_dict()))

    def run(self, person: Person, run_id: str) -> Found:
        """Raises: `SettingError` while the run has no model."""
        card, task = self.runs.card(person, run_id), self.runs.task(person, run_id)
        if not card.has_model:
            raise SettingError(
                "This run has no model to test yet.",
                f"Its training is {card.progress.stage}.",
                "Wait until it is finished, or press “Stop and keep”.",
            )
        tuned = tuned_in(task.folder) or task.folder / ADAPTER
        sha = digest_said(card.progress.outputs) or digest(tuned)
        return Found(Contestant(card.name, task.request["base"], sha, run_id), tuned, task.folder)

    def save_point(self, run: Path, run_id: str, person: Person, step: str) -> Found:
        found = checkpoint.verified(run / "checkpoints" / f"{int(step):06d}") if _is_step(step) else None
        if found is None or not all(file.is_file() for file in tuned_files(found.folder)):
            raise DataError(
                "This save point is not there any more.",
                "A run keeps its newest save points, and older ones make room.",
                "Choose another one, or the finished run.",
            )
        sha = digest(found.folder)
        name = f"{self.runs.card(person, run_id).name}, step {int(step)}"
        return Found(Contestant(name, Task(run).request["base"], sha, run_id, int(step)), found.folder, run)


def _is_step(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def _named_apart(found: list[Found]) -> list[Found]:
    """Two runs of one name would look the same in every table; the same weights twice answer once."""
    apart: dict[str, Found] = {}
    names: set[str] = set()
    one_base = len({str(one.contestant.base) for one in found}) == 1
    for one in found:
        if one.contestant.key in apart:
            continue
        plain = UNTOUCHED if one_base and one.contestant.is_untouched else one.contestant.name
        name, number = plain, 2
        while name in names:
            name, number = f"{plain} ({number})", number + 1
        names.add(name)
        apart[one.contestant.key] = replace(one, contestant=replace(one.contestant, name=name))
    return list(apart.values())
