"""Training further from weights that are here already, trained or imported: what fits to what, and how it begins."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from facet.errors import DataError, SettingError
from facet.gemma.adapter_files import CONFIG, WEIGHTS
from facet.gemma.inspect import read_header
from facet.gemma.models import find
from facet.model.source import BaseSource
from facet.model.tuned import digest, digest_said, is_whole, tuned_files, tuned_in
from facet.recipe.knobs import settings, show
from facet.recipe.recipes import TrainingRecipe
from facet.work import checkpoint
from facet.work.log import Progress
from facet.work.task import Task
from facet.workspace import read_about, read_json

KINDS: Final = ("all weights", "a small adapter")
LAYER: Final = re.compile(r"\.layers\.(\d+)\.")
START: Final = "start"  # inside a run: the weights it goes on from


@dataclass(frozen=True)
class Beginning:
    """What another run goes on from: the adapter or whole model of a finished run, or of a save point."""

    run: Path
    name: str
    base: BaseSource
    tuned: Path  # the folder of its weights
    digest: str
    imported_from: str | None
    step: int | None = None  # of a save point

    @classmethod
    def of(cls, run: Path, look: Callable[[Path], Progress], step: int | None = None) -> "Beginning":
        """Raises: `SettingError` while it has no model, `DataError` when its file is damaged or gone."""
        request = Task(run).request
        tuned = _finished(run, look) if step is None else _save_point(run, step)
        origin = (request.get("imported") or {}).get("from", "")
        return cls(
            run,
            str(read_about(run).get("name", run.name)),
            BaseSource.of(request["base"]),
            tuned,
            digest(tuned),
            origin if origin.startswith("hub:") else None,
            step,
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
        """See the function of this name. Raises: `SettingError`."""
        return fitted(recipe, self.tuned, self.name)

    def link_into(self, task: Task) -> None:
        for file in tuned_files(self.tuned):
            task.link_in(file, f"{START}/{file.name}")

    def note(self) -> dict[str, Any]:
        """What the new run remembers of it. The digest has this name for a whole model too."""
        if self.step == 0:  # the same beginning as that run had
            return dict(Task(self.run).request["start_from"])
        noted = {"run": self.run.name, "name": self.name, "adapter_sha256": self.digest, "from": self.imported_from}
        return noted | ({"step": self.step} if self.step is not None else {})


def weights_at(run: Path, step: int | None) -> Path | None:
    """Where the weights of a run lie, or of a save point of it, without looking whether they are in order."""
    if step is None:
        return tuned_in(run)
    folder = Task(run).checkpoints / f"{step:06d}" if step else run / START
    return folder if folder.is_dir() else None


def fitted(recipe: TrainingRecipe, tuned: Path, name: str) -> TrainingRecipe:
    """The recipe with what cannot be chosen any more: an adapter keeps its kind, its size and the layers it sits on.

    Raises: `SettingError` when an adapter should go on as a whole model, or a whole model as an adapter, or when the
    recipe has what such an adapter cannot do.
    """
    if is_whole(tuned) != (recipe.tuning == "full"):
        raise _other_kind(name, is_whole(tuned))
    if is_whole(tuned):
        return recipe
    made = recipe.model_copy(update=_decided(read_json(tuned / CONFIG), read_header(tuned / WEIGHTS)))
    if clash := next((clash for clash in made.clashes() if clash.is_fatal), None):
        raise SettingError(
            "A setting does not suit the adapter that goes on learning.",
            f"{clash.words}.",
            f"“{name}” keeps its kind: change the other setting, or begin from the starting model itself.",
        )
    return made


def require_as_decided(given: Iterable[str], recipe: TrainingRecipe, made: TrainingRecipe) -> None:
    """Raises: `SettingError` when one of the settings that somebody named is another in what `fitted` made of them."""
    known = {setting.name: setting for setting in settings(type(recipe))}
    for name in given:
        asked, kept = getattr(recipe, name), getattr(made, name)
        if asked != kept:
            label = f"“{known[name].knob.label}” ({known[name].flag})"
            raise SettingError(
                "The adapter that goes on learning decides this setting.",
                f"{label} was to be {_said(asked)}, and that adapter has {_said(kept)}.",
                f"Leave it at {_said(kept)}, or begin from the starting model itself.",
            )


def _said(value: Any) -> str:
    return "none" if value is None else show(value)


def _decided(config: dict[str, Any], tensors: Iterable[str]) -> dict[str, Any]:
    """What an adapter's description and the names of its weights say of settings that nobody chooses any more."""
    first, last = _layers(config, tensors)
    began = config.get("init_lora_weights")
    return {
        "lora_rank": config["r"],
        "lora_scale": float(config["lora_alpha"] / config["r"]),
        "use_rslora": bool(config.get("use_rslora")),
        "use_dora": bool(config.get("use_dora")),
        "lora_targets": _kinds_of_layers(tensors),
        "first_layer": first,
        "last_layer": last,
        "init_lora_weights": began if began in ("gaussian", "orthogonal") else "default",
    }


