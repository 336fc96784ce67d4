"""Everything the page and the command line do with runs that were: compare, note, start again, script, trackers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facet.dataset.shelf import Shelf
from facet.errors import DataError, FacetError, NotFoundError
from facet.exam.exams import Exams
from facet.exam.metric_words import METRICS, written
from facet.exam.outcome import Outcome, Scored
from facet.identity import Grant, Person
from facet.model.tuned import digest_said
from facet.recipe.knobs import settings, show
from facet.recipe.recipes import TrainingRecipe
from facet.starting import Starting
from facet.train import run_file
from facet.train.history import MISSING, Comparison, Row, against_advice, clean_note, compare
from facet.train.run_data import data_has_changed, preparation, source_text
from facet.train.run_file import Described
from facet.train.runs import RunCard, Runs
from facet.train.script import script
from facet.train.summary import summary
from facet.workspace import Workspace


@dataclass(frozen=True)
class Again:
    """All that a run was started with, to start another with it."""

    dataset_id: str
    base_model: str
    revision: str | None
    recipe: TrainingRecipe
    name: str
    start_from: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict)


class HistoryDoor:
    """A part of `Studio`."""

    workspace: Workspace
    shelf: Shelf
    runs_shelf: Runs
    exams_shelf: Exams
    starting: Starting

    # ---- look back
    def compare_runs(self, person: Person, run_ids: Sequence[str]) -> Comparison:
        """Two to six runs beside each other, with their tests. Raises: `NotFoundError`, `SettingError`."""
        cards = [self.runs_shelf.card(person, run_id) for run_id in dict.fromkeys(run_ids)]
        executions = [self.runs_shelf.task(person, card.id).execution() for card in cards]
        compared = compare(cards, executions)
        tests = _test_rows([self.exams_shelf.found(person, card.id) for card in cards], cards)
        return Comparison(compared.runs, compared.differences, (*compared.numbers, *tests))

    def run_summary(self, person: Person, run_id: str) -> list[tuple[str, str]]:
        """What a run was and came to, in lines of a name and words."""
        return summary(self.runs_shelf.card(person, run_id), self.runs_shelf.task(person, run_id))

    def note(self, person: Person, run_id: str, text: str) -> None:
        """Keep a person's own words on a run. Raises: `SettingError` when they are too many."""
        self.runs_shelf.note(person, run_id, clean_note(text))

    def unusual_settings(self, person: Person, run_id: str) -> tuple[str, list[tuple[str, str, str]]]:
        """Settings that are not as advised for this data, or where there is no advice any more, not as usual.

        What they are compared with, in words; then label, value, and the other value of each.
        """
        card = self.runs_shelf.card(person, run_id)
        try:
            dataset = self._dataset_like(person, card.dataset)
            if dataset is None:
                raise NotFoundError.of("dataset")
            model = self.runs_shelf.model_of(person, run_id)[0]
            advice = self.starting.advise(person, dataset, model, "balanced", None)
        except FacetError:
            usual = type(card.recipe)()
            changed = [one for one in settings(type(usual)) if getattr(card.recipe, one.name) != one.default]
            return "the usual value", [
                (one.knob.label, show(getattr(card.recipe, one.name)), show(one.default)) for one in changed
            ]
        return "the balanced advice", against_advice(card.recipe, advice)

    # ---- do it again
    def again(self, person: Person, run_id: str) -> Again:
        """What a run was started with. Data that was deleted since is put back from the run's own copy.

        Raises: `NotFoundError`; `DataError` for an adapter that was brought in.
        """
        card, task = self.runs_shelf.card(person, run_id), self.runs_shelf.task(person, run_id)
        if card.imported:
            raise DataError(
                "There is no training to do again.",
                "This adapter was brought in; it was not trained in Facet.",
                "Choose a run that was trained here.",
            )
        before = card.continues or {}
        model, revision = self.runs_shelf.model_of(person, run_id)
        more = {name: task.request[name] for name in ("samples", "template") if task.request.get(name)}
        return Again(
            dataset_id=self._dataset_like(person, card.dataset) or self.shelf.put_back(person, task.folder / "data"),
            base_model=model,
            revision=revision,
            recipe=card.recipe,
            name=card.name,
            start_from=self.beginning_of(person, before.get("adapter_sha256", ""), before.get("from")),
            more=more,
        )

    def again_from_file(
        self,
        person: Person,
        file: Path,
        changes: Mapping[str, Any] | None = None,
        local_files: bool = False,
        dataset_id: str | None = None,
    ) -> Again:
        """What a run file describes. Its data is found among the person's, or prepared anew from where it came from.

        `dataset_id` is a dataset to take instead; `local_files`: its source may be a file in the working folder.
        Raises: `SettingError`, `NotFoundError`.
        """
        told = run_file.described_run(run_file.read_run_file(file), dict(changes or {}))
        return Again(
            dataset_id=dataset_id or self.dataset_of(person, told, local_files),
            base_model=told.model,
            revision=told.revision,
            recipe=told.recipe,
            name=told.name,
            start_from=self.beginning_of(person, told.continues, told.came_from),
            more={"template": told.template} if told.template else {},
        )

    def start_again(self, person: Person, again: Again, grant: Grant | None = None, **how: Any) -> str:
        """Queue it; see `Studio.start`."""
        return self.start(  # type: ignore[attr-defined]
            person,
            again.dataset_id,
            again.base_model,
            again.recipe,
            again.name,
            again.revision,
            grant,
            again.start_from,
            more=again.more or None,
            **how,
        )

    def run_script(self, person: Person, run_id: str) -> str:
        """The run as a Python script of plain transformers, PEFT and TRL."""
        task = self.runs_shelf.task(person, run_id)
        return script(self.runs_shelf.card(person, run_id), task, self.workspace.models)

    # ---- inside
    def dataset_of(self, person: Person, told: Described, local_files: bool) -> str:
        """The dataset with the same content, or one prepared anew. Raises: `NotFoundError`."""
        if found := self._dataset_like(person, told.data):
            return found
        data = told.data
        upload_id = self.bring(person, source_text(data, local_files))  # type: ignore[attr-defined]
        try:
            name = str(data.get("name") or "")[:80]
            dataset_id = self.prepare(  # type: ignore[attr-defined]
                person, upload_id, name, data.get("mapping"), **preparation(data)
            )
        finally:
            self.workspace.delete(person, "uploads", upload_id)
        if self.shelf.card(person, dataset_id).summary["fingerprint"] != data.get("fingerprint"):
            self.delete(person, "datasets", dataset_id)  # type: ignore[attr-defined]
            raise data_has_changed(local_files)
        return dataset_id

    def _dataset_like(self, person: Person, data: Mapping[str, Any]) -> str | None:
        """A dataset of this person with the same content, the newest one."""
        wanted = data.get("fingerprint")
        return next((card.id for card in self.shelf.cards(person) if card.summary["fingerprint"] == wanted), None)

    def beginning_of(self, person: Person, wanted: str, came_from: str | None) -> str | None:
        """Where the weights are that a run went on from: in a finished run, or in the copy that such a run keeps.

        Raises: `NotFoundError` when there are none.
        """
        if not wanted:
            return None
        cards = self.runs_shelf.cards(person)
        for card in cards:
            if card.has_model and digest_said(card.progress.outputs) == wanted:
                return card.id
        for card in cards:
            if (card.continues or {}).get("adapter_sha256") == wanted:
                return f"{card.id}@0"
        raise run_file.adapter_is_not_here(wanted, came_from or "")


