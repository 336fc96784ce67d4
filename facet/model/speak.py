"""A model's reply, piece by piece, with the same decoding for the untouched and the tuned side."""

import math
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from facet.errors import DataError, SettingError

Side = Literal["base", "tuned"]
LONGEST_PROMPT_CHARACTERS = 200_000
MOST_TURNS = 400
LIMITS: dict[str, tuple[float, float, str]] = {
    "temperature": (0.0, 2.0, "Temperature"),
    "top_p": (0.01, 1.0, "Top-p"),
    "top_k": (0, 1000, "Top-k"),
    "max_new_tokens": (1, 8192, "Longest reply"),
    "seed": (0, 2**31 - 1, "Seed"),
}


@dataclass(frozen=True)
class Decoding:
    """How words are chosen. Temperature 0 always takes the likeliest; the same seed repeats the same dice."""

    temperature: float = 0.0
    top_p: float = 0.95
    top_k: int = 64
    max_new_tokens: int = 256
    seed: int = 0

    def __post_init__(self) -> None:
        for name, (low, high, label) in LIMITS.items():
            value = getattr(self, name)
            number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
            if not number or not low <= value <= high:
                raise SettingError(
                    "A chat setting is not right.",
                    f"“{label}” must be a number from {low:g} to {high:g}.",
                    "Correct it and send again; your text is kept.",
                )

    def as_dict(self) -> dict[str, float | int]:
        return asdict(self)


@dataclass(frozen=True)
class Piece:
    """One side's reply so far."""

    side: Side
    text: str
    done: bool = False
    tokens: int = 0
    seconds: float = 0.0
    ended: Literal["", "finished", "length", "stopped"] = ""


def check_messages(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    """Roles in order and text within bounds: history comes back from the browser and may have been changed.

    Raises: `DataError`.
    """
    turns = messages[1:] if messages and messages[0].get("role") == "system" else messages
    expected = ["user" if number % 2 == 0 else "assistant" for number in range(len(turns))]
    if [turn.get("role") for turn in turns] != expected or not turns or len(turns) % 2 == 0:
        raise DataError(
            "The conversation is out of order.",
            "You and the model must take turns, and the last turn must be yours.",
            "Press “Clear” and start the conversation again.",
        )
    if not turns[-1]["content"].strip():
        raise DataError("There is nothing to answer.", "Your message is empty.", "Write a message and send it.")
    length = sum(len(turn["content"]) for turn in messages)
    if length > LONGEST_PROMPT_CHARACTERS or len(turns) > MOST_TURNS:
        raise DataError(
            "The conversation is too long.",
            f"It has {length:,} characters, and {LONGEST_PROMPT_CHARACTERS:,} is the most.",
            "Press “Clear” or shorten your message.",
        )
    return messages


def reply(
    model: Any, renderer: Any, messages: list[dict], decoding: Decoding, side: Side, stop: threading.Event
) -> Iterator[Piece]:
    """Generate with transformers in a thread and yield the growing text. `stop` ends it at the next token.

    Raises: `DataError` when the prompt leaves no room for an answer.
    """
    import torch
    from transformers import StoppingCriteria, StoppingCriteriaList

    prompt = renderer.prompt(messages)
    room = model.config.get_text_config().max_position_embeddings - len(prompt)
    if room < 1:
        raise DataError(
            "The conversation is longer than this model can read.",
            f"It has {len(prompt):,} tokens and the model reads {len(prompt) + room:,}.",
            "Press “Clear” or shorten your message.",
        )
    new = _Tokens()

    class Stopped(StoppingCriteria):
        def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
            return torch.full((input_ids.shape[0],), stop.is_set(), dtype=torch.bool, device=input_ids.device)

    ids = torch.tensor([prompt], device=model.device)  # (1, T)
    arguments = dict(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        streamer=new,
        pad_token_id=renderer.stop_ids[0],
        eos_token_id=list(renderer.stop_ids),
        max_new_tokens=min(decoding.max_new_tokens, room),
        stopping_criteria=StoppingCriteriaList([Stopped()]),
        **_sampling(decoding),
    )
    failure: list[BaseException] = []

    def work() -> None:
        try:
            torch.manual_seed(decoding.seed)
            with torch.inference_mode():
                model.generate(**arguments)
        except BaseException as error:
            failure.append(error)
        finally:
            new.end()

    began = time.monotonic()
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    answer: list[int] = []
    for token in new:
        if token in renderer.stop_ids:
            continue
        answer.append(token)
        yield Piece(side, _whole(text_of(renderer, answer)), tokens=len(answer), seconds=time.monotonic() - began)
    thread.join()
    if failure:
        raise failure[0]
    ended = (
        "stopped"
        if stop.is_set()
        else "length"
        if new.count >= arguments["max_new_tokens"] and new.last not in renderer.stop_ids
        else "finished"
    )
    yield Piece(side, text_of(renderer, answer), True, len(answer), time.monotonic() - began, ended)


def _sampling(decoding: Decoding) -> dict[str, Any]:
    """Every knob is given, so that a model's own generation_config cannot make the sides differ."""
    if decoding.temperature == 0:
        return {"do_sample": False, "temperature": None, "top_p": None, "top_k": None, "repetition_penalty": 1.0}
    return {
        "do_sample": True,
        "temperature": float(decoding.temperature),
        "top_p": float(decoding.top_p),
        "top_k": int(decoding.top_k),
        "repetition_penalty": 1.0,
    }


def text_of(renderer: Any, ids: list[int]) -> str:
    return renderer.tokenizer.decode(ids, skip_special_tokens=True)


def _whole(text: str) -> str:
    """Without the half of a letter that is still being written byte by byte."""
    return text.rstrip("\ufffd")


class _Tokens:
    """A transformers streamer that hands over token ids; the first call brings the prompt and is passed by."""

    def __init__(self) -> None:
        import queue

        self._queue: Any = queue.Queue()
        self._prompt_seen = False
        self.count, self.last = 0, -1

    def put(self, value: Any) -> None:
        if not self._prompt_seen:
            self._prompt_seen = True
            return
        for token in value.flatten().tolist():
            self._queue.put(token)

    def end(self) -> None:
        self._queue.put(None)

    def __iter__(self) -> Iterator[int]:
        while (token := self._queue.get()) is not None:
            self.count, self.last = self.count + 1, token
            yield token
