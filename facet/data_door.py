"""Everything the page and the command line do with data, through the studio's one door."""

import os
import re
from pathlib import Path
from typing import Any

from facet.dataset.examples import EXAMPLES, BundledExample
from facet.dataset.from_hub import FirstRows, first_rows, named
from facet.dataset.making import Making, Makings, Say
from facet.dataset.shelf import DatasetCard, Shelf
from facet.errors import SettingError
from facet.gemma.models import STARTER
from facet.hub.datasets import DatasetOnHub
from facet.hub.hub import Hub
from facet.hub.parts import DatasetName
from facet.identity import Grant, Person
from facet.publish.dataset_repo import DataTerms, warnings_before
from facet.publish.publications import Publication, Publications
from facet.publish.repo import Target
from facet.starting import Starting
from facet.workspace import Workspace

MOST_PICTURE_BYTES = 200_000  # of one that is shown beside its row


class DataDoor:
    """A part of `Studio`. Long work is begun with `start_…`, which gives an id to ask `making` for."""

    workspace: Workspace
    hub: Hub
    shelf: Shelf
    makings: Makings
    starting: Starting
    publications: Publications

    # ---- bring
    def examples(self) -> tuple[BundledExample, ...]:
        return EXAMPLES

    def bring(self, person: Person, source: str, grant: Grant | None = None) -> str:
        """For the command line: a file, a folder, `hub:owner/name` or `example:name`."""
        return self.shelf.bring(person, source, _token(grant))

    def bring_file(self, person: Person, path: Path, original_name: str) -> str:
        return self.shelf.bring_file(person, path, original_name)

    def bring_example(self, person: Person, name: str) -> str:
        return self.shelf.bring_example(person, name)

    def bring_rows(self, person: Person, table: list[list[str]] | str, name: str = "") -> str:
        """Examples that were typed into a grid, heading first, or pasted as text."""
        return self.shelf.bring_rows(person, table, name)

    def bring_hub(self, person: Person, dataset_id: str, grant: Grant | None = None) -> str:
        """`owner/name`, with `:config/split` where a part is chosen; the split `all` brings every one."""
        return self.shelf.bring_hub(person, dataset_id, _token(grant))

    def bring_from_afar(self, person: Person, place: str) -> str:
        """A file behind a link, or a folder of this computer. At home only: on a Space it would be other people's.

        Raises: `SettingError` elsewhere.
        """
        place = place.strip()
        if person.kind != "local" or os.environ.get("SPACE_ID"):
            raise SettingError(
                "Links and folders are read at home only.",
                "Here the page runs on a machine that is shared.",
                "Download the file, then upload it here.",
            )
        if re.match("https?://", place, re.IGNORECASE):
            return self.shelf.bring_link(person, place)
        return self.shelf.bring_folder(person, Path(place).expanduser())

    def look_on_hub(self, person: Person, dataset_id: str, grant: Grant | None = None) -> DatasetOnHub:
        """What a dataset of the Hub has, before anything big is fetched; the address of its page will do as well."""
        source = named(dataset_id)
        return self.hub.dataset_look(source.where, source.revision, token=_token(grant))

    def first_rows_on_hub(
        self, person: Person, found: DatasetOnHub, config: str | None, split: str | None, grant: Grant | None = None
    ) -> FirstRows:
        """A few rows of a part, before it is fetched."""
        return first_rows(self.hub, found.repo, found.sha, config, split, _token(grant))

    def start_bring_hub(
        self, person: Person, dataset_id: str, config: str | None, split: str | None, grant: Grant | None = None
    ) -> str:
        """Fetch a part in the background, or with the split `all` every one; the result is the id of an upload."""
        source, token = named(dataset_id), _token(grant)
        part = f":{config or 'default'}" + (f"/{split}" if split else "") if config or split else ""
        wanted = f"{DatasetName.parse(source.where).repo}{f'@{source.revision}' if source.revision else ''}{part}"

        def fetch(say: Say) -> str:
            def progress(done: float, whole: float) -> None:
                say(f"Fetching it from the Hub: {done:.1f} of {whole:.1f} GB")

            return self.shelf.bring_hub(person, wanted if part else dataset_id, token, progress)

        return self.makings.start(person, "Fetching it from the Hub", fetch)

    # ---- look and choose
    def picture(self, person: Person, upload_id: str, name: str) -> bytes | None:
        """A picture of an upload, checked when it was unpacked; None when there is none of that name."""
        file = self.workspace.find(person, "uploads", upload_id) / "images" / Path(name).name
        return file.read_bytes() if file.is_file() and file.stat().st_size <= MOST_PICTURE_BYTES else None

    def look(self, person: Person, upload_id: str, correction: dict[str, str] | None = None) -> dict[str, Any]:
        """What is in an upload; `parts` are those it brings itself, and notes on unpacking stand among the warnings."""
        found, source = self.shelf.look(person, upload_id, correction), self.shelf.source(person, upload_id)
        parts = list(dict.fromkeys(file["part"] for file in source.get("files") or () if file.get("part")))
        notes = [note for note in source.get("notes") or () if note not in found["warnings"]]
        return found | {"warnings": [*notes, *found["warnings"]], "parts": parts}

    def preview(
        self,
        person: Person,
        upload_id: str,
        mapping: dict[str, Any],
        correction: dict[str, str] | None = None,
        count: int = 8,
    ) -> list[dict[str, Any]]:
        return self.shelf.preview(person, upload_id, mapping, correction, count)

    def try_cleaning(
        self,
        person: Person,
        upload_id: str,
        mapping: dict[str, Any],
        cleaning: dict[str, Any],
        correction: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """What each choice of cleaning would change in the first rows."""
        return self.shelf.try_cleaning(person, upload_id, mapping, cleaning, correction)

    # ---- prepare
    def prepare(
        self, person: Person, upload_id: str, name: str = "", mapping: dict[str, Any] | None = None, **options: Any
    ) -> str:
        """Options: correction, and those of `facet.dataset.prepare`. Without a mapping the guess is used."""
        return self.shelf.prepare(person, upload_id, name, mapping, options)

    def start_prepare(
        self, person: Person, upload_id: str, name: str = "", mapping: dict[str, Any] | None = None, **options: Any
    ) -> str:
        """The same in the background; its result is the id of the dataset."""
        self.workspace.find(person, "uploads", upload_id)
        return self.makings.start(
            person,
            "Preparing the rows",
            lambda say: self.shelf.prepare(person, upload_id, name, mapping, options, on_progress=say),
        )

    def start_examine(
        self, person: Person, dataset_id: str, base_model: str = STARTER, length: int | None = None
    ) -> str:
        """Let the doctor look at a dataset; the result is what it found, which `findings` keeps."""
        self.shelf.folder(person, dataset_id)
        model = self.starting.folder(person, base_model)
        return self.makings.start(
            person,
            "The doctor looks at every example",
            lambda say: self._examined(person, dataset_id, model, length, say),
        )

    def examine(self, person: Person, dataset_id: str, base_model: str = STARTER, length: int | None = None) -> Any:
        """What the doctor finds, waited for."""
        return self._examined(person, dataset_id, self.starting.folder(person, base_model), length)

    def _examined(
        self, person: Person, dataset_id: str, model: Path, length: int | None, say: Say | None = None
    ) -> dict[str, Any]:
        return self.shelf.examine(person, dataset_id, model, length, say) | {"dataset_id": dataset_id}

    def repair(self, person: Person, dataset_id: str, repairs: list[dict[str, Any]]) -> str:
        """Make the next version and return its id. The exam part stays as it is."""
        return self.shelf.repair(person, dataset_id, repairs)

    def start_repair(self, person: Person, dataset_id: str, repairs: list[dict[str, Any]]) -> str:
        """Make the next version; the result is its id."""
        self.shelf.folder(person, dataset_id)
        return self.makings.start(
            person,
            "Repairing",
            lambda say: self.shelf.repair(person, dataset_id, repairs, on_progress=say),
        )

    def start_replay(self, person: Person, upload_id: str, dataset_id: str, name: str = "") -> str:
        """`replay` in the background; the result is the id of the new dataset."""
        self.workspace.find(person, "uploads", upload_id)
        self.shelf.folder(person, dataset_id)
        return self.makings.start(
            person, "Doing the same again", lambda say: self.shelf.replay(person, upload_id, dataset_id, name, say)
        )

    def making(self, person: Person, job: str) -> Making:
        """How work that was begun stands. Raises: `NotFoundError` once it is forgotten."""
        return self.makings.look(person, job)

    # ---- what is there
    def datasets(self, person: Person) -> list[DatasetCard]:
        return self.shelf.cards(person)

    def dataset(self, person: Person, dataset_id: str) -> DatasetCard:
        return self.shelf.card(person, dataset_id)

    def problems(self, person: Person, dataset_id: str, limit: int = 50) -> list[dict[str, Any]]:
        return self.shelf.problems(person, dataset_id, limit)

    def findings(self, person: Person, dataset_id: str) -> dict[str, Any] | None:
        """What the doctor found when it last looked at this version."""
        found = self.shelf.findings(person, dataset_id)
        return found and found | {"dataset_id": dataset_id}

    def versions(self, person: Person, dataset_id: str) -> list[DatasetCard]:
        """Every version of the same data, oldest first."""
        return self.shelf.versions(person, dataset_id)

    def can_undo(self, person: Person, dataset_id: str) -> bool:
        return self.shelf.before(person, dataset_id) is not None

    def undo_repair(self, person: Person, dataset_id: str) -> str:
        """The id of the version before, which is as it was; the repaired one is deleted if nothing was made of it."""
        return self.shelf.undo(person, dataset_id)

    def replay(self, person: Person, upload_id: str, dataset_id: str, name: str = "") -> str:
        """Do to new data what was done to a dataset: the same columns, cleaning, split and repairs."""
        return self.shelf.replay(person, upload_id, dataset_id, name)

    def tokens(
        self,
        person: Person,
        dataset_id: str,
        base_model: str = STARTER,
        *,
        max_length: int | None = None,
        index: int = 0,
        count: int = 4,
    ) -> dict[str, Any]:
        """Raises: `NotFoundError` for a model that is not on this machine yet: its tokenizer is not here either."""
        return self.shelf.tokens(person, dataset_id, self.starting.folder(person, base_model), max_length, index, count)

    def statistics(
        self, person: Person, dataset_id: str, base_model: str = STARTER, max_length: int | None = None
    ) -> dict[str, Any]:
        """Lengths in tokens, and how often each label occurs."""
        return self.shelf.statistics(person, dataset_id, self.starting.folder(person, base_model), max_length)

    # ---- take it away
    def publish_dataset(
        self,
        grant: Grant,
        dataset_id: str,
        repo: str,
        *,
        public: bool = False,
        licence: str | None = None,
        tag: str | None = None,
        wait: bool = False,
    ) -> None:
        """Put prepared data into the person's account. Returns at once, unless `wait`.

        Raises: what can be known before: `AccessError`, `SettingError`, `DataError`.
        """
        token = grant.need("contribute-repos", "to publish data")
        folder = self.shelf.folder(grant.person, dataset_id)
        begin = self.publications.data_now if wait else self.publications.begin_data
        begin(folder, Target(repo.strip(), not public, tag or None), token, licence)

    def warnings_before(self, person: Person, dataset_id: str, licence: str | None, public: bool) -> list[str]:
        """What to read before data is published."""
        return warnings_before(self.shelf.folder(person, dataset_id), DataTerms(licence), public)

    def dataset_publication(self, person: Person, dataset_id: str) -> Publication | None:
        """The newest attempt to publish prepared data."""
        return self.publications.newest(self.shelf.folder(person, dataset_id))

    def download_data(self, person: Person, dataset_id: str, form: str = "jsonl", part: str | None = None) -> Path:
        """A file in a folder of its own; whoever asked may move it."""
        return self.shelf.download(person, dataset_id, form, part)


def _token(grant: Grant | None) -> str | None:
    return grant.token if grant and grant.is_valid else None
