"""LoRA+: the second half of an adapter learns faster than the first, by an optimizer that PEFT makes for it."""

from typing import Any

from facet.recipe.recipes import TrainingRecipe


def with_two_speeds(trainer: Any, recipe: TrainingRecipe) -> None:
    """Give the trainer PEFT's optimizer with a rate of its own for the B matrices, where the recipe asks for that."""
    ratio = recipe.loraplus_lr_ratio
    if ratio is None or recipe.tuning != "lora":
        return
    from peft.optimizers import create_loraplus_optimizer

    kind, words = trainer.get_optimizer_cls_and_kwargs(trainer.args, trainer.model)
    words |= {"loraplus_lr_ratio": ratio, "loraplus_weight_decay": recipe.weight_decay}
    trainer.optimizer = create_loraplus_optimizer(trainer.model, kind, **words)
