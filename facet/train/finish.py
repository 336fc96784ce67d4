"""What a run leaves when it is over: its adapter or its whole model, written in one step from verified files."""

import os
import shutil
import time
from pathlib import Path
from typing import Any

from facet.model.tuned import ADAPTER, INDEX, MODEL, TOKENIZER_FILES, digest, is_whole, weight_files
from facet.train.cost import spent
from facet.train.job import Job
from facet.work import log
from facet.workspace import fsync, read_json, write_json


def finish_from(job: Job, weights: Path, early: bool = False, more: dict[str, str | int] | None = None) -> None:
    """Write `adapter/` or `model/` in one step from a verified save point, then say that the run is over.

    `more` is put beside its other outputs.
    """
    folder, name = job.piece.task.folder, MODEL if is_whole(weights) else ADAPTER
    part, place = folder / f"{name}.part", folder / name
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    (_leave_model if name == MODEL else _leave_adapter)(job, weights, part)
    for file in part.iterdir():
        fsync(file)
    shutil.rmtree(place, ignore_errors=True)
    part.rename(place)
    fsync(place.parent)
    shutil.rmtree(folder / "staging", ignore_errors=True)
    done = log.progress_of(job.piece.task.events_file)
    outputs: dict[str, str | int | float] = {
        f"{name}_sha256": digest(place),
        "minutes": round((done.working_seconds + time.time() - done.last_at) / 60, 2),
        "trained_tokens_per_epoch": job.counts.trained,
        "rows": job.counts.rows,
        **spent(done),
        **(more or {}),
    }
    job.piece.emit(log.Finished(step=done.step, outputs=outputs, early=early))


def _leave_adapter(job: Job, weights: Path, into: Path) -> None:
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        shutil.copyfile(weights / name, into / name)
    config = read_json(into / "adapter_config.json")
    config |= {"base_model_name_or_path": job.base.id, "revision": job.base.revision, "inference_mode": True}
    if isinstance(config["target_modules"], list):  # PEFT holds a set, whose order is chance
        config["target_modules"].sort()
    write_json(into / "adapter_config.json", config)


def _leave_model(job: Job, weights: Path, into: Path) -> None:
    """The weights as they were trained, in 4 bytes, and everything beside them from the starting model.

    The weights are other names of the save point's files: a copy would cost a large model's size once more.
    """
    for file in (*weight_files(weights), *([weights / INDEX] if (weights / INDEX).is_file() else [])):
        _link(file, into / file.name)
    for name in TOKENIZER_FILES:
        if (job.folder / name).is_file():
            shutil.copyfile(job.folder / name, into / name)
    theirs, ours = (read_json(folder / "config.json") for folder in (job.folder, weights))
    is_alike = theirs.get("model_type") == ours.get("model_type")  # of some kinds only the language model is loaded
    write_json(into / "config.json", _in_four_bytes(theirs if is_alike else ours | {"use_cache": True}))


def _link(file: Path, target: Path) -> None:
    try:
        os.link(file, target)
    except OSError:  # a file system without hard links
        shutil.copyfile(file, target)


def _in_four_bytes(config: dict[str, Any]) -> dict[str, Any]:
    """The starting model's own description, with the kind of numbers its weights have now."""
    named = {name: value for name, value in config.items() if name != "torch_dtype"}
    parts = {name: _in_four_bytes(part) for name, part in named.items() if name.endswith("_config") and part}
    return named | parts | ({"dtype": "float32"} if "torch_dtype" in config or "dtype" in config else {})