def _kinds_of_layers(tensors: Iterable[str]) -> str:
    around, knows = (any(f".{part}." in name for name in tensors) for part in ("self_attn", "mlp"))
    return "attention" if around and not knows else "feed_forward" if knows and not around else "all_linear"


def _layers(config: dict[str, Any], tensors: Iterable[str]) -> tuple[int | None, int | None]:
    """The first and the last layer it sits on, counted from 1; None for the ends of the model."""
    there = {int(found[1]) for name in tensors if (found := LAYER.search(name))}
    if not there:
        return None, None
    ends = config.get("layers_to_transform") is not None or r"\.layers\.(?!" in str(config.get("exclude_modules"))
    return (min(there) + 1 if min(there) else None), (max(there) + 1 if ends else None)


def _finished(run: Path, look: Callable[[Path], Progress]) -> Path:
    progress, tuned = look(run), tuned_in(run)
    if progress.stage != "finished" or tuned is None:
        raise SettingError(
            "This run has no model to go on from yet.",
            f"Its training is {progress.stage}.",
            "Wait until it is finished, or press “Stop and keep”.",
        )
    if digest(tuned) != digest_said(progress.outputs):
        raise DataError(
            "The tuned model on this disk is damaged.",
            "Its file is not the one that training wrote.",
            "Go on from another run, or import your own copy of it.",
        )
    return tuned


def _save_point(run: Path, step: int) -> Path:
    """Step 0 is what a run itself went on from; it has its own copy of that."""
    if step == 0 and (run / START).is_dir():
        _require_unchanged(Task(run))
        return run / START
    found = checkpoint.verified(Task(run).checkpoints / f"{step:06d}")
    if found is None or not all(file.is_file() for file in tuned_files(found.folder)):
        raise DataError(
            "This save point is not there any more.",
            "A run keeps its newest save points, and older ones make room.",
            "Go on from another save point, or from the finished run.",
        )
    return found.folder


def _other_kind(name: str, whole: bool) -> SettingError:
    kind, own, other = ("whole model", *KINDS) if whole else ("adapter", *reversed(KINDS))
    return SettingError(
        "A run goes on with the kind of weights it began with.",
        f"“{name}” made {'a' if whole else 'an'} {kind}, and “What learns” is set to {other}.",
        f"Set “What learns” to {own}, or begin from the starting model itself.",
    )


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
    if fresh:
        _require_unchanged(task)
    config = LoraConfig.from_pretrained(str(folder))
    config.lora_dropout = dropout
    model = PeftModel.from_pretrained(model, str(folder), is_trainable=True, config=config, local_files_only=True)
    if set(get_peft_model_state_dict(model)) != set(read_header(folder / WEIGHTS)):
        raise _damaged("Its layers are not those of the starting model.")
    return model


def whole_start(task: Task) -> Path:
    """The folder of the whole model to go on from. Raises: `DataError` when it changed since the run was made."""
    _require_unchanged(task)
    return task.folder / START


def _require_unchanged(task: Task) -> None:
    if digest(task.folder / START) != task.request["start_from"]["adapter_sha256"]:
        raise _damaged("Its file is not the one this run was started with.")


def _damaged(why: str) -> DataError:
    return DataError("The adapter to go on from cannot be used.", why, "Start again from a run whose model works.")
