"""Every setting of a method, declared once. Names are TRL's and PEFT's, except where PEFT's is a single letter."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from facet.recipe.knobs import Knob, Recipe

LORA = "LoRA, Hu et al. 2021, https://arxiv.org/abs/2106.09685"
THINKING_MACHINES = "LoRA Without Regret, Thinking Machines 2025: LoRA wants about ten times the full-tuning rate"


class TrainingRecipe(Recipe):
    """What every way of training has in common."""

    tuning: Annotated[Literal["lora", "full"], Knob(
        group="What learns",
        label="What learns",
        plain="A small adapter beside the model, or all of its weights. The adapter needs far less memory and rarely "
        "does worse.",
        expert="LoRA on the linear layers of the language model, or full fine-tuning.",
        source=f"LoRA matches full tuning on small data sets. {THINKING_MACHINES}.",
    )] = "lora"
    base_precision: Annotated[Literal["auto", "float32", "bfloat16", "8bit", "4bit"], Knob(
        group="What learns",
        label="Precision of the frozen model",
        plain="How exactly the untouched model is held in memory. Fewer bits need less memory; 4 bits cost a little "
        "quality and speed.",
        expert="dtype of the frozen base; 8bit is LLM.int8, 4bit is NF4 with double quantisation (QLoRA).",
        source="auto measures this machine: bfloat16 where it is faster, else float32.",
    )] = "auto"
    use_rslora: Annotated[bool, Knob(
        group="Adapter",
        label="Steady scaling",
        plain="Keeps large adapters as effective as small ones. Matters from an adapter size of 64 on.",
        expert="Rank-stabilised LoRA: the branch is scaled by alpha / sqrt(r) instead of alpha / r.",
        source="Off, as in PEFT. Kalajdzievski 2023, https://arxiv.org/abs/2312.03732",
    )] = False
    use_dora: Annotated[bool, Knob(
        group="Adapter",
        label="Direction and size apart",
        plain="Learns the direction and the size of each change separately. Sometimes better with small adapters; "
        "always slower.",
        expert="DoRA: weight-decomposed LoRA.",
        source="Off: it costs about a third more time. Liu et al. 2024, https://arxiv.org/abs/2402.09353",
    )] = False
    train_sampling_strategy: Annotated[Literal["group_by_length", "random"], Knob(
        group="Data",
        label="Order of the examples",
        plain="Examples of like length side by side waste less time on filling up; chance alone mixes more.",
        expert="TRL's train_sampling_strategy; group_by_length sorts within shuffled mega-batches.",
        source="Measured: up to a third fewer padded tokens per step.",
    )] = "group_by_length"
    gradient_checkpointing: Annotated[Literal["auto", "on", "off"], Knob(
        group="Memory",
        label="Remember less, compute twice",
        plain="Needs less memory and about a third more time.",
        expert="Gradient checkpointing: activations are recomputed in the backward pass.",
        source="auto: on for graphics cards and where memory asks for it, else off.",
    )] = "auto"
    loss_kernel: Annotated[Literal["auto", "stock"], Knob(
        group="Memory",
        label="How the error is computed",
        plain="Facet's own way is faster and needs less memory; it is compared with the usual way at the first step.",
        expert="auto scores only positions with a label, in tiles, with the gradient made in the forward pass; stock "
        "is TRL's loss.",
        source="Measured: more than four times as fast on processors without Triton.",
    )] = "auto"
    keep_best: Annotated[bool, Knob(
        group="Checks",
        label="Keep the best",
        plain="What you get in the end is the save point that did best on the validation part, not simply the last.",
        expert="The checkpoint with the lowest validation loss becomes the adapter.",
        source="On: it costs nothing and undoes learning by heart.",
    )] = True
    early_stopping_patience: Annotated[int | None, Field(ge=1, le=100), Knob(
        group="Checks",
        label="Stop when it gets no better",
        plain="Training ends when so many checks in a row brought no better result. Leave it empty to go to the end.",
        expert="Evaluations without a lower validation loss before stopping.",
        source="3 of 8 checks is patient enough for small data sets.",
    )] = 3

    learning_rate: Annotated[float, Field(ge=1e-7, le=0.1), Knob(
        level="basic", group="Learning",
        label="Learning speed",
        plain="How big a step the model takes after each group of examples. "
        "Too small and little changes; too big and it forgets how to speak.",
        expert="Peak learning rate of AdamW, reached after the warm-up.",
        source=f"2e-4 is TRL's advice for LoRA. {THINKING_MACHINES}.",
    )] = 2e-4
    num_train_epochs: Annotated[float, Field(ge=0.01, le=100), Knob(
        level="basic", group="Length of training",
        label="Times through the data",
        plain="How often the model reads every example. More makes it surer, and in the end it only recites.",
        expert="Training epochs; may be a fraction. Ignored when a number of steps is given.",
        source="2 to 3 is usual for a few hundred to a few thousand conversations; watch the validation loss.",
    )] = 3.0
    max_steps: Annotated[int | None, Field(ge=1, le=1_000_000), Knob(
        group="Length of training",
        label="Stop after this many steps",
        plain="An exact number of steps instead of times through the data. Leave it empty to use the above.",
        expert="Optimizer steps; overrides num_train_epochs.",
        source="Empty, because times through the data is easier to think about.",
    )] = None
    per_device_train_batch_size: Annotated[int, Field(ge=1, le=256), Knob(
        group="Learning",
        label="Examples at once",
        plain="How many examples are worked on together. Fewer need less memory; the result is the same "
        "as long as “Groups per step” makes up for it.",
        expert="Rows per forward pass. Halved by itself, with accumulation doubled, when memory runs out.",
        source="4 fits small models on an ordinary computer.",
    )] = 4
    gradient_accumulation_steps: Annotated[int, Field(ge=1, le=256), Knob(
        group="Learning",
        label="Groups per step",
        plain="How many such groups are read before the model changes. More makes each step steadier and slower.",
        expert="Gradient accumulation; effective batch size = examples at once × groups per step.",
        source="Effective batches of 8 to 16 serve small data sets well.",
    )] = 2
    max_length: Annotated[int, Field(ge=16, le=131_072), Knob(
        level="basic", group="Data",
        label="Longest example",
        plain="Examples longer than this many tokens (word pieces) are cut off at the end. Longer needs more memory.",
        expert="Maximum sequence length in tokens, template included; truncation keeps the start.",
        source="1,024 is TRL's default; the advice shortens it to what the data needs.",
    )] = 1024
    lora_rank: Annotated[int, Field(ge=1, le=256), Knob(
        level="basic", group="Adapter",
        label="Adapter size",
        plain="How much the model is able to change. Bigger can learn more, and needs more memory and data.",
        expert="LoRA rank r: each adapted weight W (d_out, d_in) gains B @ A with B (d_out, r), A (r, d_in).",
        source=f"16 on all linear layers. {LORA}",
    )] = 16
    lora_scale: Annotated[float, Field(ge=0.01, le=16), Knob(
        group="Adapter",
        label="Adapter strength",
        plain="How loudly the adapter speaks beside the untouched model. 2 is usual.",
        expert="alpha / r. A ratio, so that rank and alpha cannot drift apart.",
        source="alpha = 2r is the common choice for instruction tuning.",
    )] = 2.0
    lora_dropout: Annotated[float, Field(ge=0, le=0.9), Knob(
        group="Adapter",
        label="Forgetting on purpose",
        plain="Switches off a share of the adapter at random while training, which can help against "
        "learning small data sets by heart.",
        expert="Dropout on the input of the LoRA branch.",
        source="0: recent practice finds no gain for short runs.",
    )] = 0.0
    lr_scheduler_type: Annotated[Literal["linear", "cosine", "constant_with_warmup"], Knob(
        group="Schedule",
        label="How the speed falls",
        plain="Linear and cosine slow down towards the end; constant keeps going at full speed.",
        expert="Learning-rate schedule after the warm-up.",
        source="Cosine decays gently and is the usual choice for LoRA.",
    )] = "cosine"
    warmup_share: Annotated[float, Field(ge=0, le=0.5), Knob(
        group="Schedule",
        label="Gentle start",
        plain="The share of the steps in which the speed rises from zero to full. It avoids a rough beginning.",
        expert="Warm-up steps as a share of all steps.",
        source="5 % is enough for AdamW to gather its statistics.",
    )] = 0.05
    weight_decay: Annotated[float, Field(ge=0, le=1), Knob(
        group="Learning",
        label="Pull towards zero",
        plain="Keeps the adapter's numbers small. Rarely matters for short runs.",
        expert="Decoupled weight decay of AdamW on the LoRA weights.",
        source="0 is TRL's default for LoRA.",
    )] = 0.0
    max_grad_norm: Annotated[float, Field(ge=0.01, le=100), Knob(
        group="Learning",
        label="Largest single push",
        plain="Limits how far one unusual example can push the model.",
        expert="Gradient clipping by global norm.",
        source="1.0 is the default of the transformers library.",
    )] = 1.0
    evaluations: Annotated[int, Field(ge=0, le=200), Knob(
        group="Checks",
        label="Checks on the way",
        plain="How often during training the model is tested on the validation part, which it never learns from.",
        expert="Number of evenly spaced evaluations of the validation loss; 0 switches them off.",
        source="8 points make a readable curve.",
    )] = 8
    seed: Annotated[int, Field(ge=0, le=2**31 - 1), Knob(
        group="Checks",
        label="Seed of chance",
        plain="The same number gives the same order of examples and the same start, so a run can be repeated exactly.",
        expert="Seeds the adapter's initial weights, the data order and dropout.",
        source="Any number serves.",
    )] = 42

    @property
    def effective_batch_size(self) -> int:
        return self.per_device_train_batch_size * self.gradient_accumulation_steps

    def steps(self, rows: int) -> int:
        """Optimizer steps for a training part of `rows` conversations."""
        if self.max_steps is not None:
            return self.max_steps
        per_epoch = -(-rows // self.effective_batch_size)
        return max(1, int(-(-per_epoch * self.num_train_epochs // 1)))

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.effective_batch_size > 1024:
            raise ValueError(
                f"“Examples at once” times “Groups per step” is {self.effective_batch_size}, and 1,024 is the most"
            )
        return self


class SftRecipe(TrainingRecipe):
    """How to teach a model from example conversations: supervised fine-tuning."""

    train_on: Annotated[Literal["answers", "last_answer", "everything"], Knob(
        group="Data",
        label="Learn from",
        plain="The answers only, the last answer of each conversation only, or also what the person wrote.",
        expert="Which tokens carry a label: assistant turns, the final assistant turn, or all.",
        source="Answers: the model shall learn to answer, not to ask.",
    )] = "answers"


class PretrainRecipe(TrainingRecipe):
    """How to teach a model from plain text: continued pre-training on every token."""

    packing: Annotated[bool, Knob(
        group="Data",
        label="Fill each example up",
        plain="Texts are joined and cut into pieces of the longest length, so that no time is wasted on filling.",
        expert="Concatenate with an end-of-sequence token between texts and cut into blocks of max_length.",
        source="On: the usual way to pre-train.",
    )] = True
