"""Everything the page and the command line do to take a model home or to publish it, through the studio's one door."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from facet.exam.exams import Exams
from facet.export import bundle
from facet.hub.account import Account
from facet.hub.accounts import Accounts
from facet.identity import Grant, Person
from facet.model.source import BaseSource
from facet.publish.card import card
from facet.publish.publications import Publication, Publications
from facet.publish.repo import Target
from facet.train.runs import Runs
from facet.work.queue import Queue
from facet.work.wait import in_line
from facet.workspace import Workspace, whole_or_gone


class PublishDoor:
    """A part of `Studio`."""

    workspace: Workspace
    runs_shelf: Runs
    exams_shelf: Exams
    queue: Queue
    accounts: Accounts
    publications: Publications

    # ---- take home
    def export(self, person: Person, run_id: str, to: Path) -> Path:
        return bundle.export(self._bundle(person, run_id), to)

    def export_gguf(self, person: Person, run_id: str, to: Path, precision: str = "q8_0") -> Path:
        """The tuned model as one file of its own, which llama.cpp and what is built on it can run."""
        from facet.export.gguf_run import export_gguf  # brings numpy and gguf along

        return export_gguf(self._bundle(person, run_id), to, precision)

    def model_card(self, person: Person, run_id: str) -> str:
        """The README.md that goes with the model, in Markdown."""
        return card(bundle.card_facts(self._bundle(person, run_id)))

    def download(self, person: Person, run_id: str) -> Path:
        """A zip of the exported folder. It is made when it is this person's turn, beside everybody's chat."""
        made = self._bundle(person, run_id)
        with in_line(self.queue, person.key, "export") as place:
            place.wait()
            folder = self.workspace.create(person, "exports", made.run.name)
            with whole_or_gone(folder):
                written = bundle.export(made, folder / "files")
                zipped = bundle.zipped(written, folder / f"{run_id}.zip")
                shutil.rmtree(written, ignore_errors=True)
                return zipped

    def _bundle(self, person: Person, run_id: str) -> bundle.Bundle:
        run, task = self.runs_shelf.card(person, run_id), self.runs_shelf.task(person, run_id)
        base = BaseSource.of(task.request["base"]).folder(self.workspace.models)
        found, judged = self.exams_shelf.found(person, run_id), self.exams_shelf.judged(person, run_id)
        return bundle.Bundle(
            run, task, base, run.generation, self.runs_shelf.run_file(person, run_id), found, judged=judged
        )

    # ---- publish
    def account(self, grant: Grant) -> Account | None:
        """Whose account a grant is for, and where it may write; None for nobody.

        Raises: `AccessError` for a token the Hub no longer accepts, `HubError`.
        """
        return self.accounts.of(grant)

    def publish(
        self, grant: Grant, run_id: str, repo: str, *, public: bool = False, tag: str | None = None, wait: bool = False
    ) -> None:
        """Put a finished run into the person's account. Returns at once, unless `wait`.

        Raises: what can be known before: `AccessError`, `SettingError`, `DataError`.
        """
        token = grant.need("contribute-repos", "to publish a model")
        made, person = replace(self._bundle(grant.person, run_id), repo=repo.strip()), grant.person
        bundle.require_whole(made)
        begin = self.publications.now if wait else self.publications.begin
        folder = self.runs_shelf.folder(person, run_id)
        begin(folder, lambda to: bundle.export(made, to), Target(repo.strip(), not public, tag or None), token)

    def publication(self, person: Person, run_id: str) -> Publication | None:
        """The newest attempt to publish a run."""
        return self.publications.newest(self.runs_shelf.folder(person, run_id))

    def published(self, person: Person, run_id: str) -> list[dict[str, Any]]:
        """Every time this run was published, newest first."""
        return self.publications.all(self.runs_shelf.folder(person, run_id))
