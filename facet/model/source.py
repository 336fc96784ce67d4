"""Which base model a task uses and where its files lie. No torch here: the page asks too."""

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from facet import starter
from facet.errors import DataError
from facet.model.dressed import dressed


@dataclass(frozen=True)
class BaseSource:
    """A base model as a task names it: enough to find the same weights again on any machine."""

    id: str  # "starter", a Hub id, or the name of a local folder
    where: Literal["starter", "hub", "folder"]
    revision: str | None = None  # the commit on the Hub
    path: str = ""  # hub: relative to the folder of open models, and outside of it for a person's own; folder: absolute
    template: str | None = None  # the chat template that was chosen for a model without one

    @classmethod
    def of(cls, data: dict[str, Any]) -> "BaseSource":
        return cls(**data)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def folder(self, models: Path) -> Path:
        """Where the files lie on this machine.

        Raises: `DataError` when they are gone.
        """
        folder = {
            "starter": starter.FOLDER,
            "hub": Path(os.path.normpath(models / self.path)),
            "folder": Path(self.path),
        }[self.where]
        if not (folder / "config.json").is_file():
            raise DataError(
                "The starting model is not here any more.",
                f"Its files for {self.id} were moved or deleted.",
                "Start a new run and choose the model again.",
            )
        return folder if self.template is None else dressed(folder, self.template, models)


def bases_of(request: dict[str, Any]) -> list[BaseSource]:
    """Every base model a task needs, each once: a test may compare models with different ones."""
    named = [request["base"], *(one["base"] for one in request.get("contestants", ()))]
    return list(dict.fromkeys(BaseSource.of(base) for base in named))
