"""Tests of runs as a person meets them: start one, see its results. No torch here."""

from dataclasses import dataclass
from pathlib import Path

from facet.errors import SettingError
from facet.exam.exam import PARTS, Score, Side, read_results, words
from facet.identity import Person
from facet.train.runs import Runs
from facet.work.log import Progress, progress_of
from facet.work.task import Task
from facet.workspace import Workspace, read_about, update_about, whole_or_gone


@dataclass(frozen=True)
class ExamCard:
    """A test of one run. `results[part][side]` has rows_done, tokens, loss (nats per token) and perplexity."""

    id: str
    run_id: str
    created: float
    progress: Progress
    results: dict[str, dict[Side, Score]]
    words: str


@dataclass
class Exams:
    workspace: Workspace
    runs: Runs

    def create(self, person: Person, run_id: str, parts: tuple[str, ...] = PARTS) -> str:
        """Queue a test of a finished run; the same test is not started twice.

        Raises: `SettingError` while the run has no model.
        """
        card = self.runs.card(person, run_id)
        if not card.has_model:
            raise SettingError(
                "This run has no model to test yet.",
                f"Its training is {card.progress.stage}.",
                "Wait until it is finished, or press “Stop and keep”.",
            )
        if card.imported:
            raise SettingError(
                "There is no exam part to test this adapter on.",
                "It was trained elsewhere, and the conversations it learned from are not here.",
                "Train it further with your own data, whose exam part tests the result, or try it on the Chat tab.",
            )
        before = self.latest(person, run_id)
        if before and not before.progress.is_over:
            return before.id
        run = Task(self.runs.folder(person, run_id))
        folder = self.workspace.create(person, "exams", card.name)
        with whole_or_gone(folder):
            update_about(folder, run_id=run_id)
            task = Task(folder)
            for part in parts:
                task.link_in(run.folder / "data" / f"{part}.parquet", f"data/{part}.parquet")
            for name in ("adapter_model.safetensors", "adapter_config.json"):
                task.link_in(run.folder / "adapter" / name, f"adapter/{name}")
            request = {
                "base": run.request["base"],
                "parts": list(parts),
                "max_length": card.recipe.max_length,
                "run_id": run_id,
            }
            task.move_to(run.where)
            Task.create(folder, "exam", request)
        return folder.name

    def latest(self, person: Person, run_id: str) -> ExamCard | None:
        for folder in self.workspace.all(person, "exams"):
            if read_about(folder).get("run_id") == run_id and (folder / "task.json").exists():
                return _card(folder)
        return None

    def resume(self, person: Person, exam_id: str) -> None:
        Task(self.workspace.find(person, "exams", exam_id)).ask_to_resume()


def _card(folder: Path) -> ExamCard:
    about, results = read_about(folder), read_results(folder)
    progress = progress_of(Task(folder).events_file)
    return ExamCard(folder.name, about["run_id"], about["created"], progress, results, words(results))
