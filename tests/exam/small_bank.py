"""A small dataset of a bank's customers, who write about one of four things; and a run of the starter model on it."""

from pathlib import Path
from typing import Any

from facet.identity import LOCAL, Person
from facet.studio import Studio
from facet.work import worker
from facet.work.task import Task
from tests.journeys import progress, queued_run

LABELS = {
    "card": ["my card is gone", "the card does not work", "I want a new card", "who has my card"],
    "loan": ["I need a loan", "how much is a loan", "my loan is too big", "can I have a loan"],
    "money": ["send money home", "my money is not there", "where is my money", "I sent money"],
    "phone": ["my phone is new", "I have a new phone number", "the phone is broken", "call my phone"],
}
DAYS = ["today", "please", "again", "now"]


def small_bank(studio: Studio, person: Person = LOCAL, name: str = "bank") -> str:
    """64 rows: 52 to learn from, 6 for validation and 6 for the exam, or about that."""
    rows = [["question", "label"]]
    rows += [[f"{text} {day}", label] for label, texts in LABELS.items() for text in texts for day in DAYS]
    upload = studio.bring_rows(person, rows, name)
    return studio.prepare(person, upload, name)


def trained(studio: Studio, dataset_id: str, person: Person = LOCAL, **settings: Any) -> Task:
    task = queued_run(studio, dataset_id, person, **{"max_steps": 12, "evaluations": 1} | settings)
    worker.advance(task, studio.workspace.models)
    assert progress(task).stage == "finished", progress(task).failure
    return task


def sat(studio: Studio, exam_id: str, person: Person = LOCAL) -> Task:
    """Let a test or a batch be done, here and now."""
    task = Task(studio.workspace.find(person, "exams", exam_id))
    worker.advance(task, studio.workspace.models)
    assert progress(task).stage == "finished", progress(task).failure
    return task


def written(folder: Path) -> dict[str, bytes]:
    """Everything a test answered, said file by file."""
    files = [*folder.glob("answers/*.jsonl"), folder / "questions.jsonl", folder / "plan.json"]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}
