"""Recipe → the words of TRL and PEFT. The only file that knows both."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facet.recipe.recipes import TrainingRecipe

OURS = (  # what no library is told: Facet's own code reads these from the recipe
    "tuning",
    "base_precision",
    "bnb_4bit_quant_type",
    "bnb_4bit_use_double_quant",
    "loraplus_lr_ratio",
    "loss_kernel",
    "threads",
    "train_on",
    "packing",
    "too_long",
    "min_length",
    "validation_rows",
    "keep_best",
    "early_stopping_patience",
    "early_stopping_threshold",
    "sample_max_tokens",
    "save_minutes",
    "save_total_limit",
)


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
    steps, on_card = recipe.steps(rows), device == "cuda"
    sft = {
        "output_dir": str(output),
        "learning_rate": recipe.learning_rate,
        "num_train_epochs": recipe.num_train_epochs,
        "max_steps": steps,
        "per_device_train_batch_size": micro,
        "per_device_eval_batch_size": recipe.per_device_eval_batch_size or micro,
        "gradient_accumulation_steps": -(-recipe.effective_batch_size // micro),
        "max_length": recipe.max_length,
        "warmup_steps": recipe.warmup(steps),
        "weight_decay": recipe.weight_decay,
        "max_grad_norm": recipe.max_grad_norm,
        "loss_type": recipe.loss_type,
        "neftune_noise_alpha": recipe.neftune_noise_alpha,
        "seed": recipe.seed,
        "data_seed": recipe.seed if recipe.data_seed is None else recipe.data_seed,
        "eval_strategy": "no",  # Watch decides when to evaluate and to save
        "save_strategy": "no",
        "logging_strategy": "steps",
        "logging_steps": 1,
        "logging_nan_inf_filter": False,  # the default reports a loss that is not a number as 0.0
        "report_to": [],
        "disable_tqdm": True,
        "use_cpu": device == "cpu",
        "bf16": on_card,
        "fp16": False,
        "full_determinism": recipe.full_determinism and on_card,
        "gradient_checkpointing": recipe.gradient_checkpointing == "on"
        or (recipe.gradient_checkpointing == "auto" and on_card),
        "activation_offloading": recipe.activation_offloading and on_card,
        "torch_empty_cache_steps": recipe.torch_empty_cache_steps if on_card else None,
        "train_sampling_strategy": recipe.train_sampling_strategy,
        "dataloader_pin_memory": on_card,
        "dataloader_num_workers": 0,
        "pad_to_multiple_of": None if recipe.pad_to_multiple_of == "none" else int(recipe.pad_to_multiple_of),
        "dataset_kwargs": {"skip_prepare_dataset": True},  # facet.dataset.render made the tokens and the mask
    }
    return TrlArguments(sft | _schedule(recipe, steps) | _optimizer(recipe), _lora(recipe, targets))


def _schedule(recipe: TrainingRecipe, steps: int) -> dict[str, Any]:
    """The course of the learning rate; what a schedule has no use for, it is not told."""
    more: dict[str, Any] = {}
    match recipe.lr_scheduler_type:
        case "cosine_with_min_lr":
            more = {"min_lr_rate": recipe.min_lr_rate}
        case "cosine_with_restarts":
            more = {"num_cycles": recipe.num_cycles}
        case "polynomial":  # lr_end must lie below the rate, and above nothing
            more = {"power": recipe.power, "lr_end": recipe.learning_rate * max(1e-6, recipe.min_lr_rate)}
        case "warmup_stable_decay":
            decay = max(1, min(round(recipe.decay_share * steps), steps - recipe.warmup(steps)))
            more = {"num_decay_steps": decay, "min_lr_ratio": recipe.min_lr_rate}
    return {"lr_scheduler_type": recipe.lr_scheduler_type, "lr_scheduler_kwargs": more}


def _optimizer(recipe: TrainingRecipe) -> dict[str, Any]:
    moving = recipe.optim in ("sgd", "rmsprop")
    return {
        "optim": recipe.optim,
        "optim_args": f"momentum={recipe.momentum}" if moving else None,
        "adam_beta1": recipe.adam_beta1,
        "adam_beta2": recipe.adam_beta2,
        "adam_epsilon": recipe.adam_epsilon,
    }


def _lora(recipe: TrainingRecipe, targets: str | list[str]) -> dict[str, Any]:
    return {
        "r": recipe.lora_rank,
        "lora_alpha": recipe.lora_rank * recipe.lora_scale,
        "lora_dropout": recipe.lora_dropout,
        "target_modules": targets,
        "exclude_modules": left_out(recipe),
        "init_lora_weights": True if recipe.init_lora_weights == "default" else recipe.init_lora_weights,
        "use_rslora": recipe.use_rslora,
        "use_dora": recipe.use_dora,
        "bias": "none",
        "task_type": "CAUSAL_LM",
    }


def left_out(recipe: TrainingRecipe) -> str | None:
    """The modules that get no adapter, as a regular expression over whole names; None when all of them do."""
    parts = []
    if recipe.lora_targets != "all_linear":
        parts.append(rf".*\.{'mlp' if recipe.lora_targets == 'attention' else 'self_attn'}\..*")
    first = (recipe.first_layer or 1) - 1  # PyTorch counts from 0
    if recipe.last_layer:
        kept = "|".join(str(number) for number in range(first, recipe.last_layer))
        parts.append(rf".*\.layers\.(?!(?:{kept})\.)\d+\..*")
    elif first:
        parts.append(rf".*\.layers\.(?:{'|'.join(map(str, range(first)))})\..*")
    return "|".join(parts) or None


def evaluation_steps(recipe: TrainingRecipe, total_steps: int) -> frozenset[int]:
    """The evenly spaced steps after which the validation part is looked at; the last step is one of them."""
    before = min(round(recipe.eval_delay_share * total_steps), total_steps - 1)
    count = min(recipe.evaluations, total_steps - before)
    return frozenset(before + round((total_steps - before) * number / count) for number in range(1, count + 1))
