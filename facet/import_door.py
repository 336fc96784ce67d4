"""Taking in adapters made elsewhere, through the studio's one door."""

from pathlib import Path

from facet.dataset.making import Makings, Say
from facet.identity import Grant, Person
from facet.starting import Starting


class ImportDoor:
    """A part of `Studio`."""

    starting: Starting
    makings: Makings

    def import_adapter(
        self, person: Person, source: str, name: str = "", grant: Grant | None = None, base_model: str = ""
    ) -> str:
        """Take in an adapter: `hub:owner/name`, a zip, or at home a folder. It becomes a run, whose id this is.

        Raises: `SettingError`, `DataError` about the adapter; `AccessError`, `HubError` about where it comes from.
        """
        return self.starting.import_adapter(person, source, name, grant, base_model)

    def start_import_adapter(
        self,
        person: Person,
        source: str,
        name: str = "",
        grant: Grant | None = None,
        base_model: str = "",
        passing: bool = False,
    ) -> str:
        """The same in the background; the result is the id of the run. A file in `passing` is deleted afterwards.

        Raises: `CapacityError` where as much is going on as may be.
        """

        def fetch(_: Say) -> str:
            try:
                return self.import_adapter(person, source, name, grant, base_model)
            finally:
                if passing:
                    Path(source).unlink(missing_ok=True)

        return self.makings.start(person, "Bringing in a tuned model", fetch)
