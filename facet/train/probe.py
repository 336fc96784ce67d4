"""What a run finds out about its machine and its model once, before the first step, and never again.

Which precision multiplies faster here, and whether Facet's own loss and LoRA layers give the numbers of the usual ones.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from facet.gemma.inspect import ModelFacts
from facet.model.load import BF16_FROM_PARAMETERS, Execution
from facet.recipe.recipes import TrainingRecipe
from facet.work import log
from facet.work.device import has_fast_bfloat16
from facet.work.worker import is_out_of_memory

UNDECIDED: Final = ""  # Execution.loss before the comparison
SMALL: Final = 50_000_000  # parameters; below it float32 stays, out of caution (docs/speed.md)
CLEARLY: Final = 1.25  # times as fast as what is expected to be faster here; chance in timing must not decide
TIMED: Final = 10  # products in each precision, taking turns; the fastest counts
ROWS, POSITIONS, BEFORE = 2, 8, 64  # what is compared: labelled positions of each row, and tokens before the first
LOSS_MAY_DIFFER: Final = {"float32": 1e-4, "bfloat16": 0.05}  # nats
GRADIENT_MAY_DIFFER: Final = {"float32": 1e-3, "bfloat16": 0.25}  # relative to its length; rounding alone reaches 0.15
WORDS: Final = "The error is computed in the usual way: Facet's faster one gave other numbers for this model."


def precision(recipe: TrainingRecipe, facts: ModelFacts, usual: Execution) -> str:
    """In which numbers the model is held: where it is frozen as the recipe says, else what is faster here and fits.

    Weights that all learn need their digits, whatever the recipe says of frozen ones.
    """
    if recipe.tuning == "full":
        return "float32"
    if recipe.base_precision in ("float32", "bfloat16"):
        return recipe.base_precision
    if usual.device != "cpu" or recipe.base_precision != "auto" or facts.parameters > BF16_FROM_PARAMETERS:
        return usual.dtype
    if facts.parameters < SMALL:
        return "float32"
    return faster_precision(usual.threads)


def faster_precision(threads: int) -> str:
    """The precision in which this processor multiplies matrices faster, in some 0.2 s.

    A processor that says it multiplies bfloat16 itself is believed unless float32 is clearly faster, and the other way
    round: on a machine that is busy with something else one timing says little.
    """
    import torch

    torch.set_num_threads(threads)
    seconds = {"float32": math.inf, "bfloat16": math.inf}
    for _ in range(TIMED):
        for dtype, best in seconds.items():
            seconds[dtype] = min(best, _multiplication(getattr(torch, dtype)))
    expected, other = ("bfloat16", "float32") if has_fast_bfloat16() else ("float32", "bfloat16")
    return other if seconds[other] * CLEARLY < seconds[expected] else expected


def _multiplication(dtype: Any) -> float:
    """Seconds of a product of the size of a small Gemma's layers."""
    import torch

    left, right = torch.ones(256, 640, dtype=dtype), torch.ones(640, 2048, dtype=dtype)
    return _seconds(lambda: left @ right)


def _seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def choose_kernels(job: Any, trainer: Any) -> None:
    """Give the trainer's model the loss and the LoRA layers of this run, decided here if no slice has yet."""
    loss, fused = job.execution.loss, job.execution.fused
    if loss == UNDECIDED:
        loss, fused = _decide(job, trainer)
        job.settle(loss=loss, fused=fused)
    install(trainer.model, loss, fused)


def install(model: Any, loss: str, fused: bool) -> Callable[[], None]:
    """Returns how to undo it. Does nothing for the stock loss."""
    from facet.train.fused import fuse
    from facet.train.loss import score_trained_tokens

    undo = [score_trained_tokens(_inner(model))] if loss == "facet" else []
    undo += fuse(model) if fused else []

    def all_of_it() -> None:
        for one in undo:
            if one is not None:
                one()

    return all_of_it


def _inner(model: Any) -> Any:
    return model.get_base_model() if hasattr(model, "peft_config") else model


