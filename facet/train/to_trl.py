"""Recipe → the words of TRL and PEFT. The only file that knows both."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facet.recipe.recipes import TrainingRecipe


@dataclass(frozen=True)
class TrlArguments:
    sft: dict[str, Any]  # of trl.SFTConfig
    lora: dict[str, Any]  # of peft.LoraConfig


def to_trl(
    recipe: TrainingRecipe,
    *,
    rows: int,
    output: Path,
    device: str,
    targets: str | list[str],
    micro_batch: int | None = None,
) -> TrlArguments:
    """What the trainer is told for a training part of `rows` conversations.

    `micro_batch` replaces the recipe's when memory ran out; accumulation makes up for it, so that the effective
    batch size, and with it the meaning of a step, stays what it was.
    """
    micro = micro_batch or recipe.per_device_train_batch_size
    steps = recipe.steps(rows)
    sft = {
        "output_dir": str(output),
        "learning_rate": recipe.learning_rate,
        "num_train_epochs": recipe.num_train_epochs,
        "max_steps": steps,
        "per_device_train_batch_size": micro,
        "per_device_eval_batch_size": micro,
        "gradient_accumulation_steps": -(-recipe.effective_batch_size // micro),
        "max_length": recipe.max_length,
        "lr_scheduler_type": recipe.lr_scheduler_type,
        "warmup_steps": round(recipe.warmup_share * steps),
        "weight_decay": recipe.weight_decay,
        "max_grad_norm": recipe.max_grad_norm,
        "seed": recipe.seed,
        "data_seed": recipe.seed,
        "eval_strategy": "no",  # Watch decides when to evaluate and to save
        "save_strategy": "no",
        "logging_strategy": "steps",
        "logging_steps": 1,
        "logging_nan_inf_filter": False,  # the default reports a loss that is not a number as 0.0
        "report_to": [],
        "disable_tqdm": True,
        "use_cpu": device == "cpu",
        "bf16": device == "cuda",
        "fp16": False,
        "gradient_checkpointing": recipe.gradient_checkpointing == "on"
        or (recipe.gradient_checkpointing == "auto" and device == "cuda"),
        "train_sampling_strategy": recipe.train_sampling_strategy,
        "dataloader_pin_memory": device == "cuda",
        "dataloader_num_workers": 0,
        "dataset_kwargs": {"skip_prepare_dataset": True},  # facet.dataset.render made the tokens and the mask
    }
    lora = {
        "r": recipe.lora_rank,
        "lora_alpha": recipe.lora_rank * recipe.lora_scale,
        "lora_dropout": recipe.lora_dropout,
        "target_modules": targets,
        "use_rslora": recipe.use_rslora,
        "use_dora": recipe.use_dora,
        "bias": "none",
        "task_type": "CAUSAL_LM",
    }
    return TrlArguments(sft, lora)


def evaluation_steps(recipe: TrainingRecipe, total_steps: int) -> frozenset[int]:
    """The evenly spaced steps after which the validation part is looked at; the last step is one of them."""
    count = min(recipe.evaluations, total_steps)
    return frozenset(round(total_steps * number / count) for number in range(1, count + 1))
