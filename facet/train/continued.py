"""Training further from an adapter that is here already, trained or imported: what fits to what, and how it begins."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from facet.errors import DataError, SettingError
from facet.gemma.adapter_files import CONFIG, FILES, WEIGHTS
from facet.gemma.inspect import read_header
from facet.gemma.models import find
from facet.model.source import BaseSource
from facet.recipe.recipes import TrainingRecipe
from facet.work.checkpoint import sha256
from facet.work.log import Progress
from facet.work.task import Task
from facet.workspace import read_about, read_json

START: Final = "start"  # inside a run: the adapter it goes on from


@dataclass(frozen=True)
class Beginning:
    """The finished run that another one goes on from."""

    run: Path
    name: str
    base: BaseSource
    rank: int
    scale: float
    adapter_sha256: str
    imported_from: str | None

    @classmethod
    def of(cls, run: Path, look: Callable[[Path], Progress]) -> "Beginning":
        """Raises: `SettingError` while it has no model, `DataError` when its file is damaged."""
        progress, request = look(run), Task(run).request
        if progress.stage != "finished":
            raise SettingError(
                "This run has no model to go on from yet.",
                f"Its training is {progress.stage}.",
                "Wait until it is finished, or press “Stop and keep”.",
            )
        digest = sha256(run / "adapter" / WEIGHTS)
        if digest != progress.outputs.get("adapter_sha256"):
            raise DataError(
                "The tuned model on this disk is damaged.",
                "Its file is not the one that training wrote.",
                "Go on from another run, or import your own copy of it.",
            )
        config = read_json(run / "adapter" / CONFIG)
        rank = config["r"]
        scale = config["lora_alpha"] / (rank**0.5 if config.get("use_rslora") else rank)
        origin = (request.get("imported") or {}).get("from", "")
        return cls(
            run,
            str(read_about(run).get("name", run.name)),
            BaseSource.of(request["base"]),
            rank,
            float(scale),
            digest,
            origin if origin.startswith("hub:") else None,
        )

    def require_same(self, base: BaseSource) -> None:
        """Raises: `SettingError` when it was made for another starting model."""
        if not same_model(self.base, base):
            raise SettingError(
                "These two do not go together.",
                f"“{self.name}” changes {_words(self.base)}, and you chose {_words(base)}.",
                f"Choose {self.base.id} under “Starting model”, or begin from that model itself.",
            )

    def fitted(self, recipe: TrainingRecipe) -> TrainingRecipe:
        """The recipe with what cannot be chosen any more: an adapter keeps its rank and its scale."""
        return recipe.model_copy(update={"lora_rank": self.rank, "lora_scale": self.scale})

    def link_into(self, task: Task) -> None:
        for name in FILES:
            task.link_in(self.run / "adapter" / name, f"{START}/{name}")

    def note(self) -> dict[str, Any]:
        """What the new run remembers of it."""
        return {
            "run": self.run.name,
            "name": self.name,
            "adapter_sha256": self.adapter_sha256,
            "from": self.imported_from,
        }


def same_model(one: BaseSource, other: BaseSource) -> bool:
    """The same weights, as far as it can be known. A mirror of a model is that model."""
    if "folder" in (one.where, other.where):
        return (one.where, one.id, one.path) == (other.where, other.id, other.path)
    if one.id.lower() == other.id.lower():
        return one.revision == other.revision or None in (one.revision, other.revision)
    offered = find(one.id)
    return offered is not None and offered is find(other.id)


def _words(base: BaseSource) -> str:
    return f"{base.id} at version {base.revision[:7]}" if base.revision else base.id


def started(model: Any, task: Task, dropout: float, fresh: bool) -> Any:
    """The base with the adapter of `start/` on it, ready to learn. `fresh` when no save point takes its place.

    Raises: `DataError` when the file changed since the run was made, or does not fill every place in the model.
    """
    from peft import LoraConfig, PeftModel, get_peft_model_state_dict

    folder = task.folder / START
    if fresh and sha256(folder / WEIGHTS) != task.request["start_from"]["adapter_sha256"]:
        raise _damaged("Its file is not the one this run was started with.")
    config = LoraConfig.from_pretrained(str(folder))
    config.lora_dropout = dropout
    model = PeftModel.from_pretrained(model, str(folder), is_trainable=True, config=config, local_files_only=True)
    if set(get_peft_model_state_dict(model)) != set(read_header(folder / WEIGHTS)):
        raise _damaged("Its layers are not those of the starting model.")
    return model


def _damaged(why: str) -> DataError:
    return DataError("The adapter to go on from cannot be used.", why, "Start again from a run whose model works.")
