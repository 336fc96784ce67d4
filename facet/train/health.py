"""How a run is doing, in one sentence with its numbers and one with what to do: a pure function over its curves."""

import itertools
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from facet.recipe.recipes import PretrainRecipe, TrainingRecipe
from facet.train import best

Kind = Literal["begun", "learning", "flat", "memorising", "unstable", "finished"]
Curve = Sequence[tuple[int, float]]

FEWEST_STEPS: Final = 8  # before which nothing is said
FLAT: Final = 0.03  # share of the loss that has to go for it to be learning
RISE: Final = 0.02  # of the validation loss above its lowest, at two looks in a row
STEEP_RISE: Final = 0.10  # or at a single one
WORSE: Final = 1.10  # times the loss of the beginning, for a run that gets worse
BLOWN_UP: Final = 1.3  # times the validation loss of the starting model, without coming back below it
AROUND: Final = 20  # steps that one is compared with
SPIKE: Final = 2.0  # times the loss around it
MOST_LOOKED_AT: Final = 400  # newest steps, for jumps: this is read every two seconds
SPIKES: Final = 3  # of the newest half, that make a run unstable
GUESSING: Final = 3.5  # nats: the right word piece has a chance of 1 in 33
GROWING: Final = 8.0  # times the gradient norm of before, while the loss does not fall


@dataclass(frozen=True)
class Health:
    kind: Kind
    words: str  # what is seen, with numbers
    next: str  # what to do; empty where nothing has to be done
    guesses: bool = False  # it learned, and is still far from sure

    @property
    def look(self) -> str:
        """Of the note on the page."""
        if self.guesses:
            return ""
        return {"memorising": "warn", "flat": "warn", "unstable": "error", "finished": "good"}.get(self.kind, "")


