"""Settings of the course of a run: what is read, what it may cost, how it is watched, what is kept of it."""

from typing import Annotated, Literal

from pydantic import Field

from facet.recipe.knobs import Knob, Need, Recipe


class Data(Recipe):
    """Which examples are read, in which order, and how much of each."""

    max_length: Annotated[int, Field(ge=16, le=131_072), Knob(
        level="basic", group="Data",
        label="Longest example",
        plain="Examples longer than this many tokens (word pieces) are cut off at the end. Longer needs more memory.",
        expert="Maximum sequence length in tokens, template included; truncation keeps the start.",
        source="1,024 is TRL's default; the advice shortens it to what the data needs.",
    )] = 1024
    too_long: Annotated[Literal["cut", "leave_out"], Knob(
        group="Data", words=("Cut them off", "Leave them out"),
        label="Examples that are too long",
        plain="Cut off, an answer has no end, and the model may not learn where to stop. "
        "Left out, it learns only from whole answers.",
        expert="Truncation at max_length, or rows longer than max_length are dropped.",
        source="Cut, as in TRL; the advice keeps nearly all examples within the length.",
    )] = "cut"
    min_length: Annotated[int, Field(ge=0, le=8192), Knob(
        group="Data",
        label="Fewest word pieces",
        plain="Examples with fewer tokens than this are left out. Very short ones teach very short answers.",
        expert="Rows with fewer tokens, template included, are dropped before training.",
        source="0: nothing is left out unasked.",
    )] = 0
    max_examples: Annotated[int | None, Field(ge=1, le=100_000_000), Knob(
        group="Data",
        label="At most this many examples",
        plain="Learns from the first so many examples only, to find out what the rest would add. "
        "Leave it empty for all.",
        expert="The training part is truncated to so many rows after filtering; it is shuffled already.",
        source="Empty: more data is nearly always better.",
    )] = None
    train_sampling_strategy: Annotated[Literal["group_by_length", "random", "sequential"], Knob(
        group="Data", words=("Like lengths together", "By chance", "As they stand in the data"),
        label="Order of the examples",
        plain="Examples of like length side by side waste less time on filling up; chance alone mixes more. "
        "As they stand, the last ones leave the strongest mark.",
        expert="TRL's train_sampling_strategy; group_by_length sorts within shuffled mega-batches.",
        source="Measured: up to a third fewer padded tokens per step.",
    )] = "group_by_length"


class Memory(Recipe):
    """What a step may cost."""

    gradient_checkpointing: Annotated[Literal["auto", "on", "off"], Knob(
        group="Memory", words=("Where it is needed", "Yes", "No"),
        label="Remember less, compute twice",
        plain="Needs less memory and about a third more time. What is learned stays the same.",
        expert="Gradient checkpointing: activations are recomputed in the backward pass.",
        source="auto: on for graphics cards and where memory asks for it, else off.",
    )] = "auto"
    loss_kernel: Annotated[Literal["auto", "stock"], Knob(
        group="Memory", words=("Facet's own way", "TRL's way"),
        label="How the error is computed",
        plain="Facet's own way is faster and needs less memory; it is compared with the usual way at the first step.",
        expert="auto scores only positions with a label, in tiles, with the gradient made in the forward pass; stock "
        "is TRL's loss.",
        source="Measured: more than four times as fast on processors without Triton.",
    )] = "auto"
    per_device_eval_batch_size: Annotated[int | None, Field(ge=1, le=256), Knob(
        group="Memory",
        label="Examples at once in checks",
        plain="How many validation examples are scored together. More is faster and needs more memory. "
        "Leave it empty for as many as in training.",
        expert="Rows per forward pass of the evaluation.",
        source="Empty: what fits in training fits here.",
    )] = None
    pad_to_multiple_of: Annotated[Literal["none", "8", "64"], Knob(
        group="Memory", words=("The longest in the group", "Multiples of 8", "Multiples of 64"),
        label="Fill up to",
        plain="Graphics cards are a little faster on lengths that divide evenly. What is learned stays the same.",
        expert="pad_to_multiple_of of TRL's collator.",
        source="none: on processors padding only costs time.",
    )] = "none"
    activation_offloading: Annotated[bool, Knob(
        group="Memory",
        label="Keep notes in ordinary memory",
        plain="On a graphics card, what has to be remembered for learning lies in the computer's own memory. "
        "It fits more and is slower.",
        expert="TRL's activation_offloading; without effect on a processor.",
        source="Off, as in TRL: copying takes time.",
    )] = False
    torch_empty_cache_steps: Annotated[int | None, Field(ge=1, le=10_000), Knob(
        group="Memory",
        label="Tidy the card's memory every",
        plain="On a graphics card, gives memory that lies idle back after so many steps. "
        "Helps when it nearly fits. Leave it empty for never.",
        expert="torch_empty_cache_steps, about a tenth slower; without effect on a processor.",
        source="Empty, the default of transformers.",
    )] = None
    threads: Annotated[int | None, Field(ge=1, le=256), Knob(
        group="Memory",
        label="Processor cores to use",
        plain="How many cores of the processor compute. Fewer leave the computer free for other work. "
        "Leave it empty for all but one.",
        expert="Threads of torch on a processor, decided at the first slice; another number may change last digits.",
        source="Empty: the physical cores, less one for the page.",
    )] = None


