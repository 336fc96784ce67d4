"""Settings of a step and of how many there are. Names are TRL's, except where a share says more than a count."""

from typing import Annotated, Literal

from pydantic import Field

from facet.recipe.knobs import Knob, Need, Recipe

THINKING_MACHINES = "LoRA Without Regret, Thinking Machines 2025: LoRA wants about ten times the full-tuning rate"
CLIPS = Need("lr_scheduler_type", ("cosine_with_min_lr", "polynomial", "warmup_stable_decay"))


class Learning(Recipe):
    """How big a step is, what it rests on, and how many there are."""

    learning_rate: Annotated[float, Field(ge=1e-7, le=0.1), Knob(
        level="basic", group="Learning",
        label="Learning speed",
        plain="How big a step the model takes after each group of examples. "
        "Too small and little changes; too big and it forgets how to speak.",
        expert="Peak learning rate of the optimizer, reached after the warm-up.",
        source=f"2e-4 is TRL's advice for LoRA. {THINKING_MACHINES}.",
    )] = 2e-4
    per_device_train_batch_size: Annotated[int, Field(ge=1, le=256), Knob(
        group="Learning",
        label="Examples at once",
        plain="How many examples are worked on together. Fewer need less memory; the result is the same "
        "as long as “Groups per step” makes up for it.",
        expert="Rows per forward pass. On a processor a batch of more than 2,048 tokens goes forwards and backwards in "
        "portions, with the same gradient. When memory runs out, the portions are halved; on a card the rows are, and "
        "accumulation makes up for it.",
        source="4 fits small models on an ordinary computer.",
    )] = 4
    gradient_accumulation_steps: Annotated[int, Field(ge=1, le=256), Knob(
        group="Learning",
        label="Groups per step",
        plain="How many such groups are read before the model changes. More makes each step steadier and slower.",
        expert="Gradient accumulation; effective batch size = examples at once × groups per step.",
        source="Effective batches of 8 to 16 serve small data sets well.",
    )] = 2
    max_grad_norm: Annotated[float, Field(ge=0.01, le=100), Knob(
        group="Learning",
        label="Largest single push",
        plain="Limits how far one unusual example can push the model.",
        expert="Gradient clipping by global norm.",
        source="1.0 is the default of the transformers library.",
    )] = 1.0
    weight_decay: Annotated[float, Field(ge=0, le=1), Knob(
        group="Learning", slider=0.01,
        label="Pull towards zero",
        plain="Keeps the learned numbers small, so that the answers stay nearer to the untouched model. "
        "Rarely matters for short runs.",
        expert="Decoupled weight decay on the weights that learn.",
        source="0 is TRL's default for LoRA.",
    )] = 0.0
    loss_type: Annotated[Literal["nll", "dft"], Knob(
        group="Learning", words=("The usual way", "Gently on what it finds unlikely"),
        label="What counts as wrong",
        plain="The usual way pushes hardest where the model was most surprised. "
        "The gentle way holds back there, and tends to learn less by heart.",
        expert="nll is the negative log-likelihood. dft scales each token's loss by its own probability, without a "
        "gradient through it.",
        source="nll, as everywhere. Dynamic Fine-Tuning: Wu et al. 2025, https://arxiv.org/abs/2508.05629",
    )] = "nll"
    neftune_noise_alpha: Annotated[float | None, Field(ge=0.1, le=50), Knob(
        group="Learning",
        label="Noise on what it reads",
        plain="A little noise on the word pieces while learning. Answers often get longer and less copied. "
        "Leave it empty for none.",
        expert="NEFTune: uniform noise on the input embeddings, scaled by alpha / sqrt(length × width); "
        "5 is the usual alpha.",
        source="Empty: the gain is in taste, not in facts. Jain et al. 2023, https://arxiv.org/abs/2310.05914",
    )] = None
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
    early_stopping_patience: Annotated[int | None, Field(ge=1, le=100), Knob(
        group="Length of training", needs=Need("evaluations"),
        label="Stop when it gets no better",
        plain="Training ends when so many checks in a row brought no better result. Leave it empty to go to the end.",
        expert="Evaluations without a lower validation loss before stopping.",
        source="3 of 8 checks is patient enough for small data sets.",
    )] = 3
    early_stopping_threshold: Annotated[float, Field(ge=0, le=1), Knob(
        group="Length of training", needs=Need("early_stopping_patience"),
        label="What counts as better",
        plain="A check counts as better only if it is better by this much, and by 0.2 % in any case. "
        "Higher ends sooner, with a model that recites less.",
        expert="Smallest fall of the validation loss, in nats per token, that resets the patience; a fall of less than "
        "0.2 % of the loss never does.",
        source="0: every fall of more than 0.2 % counts.",
    )] = 0.0


