"""One run in one place: memory, minutes, quota and price, before it starts. Pure."""

import math
from dataclasses import dataclass
from typing import Final, Literal

from facet.gemma.inspect import ModelFacts
from facet.gemma.memory import Needs, Precision, Training, training_needs
from facet.recipe.prices import RENTED
from facet.recipe.recipes import TrainingRecipe
from facet.recipe.workload import AT_ONCE, Lengths, Workload, tokens_at_once, workload

START_SECONDS: Final = 15.0  # libraries and the first look at the data
LOAD_GB_PER_SECOND: Final = 0.5
SAVE_SECONDS: Final = 0.3  # beside the bytes of a save point
SAVE_SHARE: Final = 0.05  # of the time of a run that its save points take at most
SAVE_GB_PER_SECOND: Final = 0.3
PASS_SECONDS: Final = 0.06  # what a group costs however short it is
ZERO_SLICE_SECONDS: Final = 15.0  # loading and saving, in each call
ANSWER_SECONDS: Final = 4.0  # answers to a person's prompts may take so long on the way at any rate
ANSWER_SHARE: Final = 0.06  # and so much of the time of the run; the first and the last are always given
ANSWER_TIMES: Final = 8  # where the run does not look at a validation part
ANSWERED_AT_MOST: Final = 24  # times
READ_GB_PER_SECOND: Final = {"cpu": 10.0, "mps": 80.0, "cuda": 800.0}  # weights, for each token that is written
LAYER_SECONDS: Final = 0.002  # of each layer, for each token
SAFE: Final = 0.95  # of the free memory is filled at most
How = Literal["measured", "earlier runs", "rough"]


@dataclass(frozen=True)
class Pace:
    """What things take, in seconds: by the clock, or of a processor."""

    per_gflop: float
    per_pass: float  # a group of examples, however short
    per_update: float = 0.0
    load: float = START_SECONDS
    per_token: float | None = None  # of an answer; estimated where it was not measured


@dataclass(frozen=True)
class Measured:
    """What is known of one machine and one model, from a measurement or from earlier runs."""

    how: How
    clock: Pace
    processor: Pace
    memory_ratio: float | None = None  # peak that was measured, over the estimate for the same
    precision: Precision | None = None  # of the frozen model, as the worker decided here


@dataclass(frozen=True)
class Machine:
    """A place that could do the run."""

    where: str  # "local", "zerogpu", or a flavor of rented machine
    words: str
    device: str  # "cpu", "cuda", "mps"
    free_gb: float
    gflops: float  # by rule of thumb, where nothing was measured
    precision: Precision = "float32"  # what "auto" comes to there
    quota_seconds: float | None = None  # that are left today
    quota_factor: float = 1.0  # seconds of quota for a second on the card
    slice_seconds: float = 600.0
    usd_per_hour: float = 0.0
    cores: int = 1
    measured: Measured | None = None
    is_here: bool = True
    quota_daily: float = 300.0  # seconds there are each day


@dataclass(frozen=True)
class Forecast:
    """One place."""

    where: str
    words: str
    gb: float
    free_gb: float
    minutes: float
    seconds_per_step: float
    processor_seconds: float
    how: How
    slices: int = 1
    quota_minutes: float | None = None  # that it takes; None where none is counted
    quota_left: float | None = None  # minutes, of today
    quota_daily: float = 5.0  # minutes
    usd: float = 0.0
    is_here: bool = True

    @property
    def fits(self) -> bool:
        return self.gb <= SAFE * self.free_gb

    @property
    def days(self) -> int:
        """On how many days a quota that comes back daily is needed; 1 where it suffices."""
        if self.quota_minutes is None or self.quota_left is None:
            return 1
        return 1 + math.ceil(max(0.0, self.quota_minutes - self.quota_left) / max(0.1, self.quota_daily))


def rented() -> tuple[Machine, ...]:
    """What the run would cost on machines of Hugging Face Jobs."""
    return tuple(
        Machine(one.flavor, one.words, "cuda", one.memory_gb, one.gflops, "bfloat16", usd_per_hour=one.usd_per_hour,
                is_here=False)
        for one in RENTED
    )  # fmt: skip


