"""The conversation a model is given: turns in order, text it can read, and no more of it than fits. No torch."""

import re
from typing import Any, Final

from facet.errors import DataError

LONGEST_PROMPT_CHARACTERS: Final = 200_000
MOST_TURNS: Final = 400  # read; what came before is left out, and said
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def check_messages(messages: Any) -> list[dict[str, Any]]:
    """Roles in order and text within bounds: history comes back from the browser and may have been changed.

    Half of a letter (a lone surrogate), which no tokenizer takes, becomes the sign for an unknown one.
    Raises: `DataError`.
    """
    if not isinstance(messages, list) or not all(map(_is_turn, messages)):
        raise _out_of_order()
    turns = messages[1:] if messages and messages[0]["role"] == "system" else messages
    expected = ["user" if number % 2 == 0 else "assistant" for number in range(len(turns))]
    if [turn["role"] for turn in turns] != expected or not turns or len(turns) % 2 == 0:
        raise _out_of_order()
    if not turns[-1]["content"].strip() and not turns[-1].get("images"):
        raise DataError("There is nothing to answer.", "Your message is empty.", "Write a message and send it.")
    longest = max(len(turns[-1]["content"]), len(messages[0]["content"]))
    if longest > LONGEST_PROMPT_CHARACTERS:
        raise DataError(
            "The conversation is too long.",
            f"One turn has {longest:,} characters, and {LONGEST_PROMPT_CHARACTERS:,} is the most.",
            "Press “Clear” or shorten your message.",
        )
    return [_cleaned(turn) for turn in messages]


def window(renderer: Any, messages: list[dict[str, Any]], context: int, wanted: int) -> tuple[list[int], int]:
    """The prompt, and how many of the oldest turns had to be left out of it so that it can be read and answered.

    Instructions always stay. Of the tokens a model reads, `wanted` are kept for the answer, but at most a quarter.
    Raises: `DataError` when even the last message alone leaves no room.
    """
    opening = messages[:1] if messages[0]["role"] == "system" else []
    turns = messages[len(opening) :]
    room = context - max(1, min(wanted, context // 4))
    pairs = (len(turns) - 1) // 2  # that can be left out
    left_out = min(_first_within(turns, len(turns) - MOST_TURNS), pairs)
    prompt = renderer.prompt(opening + turns[2 * left_out :])
    low, high = left_out, pairs
    if len(prompt) <= room:
        return prompt, 2 * left_out
    while low < high:  # the smallest number of pairs whose absence is enough
        middle = (low + high) // 2
        if len(renderer.prompt(opening + turns[2 * middle :])) <= room:
            high = middle
        else:
            low = middle + 1
    prompt = renderer.prompt(opening + turns[2 * low :])
    if len(prompt) >= context:
        raise DataError(
            "The conversation is longer than this model can read.",
            f"Your message alone has {len(prompt):,} tokens and the model reads {context:,}.",
            "Press “Clear” or shorten your message.",
        )
    return prompt, 2 * low


def _first_within(turns: list[dict[str, Any]], too_many: int) -> int:
    """Pairs to leave out so that neither turns nor characters are beyond what is read at all."""
    pairs, length = 0, sum(len(turn["content"]) for turn in turns)
    while 2 * pairs < too_many or length > LONGEST_PROMPT_CHARACTERS:
        if 2 * pairs >= len(turns) - 1:
            break
        length -= sum(len(turn["content"]) for turn in turns[2 * pairs : 2 * pairs + 2])
        pairs += 1
    return pairs


def _is_turn(turn: Any) -> bool:
    if not isinstance(turn, dict) or not all(isinstance(turn.get(name), str) for name in ("role", "content")):
        return False
    images = turn.get("images") or []
    return isinstance(images, list) and all(isinstance(file, str) for file in images) and _may_show(turn)


def _may_show(turn: dict[str, Any]) -> bool:
    """Pictures come from people."""
    return turn["role"] == "user" or not turn.get("images")


def _cleaned(turn: dict[str, Any]) -> dict[str, Any]:
    """Only what a model reads: the page keeps more with a turn."""
    text = _LONE_SURROGATE.sub("\ufffd", turn["content"])
    return {"role": turn["role"], "content": text} | ({"images": turn["images"]} if turn.get("images") else {})


def _out_of_order() -> DataError:
    return DataError(
        "The conversation is out of order.",
        "You and the model must take turns, and the last turn must be yours.",
        "Press “Clear” and start the conversation again.",
    )
