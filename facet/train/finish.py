"""What a run leaves when it is over: its adapter, written in one step from verified files."""

import shutil
import time
from pathlib import Path

from facet.train.job import Job
from facet.work import checkpoint, log
from facet.workspace import fsync, read_json, write_json


def finish_from(job: Job, weights: Path, early: bool = False) -> None:
    """Write `adapter/` in one step from verified files, then say that the run is over."""
    part, place = (job.piece.task.folder / name for name in ("adapter.part", "adapter"))
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        shutil.copyfile(weights / name, part / name)
    config = read_json(part / "adapter_config.json")
    config |= {"base_model_name_or_path": job.base.id, "revision": job.base.revision, "inference_mode": True}
    if isinstance(config["target_modules"], list):  # PEFT holds a set, whose order is chance
        config["target_modules"].sort()
    write_json(part / "adapter_config.json", config)
    for file in part.iterdir():
        fsync(file)
    shutil.rmtree(place, ignore_errors=True)
    part.rename(place)
    fsync(place.parent)
    shutil.rmtree(job.piece.task.folder / "staging", ignore_errors=True)
    done = log.progress_of(job.piece.task.events_file)
    outputs: dict[str, str | int | float] = {
        "adapter_sha256": checkpoint.sha256(place / "adapter_model.safetensors"),
        "minutes": round((done.working_seconds + time.time() - done.last_at) / 60, 2),
        "trained_tokens_per_epoch": job.counts.trained,
        "rows": job.counts.rows,
    }
    job.piece.emit(log.Finished(step=done.step, outputs=outputs, early=early))