def forecast(facts: ModelFacts, recipe: TrainingRecipe, lengths: Lengths, machine: Machine) -> Forecast:
    """One place: does it fit, how long does it take, what does it cost?"""
    load = workload(facts, recipe, lengths, checkpoints(recipe, machine))
    known = machine.measured or rough(facts, recipe, machine)
    token = token_seconds(facts, recipe, machine)
    cores = machine.cores if machine.device == "cpu" else 1
    seconds, step = spent(facts, recipe, load, known.clock, token)
    processor, _ = spent(facts, recipe, load, known.processor, token * cores)
    quota, slices = None, 1
    if machine.quota_seconds is not None:
        useful = max(1.0, machine.slice_seconds - ZERO_SLICE_SECONDS)
        slices = max(1, int(-(-seconds // useful)))
        quota = (seconds + slices * ZERO_SLICE_SECONDS) * machine.quota_factor / 60
    return Forecast(
        where=machine.where,
        words=machine.words,
        gb=memory_gb(facts, recipe, lengths, machine),
        free_gb=machine.free_gb,
        minutes=seconds / 60,
        seconds_per_step=step,
        processor_seconds=processor,
        how=known.how,
        slices=slices,
        quota_minutes=quota,
        quota_left=None if machine.quota_seconds is None else machine.quota_seconds / 60,
        quota_daily=machine.quota_daily / 60,
        usd=seconds / 3600 * machine.usd_per_hour,
        is_here=machine.is_here,
    )


def token_seconds(facts: ModelFacts, recipe: TrainingRecipe, machine: Machine) -> float:
    """A rule of thumb for one token of an answer: all weights are read once, and each layer takes its time."""
    width = {"float32": 4.0, "bfloat16": 2.0, "8bit": 1.0, "4bit": 0.6}[resolved(recipe, machine)]
    return facts.parameters * width / 1e9 / READ_GB_PER_SECOND[machine.device] + LAYER_SECONDS * facts.layers


def spent(
    facts: ModelFacts, recipe: TrainingRecipe, load: Workload, pace: Pace, token: float
) -> tuple[float, float]:
    """Seconds of a whole run, and of one of its steps. `token` is what one of an answer takes, if it is not known."""
    step = (load.work * pace.per_gflop + load.passes * pace.per_pass) / load.steps + pace.per_update
    looking = load.look_work * pace.per_gflop + load.look_passes * pace.per_pass / 3
    learning = step * load.steps
    answers = answering(recipe, load, learning, token if pace.per_token is None else pace.per_token)
    save = SAVE_SECONDS + _save_gb(facts, recipe) / SAVE_GB_PER_SECOND
    saving = save + min((load.saves - 1) * save, SAVE_SHARE * learning)  # the last is always written
    return pace.load + learning + looking + answers + saving, step


def answering(recipe: TrainingRecipe, load: Workload, learning: float, token: float) -> float:
    """Seconds of the answers on the way: the first and the last always, those between as long as they may take."""
    answer = recipe.sample_max_tokens * token
    if not answer:
        return 0.0
    epochs = 0 if recipe.max_steps else int(recipe.num_train_epochs)
    between = min((load.looks or ANSWER_TIMES) + epochs, load.steps, ANSWERED_AT_MOST) - 1
    allowed = ANSWER_SECONDS + ANSWER_SHARE * learning - answer  # asked before each, and the first counts
    return answer * (2 + max(0, min(between, int(allowed // answer) + 1)))


def rough(facts: ModelFacts, recipe: TrainingRecipe, machine: Machine) -> Measured:
    """A rule of thumb, where nothing was measured."""
    slower = {"4bit": 1.4, "8bit": 1.6}.get(recipe.base_precision, 1.0) * (1.35 if recipe.use_dora else 1.0)
    load = START_SECONDS + facts.parameters * 4 / 1e9 / LOAD_GB_PER_SECOND
    per_pass = PASS_SECONDS * facts.layers / 18
    clock = Pace(slower / machine.gflops, per_pass, load=load)
    processor = Pace(clock.per_gflop * machine.cores, per_pass, load=load) if machine.device == "cpu" else clock
    return Measured("rough", clock, processor)


def needs_of(
    facts: ModelFacts,
    recipe: TrainingRecipe,
    lengths: Lengths,
    machine: Machine,
    answers: bool = True,
    at_once: int | None = None,
) -> Needs:
    """Memory by what it is for, in its largest moment. `at_once` is that of a run that has begun (`Execution`)."""
    read = lengths.read_with(recipe)
    rows, most = min(recipe.per_device_train_batch_size, max(1, read.rows)), AT_ONCE.get(machine.device, 0)
    tokens = tokens_at_once(rows, read.longest, most if at_once is None else at_once)
    batch = tokens / max(1, read.longest)
    most_learned = math.ceil(batch * max(read.learned, default=1))
    how = Training(
        batch=batch,
        length=read.longest,
        learned=most_learned,
        tuning=recipe.tuning,
        precision=resolved(recipe, machine),
        rank=recipe.lora_rank,
        trainable=trainable(facts, recipe),
        optimizer=recipe.optim,
        dora=recipe.use_dora,
        gradient_checkpointing=checkpoints(recipe, machine),
        stock_loss=recipe.loss_kernel == "stock",
        dropout=recipe.lora_dropout > 0,
        answers=answers and recipe.sample_max_tokens > 0,
        device=machine.device,
    )
    return training_needs(facts, how)


def memory_gb(facts: ModelFacts, recipe: TrainingRecipe, lengths: Lengths, machine: Machine) -> float:
    """The peak, corrected by what was measured here where there is such a measurement."""
    ratio = machine.measured.memory_ratio if machine.measured else None
    return needs_of(facts, recipe, lengths, machine).gb * (ratio or 1.0)


def resolved(recipe: TrainingRecipe, machine: Machine) -> Precision:
    if recipe.base_precision != "auto":
        return recipe.base_precision
    return (machine.measured.precision if machine.measured else None) or machine.precision


def checkpoints(recipe: TrainingRecipe, machine: Machine) -> bool:
    """Is the forward pass done again in the backward pass?"""
    return recipe.gradient_checkpointing == "on" or (
        recipe.gradient_checkpointing == "auto" and machine.device == "cuda"
    )


def trainable(facts: ModelFacts, recipe: TrainingRecipe) -> int:
    """How many weights learn."""
    if recipe.tuning == "full":
        return facts.parameters
    first, last = recipe.first_layer or 1, min(recipe.last_layer or facts.layers, facts.layers)
    share = max(0, last - first + 1) / facts.layers
    return round(share * facts.trainable(recipe.lora_rank, recipe.lora_targets.replace("_", "-")))


def _save_gb(facts: ModelFacts, recipe: TrainingRecipe) -> float:
    """Bytes of a save point: every trained weight, and the two averages of its optimizer."""
    return 12 * trainable(facts, recipe) / 1e9