def health(
    curves: Mapping[str, Curve], total_steps: int, recipe: TrainingRecipe, over: bool = False, kept: int | None = None
) -> Health:
    """`kept` is the step of the save point that a run which is `over` ended with."""
    training, looks = list(curves.get("loss", ())), [*curves.get("validation_loss", ())]
    seen = best.looks_of(looks, total_steps or 10**12)
    if (broken := _unstable(training, looks, curves.get("grad_norm", ()), recipe)) is not None:
        return broken
    if not over and len(training) < min(FEWEST_STEPS, max(2, total_steps // 2)):
        return Health("begun", _begun_words(training), "")
    if (learned := _memorising(training, seen, kept, recipe)) is not None:
        return learned
    if not _is_plain(recipe) and not _has_two_looks(looks):
        return _unseen(training, bool(looks), over)
    before, now, which = _fall(training, looks)
    share = (before - now) / before if before else 0.0
    if share < FLAT:
        if not over and _share_done(training, total_steps) < 0.2:
            return Health("begun", _begun_words(training), "")
        return _flat(before, now, which, recipe)
    gone = f"The {which} fell from {_n(before)} to {_n(now)}, by {share:.0%}"
    if over:
        return _finished(gone, now)
    if len(seen) >= 3 and best.without_gain(seen) >= 2:
        return Health(
            "learning", f"{gone}, and has levelled off.", "There is little more to gain; “Stop and keep” is fine."
        )
    return Health("learning", f"It is learning. {gone}.", "")


def _finished(gone: str, now: float) -> Health:
    if now <= GUESSING:
        words = f"It learned well. {gone}."
        return Health("finished", words, "Ask it on the Chat tab, and measure it on the Test tab.")
    words = f"It learned, and is still guessing. {gone}: the right word piece has 1 chance in {math.exp(now):,.0f}."
    more = "More examples of one kind, or a larger starting model, would make it surer."
    return Health("finished", words, more, guesses=True)


def spike(values: Sequence[float]) -> float | None:
    """How many times the loss around it the newest one is, where that is out of the ordinary."""
    if len(values) < FEWEST_STEPS:
        return None
    around = values[-AROUND - 1 : -1]
    middle = statistics.median(around)
    spread = statistics.median(abs(value - middle) for value in around)
    times = values[-1] / middle if middle > 0 else 1.0
    return times if times >= SPIKE and values[-1] > middle + 8 * spread else None


# ---- the kinds
def _unstable(training: Curve, looks: Curve, norms: Curve, recipe: TrainingRecipe) -> Health | None:
    values = [value for _, value in training]
    slower = f"Start again with “Learning speed” {_n(recipe.learning_rate / 3)}, a third of now."
    if any(not math.isfinite(value) for value in values):
        return Health("unstable", "The loss is no longer a number: the model had begun to forget everything.", slower)
    if len(values) < FEWEST_STEPS:
        return None
    before, after = dict(looks).get(0), [loss for step, loss in looks if step]
    if before and after and max(after) > BLOWN_UP * before and after[-1] > (1 - FLAT) * before:
        words = f"The validation loss jumped from {_n(before)} to {_n(max(after))}; now it is {_n(after[-1])}."
        return Health("unstable", f"{words} What the model knew before was lost.", slower)
    if not _is_plain(recipe):
        return None
    start, now = statistics.median(values[: max(3, len(values) // 20)]), _level(values)
    if now > WORSE * start and now - start > 3 * _noise(values):
        return Health("unstable", f"The loss rose from {_n(start)} to {_n(now)}: it is getting worse.", slower)
    half = len(values) // 2
    newest = range(max(half, len(values) - MOST_LOOKED_AT), len(values))
    jumps = [training[at][0] for at in newest if spike(values[max(0, at - AROUND) : at + 1])]
    if len(jumps) >= SPIKES:
        words = f"The loss jumped {len(jumps)} times to more than twice of what it was, last at step {jumps[-1]:,}."
        return Health("unstable", words, slower)
    grown = _grown([value for _, value in norms])
    if grown > GROWING and now > 0.9 * statistics.median(values[half - 2 : half + 3]) and now > 0.5 * start:
        words = f"The push of each step (gradient norm) grew {grown:.0f} times, while the loss stays at {_n(now)}."
        return Health("unstable", words, slower)
    return None


def _memorising(training: Curve, seen: Curve, kept: int | None, recipe: TrainingRecipe) -> Health | None:
    lowest = best.lowest(seen)
    if lowest is None or len(seen) < 2:
        return None
    low = dict(seen)[lowest]
    rises = [(loss - low) / low for step, loss in seen if step > lowest] if low > 0 else []
    risen = bool(rises) and (rises[-1] > STEEP_RISE or (len(rises) > 1 and min(rises[-2:]) > RISE))
    at_best = _around(training, lowest)
    now = _level([value for _, value in training])
    if not risen or at_best is None or (_is_plain(recipe) and now > 0.98 * at_best):
        return None
    fell = f", while the training loss fell to {_n(now)}" if _is_plain(recipe) else ""
    words = f"It learns by heart: since step {lowest:,} the validation loss rose from {_n(low)} to {_n(seen[-1][1])}"
    words = f"{words}{fell}."
    if kept is not None and kept <= lowest:
        return Health("memorising", f"{words} You keep the model of step {kept:,}.", _less(recipe))
    safe = " “Stop and keep” gives you the best one." if recipe.keep_best else ""
    return Health("memorising", words, f"{_less(recipe)}{safe if kept is None else ''}")


def _less(recipe: TrainingRecipe) -> str:
    if recipe.max_steps is None and recipe.num_train_epochs > 1:
        times = f"“Times through the data” (now {recipe.num_train_epochs:g})"
        return f"Next time lower {times}, or bring more varied examples."
    return "Next time take fewer steps, or bring more varied examples."


def _is_plain(recipe: TrainingRecipe) -> bool:
    """Does the training loss fall while the model learns? DFT's, `-p log p` of each token, first rises with p."""
    return recipe.loss_type == "nll"


def _unseen(training: Curve, will_look: bool, over: bool) -> Health:
    """What is said where only checks on a validation part could tell, and there were none yet."""
    words = f"{len(training):,} steps are done. With “Gently on what it finds unlikely” the training loss does not tell"
    if over:
        more = "Ask it on the Chat tab, and measure it on the Test tab."
        return Health("finished", f"{words} how well it learned.", more, guesses=True)
    if will_look:
        return Health("begun", f"{words} how well it learns; the next check will.", "")
    more = "With a validation part, and “Checks on the way” above 0, it would be seen here."
    return Health("learning", f"{words} how well it learns.", more)


def _flat(before: float, now: float, which: str, recipe: TrainingRecipe) -> Health:
    words = f"It has learned little: the {which} went from {_n(before)} to {_n(now)}."
    if before < 0.05:
        return Health("flat", f"There was little to learn: the {which} was {_n(before)} from the start.", "")
    faster = f"Try “Learning speed” {_n(recipe.learning_rate * 3)}, three times of now"
    doubt = "the answers follow from the questions"
    if isinstance(recipe, PretrainRecipe):
        doubt = "the texts are readable, and new to the model"
    return Health("flat", words, f"{faster}. If that changes nothing, look whether {doubt}.")


# ---- what is measured
def _fall(training: Curve, looks: Curve) -> tuple[float, float, str]:
    """The loss at the beginning and now: on the validation part where it was looked at before and after.

    On the training part, which is noisy, a fall counts as far as it is more than chance.
    """
    values = [value for _, value in training]
    finite = [(step, loss) for step, loss in looks if math.isfinite(loss)]
    if _has_two_looks(looks):
        return finite[0][1], min(loss for _, loss in finite[1:]), "validation loss"
    if not values:
        return 0.0, 0.0, "training loss"
    first, last = max(3, len(values) // 10), max(5, len(values) // 10)
    before, now = statistics.fmean(values[:first]), _level(values)
    chance = 2 * _noise(values) * math.sqrt(1 / first + 1 / last)  # so far apart they may lie without any learning
    return before, min(before, now + chance) if now < before else now, "training loss"


def _has_two_looks(looks: Curve) -> bool:
    """Was the validation part looked at before the first step, and after it?"""
    finite = [step for step, loss in looks if math.isfinite(loss)]
    return len(finite) >= 2 and finite[0] == 0


def _level(values: Sequence[float]) -> float:
    """Where the curve is now: the middle of its newest tenth."""
    return statistics.median(values[-max(5, len(values) // 10) :]) if values else 0.0


def _around(training: Curve, step: int) -> float | None:
    near = [value for at, value in training if at <= step][-max(5, len(training) // 10) :]
    return statistics.median(near) if near else None


def _noise(values: Sequence[float]) -> float:
    """How far neighbours lie apart."""
    return statistics.median(abs(b - a) for a, b in itertools.pairwise(values)) if len(values) > 1 else 0.0


def _grown(norms: Sequence[float]) -> float:
    if len(norms) < 20:
        return 1.0
    tenth = len(norms) // 10
    before, now = statistics.median(norms[2 * tenth : 5 * tenth]), statistics.median(norms[-2 * tenth :])
    return now / before if before > 0 else 1.0


def _share_done(training: Curve, total_steps: int) -> float:
    return training[-1][0] / total_steps if training and total_steps else 0.0


def _begun_words(training: Curve) -> str:
    if not training:
        return "It has not taken a step yet."
    return f"It has just begun; after {len(training)} steps the training loss is {_n(training[-1][1])}."


def _n(value: float) -> str:
    return f"{value:.3g}"