class Schedule(Recipe):
    """How the learning speed rises and falls."""

    lr_scheduler_type: Annotated[Literal[
        "linear", "cosine", "constant_with_warmup", "cosine_with_min_lr", "cosine_with_restarts", "polynomial",
        "inverse_sqrt", "warmup_stable_decay"], Knob(
        group="Schedule",
        words=("In a straight line", "In a gentle curve", "Not at all", "In a curve, to a least speed",
               "In curves, starting again", "In a bent line", "Quickly, then ever slower", "Only at the end"),
        label="How the speed falls",
        plain="A speed that falls towards the end lets the last steps settle what was learned. "
        "One that stays leaves the answers less even.",
        expert="Learning-rate schedule after the warm-up, by its name in transformers.",
        source="Cosine decays gently and is the usual choice for LoRA.",
    )] = "cosine"
    warmup_share: Annotated[float, Field(ge=0, le=0.5), Knob(
        group="Schedule", slider=0.01,
        label="Gentle start",
        plain="The share of the steps in which the speed rises from zero to full. It avoids a rough beginning.",
        expert="Warm-up steps as a share of all steps.",
        source="5 % is enough for AdamW to gather its statistics.",
    )] = 0.05
    warmup_steps: Annotated[int | None, Field(ge=0, le=100_000), Knob(
        group="Schedule",
        label="Gentle start, in steps",
        plain="An exact number of steps for the gentle start, instead of a share. Leave it empty to use the share.",
        expert="Warm-up steps; overrides warmup_share.",
        source="Empty: a share fits runs of any length.",
    )] = None
    min_lr_rate: Annotated[float, Field(ge=0, le=0.9), Knob(
        group="Schedule", slider=0.05, needs=CLIPS,
        label="Least speed",
        plain="The share of the learning speed that is left at the very end. More keeps it learning from the last "
        "examples; less settles it.",
        expert="min_lr_rate of the cosine, min_lr_ratio of warmup_stable_decay, lr_end / learning_rate of the "
        "polynomial.",
        source="A tenth of the peak is usual.",
    )] = 0.1
    num_cycles: Annotated[int, Field(ge=1, le=50), Knob(
        group="Schedule", needs=Need("lr_scheduler_type", ("cosine_with_restarts",)),
        label="Restarts",
        plain="How many curves the speed goes through. Each new one shakes up what was learned.",
        expert="Hard restarts of the cosine schedule.",
        source="2, the fewest that restart at all.",
    )] = 2
    power: Annotated[float, Field(ge=0.1, le=10), Knob(
        group="Schedule", needs=Need("lr_scheduler_type", ("polynomial",)),
        label="How bent",
        plain="1 is a straight line. More falls quickly at first, so that most of the training settles what is there.",
        expert="Exponent of the polynomial decay.",
        source="2: between a line and a cosine's end.",
    )] = 2.0
    decay_share: Annotated[float, Field(ge=0.01, le=1), Knob(
        group="Schedule", slider=0.01, needs=Need("lr_scheduler_type", ("warmup_stable_decay",)),
        label="Slowing down",
        plain="The share of the steps at the end in which the speed falls. Before that it is full.",
        expert="Decay steps of warmup_stable_decay as a share of all steps.",
        source="20 %: Hägele et al. 2024, https://arxiv.org/abs/2405.18392",
    )] = 0.2


class Optimizer(Recipe):
    """How a step is made of the error."""

    optim: Annotated[Literal[
        "adamw_torch_fused", "adamw_torch", "adamw_8bit", "lion_32bit", "adafactor", "rmsprop", "adagrad", "sgd"], Knob(
        group="Optimizer",
        words=("AdamW", "AdamW, step by step", "AdamW in 8 bits", "Lion", "Adafactor", "RMSprop", "Adagrad",
               "Plain descent (SGD)"),
        label="Way of stepping",
        plain="How the next step is worked out. AdamW is right nearly always; the others need less memory, "
        "and another learning speed for answers as good.",
        expert="Optimizer by its name in transformers. Lion wants about a tenth of AdamW's rate, SGD a hundred times "
        "as much. 8-bit AdamW and Lion come from bitsandbytes, which is not for Macs.",
        source="Fused AdamW is the default of transformers and of TRL.",
    )] = "adamw_torch_fused"
    adam_beta1: Annotated[float, Field(ge=0, le=0.999), Knob(
        group="Optimizer", needs=Need("optim", ("adamw_torch_fused", "adamw_torch", "adamw_8bit", "lion_32bit")),
        label="Memory of directions",
        plain="How long a step remembers where the last ones went. More is smoother and slower to turn.",
        expert="Beta 1 of Adam and of Lion: decay of the running mean of gradients.",
        source="0.9 in the paper on Adam, and everywhere since.",
    )] = 0.9
    adam_beta2: Annotated[float, Field(ge=0.5, le=0.99999), Knob(
        group="Optimizer", needs=Need("optim", ("adamw_torch_fused", "adamw_torch", "adamw_8bit", "lion_32bit")),
        label="Memory of sizes",
        plain="How long it remembers how rough the ground was. Less follows sudden changes in the examples faster.",
        expert="Beta 2 of Adam and of Lion: decay of the running mean of squared gradients.",
        source="0.999 in the paper on Adam; 0.95 is usual for pre-training.",
    )] = 0.999
    adam_epsilon: Annotated[float, Field(ge=1e-12, le=0.1), Knob(
        group="Optimizer", needs=Need("optim", ("adamw_torch_fused", "adamw_torch", "adamw_8bit")),
        label="Floor of the sizes",
        plain="Keeps steps from growing without bound where hardly anything changes. Rarely touched.",
        expert="Epsilon in Adam's denominator.",
        source="1e-8, the default of transformers.",
    )] = 1e-8
    momentum: Annotated[float, Field(ge=0, le=0.999), Knob(
        group="Optimizer", slider=0.01, needs=Need("optim", ("sgd", "rmsprop")),
        label="Momentum",
        plain="How much of the last step goes on in the next one. More gets there faster and overshoots more.",
        expert="Momentum of SGD and RMSprop.",
        source="0.9 is the usual value for SGD.",
    )] = 0.9
    loraplus_lr_ratio: Annotated[float | None, Field(ge=1, le=64), Knob(
        group="Optimizer", needs=Need("tuning", ("lora",)),
        label="Faster second half",
        plain="How much faster the second half of the adapter learns than the first. It can get to the same answers "
        "in fewer steps. Leave it empty for the same speed.",
        expert="LoRA+: learning rate of the B matrices divided by that of the A matrices.",
        source="Empty, as in PEFT; the paper says 16. Hayou et al. 2024, https://arxiv.org/abs/2402.12354",
    )] = None