class Checks(Recipe):
    """How the validation part watches over a run."""

    evaluations: Annotated[int, Field(ge=0, le=200), Knob(
        group="Checks",
        label="Checks on the way",
        plain="How often during training the model is tested on the validation part, which it never learns from.",
        expert="Number of evenly spaced evaluations of the validation loss; 0 switches them off.",
        source="8 points make a readable curve.",
    )] = 8
    eval_delay_share: Annotated[float, Field(ge=0, le=0.9), Knob(
        group="Checks", slider=0.05, needs=Need("evaluations"),
        label="First check after",
        plain="The share of the run that passes before the first check. Early checks say little about the answers "
        "in the end.",
        expert="eval_delay as a share of all steps; the look before the first step is not affected.",
        source="0: the beginning of the curve shows whether it learns at all.",
    )] = 0.0
    validation_rows: Annotated[int | None, Field(ge=1, le=100_000), Knob(
        group="Checks", needs=Need("evaluations"),
        label="Examples in each check",
        plain="How many validation examples each check looks at. More makes the curve smoother and takes longer. "
        "Leave it empty for a fitting number.",
        expert="First rows of the validation part that are scored on the way.",
        source="Empty: between 8 and 200, so that all checks take about a seventh of the run.",
    )] = None
    keep_best: Annotated[bool, Knob(
        group="Checks", needs=Need("evaluations"),
        label="Keep the best",
        plain="What you get in the end is the save point that did best on the validation part, not simply the last.",
        expert="The checkpoint with the lowest validation loss becomes the adapter.",
        source="On: it costs nothing and undoes learning by heart.",
    )] = True
    sample_max_tokens: Annotated[int, Field(ge=0, le=1024), Knob(
        group="Checks",
        label="Length of the answers on the way",
        plain="How many word pieces the model may write when it answers your questions on the way. "
        "Longer takes longer at each check; with 0 it is asked nothing.",
        expert="max_new_tokens of the greedy samples taken at evaluations.",
        source="48: enough to hear the tone.",
    )] = 48


class Saving(Recipe):
    """What is kept on the way, and what makes a run repeatable."""

    save_minutes: Annotated[float, Field(ge=0.1, le=120), Knob(
        group="Saving and repeating",
        label="Minutes between save points",
        plain="After a power cut the run goes on from the last save point, so at most this much work is lost. "
        "The result is the same.",
        expert="Seconds / 60 after which a checkpoint is due; shorter runs save every twentieth of their steps.",
        source="1 minute: saving an adapter takes a fraction of a second.",
    )] = 1.0
    save_total_limit: Annotated[int, Field(ge=2, le=50), Knob(
        group="Saving and repeating",
        label="Save points kept",
        plain="How many save points stay on the disk. More lets you talk to the model as it was earlier on.",
        expert="The newest checkpoints are kept, never fewer than two; the best one is kept besides.",
        source="2: the newest, and one before it in case that is damaged.",
    )] = 2
    seed: Annotated[int, Field(ge=0, le=2**31 - 1), Knob(
        group="Saving and repeating",
        label="Seed of chance",
        plain="The same number gives the same order of examples and the same start, so a run can be repeated exactly.",
        expert="Seeds the adapter's initial weights, the data order and dropout.",
        source="Any number serves.",
    )] = 42
    data_seed: Annotated[int | None, Field(ge=0, le=2**31 - 1), Knob(
        group="Saving and repeating",
        label="Seed of the order",
        plain="Shuffles the examples in another way without changing anything else, to see how much of a result is "
        "luck. Leave it empty for the seed above.",
        expert="Seed of the data sampler alone.",
        source="Empty: one seed is enough to repeat a run.",
    )] = None
    full_determinism: Annotated[bool, Knob(
        group="Saving and repeating",
        label="Exactly the same on a graphics card",
        plain="Makes a graphics card give the same numbers each time, as a processor does anyway. It is slower.",
        expert="full_determinism of transformers: deterministic CUDA kernels; without effect on a processor.",
        source="Off: the differences are in the last digits.",
    )] = False
