"""How much work a run is: groups of examples, tokens with what fills them up, multiplications. Pure."""

import random
from dataclasses import dataclass, replace
from typing import Final

from facet.gemma.inspect import ModelFacts
from facet.recipe.recipes import PretrainRecipe, TrainingRecipe

DRAWN_ROWS: Final = 512  # enough to know how much filling-up a shuffle costs
MOST_DRAWN: Final = 20_000
MEGA: Final = 50  # groups that are sorted by length together, as the trainer does
SAVES: Final = 20
AT_ONCE: Final = {"cpu": 2048}  # tokens that go through the model at once, where more would only take more memory


def tokens_at_once(batch: int, longest: int, most: int) -> int:
    """Tokens that go through the model at once at most: of a group, or of portions of `most` tokens; 0: no portions.

    A single example is never divided.
    """
    return min(batch * longest, max(most, longest)) if most else batch * longest


@dataclass(frozen=True)
class Lengths:
    """The training part in tokens: of evenly spread examples in order of length, before anything is cut."""

    rows: int
    tokens: tuple[int, ...]
    learned: tuple[int, ...]  # trained tokens of the same examples
    validation: int = 0  # examples that each look on the way takes
    measured: bool = True  # with the model's own tokenizer, or estimated from the characters

    @property
    def longest(self) -> int:
        return max(self.tokens, default=1)

    def cut_rows(self, max_length: int) -> int:
        """How many examples are longer than this."""
        return round(self.rows * sum(length > max_length for length in self.tokens) / max(1, len(self.tokens)))

    def read_with(self, recipe: TrainingRecipe) -> "Lengths":
        """As the recipe cuts or joins them. What loses its whole answer is left out."""
        most = recipe.max_length
        if isinstance(recipe, PretrainRecipe):
            whole = self._of_at_least(recipe.min_length)
            texts = whole._joined(most) if recipe.packing else whole._divided(most)
            return replace(texts, rows=min(texts.rows, recipe.max_examples or texts.rows) if whole.tokens else 0)
        everything = getattr(recipe, "train_on", "answers") == "everything"
        kept = []
        for length, learned in zip(self.tokens, self.learned, strict=True):
            if length < recipe.min_length or (recipe.too_long == "leave_out" and length > most):
                continue
            left = min(length, most) if everything else max(0, learned - max(0, length - most))
            if left:
                kept.append((min(length, most), left))
        share = len(kept) / max(1, len(self.tokens))
        rows = min(max(1, round(self.rows * share)) if kept else 0, recipe.max_examples or self.rows)
        return replace(self, rows=rows, tokens=tuple(t for t, _ in kept), learned=tuple(n for _, n in kept))

    def _of_at_least(self, fewest: int) -> "Lengths":
        """Without the texts that have fewer tokens, whole as they are."""
        kept = [(length, n) for length, n in zip(self.tokens, self.learned, strict=True) if length >= fewest]
        rows = round(self.rows * len(kept) / max(1, len(self.tokens)))
        return replace(self, rows=rows, tokens=tuple(t for t, _ in kept), learned=tuple(n for _, n in kept))

    def _joined(self, most: int) -> "Lengths":
        """Whole blocks, and a shorter one of what is left."""
        total = round(self.rows * sum(self.tokens) / max(1, len(self.tokens)))
        whole, left = divmod(total, most)
        sizes = (left,) * (left > 1) + (most,) * min(whole, DRAWN_ROWS)
        return replace(self, rows=max(1, whole + (left > 1)), tokens=sizes or (1,), learned=sizes or (1,))

    def _divided(self, most: int) -> "Lengths":
        parts = [min(most, length - start) for length in self.tokens for start in range(0, max(1, length), most)]
        rows = max(1, round(self.rows * len(parts) / max(1, len(self.tokens))))
        return replace(self, rows=rows, tokens=tuple(sorted(parts)), learned=tuple(sorted(parts)))


@dataclass(frozen=True)
class Workload:
    """What a run does in all. Work in GFLOP: 10^9 multiplications and additions."""

    steps: int
    rows: int  # that are read, each time they are read
    passes: float  # groups of examples that go forwards and backwards
    tokens: float  # of those, filled up to the longest of their group
    learned: float
    work: float
    looks: int  # at the validation part
    look_passes: float  # groups in all looks together
    look_work: float
    saves: int


def workload(facts: ModelFacts, recipe: TrainingRecipe, lengths: Lengths, checkpointing: bool) -> Workload:
    """What this recipe comes to on these examples."""
    read = lengths.read_with(recipe)
    rows, batch = max(1, read.rows), recipe.per_device_train_batch_size
    steps, effective = recipe.steps(rows), recipe.effective_batch_size
    seen = steps * rows / -(-rows // effective) if rows > effective else steps * rows
    filled, learned = padded(read, recipe)  # tokens for each example
    passes = steps * -(-min(rows, effective) // batch)
    every = work_of(facts, recipe, seen * filled, seen * learned, read.longest, checkpointing)
    looks = min(recipe.evaluations, steps) + 1 if recipe.evaluations and read.validation else 0
    looked = looks * read.validation
    once = work_of(facts, recipe, looked * filled, looked * learned, read.longest, False) / 3
    saves = min(SAVES, steps)
    return Workload(
        steps, round(seen), passes, seen * filled, seen * learned, every, looks, looked / batch, once, saves
    )


def padded(read: Lengths, recipe: TrainingRecipe) -> tuple[float, float]:
    """Tokens that an example takes on average in its group, filled up to the longest there; and its trained ones."""
    if not read.tokens:
        return 1.0, 1.0
    dice = random.Random(0)
    batch = recipe.per_device_train_batch_size
    mega = batch * max(1, min(MEGA, read.rows // (batch * 4)))
    drawn = min(read.rows, max(DRAWN_ROWS, 2 * mega), MOST_DRAWN)
    order = [read.tokens[index * len(read.tokens) // drawn] for index in range(drawn)]
    dice.shuffle(order)
    if recipe.train_sampling_strategy == "group_by_length":
        order = [one for at in range(0, drawn, mega) for one in sorted(order[at : at + mega], reverse=True)]
    groups = [order[at : at + batch] for at in range(0, drawn, batch)]
    return sum(max(group) * len(group) for group in groups) / drawn, sum(read.learned) / len(read.learned)


def work_of(
    facts: ModelFacts, recipe: TrainingRecipe, tokens: float, learned: float, length: int, checkpointing: bool
) -> float:
    """GFLOP to go forwards and backwards over so many tokens, `learned` of them trained.

    Twice the weights forwards and twice backwards; twice more where all weights learn, and where the forward pass is
    done again. The output layer is applied to trained tokens only, but by TRL's own loss to all, and twice.
    """
    full = recipe.tuning == "full"
    head = facts.vocab_size * facts.hidden_size
    blocks = max(0, facts.parameters - head) + (0 if full else facts.trainable(recipe.lora_rank))
    times = 4 + (2 if full else 0) + (2 if checkpointing else 0)
    attention = 12 * facts.layers * length * facts.hidden_size / 2
    scored = tokens * 8 if recipe.loss_kernel == "stock" else learned * (6 if full else 4)
    return (tokens * (blocks * times + attention) + scored * head) / 1e9
