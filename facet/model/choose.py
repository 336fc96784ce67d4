"""Choosing a starting model: is it one Facet can tune, does it fit, what does its licence ask? Before any download."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from facet import starter
from facet.dataset import templates
from facet.errors import AccessError, CapacityError, FacetError, HubError, SettingError
from facet.gemma.inspect import ModelFacts, inspect
from facet.gemma.licences import licence_of
from facet.gemma.memory import free_memory_gb, inference_gb
from facet.gemma.models import STARTER, find
from facet.hub.hub import Hub
from facet.identity import Grant, Person
from facet.model.load import dtype_bytes
from facet.model.source import BaseSource
from facet.recipe.bits import bits_are_here, squeezed_beforehand
from facet.recipe.ladder import AT_ONCE, next_step
from facet.recipe.plan import Plan
from facet.workspace import Workspace

Access = Literal["open", "accepted", "sign-in", "ask"]
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
    access: Access = "open"  # sign-in: not without an account; ask: its terms have to be accepted first
    accept_url: str = ""  # where that is done

    @property
    def ok(self) -> bool:
        return self.problem is None

    @property
    def terms(self) -> str:
        """The licence and what has to be done about it, in one line."""
        asked = {
            "open": "Open to everyone.",
            "accepted": "You have accepted its terms.",
            "sign-in": "Its owner asks everyone to accept terms first: sign in, then accept them on its page.",
            "ask": "Its owner asks everyone to accept terms first: do that on its page, then check again.",
        }
        return f"Licence: {self.licence}. {asked[self.access]}" if self.licence else asked[self.access]

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
    workspace: Workspace
    free_gb: Callable[[], float] = free_memory_gb  # memory a model may take where it is going to work

    @property
    def models(self) -> Path:
        """Where models lie that everybody may read."""
        return self.workspace.models

    def check(
        self, person: Person, base_model: str, revision: str | None = None, grant: Grant | None = None
    ) -> ModelCheck:
        """Everything that can be known before a download. Never raises what a person can act on: it reports it.

        `revision` pins a model of the Hub; without one the copy that is here, or else the newest, is meant. With a
        `grant`, models that only this person may read are found too.
        """
        base_model, token = base_model.strip(), grant.token if grant and grant.is_valid else None
        try:
            return self._check(person, base_model, revision, token)
        except AccessError as problem:
            return self._locked(base_model, problem, token)
        except FacetError as problem:
            return ModelCheck(None, base_model, None, "", None, 0.0, 0.0, self.free_gb(), problem)

    def _locked(self, base_model: str, problem: AccessError, token: str | None) -> ModelCheck:
        """A model that is there, and not for everybody."""
        offered = find(base_model)
        wanted = offered.source if offered else base_model
        licence = licence_of(wanted, "other")
        name = offered.name if offered else base_model
        is_id = bool(HUB_ID.fullmatch(wanted))
        return ModelCheck(
            None, name, None, licence.name if is_id else "", licence.link, 0.0, 0.0, self.free_gb(), problem,
            "ask" if token else "sign-in", model_page(wanted) if is_id else "",
        )  # fmt: skip

    def _check(self, person: Person, base_model: str, revision: str | None, token: str | None) -> ModelCheck:
        folder = self._local_folder(person, base_model)
        if folder:
            base = (
                BaseSource(STARTER, "starter")
                if base_model == STARTER
                else BaseSource(folder.name, "folder", path=str(folder))
            )
            return self._described(base, inspect(folder), 0.0)
        return self._on_hub(person, base_model, revision, token)

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

    def _on_hub(self, person: Person, base_model: str, revision: str | None, token: str | None) -> ModelCheck:
        offered = find(base_model)
        wanted = offered.source if offered else base_model
        own = self.workspace.own_models(person)
        for models in (self.models, own):
            if here := self.hub.downloaded(wanted, models, revision):
                if models == own and token:
                    self._still_allowed(wanted, here.sha, token)
                base = BaseSource(wanted, "hub", here.sha, self._relative(here.folder))
                return self._described(base, inspect(here.folder), 0.0, "open" if models == self.models else "accepted")
        found = self.hub.check_model(wanted, revision, token=token)
        locked = found.gated or found.private
        folder = (own if locked else self.models) / self.hub.place(wanted, found.sha)
        base = BaseSource(wanted, "hub", found.sha, self._relative(folder))
        return self._described(base, found.facts, found.size_gb, "accepted" if locked else "open")

    def _still_allowed(self, model: str, sha: str, token: str) -> None:
        """Raises: `AccessError`, `NotFoundError` once they may not read it any more; without a network it stays."""
        try:
            self.hub.check_model(model, sha, token=token)
        except HubError:
            return

    def _relative(self, folder: Path) -> str:
        """From the folder of open models, so that everything can be moved together."""
        return os.path.relpath(folder, self.models)

    def _described(
        self, base: BaseSource, facts: ModelFacts, download_gb: float, access: Access = "open"
    ) -> ModelCheck:
        offered = find(base.id)
        if not facts.has_template:
            base = replace(base, template=templates.source_of(templates.recommended(facts.generation)))
        licence = licence_of(base.id, facts.generation)
        needs, free = inference_gb(facts, dtype_bytes=dtype_bytes(facts)), self.free_gb()
        name = offered.name if offered else base.id
        problem = None if needs <= free else too_large(name, needs, free)
        if facts.packed and not bits_are_here():
            problem = squeezed_beforehand(name)
        page = model_page(base.id) if base.where == "hub" else ""
        return ModelCheck(
            base, name, facts, licence.name, licence.link, download_gb, needs, free, problem, access, page
        )

    def require_room(self, check: ModelCheck, plan: Plan) -> None:
        """Raises: `CapacityError`, with the first thing to change, when not even one example at a time would fit."""
        here = plan.here
        halved = any(rung.fits and set(rung.changes) == AT_ONCE for rung in plan.ladder)  # the worker does so itself
        if not here.fits and not halved:
            raise too_large(check.name, here.gb, here.free_gb, next_step(plan.ladder))

    def place(self, base: BaseSource) -> Path:
        """The folder of models that this one belongs into: everybody's, or a person's own."""
        return Path(os.path.normpath(self.models / base.path)).parents[1]

    def fetch(self, base: BaseSource, progress: Callable[[float, float], None], token: str | None = None) -> None:
        """Download a model of the Hub that is not here yet. `progress` hears GB done and GB in all."""
        if base.where != "hub":
            return
        models = self.place(base)
        if not self.hub.downloaded(base.id, models, base.revision):
            public = models == self.models
            self.hub.model_snapshot(base.id, base.revision, models, progress, token=None if public else token)


def model_page(model: str) -> str:
    return f"https://huggingface.co/{model}"


def too_large(name: str, needs: float, free: float, remedy: str = "") -> CapacityError:
    return CapacityError(
        f"{name} does not fit into the memory of this machine.",
        f"It needs about {needs:.1f} GB and {free:.1f} GB are free.",
        remedy or "Choose a smaller starting model, or close other programs and try again.",
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