def _decide(job: Any, trainer: Any) -> tuple[str, bool]:
    from facet.train.loss import head_of

    if job.recipe.loss_kernel == "stock" or head_of(_inner(trainer.model)) is None:
        return "stock", False
    numbers = "bfloat16" if job.execution.device == "cuda" else job.execution.dtype  # a card computes so in any case
    for fused in (True, False):
        if equals_stock(trainer, fused, numbers):
            faster = job.execution.device != "cuda" or _is_faster(trainer, fused)
            return ("facet", fused) if faster else ("stock", False)
    job.piece.emit(log.Noted(words=WORDS))
    return "stock", False


def equals_stock(trainer: Any, fused: bool, dtype: str) -> bool:
    """Do our loss and gradient equal those by the model's own scores, on a few positions of the first rows?"""
    model, batch = trainer.model, _few_positions(trainer)
    try:
        with _for_comparison(trainer):
            usual, slope = _loss_and_gradient(model, batch, _by_scores)
            undo = install(model, "facet", fused)
            try:
                ours, our_slope = _loss_and_gradient(model, batch, _by_kernel)
            finally:
                undo()
    except Exception as error:  # a kind of model for which it was not made
        if is_out_of_memory(error):
            raise
        return False
    apart = float((our_slope - slope).norm() / slope.norm().clamp(min=1e-12))
    same_loss = abs(ours - usual) <= LOSS_MAY_DIFFER[dtype] * max(1.0, usual)
    return same_loss and apart <= GRADIENT_MAY_DIFFER[dtype]


def _is_faster(trainer: Any, fused: bool) -> bool:
    """Is ours faster than the trainer's own on the first batch? Each is run twice; the second time counts."""
    import torch

    rows = [trainer.train_dataset[at] for at in range(min(trainer.args.train_batch_size, len(trainer.train_dataset)))]
    batch = trainer._prepare_inputs(trainer.data_collator(rows))

    def step() -> None:
        _loss_and_gradient(trainer.model, batch, _by_kernel)
        torch.cuda.synchronize()

    with _for_comparison(trainer):
        stock = [_seconds(step) for _ in range(2)][-1]
        undo = install(trainer.model, "facet", fused)
        try:
            return [_seconds(step) for _ in range(2)][-1] < stock
        finally:
            undo()


def _few_positions(trainer: Any) -> Any:
    """The first rows, cut to their first few labels and a little before them."""
    rows = []
    for at in range(min(ROWS, len(trainer.train_dataset))):
        row = trainer.train_dataset[at]
        labelled = [place for place, label in enumerate(row["labels"]) if label != -100][: POSITIONS + 1]
        window = slice(max(0, labelled[0] - BEFORE), labelled[-1] + 1)
        rows.append({name: row[name][window] for name in ("input_ids", "labels")})
    return trainer._prepare_inputs(trainer.data_collator(rows))


def _by_scores(model: Any, batch: dict[str, Any]) -> Any:
    import torch

    inputs = {name: value for name, value in batch.items() if name != "labels"}
    scores = model(**inputs, use_cache=False).logits[:, :-1].float()  # (B, T - 1, V)
    return torch.nn.functional.cross_entropy(scores.flatten(0, 1), batch["labels"][:, 1:].flatten())


def _by_kernel(model: Any, batch: dict[str, Any]) -> Any:
    told = model(**batch, use_cache=False, fused_lm_head=True)
    return -told.log_probs.sum() / told.label_mask.sum()


def _loss_and_gradient(model: Any, batch: dict[str, Any], way: Callable[..., Any]) -> tuple[float, Any]:
    """The gradient of all that learns, in one row. Nothing of it stays with the model."""
    import torch

    learning = [weight for weight in model.parameters() if weight.requires_grad]
    loss = way(model, batch)
    slopes = torch.autograd.grad(loss, learning, allow_unused=True)
    return float(loss.detach()), torch.cat([slope.float().flatten() for slope in slopes if slope is not None])


@contextmanager
def _for_comparison(trainer: Any) -> Iterator[None]:
    """Without dropout, and with something in the matrices that begin at zero and would hide a mistake.

    The state of chance and every weight are afterwards what they were.
    """
    import torch

    model, dice = trainer.model, torch.Generator().manual_seed(0)
    zero = [weight for weight in model.parameters() if weight.requires_grad and not weight.detach().any()]
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            for weight in zero:
                weight.copy_(torch.randn(weight.shape, generator=dice) * 0.02)
        with trainer.compute_loss_context_manager():
            yield
    finally:
        with torch.no_grad():
            for weight in zero:
                weight.zero_()
        model.train(was_training)
