"""Tests as a person meets them: start one, see how it stands, what came of it. No torch here."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from facet.dataset.conversation import DatasetType
from facet.dataset.store import whole_examples
from facet.errors import SettingError
from facet.exam import kinds, results, without
from facet.exam.judged import Judged, newest_done
from facet.exam.options import Options
from facet.exam.outcome import PARTS, Outcome
from facet.exam.questions import questions_of
from facet.exam.reuse import digests, reuse, reuse_measures
from facet.exam.targets import Found, Targets
from facet.identity import Grant, Person
from facet.model.source import BaseSource
from facet.train.runs import Runs
from facet.work import log
from facet.work.conductor import Looking
from facet.work.log import Progress
from facet.work.policy import append_unless_busy, queue_again
from facet.work.task import Task, Where
from facet.workspace import Workspace, clean_name, read_about, read_json, update_about, whole_or_gone

__all__ = ["ExamCard", "Exams", "Options", "Score"]

ExamKind = Literal["run", "compare", "prompts"]
Sat = Literal["base", "tuned"]
TRAIN_READ = 2_000  # examples that instructions and shots are chosen from


@dataclass(frozen=True)
class Score:
    """One side of a part, as the first sight of a test shows it."""

    rows_done: int
    tokens: int  # scored: what the model had to write
    loss: float  # nats per token

    @property
    def perplexity(self) -> float:
        """exp of the loss: how many tokens the model hesitates between, on average."""
        return math.exp(min(self.loss, 50.0)) if self.tokens else math.nan


@dataclass(frozen=True)
class ExamCard:
    """A test. `results[part][side]` are the untouched and the tuned model of a test of one run, once it is finished."""

    id: str
    name: str
    created: float
    kind: ExamKind
    run_id: str  # "" where it is not of one run
    dataset_id: str
    dataset_name: str
    contestants: tuple[str, ...]  # names
    progress: Progress
    words: str  # the verdict in one sentence, or that there is none yet
    folder: Path = field(repr=False, default=Path())

    @property
    def results(self) -> dict[str, dict[Sat, Score]]:
        found = results.outcome(self.folder)
        sides: dict[str, dict[Sat, Score]] = {}
        for part, scored in (found.parts if found else {}).items():
            for key, one in scored.items():
                side: Sat = "base" if found.contestants[key].is_untouched else "tuned"  # type: ignore[union-attr]
                sides.setdefault(part, {}).setdefault(side, Score(one.rows, one.tokens, one.loss))
        return sides


@dataclass
class Exams:
    """`dataset` finds a dataset's folder, `place` where a model computes."""

    workspace: Workspace
    runs: Runs
    targets: Targets
    dataset: Callable[[Person, str], Path]
    place: Callable[[BaseSource], Where]
    look: Callable[[Path], Progress] = field(default_factory=Looking)

    # ---- start
    def create(
        self, person: Person, run_id: str, parts: tuple[str, ...] = PARTS, options: Options | None = None
    ) -> str:
        """See `ExamDoor.start_exam`."""
        card = self.runs.card(person, run_id)
        if card.imported:
            raise SettingError(
                "There is no exam part to test this adapter on.",
                "It was trained elsewhere, and the conversations it learned from are not here.",
                "Train it further with your own data, whose exam part tests the result, or try it on the Chat tab.",
            )
        tuned = self.targets.run(person, run_id)
        with self.workspace.one_by_one(person, "testing"):
            before = self.latest(person, run_id)
            if before and not before.progress.is_over:
                return before.id
            untouched = self.targets.untouched(BaseSource.of(tuned.contestant.base))
            run = Task(self.runs.folder(person, run_id))
            about = {"run_id": run_id, "dataset_id": run.request.get("dataset_id", ""), "kind": "run"}
            request = {"parts": list(parts), "run_id": run_id, "choose_on": None}
            data, found = run.folder / "data", [untouched, tuned]
            return self._made(person, card.name, data, found, request, about, options, run.where)

    def compare(
        self,
        person: Person,
        dataset_id: str,
        targets: Sequence[str],
        parts: tuple[str, ...],
        options: Options | None = None,
        grant: Grant | None = None,
    ) -> str:
        """See `ExamDoor.compare`."""
        folder, found = self.dataset(person, dataset_id), self.targets.find(person, targets, grant)
        about = {"dataset_id": dataset_id, "kind": "compare"}
        request = {"parts": list(parts), "dataset_id": dataset_id, "choose_on": None}
        return self._made(person, "", folder, found, request, about, options)

    def try_prompts(
        self,
        person: Person,
        dataset_id: str,
        base: str,
        system: Sequence[str],
        shots: Sequence[int],
        tuned: str | None,
        options: Options | None = None,
        grant: Grant | None = None,
    ) -> str:
        """See `ExamDoor.try_prompts`."""
        folder, model = self.dataset(person, dataset_id), self.targets.find_one(person, base, grant)
        kind: DatasetType = read_json(folder / "dataset.json").get("type", "conversation")
        learned = questions_of(folder / "train.parquet", "train", kind, TRAIN_READ).questions
        shown = [example for _, example in whole_examples(folder / "train.parquet", 0, TRAIN_READ)]
        type = kinds.exam_type(learned, kind, None)
        ways = without.variants(model.contestant.base, shown, type, list(system), list(shots))
        found = [Found(way) for way in ways]
        if tuned:
            found.append(self.targets.find_one(person, tuned, grant))
        about = {"dataset_id": dataset_id, "kind": "prompts"}
        request = {"parts": list(PARTS), "dataset_id": dataset_id, "choose_on": PARTS[0]}
        return self._made(person, "", folder, found, request, about, options)

    def _made(
        self,
        person: Person,
        name: str,
        data: Path,
        found: Sequence[Found],
        request: dict[str, Any],
        about: dict[str, Any],
        options: Options | None,
        where: Where | None = None,
    ) -> str:
        options = options or Options()
        require_parts(request["parts"])
        earlier = self.workspace.all(person, "exams")
        summary = read_json(data / "dataset.json")
        folder = self.workspace.create(person, "exams", clean_name(options.name or name or summary["name"]))
        with whole_or_gone(folder):
            contestants = [one.contestant for one in found]
            runs = sorted({one.run_id for one in contestants if one.run_id})
            names = [one.name for one in contestants]
            update_about(folder, **about, dataset_name=summary["name"], runs=runs, contestants=names)
            task = Task(folder)
            for file in ("dataset.json", *(f"{part}.parquet" for part in dict.fromkeys(["train", *request["parts"]]))):
                task.link_in(data / file, f"data/{file}")
            for one in found:
                one.link_into(task)
            bases = [BaseSource.of(one.base) for one in contestants]
            request |= options.as_request() | {
                "base": bases[0].as_dict(),
                "contestants": [asdict(one) for one in contestants],
            }
            request["digests"] = digests(folder / "data", request)
            reuse(folder, request["digests"], earlier)
            reuse_measures(folder, request["digests"], request["base"], earlier)
            task.move_to(where or ("zerogpu" if "zerogpu" in map(self.place, bases) else "local"))
            Task.create(folder, "exam", request)
        return folder.name

    # ---- how they stand
    def latest(self, person: Person, run_id: str) -> ExamCard | None:
        """The newest test of this one run."""
        for folder in self.workspace.all(person, "exams"):
            if read_about(folder).get("run_id") == run_id and is_exam(folder):
                return self._card(folder)
        return None

    def found(self, person: Person, run_id: str) -> Outcome | None:
        """What the newest test of this run found that was finished."""
        folders = [one.folder for one in self.cards(person, run_id) if one.run_id == run_id]
        return next((outcome for folder in folders if (outcome := results.outcome(folder))), None)

    def judged(self, person: Person, run_id: str) -> Judged | None:
        """What the newest judge that is done found in the test that `found` tells of."""
        folders = [one.folder for one in self.cards(person, run_id) if one.run_id == run_id]
        folder = next((one for one in folders if results.outcome(one)), None)
        return newest_done(folder) if folder else None

    def card(self, person: Person, exam_id: str) -> ExamCard:
        return self._card(self.workspace.find(person, "exams", exam_id))

    def cards(self, person: Person, run_id: str | None = None, dataset_id: str | None = None) -> list[ExamCard]:
        """Newest first; of a run also those in which it was one of several."""
        found = []
        for folder in self.workspace.all(person, "exams"):
            about = read_about(folder)
            mine = run_id is None or run_id in (about.get("run_id"), *about.get("runs", ()))
            if mine and dataset_id in (None, about.get("dataset_id")) and is_exam(folder):
                found.append(self._card(folder))
        return found

    def _card(self, folder: Path) -> ExamCard:
        about, progress = read_about(folder), self.look(folder)
        return ExamCard(
            id=folder.name,
            name=about.get("name", folder.name),
            created=about.get("created", 0.0),
            kind=about.get("kind", "run"),
            run_id=about.get("run_id", ""),
            dataset_id=about.get("dataset_id", ""),
            dataset_name=about.get("dataset_name", ""),
            contestants=tuple(about.get("contestants", ())),
            progress=progress,
            words=str(progress.outputs.get("words") or "Not measured yet."),
            folder=folder,
        )

    # ---- go on
    def pause(self, person: Person, exam_id: str) -> None:
        task = Task(self.workspace.find(person, "exams", exam_id))
        task.ask_to_stop("pause")
        progress = self.look(task.folder)
        if progress.stage in ("waiting", "interrupted"):
            append_unless_busy(task, log.Paused(step=progress.step, words="Paused."))

    def resume(self, person: Person, exam_id: str) -> None:
        task = Task(self.workspace.find(person, "exams", exam_id))
        progress = self.look(task.folder)
        if progress.stage == "finished" or (progress.is_active and task.stop_asked() is None):
            return
        task.ask_to_resume()
        queue_again(task, progress)

    def rename(self, person: Person, exam_id: str, name: str) -> None:
        """Also for a batch."""
        update_about(self.workspace.find(person, "exams", exam_id), name=clean_name(name))

    def download(self, person: Person, exam_id: str, form: str) -> Path:
        """See `ExamDoor.download_exam`."""
        folder = self.workspace.find(person, "exams", exam_id)
        place = self.workspace.create(person, "exports", read_about(folder).get("name", "test"))
        with whole_or_gone(place):
            return results.download(folder, form, place)


def is_exam(folder: Path) -> bool:
    """A whole test, and not a batch, which lies beside the tests."""
    try:
        return Task(folder).kind == "exam"
    except (OSError, ValueError, KeyError):
        return False


def require_parts(parts: Sequence[str]) -> None:
    if not parts or not set(parts) <= set(PARTS) or len(set(parts)) < len(parts):
        raise SettingError(
            "These parts cannot be tested on.",
            f"A test asks what was kept aside: {' and '.join(PARTS)}, each once.",
            "Choose one of them, or both.",
        )
