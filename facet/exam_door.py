"""Everything the page and the command line do with tests and batches, through the studio's one door."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from facet.dataset.making import Makings, Say
from facet.dataset.shelf import Shelf
from facet.exam import ahead, results
from facet.exam.batches import BatchCard, Batches, BatchRow
from facet.exam.exams import ExamCard, Exams, Options
from facet.exam.forecast import Forecast
from facet.exam.outcome import PARTS, Example, Outcome
from facet.exam.proposals import Proposal, proposed_for
from facet.exam.results import Only
from facet.identity import Grant, Person
from facet.model.decoding import Decoding
from facet.train.runs import Runs
from facet.work.conductor import Conductor
from facet.workspace import Workspace

FILE_OF_A_BATCH = "Preparing the rows of a file"


class ExamDoor:
    """A part of `Studio`. A test is a task: starting one returns at once, and `exam_card` says how it stands.

    A target is the id of a run or of an imported adapter, a save point of a run as `RUN@STEP`, or a starting model.
    """

    workspace: Workspace
    runs_shelf: Runs
    exams_shelf: Exams
    batches_shelf: Batches
    shelf: Shelf
    makings: Makings
    conductor: Conductor

    # ---- test
    def start_exam(
        self,
        person: Person,
        run_id: str,
        parts: tuple[str, ...] = PARTS,
        options: Options = Options(),  # noqa: B008 - frozen
        grant: Grant | None = None,
    ) -> str:
        """Test a finished run beside its untouched model, on what the run kept aside. The id of the test.

        While such a test is going on, its id is returned and no other is started.
        Raises: `SettingError` when the run has no model, or nothing to be tested on.
        """
        exam_id = self.exams_shelf.create(person, run_id, parts, options)
        self.conductor.wake()
        return exam_id

    def compare(
        self,
        person: Person,
        dataset_id: str,
        targets: Sequence[str],
        parts: tuple[str, ...] = PARTS,
        options: Options = Options(),  # noqa: B008
        grant: Grant | None = None,
    ) -> str:
        """Test any number of models on the same questions; the first is what the others are compared with.

        One untouched model alone is fine: its answers are there when a run of it is tested later.
        Raises: `NotFoundError`, `SettingError`, `AccessError` about the targets.
        """
        exam_id = self.exams_shelf.compare(person, dataset_id, targets, parts, options, grant)
        self.conductor.wake()
        return exam_id

    def try_prompts(
        self,
        person: Person,
        dataset_id: str,
        base: str,
        system: Sequence[str] = (),
        shots: Sequence[int] = (),
        tuned: str | None = None,
        options: Options = Options(),  # noqa: B008
        grant: Grant | None = None,
    ) -> str:
        """Try instructions and examples put before the question, in place of training.

        Validation chooses; only the untouched model, the one chosen and `tuned` (a run) then sit the exam.
        """
        exam_id = self.exams_shelf.try_prompts(person, dataset_id, base, system, shots, tuned, options, grant)
        self.conductor.wake()
        return exam_id

    def proposed_prompts(self, person: Person, dataset_id: str) -> list[Proposal]:
        """Instructions that the data suggests trying, each with the reason."""
        return proposed_for(self.shelf.folder(person, dataset_id))

    def pause_exam(self, person: Person, exam_id: str) -> None:
        """Also for a batch. It keeps every answer it has."""
        self.exams_shelf.pause(person, exam_id)
        self.conductor.wake()

    def resume_exam(self, person: Person, exam_id: str) -> None:
        """Also for a batch, and after a failure. Pressing twice, or while it works, changes nothing."""
        self.exams_shelf.resume(person, exam_id)
        self.conductor.wake()

    def exam(self, person: Person, run_id: str) -> ExamCard | None:
        """The newest test of a run."""
        self.runs_shelf.folder(person, run_id)
        return self.exams_shelf.latest(person, run_id)

    def exam_card(self, person: Person, exam_id: str) -> ExamCard:
        return self.exams_shelf.card(person, exam_id)

    def exams(self, person: Person, run_id: str | None = None, dataset_id: str | None = None) -> list[ExamCard]:
        """Tests, newest first: all, or those that a run took part in, or those on one dataset."""
        return self.exams_shelf.cards(person, run_id, dataset_id)

    # ---- what came of it
    def outcome(self, person: Person, exam_id: str) -> Outcome | None:
        """None until it is finished, and for tests made by a Facet that measured less."""
        return results.outcome(self.workspace.find(person, "exams", exam_id))

    def exam_examples(
        self,
        person: Person,
        exam_id: str,
        *,
        search: str = "",
        part: str | None = None,
        only: Only = "all",
        between: tuple[str, str] | None = None,
        start: int = 0,
        count: int = 50,
    ) -> tuple[list[Example], int]:
        """Some of the questions with every answer, those first on which the answers differ most; and how many match.

        `between` are the keys of two contestants: “better” are those where the second did better than the first, and
        “wrong” those that the second got wrong. Without it, those of the first verdict.
        """
        folder = self.workspace.find(person, "exams", exam_id)
        return results.examples(folder, search, part, only, between, start, count)

    def download_exam(self, person: Person, exam_id: str, form: Literal["csv", "jsonl"] = "csv") -> Path:
        """Every question with expected answer, answers and scores, as a file in a folder of its own."""
        return self.exams_shelf.download(person, exam_id, form)

    # ---- how long it will take
    def forecast_exam(
        self,
        person: Person,
        run_id: str,
        parts: tuple[str, ...] = PARTS,
        options: Options = Options(),  # noqa: B008
    ) -> Forecast | None:
        """What `start_exam` would take, as far as that can be known before; None where there is nothing to ask."""
        return ahead.of_run(self.exams_shelf, person, run_id, parts, options)

    def forecast_compare(
        self,
        person: Person,
        dataset_id: str,
        targets: Sequence[str],
        parts: tuple[str, ...] = PARTS,
        options: Options = Options(),  # noqa: B008
    ) -> Forecast | None:
        return ahead.of_targets(self.exams_shelf, person, dataset_id, targets, parts, options)

    def forecast_prompts(
        self,
        person: Person,
        dataset_id: str,
        base: str,
        tuned: str | None,
        ways: int,
        options: Options | None = None,
    ) -> Forecast | None:
        """`ways` to ask the untouched model, its plain one included. Without options, as the page tries them."""
        options = options or Options(general=bool(tuned))
        return ahead.of_prompts(self.exams_shelf, person, dataset_id, base, tuned, ways, options)

    def forecast_batch(
        self, person: Person, dataset_id: str, part: str, targets: Sequence[str], max_new_tokens: int
    ) -> Forecast | None:
        return ahead.of_batch(self.exams_shelf, person, dataset_id, part, targets, max_new_tokens)

    # ---- batch
    def start_batch(
        self,
        person: Person,
        targets: Sequence[str],
        *,
        dataset_id: str | None = None,
        part: str = "exam",
        upload_id: str | None = None,
        mapping: dict[str, Any] | None = None,
        decoding: Decoding = Decoding(),  # noqa: B008 - frozen
        grant: Grant | None = None,
    ) -> str:
        """Let models answer every row of a part of a dataset, or of a file that was brought (its columns are guessed).

        Pausing, going on and deleting are those of tests.
        Raises: `DataError` when there is nothing to ask.
        """
        batch_id = self.batches_shelf.create(person, targets, dataset_id, part, upload_id, mapping, decoding, grant)
        self.conductor.wake()
        return batch_id

    def start_batch_of_file(
        self,
        person: Person,
        targets: Sequence[str],
        upload_id: str,
        mapping: dict[str, Any] | None = None,
        decoding: Decoding = Decoding(),  # noqa: B008 - frozen
        grant: Grant | None = None,
    ) -> str:
        """`start_batch` of a file, whose rows are prepared in the background: ask `making`; its result is the batch.

        Raises: what can be known before: about the targets, and `CapacityError`.
        """
        self.workspace.find(person, "uploads", upload_id)
        self.workspace.require_room(person, "exams")
        shelf = self.batches_shelf
        found = shelf.targets.find(person, targets, grant)

        def make(say: Say) -> str:
            batch_id = shelf.of_file(person, found, upload_id, mapping, decoding, say)
            self.conductor.wake()
            return batch_id

        return self.makings.start(person, FILE_OF_A_BATCH, make)

    def batch_in_the_making(self, person: Person) -> str | None:
        """What to ask `making` for, while the rows of a file are being prepared."""
        mine = self.makings.mine(person)
        return next((each.id for each in mine if each.what == FILE_OF_A_BATCH and each.state == "running"), None)

    def batch(self, person: Person, batch_id: str) -> BatchCard:
        return self.batches_shelf.card(person, batch_id)

    def batches(self, person: Person) -> list[BatchCard]:
        return self.batches_shelf.cards(person)

    def batch_rows(
        self,
        person: Person,
        batch_id: str,
        *,
        search: str = "",
        only: Literal["all", "answered", "open", "differ"] = "all",
        start: int = 0,
        count: int = 50,
    ) -> tuple[list[BatchRow], int]:
        """Rows in the order of the source, with the answers there are so far; and how many match."""
        return self.batches_shelf.rows(person, batch_id, search, only, start, count)

    def download_batch(self, person: Person, batch_id: str, form: Literal["csv", "jsonl"] = "csv") -> Path:
        return self.batches_shelf.download(person, batch_id, form)
