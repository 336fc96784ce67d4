"""The recipe of each method. Every setting is declared once, in the files beside this one: `learning`, `weights`,
`course`. Names are TRL's and PEFT's, except where PEFT's is a single letter or a share says more than a count."""

from typing import Annotated, Final, Literal, Self

from pydantic import model_validator

from facet.recipe.course import Checks, Data, Memory, Saving
from facet.recipe.knobs import Clash, Knob
from facet.recipe.learning import Learning, Optimizer, Schedule
from facet.recipe.together import clashes
from facet.recipe.weights import Adapter, WhatLearns

MOST_EFFECTIVE: Final = 1024  # examples of a step


class TrainingRecipe(Saving, Checks, Memory, Data, Adapter, WhatLearns, Optimizer, Schedule, Learning):
    """What every way of training has in common."""

    @property
    def effective_batch_size(self) -> int:
        return self.per_device_train_batch_size * self.gradient_accumulation_steps

    def steps(self, rows: int) -> int:
        """Optimizer steps for a training part of `rows` conversations."""
        if self.max_steps is not None:
            return self.max_steps
        rows = min(rows, self.max_examples or rows)
        per_epoch = -(-rows // self.effective_batch_size)
        return max(1, int(-(-per_epoch * self.num_train_epochs // 1)))

    def warmup(self, steps: int) -> int:
        """Steps of the gentle start in a run of so many."""
        return round(self.warmup_share * steps) if self.warmup_steps is None else self.warmup_steps

    def clashes(self) -> list[Clash]:
        return clashes(self)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.effective_batch_size > MOST_EFFECTIVE:
            raise ValueError(
                f"“Examples at once” times “Groups per step” is {self.effective_batch_size}, "
                f"and {MOST_EFFECTIVE:,} is the most"
            )
        return self


class SftRecipe(TrainingRecipe):
    """How to teach a model from example conversations: supervised fine-tuning."""

    train_on: Annotated[Literal["answers", "last_answer", "everything"], Knob(
        group="Data", words=("The answers", "The last answer of each", "What people wrote as well"),
        label="Learn from",
        plain="The answers only, the last answer of each conversation only, or also what the person wrote. "
        "From everything it learns to ask as well as to answer.",
        expert="Which tokens carry a label: assistant turns, the final assistant turn, or all.",
        source="Answers: the model shall learn to answer, not to ask.",
    )] = "answers"


class PretrainRecipe(TrainingRecipe):
    """How to teach a model from plain text: continued pre-training on every token."""

    packing: Annotated[bool, Knob(
        group="Data",
        label="Fill each example up",
        plain="Texts are joined and cut into pieces of the longest length, so that no time is wasted on filling. "
        "The model learns where one text ends and another begins.",
        expert="Concatenate with an end-of-sequence token between texts and cut into blocks of max_length.",
        source="On: the usual way to pre-train.",
    )] = True
