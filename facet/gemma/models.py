"""Finding the models Facet offers by name (`offered.py`), and the kinds it knows how to tune (`kinds.py`)."""

from facet.gemma.kinds import GENERATIONS, MULTIMODAL_TYPES, SUPPORTED_TYPES, Generation, generation_of
from facet.gemma.offered import APACHE, GEMMA_TERMS, LICENCE_URLS, OFFERED, STARTER, BaseModel, LicenceId

__all__ = [
    "APACHE",
    "GEMMA_TERMS",
    "GENERATIONS",
    "LICENCE_URLS",
    "MULTIMODAL_TYPES",
    "OFFERED",
    "STARTER",
    "SUPPORTED_TYPES",
    "BaseModel",
    "Generation",
    "LicenceId",
    "copied",
    "find",
    "generation_of",
    "offered_by_family",
    "usual",
]


def find(model_id: str) -> BaseModel | None:
    """The offered model with this id (or whose mirror has it), or None for any other."""
    wanted = model_id.strip().lower()
    return next((model for model in OFFERED if wanted in (model.id.lower(), model.source.lower())), None)


def copied(model_id: str) -> BaseModel | None:
    """The offered model of which this is a copy, squeezed or not."""
    wanted = model_id.strip().lower()
    return next((model for model in OFFERED if wanted in map(str.lower, model.ids)), None)


def usual() -> tuple[BaseModel, ...]:
    """The few to be shown at first."""
    return tuple(model for model in OFFERED if model.usual)


def offered_by_family() -> dict[str, tuple[BaseModel, ...]]:
    """All of them, family by family in the order of the list."""
    families = dict.fromkeys(model.family for model in OFFERED)
    return {family: tuple(model for model in OFFERED if model.family == family) for family in families}
