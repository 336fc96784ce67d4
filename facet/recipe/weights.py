"""Settings of the weights: which of them learn, how the adapter is built, how the frozen ones are held."""

from typing import Annotated, Literal

from pydantic import Field

from facet.recipe.knobs import Knob, Need, Recipe
from facet.recipe.learning import THINKING_MACHINES

LORA = "LoRA, Hu et al. 2021, https://arxiv.org/abs/2106.09685"
AN_ADAPTER = Need("tuning", ("lora",))
IN_4_BITS = Need("base_precision", ("4bit",))


class WhatLearns(Recipe):
    """Which weights change."""

    tuning: Annotated[Literal["lora", "full"], Knob(
        group="What learns", words=("A small adapter", "All weights"),
        label="What learns",
        plain="A small adapter beside the model, or all of its weights. The adapter needs far less memory and rarely "
        "answers worse.",
        expert="LoRA on the linear layers of the language model, or full fine-tuning.",
        source=f"LoRA matches full tuning on small data sets. {THINKING_MACHINES}.",
    )] = "lora"
    lora_targets: Annotated[Literal["all_linear", "attention", "feed_forward"], Knob(
        group="What learns", needs=AN_ADAPTER, words=("Both kinds", "Only what looks around", "Only what knows"),
        label="Kinds of layers",
        plain="Layers that look around in the text shape style and form; layers that know hold facts and words. "
        "Fewer layers need less memory and learn less.",
        expert="Adapters on attention and feed-forward projections, on attention alone, or on the feed-forward "
        "(MLP) alone: an exclude_modules of PEFT.",
        source=f"Both: attention alone does worse at the same size. {THINKING_MACHINES}.",
    )] = "all_linear"
    first_layer: Annotated[int | None, Field(ge=1, le=200), Knob(
        group="What learns", needs=AN_ADAPTER,
        label="From layer",
        plain="Layers before this one stay as they are; they read words, and later ones decide what to say. "
        "Leave it empty for the first.",
        expert="Lowest decoder layer with an adapter, counted from 1: an exclude_modules of PEFT.",
        source="Empty: every layer helps a little.",
    )] = None
    last_layer: Annotated[int | None, Field(ge=1, le=200), Knob(
        group="What learns", needs=AN_ADAPTER,
        label="To layer",
        plain="Layers after this one stay as they are, which leaves the wording to the untouched model. "
        "Leave it empty for the last.",
        expert="Highest decoder layer with an adapter, counted from 1: an exclude_modules of PEFT.",
        source="Empty: every layer helps a little.",
    )] = None
    base_precision: Annotated[Literal["auto", "float32", "bfloat16", "8bit", "4bit"], Knob(
        group="What learns", words=("What suits this machine", "32 bits", "16 bits", "8 bits", "4 bits"),
        label="Precision of the frozen model",
        plain="How exactly the untouched model is held in memory. Fewer bits need less memory; 4 bits cost a little "
        "quality and speed.",
        expert="dtype of the frozen base; 8bit is LLM.int8, 4bit is NF4 with double quantisation (QLoRA).",
        source="auto measures this machine: bfloat16 where it is faster, else float32.",
    )] = "auto"
    bnb_4bit_quant_type: Annotated[Literal["nf4", "fp4"], Knob(
        group="What learns", needs=IN_4_BITS, words=("Made for models", "Evenly spaced"),
        label="Kind of 4 bits",
        plain="Which 16 numbers the 4 bits stand for. Those made for models keep its answers nearer to the original.",
        expert="NormalFloat4 or FP4 of bitsandbytes.",
        source="NF4: QLoRA, Dettmers et al. 2023, https://arxiv.org/abs/2305.14314",
    )] = "nf4"
    bnb_4bit_use_double_quant: Annotated[bool, Knob(
        group="What learns", needs=IN_4_BITS,
        label="Squeeze the scales as well",
        plain="Saves a little more memory in 4 bits. The answers stay the same for all one can see.",
        expert="Double quantisation: the block scales are quantised too, about 0.4 bits per weight saved.",
        source="On, as in QLoRA, https://arxiv.org/abs/2305.14314",
    )] = True


class Adapter(Recipe):
    """How the adapter is built."""

    lora_rank: Annotated[int, Field(ge=1, le=256), Knob(
        level="basic", group="Adapter", needs=AN_ADAPTER,
        label="Adapter size",
        plain="How much the model is able to change. Bigger can learn more, and needs more memory and data.",
        expert="LoRA rank r: each adapted weight W (d_out, d_in) gains B @ A with B (d_out, r), A (r, d_in).",
        source=f"16 on all linear layers. {LORA}",
    )] = 16
    lora_scale: Annotated[float, Field(ge=0.01, le=16), Knob(
        group="Adapter", needs=AN_ADAPTER,
        label="Adapter strength",
        plain="How loudly the adapter speaks beside the untouched model. 2 is usual.",
        expert="alpha / r. A ratio, so that rank and alpha cannot drift apart.",
        source="alpha = 2r is the common choice for instruction tuning.",
    )] = 2.0
    lora_dropout: Annotated[float, Field(ge=0, le=0.9), Knob(
        group="Adapter", slider=0.05, needs=AN_ADAPTER,
        label="Forgetting on purpose",
        plain="Switches off a share of the adapter at random while training, which can help against "
        "learning small data sets by heart.",
        expert="Dropout on the input of the LoRA branch.",
        source="0: recent practice finds no gain for short runs.",
    )] = 0.0
    use_rslora: Annotated[bool, Knob(
        group="Adapter", needs=AN_ADAPTER,
        label="Steady scaling",
        plain="Keeps large adapters as effective as small ones. Matters from an adapter size of 64 on.",
        expert="Rank-stabilised LoRA: the branch is scaled by alpha / sqrt(r) instead of alpha / r.",
        source="Off, as in PEFT. Kalajdzievski 2023, https://arxiv.org/abs/2312.03732",
    )] = False
    use_dora: Annotated[bool, Knob(
        group="Adapter", needs=AN_ADAPTER,
        label="Direction and size apart",
        plain="Learns the direction and the size of each change separately. Sometimes better with small adapters; "
        "always slower.",
        expert="DoRA: weight-decomposed LoRA.",
        source="Off: it costs about a third more time. Liu et al. 2024, https://arxiv.org/abs/2402.09353",
    )] = False
    init_lora_weights: Annotated[Literal["default", "gaussian", "orthogonal"], Knob(
        group="Adapter", needs=AN_ADAPTER, words=("The usual way", "A bell curve", "At right angles"),
        label="How the adapter begins",
        plain="The random numbers an adapter starts from. All three begin with the answers of the untouched model; "
        "they differ a little in how fast it learns.",
        expert="Kaiming-uniform A and zero B; Gaussian A scaled by 1/r and zero B; or orthogonal A and B with "
        "B @ A = 0, which needs an even rank. Ways that change the starting model are left out.",
        source="The default of PEFT.",
    )] = "default"