def _test_rows(found: Sequence[Outcome | None], cards: Sequence[RunCard]) -> list[Row]:
    """The newest finished test of each, metric by metric; nothing where none was tested."""
    seen = [_scored(outcome, card.id) for outcome, card in zip(found, cards, strict=True)]
    if not any(seen):
        return []
    group = "Its newest test"
    rows = [Row(group, "Tested on", tuple(_tested_on(one, card) for one, card in zip(seen, cards, strict=True)))]
    rows.append(Row(group, "Loss", tuple(f"{one[1].loss:.3f}" if one else MISSING for one in seen)))
    for name, metric in METRICS.items():
        values = tuple(
            written(name, one[1].metrics[name]) if one and name in one[1].metrics else MISSING for one in seen
        )
        if any(value != MISSING for value in values):
            rows.append(Row(group, metric.label, values, name))
    return rows


def _scored(outcome: Outcome | None, run_id: str) -> tuple[str, Scored] | None:
    """How the run's finished model did, on the exam where there was one."""
    if outcome is None or not outcome.parts:
        return None
    part = "exam" if "exam" in outcome.parts else next(iter(outcome.parts))
    mine = [
        key for key, one in outcome.contestants.items() if one.run_id == run_id and one.step is None and one.adapter
    ]
    return (part, outcome.parts[part][mine[0]]) if mine and mine[0] in outcome.parts[part] else None


def _tested_on(one: tuple[str, Scored] | None, card: RunCard) -> str:
    """Numbers are alike only on the same questions, so it is said which they were."""
    return f"{one[1].rows:,} questions of {one[0]}, {card.dataset['name']}" if one else MISSING
