"""Choosing a starting model: is it one Facet can tune, does it fit, what does its licence ask? Before any download."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from facet import starter
from facet.errors import AccessError, CapacityError, FacetError, SettingError
from facet.gemma.inspect import ModelFacts, inspect
from facet.gemma.licences import licence_of
from facet.gemma.memory import free_memory_gb, inference_gb, training_gb
from facet.gemma.models import STARTER, find
from facet.hub.hub import Hub
from facet.identity import Person
from facet.model.load import dtype_bytes
from facet.model.source import BaseSource
from facet.recipe.recipes import SftRecipe

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[\w.-]{1,96}")


@dataclass(frozen=True)
class ModelCheck:
    """What is known of a starting model before it is used. `problem` is the error using it would end in."""

    base: BaseSource | None
    name: str
    facts: ModelFacts | None
    licence: str
    licence_url: str | None
    download_gb: float  # 0 when it is already here
    needs_gb: float  # to chat with it; training needs more
    free_gb: float
    problem: FacetError | None = None

    @property
    def ok(self) -> bool:
        return self.problem is None

    @property
    def words(self) -> str:
        if self.problem:
            return str(self.problem)
        here = (
            "It is on this machine."
            if not self.download_gb
            else f"It will be downloaded once: {self.download_gb:.1f} GB."
        )
        return f"{here} It needs about {self.needs_gb:.1f} GB of memory; {self.free_gb:.1f} GB are free."


@dataclass(frozen=True)
class Chooser:
    hub: Hub
    models: Path  # where downloaded models lie

    def check(self, person: Person, base_model: str, revision: str | None = None) -> ModelCheck:
        """Everything that can be known before a download. Never raises what a person can act on: it reports it.

        `revision` pins a model of the Hub; without one the copy that is here, or else the newest, is meant.
        """
        try:
            return self._check(person, base_model.strip(), revision)
        except FacetError as problem:
            return ModelCheck(None, base_model, None, "", None, 0.0, 0.0, free_memory_gb(), problem)

    def _check(self, person: Person, base_model: str, revision: str | None) -> ModelCheck:
        folder = self._local_folder(person, base_model)
        if folder:
            base = (
                BaseSource(STARTER, "starter")
                if base_model == STARTER
                else BaseSource(folder.name, "folder", path=str(folder))
            )
            return self._described(base, inspect(folder), 0.0)
        return self._on_hub(base_model, revision)

    def _local_folder(self, person: Person, base_model: str) -> Path | None:
        if base_model == STARTER:
            return starter.FOLDER
        if HUB_ID.fullmatch(base_model) and not base_model.startswith("."):
            return None  # a folder of the same name never shadows an id of the Hub
        if person.kind != "local" or not base_model:
            raise _not_an_id(base_model)
        folder = Path(base_model).expanduser()
        if not folder.is_dir():
            raise _not_an_id(base_model)
        return folder.resolve()

    def _on_hub(self, base_model: str, revision: str | None) -> ModelCheck:
        offered = find(base_model)
        wanted = offered.source if offered else base_model
        here = self.hub.downloaded(wanted, self.models, revision)
        if here:
            base = BaseSource(wanted, "hub", here.sha, str(here.folder.relative_to(self.models)))
            return self._described(base, inspect(here.folder), 0.0)
        found = self.hub.check_model(wanted, revision)
        base = BaseSource(wanted, "hub", found.sha, self.hub.place(wanted, found.sha))
        return self._described(base, found.facts, found.size_gb)

    def _described(self, base: BaseSource, facts: ModelFacts, download_gb: float) -> ModelCheck:
        offered = find(base.id)
        licence = licence_of(base.id, facts.generation)
        needs, free = inference_gb(facts, dtype_bytes=dtype_bytes(facts)), free_memory_gb()
        name = offered.name if offered else base.id
        problem = None if needs <= free else too_large(name, needs, free)
        return ModelCheck(base, name, facts, licence.name, licence.link, download_gb, needs, free, problem)

    def require_room(self, check: ModelCheck, recipe: SftRecipe, tokens: int) -> None:
        """Raises: `CapacityError` with the numbers when training would not fit even with one example at a time."""
        needs = training_gb(
            check.facts,
            dtype_bytes=dtype_bytes(check.facts),
            lora_rank=recipe.lora_rank,
            batch=1,
            length=min(recipe.max_length, tokens),
        )
        free = free_memory_gb()
        if needs > free:
            raise too_large(check.name, needs, free)

    def fetch(self, base: BaseSource, progress: Callable[[float, float], None]) -> None:
        """Download a model of the Hub that is not here yet. `progress` hears GB done and GB in all."""
        if base.where == "hub" and not self.hub.downloaded(base.id, self.models, base.revision):
            self.hub.model_snapshot(base.id, base.revision, self.models, progress)


def too_large(name: str, needs: float, free: float) -> CapacityError:
    return CapacityError(
        f"{name} does not fit into the memory of this machine.",
        f"It needs about {needs:.1f} GB and {free:.1f} GB are free.",
        "Choose a smaller starting model, or close other programs and try again.",
    )


def _not_an_id(base_model: str) -> FacetError:
    if base_model.startswith("hf_"):
        return AccessError(
            "This is a key, not a model.",
            "It begins like a token of Hugging Face. It was not used, and it is not stored.",
            "Write the model's id, such as google/gemma-3-270m-it.",
        )
    return SettingError(
        "We could not find this starting model.",
        "An id of the Hub looks like owner/name, and at home a folder with safetensors files works too.",
        "Choose one of the list, or write its id.",
    )
