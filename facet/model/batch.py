"""Many replies at once: rows of like length read together, finished ones leave, and waiting ones take their place.

On a processor one step for many rows costs little more than for one, because the weights are read once for all. Greedy
replies are those of a model asked one by one: where two words are so close that the company in a batch could decide
between them, the row is asked alone.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from facet.gemma.memory import free_memory_gb
from facet.model.decoding import Decoding
from facet.model.engine import Engine, most_of
from facet.model.lanes import Lanes
from facet.model.load import give_memory_back
from facet.model.next_token import Dice, require_numbers
from facet.model.reading import Reading, apart, is_cycle, text_of
from facet.model.speak import CYCLE_TOKENS, context_of
from facet.work.worker import is_out_of_memory

MOST_TOGETHER: Final = {"cpu": 32, "mps": 32, "cuda": 128}  # rows; more gain little and hold more memory
SHARE_OF_MEMORY: Final = 0.25  # of what is free, for keys and values
READ_TOKENS: Final = 4096  # of prompts, in one pass
FULL_PASS, ALIKE = 256, 0.8  # tokens that keep a processor busy, and the share of the longest that a prompt must have
LEAST_TOKENS: Final = 2048  # held at once, however little is free
LOOKAHEAD: Final = 32  # tokens of a reply that are reckoned with before it begins
JOIN_FROM: Final = 0.25  # of the places must be free before others join
CLOSE: Final = 1e-3  # in scores of 4-byte numbers: far more than the company in a batch can move them


@dataclass(frozen=True)
class Reply:
    """What a model answered to one prompt."""

    text: str  # without what was thought
    tokens: int
    ended: Literal["finished", "length"]
    repeating: bool  # it ended going round in circles
    thought: str = ""


@dataclass
class _Row:
    """One prompt and what was said so far. The dice and the stop texts begin anew with each."""

    index: int
    prompt: list[int]
    most: int  # tokens of the reply
    dice: Dice | None  # None where an engine throws its own
    reading: Reading
    ids: list[int] = field(default_factory=list)


def generate(
    model: Any,
    renderer: Any,
    prompts: Sequence[list[int]],
    decoding: Decoding,
    *,
    on_done: Callable[[int, Reply], None],
    should_stop: Callable[[], bool] = lambda: False,
    token_budget: int | None = None,
) -> None:
    """Answer every prompt, each as soon as it is done; `on_done` is given its place in `prompts`.

    `token_budget` is how many tokens, prompts and replies and what fills them up, are held at once; by default as many
    as a quarter of the free memory holds. Returns early when `should_stop`; what was not finished is not reported. A
    prompt that leaves no room for an answer gets an empty reply that ended by its length.
    Raises: `DataError` when the model is broken.
    """
    context = context_of(model)
    work = _Work(model, renderer, decoding, on_done, should_stop, token_budget or _budget(model))
    for index, prompt in enumerate(prompts):
        if len(prompt) < context:
            work.add(index, prompt)
        else:
            on_done(index, Reply("", 0, "length", False))
    work.run()


def generate_with(
    engine: Engine,
    renderer: Any,
    prompts: Sequence[list[int]],
    decoding: Decoding,
    *,
    on_done: Callable[[int, Reply], None],
    should_stop: Callable[[], bool] = lambda: False,
) -> None:
    """See `generate`: the same through another engine. Every prompt leaves room for an answer in its context."""
    reading = [Reading(renderer, decoding.stop) for _ in prompts]
    rows = {
        place: _Row(place, prompt, most_of(prompt, decoding, engine.context), None, reading[place])
        for place, prompt in enumerate(prompts)
    }
    heard = engine.speak(prompts, decoding, lambda place: place in rows and not should_stop())
    end = next(iter(renderer.stop_ids))
    with contextlib.closing(heard):
        for said in heard:
            tokens = [*said.tokens, end] if said.is_over else said.tokens
            for token in tokens if said.place in rows else ():
                rows[said.place].ids.append(token)
                if reply := _reply(rows[said.place], renderer):
                    del rows[said.place]
                    on_done(said.place, reply)
                    break
            if should_stop():
                return


@dataclass
class _Work:
    """The loop of one call."""

    model: Any
    renderer: Any
    decoding: Decoding
    on_done: Callable[[int, Reply], None]
    should_stop: Callable[[], bool]
    budget: int

    def __post_init__(self) -> None:
        self.most = MOST_TOGETHER.get(self.model.device.type, 32)
        self.is_exact = next(self.model.parameters()).element_size() == 4
        self.context = context_of(self.model)
        self.waiting: list[_Row] = []  # the longest last, from where they are taken
        self.joining: list[_Row] = []
        self.rows: list[_Row] = []
        self.lanes = Lanes(self.model)

    def add(self, index: int, prompt: list[int]) -> None:
        most = min(self.decoding.max_new_tokens, self.context - len(prompt))
        reading = Reading(self.renderer, self.decoding.stop)
        self.waiting.append(_Row(index, prompt, most, Dice(self.decoding), reading))

    def run(self) -> None:
        self._sort()
        while (self.waiting or self.rows) and not self.should_stop():
            try:
                self._advance()
            except RuntimeError as error:
                if not is_out_of_memory(error) or self.most == 1:
                    raise
                self._begin_again_smaller()

    def _sort(self) -> None:
        self.waiting.sort(key=lambda row: (len(row.prompt), row.index))

    def _advance(self) -> None:
        self.joining = self._next()
        while self.joining:
            together = self.joining[: _alike([len(row.prompt) for row in self.joining])]
            scores = self.lanes.join([row.prompt for row in together])
            first = len(self.rows)
            self.rows += together
            self.joining = self.joining[len(together) :]
            self._take(scores, first)
        if self.rows:
            self._take(self.lanes.step([row.ids[-1] for row in self.rows]), 0)

    def _next(self) -> list[_Row]:
        """Waiting rows for the free places, once there are enough of them to be worth a pass."""
        free = self.most - len(self.rows)
        if not self.waiting or (self.rows and (free < self.most * JOIN_FROM or not self.lanes.can_join)):
            return []
        length = max(len(self.waiting[-1].prompt), self.lanes.length) + LOOKAHEAD
        count = min(free, self.budget // length - len(self.rows), len(self.waiting))
        return [self.waiting.pop() for _ in range(max(count, 0 if self.rows else 1))]

    def _take(self, scores: Any, first: int) -> None:
        """Give the rows from `first` on their next token, and let go of those that are done."""
        require_numbers(scores)
        for row, token in zip(self.rows[first:], self._chosen(scores, self.rows[first:]), strict=True):
            row.ids.append(token)
        kept = []
        for place, row in enumerate(self.rows):
            reply = _reply(row, self.renderer) if place >= first else None
            if reply is None:
                kept.append(place)
            else:
                self.on_done(row.index, reply)
        if len(kept) < len(self.rows):
            self.rows = [self.rows[place] for place in kept]
            self.lanes.keep(kept)

    def _chosen(self, scores: Any, rows: list[_Row]) -> list[int]:
        if not rows[0].dice.is_plain:
            return [row.dice.choose(line, row.prompt + row.ids) for row, line in zip(rows, scores, strict=True)]
        best, places = scores.topk(2, dim=-1)  # (B, 2)
        tokens = places[:, 0].tolist()
        if self.is_exact and len(rows) > 1:
            for place in ((best[:, 0] - best[:, 1]) < CLOSE).nonzero().flatten().tolist():
                tokens[place] = self._alone(rows[place])
        return tokens

    def _alone(self, row: _Row) -> int:
        """The likeliest next token when this row is read by itself."""
        return int(Lanes(self.model).join([row.prompt + row.ids]).argmax())

    def _begin_again_smaller(self) -> None:
        """The memory did not hold so many: those who were speaking begin again, fewer at a time."""
        speaking = self.rows + self.joining
        self.most = max(1, min(self.most, len(speaking)) // 2)
        self.rows, self.joining, self.lanes = [], [], Lanes(self.model)
        for row in speaking:
            self.add(row.index, row.prompt)
        self._sort()
        give_memory_back()


def _reply(row: _Row, renderer: Any) -> Reply | None:
    """None while there is more to say."""
    stopped = row.ids[-1] in renderer.stop_ids
    said = row.ids[:-1] if stopped else row.ids
    if row.reading.stop and not stopped:
        row.reading.add(row.ids[-1])
    finished = stopped or row.reading.is_over
    if not finished and len(said) < row.most:
        return None
    text = row.reading.whole() if row.reading.is_over else text_of(renderer, said)
    thought, answer = apart(text)
    ended = "finished" if finished else "length"
    return Reply(answer, len(said), ended, is_cycle(said, CYCLE_TOKENS), thought)


def _alike(lengths: Sequence[int]) -> int:
    """How many prompts, the longest first, to read in one pass: few tokens should only fill up, and a pass be full."""
    count = 0
    while count < len(lengths) and (count + 1) * lengths[0] <= READ_TOKENS:
        if count * lengths[0] >= FULL_PASS and lengths[count] < ALIKE * lengths[0]:
            break
        count += 1
    return max(1, count)


def _budget(model: Any) -> int:
    """How many tokens may be held at once, from what one takes and what is free."""
    config = model.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    each = 2 * config.num_hidden_layers * heads * size * next(model.parameters()).element_size()
    return max(LEAST_TOKENS, int(SHARE_OF_MEMORY * _free_bytes(model.device.type) / each))


def _free_bytes(device: str) -> float:
    import torch

    return torch.cuda.mem_get_info()[0] if device == "cuda" else free_memory_gb() * 1e9
