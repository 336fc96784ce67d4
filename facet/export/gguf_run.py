"""A finished run as one GGUF file."""

from pathlib import Path
from typing import cast

from facet.errors import SettingError
from facet.export.bundle import Bundle, require_whole
from facet.export.gguf import TYPES, Precision, write_gguf
from facet.gemma.licences import licence_of
from facet.model.tuned import tuned_in


def export_gguf(bundle: Bundle, to: Path, precision: str) -> Path:
    """Write the run's starting model with its adapter merged in, or its own whole model.

    A file that is there already is left alone.

    Raises: `SettingError` for a name in use, an unknown precision, an unfinished run or a model without a rule;
    `DataError` for damaged files; `CapacityError` when the disk is full.
    """
    require_whole(bundle)
    if to.exists():
        raise SettingError("This name is in use.", f"There is already something called {to.name}.", "Name a new file.")
    if precision not in TYPES:
        raise SettingError("This precision is not known.", f"It is none of {', '.join(TYPES)}.", "Choose one of these.")
    licence = licence_of(bundle.run.base_model, bundle.generation).card_id
    tuned = tuned_in(bundle.task.folder)
    write_gguf(bundle.base, tuned, to, cast(Precision, precision), name=bundle.run.name, licence=licence)
    return to
