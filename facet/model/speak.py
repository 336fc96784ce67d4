"""A model's reply, piece by piece, with the same decoding for every model that is compared."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from facet.errors import DataError
from facet.model.decoding import TRANSFORMERS, Decoding
from facet.model.engine import Engine, one_reply
from facet.model.history import window
from facet.model.reading import Reading, apart, is_cycle

Side = Literal["base", "tuned"]
Ended = Literal["", "finished", "length", "stopped", "repeating"]
READ_AT_ONCE: Final = {"cpu": 256}  # tokens of a prompt: between two such parts it can be stopped
READ_ELSEWHERE: Final = 1024  # the same where a card does it in less time
ENDLESS_TOKENS: Final = 256  # said in one cycle: it will not leave it any more
CYCLE_TOKENS: Final = 24  # in a cycle when the longest reply was reached: that is why it did not end
LOOKED_EVERY: Final = 16  # tokens


@dataclass(frozen=True)
class Piece:
    """One side's reply so far."""

    side: str  # the key of the speaker; "base" and "tuned" where there are two
    text: str  # without what was thought
    done: bool = False
    tokens: int = 0  # of the reply
    seconds: float = 0.0
    ended: Ended = ""
    prompt_tokens: int = 0
    context: int = 0  # tokens the model can read and write in all
    left_out: int = 0  # oldest turns that it could not read any more
    thought: str = ""
    first_seconds: float = 0.0  # until its first token
    engine: str = ""  # who computed it
    why: str = ""  # a sentence, where another engine was wanted


@dataclass
class Prompt:
    """What a model reads before it answers. `extras` are the pictures, ready for the model's own towers."""

    ids: list[int]
    left_out: int = 0
    extras: dict[str, Any] = field(default_factory=dict)


def context_of(model: Any) -> int:
    """Tokens the model can read and write in all."""
    return int(model.config.get_text_config().max_position_embeddings)


def reply(
    model: Any,
    renderer: Any,
    messages: list[dict],
    decoding: Decoding,
    side: str,
    stop: threading.Event,
    engine: Engine | None = None,
) -> Iterator[Piece]:
    """Yield the growing text; the last piece says how it ended. `stop` ends it at the next token.

    Where there is an `engine` that can hold it all, the words come from there, otherwise from `model` itself.

    Raises: `DataError` when the prompt leaves no room for an answer, or the model is broken.
    """
    ids, left_out = window(renderer, messages, context_of(model), decoding.max_new_tokens)
    yield from answer(model, renderer, Prompt(ids, left_out), decoding, side, stop, engine)


def answer(
    model: Any,
    renderer: Any,
    prompt: Prompt,
    decoding: Decoding,
    side: str,
    stop: threading.Event,
    engine: Engine | None = None,
) -> Iterator[Piece]:
    """See `reply`; the prompt is ready."""
    context = context_of(model)
    room = context - len(prompt.ids)
    if room < 1:
        raise DataError(
            "The conversation is longer than this model can read.",
            f"It has {len(prompt.ids):,} tokens and the model reads {context:,}.",
            "Press “Clear” or shorten your message.",
        )
    began, first = time.monotonic(), 0.0
    reading, most = Reading(renderer, decoding.stop), min(decoding.max_new_tokens, room)
    ended: Ended = "finished"
    fits = engine is not None and not prompt.extras and len(prompt.ids) + most <= engine.context
    said = one_reply(engine, prompt.ids, decoding, stop) if fits else tokens(model, prompt, decoding, stop)
    facts: dict[str, Any] = {"prompt_tokens": len(prompt.ids), "context": context, "left_out": prompt.left_out}
    facts["engine"] = engine.name if fits else TRANSFORMERS

    def piece(text: str, done: bool = False) -> Piece:
        thought, shown = apart(text)
        seconds = time.monotonic() - began
        how = ended if done else ""
        return Piece(side, shown, done, len(reading.ids), seconds, how, thought=thought, first_seconds=first, **facts)

    for token in said:
        first = first or time.monotonic() - began
        if token in renderer.stop_ids:
            break
        reading.add(token)
        yield piece(reading.so_far())
        if reading.is_over:
            break
        if len(reading.ids) >= most:
            ended = "repeating" if is_cycle(reading.ids, CYCLE_TOKENS) else "length"
            break
        if len(reading.ids) % LOOKED_EVERY == 0 and is_cycle(reading.ids, ENDLESS_TOKENS):
            ended = "repeating"
            break
    else:
        ended = "stopped"
    yield piece(reading.whole(), True)


def tokens(model: Any, prompt: Prompt, decoding: Decoding, stop: threading.Event) -> Iterator[int]:
    """Token after token, without end; ends only when stopped.

    Raises: `DataError` when the scores are not numbers.
    """
    import torch
    from transformers import DynamicCache

    from facet.model.next_token import Dice, require_numbers

    dice, cache = Dice(decoding), DynamicCache(config=model.config)
    said = list(prompt.ids)
    size = READ_AT_ONCE.get(model.device.type, READ_ELSEWHERE)
    unread = [prompt.ids] if prompt.extras else [prompt.ids[at : at + size] for at in range(0, len(prompt.ids), size)]
    extras = prompt.extras
    while True:
        for part in unread:
            if stop.is_set():
                return
            with torch.inference_mode():
                ids = torch.tensor([part], device=model.device)  # (1, T)
                out = model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1, **extras)
            extras = {}
        with torch.inference_mode():
            scores = out.logits[0, -1].float()  # (V,)
            require_numbers(scores)
            token = int(scores.argmax()) if dice.is_plain else dice.choose(scores, said)
        said.append(token)
        yield token
        unread = [[token]]
