"""`facet-run.yaml` at a terminal: find or prepare the data it names, and the run it goes on from."""

from typing import Any

from facet.identity import LOCAL
from facet.studio import Studio
from facet.train.run_file import described_run, read_run_file

__all__ = ["continued_run", "dataset_for", "read_run_file"]


def dataset_for(studio: Studio, described: dict[str, Any]) -> str:
    """The dataset with the same content, or one prepared anew from the same source.

    Raises: `NotFoundError` when neither is to be had here.
    """
    return studio.dataset_of(LOCAL, described_run(described), local_files=True)


def continued_run(studio: Studio, described: dict[str, Any]) -> str | None:
    """The run here that this one goes on from, or None when it begins with an untouched model.

    Raises: `NotFoundError` when no run here has that adapter.
    """
    told = described_run(described)
    return studio.beginning_of(LOCAL, told.continues, told.came_from)
