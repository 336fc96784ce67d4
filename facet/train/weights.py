"""Which weights of the model learn, and what lies frozen below them."""

from typing import Any

from facet.model.load import load_base
from facet.train import continued
from facet.train.job import Job


def learner(job: Job, lora: dict[str, Any]) -> tuple[Any, Any]:
    """The model as the trainer takes it, and the adapter to put on it (None where it is on it already).

    `lora` are the arguments of `peft.LoraConfig`.
    """
    from peft import LoraConfig

    model = load_base(job.folder, job.execution.dtype, job.execution.device)
    model.config.use_cache = False
    if job.piece.task.request.get("start_from"):
        return continued.started(model, job.piece.task, job.recipe.lora_dropout, fresh=job.start is None), None
    return model, LoraConfig(**lora)
