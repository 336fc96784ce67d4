"""What is filled into a template's own text is what the template would have written, to the letter."""

import random

import pytest

from facet.dataset.gaps import Gaps
from facet.dataset.render import template_hash
from facet.dataset.template import ChatTemplate, Refused
from facet.dataset.trusted import EVEN, KNOWN, is_even, starter_template
from facet.errors import DataError, SettingError
from tests.dataset import toy

TURNS = ("<bos>", "<start_of_turn>", "<end_of_turn>")
OUTER = ("", "", " ", "\n", "\t \n", "\u00a0", "\x1f")


def source(name: str) -> str:
    text = starter_template() if name == "starter" else toy.trl_template(name)
    if text is None:
        pytest.skip("TRL is not installed, so its templates are not at hand")
    return text


def made_up_conversations(count: int, seed: int) -> list[list[dict[str, str]]]:
    """Also some in an order that templates refuse, and texts with white space around them."""
    rng = random.Random(seed)
    made = toy.conversations(count, seed) + toy.conversations(count, seed + 1, (*TURNS, "<end_of", "_turn>", "\ue000"))
    for conversation in made:
        is_odd = rng.random() < 0.1
        for message in conversation:
            message["content"] = rng.choice(OUTER) + message["content"] + rng.choice(OUTER)
            message["role"] = rng.choice(("system", "user", "assistant")) if is_odd else message["role"]
    return made


def outcome(template: ChatTemplate, what: str, conversation: list[dict[str, str]]) -> object:
    try:
        return getattr(template, what)(conversation)
    except (Refused, DataError, SettingError) as complaint:
        return str(complaint)


@pytest.mark.parametrize("name", ["starter", "gemma.jinja", "gemma3.jinja"])
def test_filling_in_gives_what_the_template_writes(name):
    arguments = {
        "source": source(name),
        "variables": {"bos_token": "<bos>"},
        "controls": list(TURNS),
        "ends": ["<end_of_turn>"],
    }
    assert is_even(template_hash(arguments["source"]))
    slow, fast = ChatTemplate(**arguments), ChatTemplate(**arguments, is_even=True)
    for conversation in made_up_conversations(500, 7):
        for what in ("plan", "prompt"):
            assert outcome(fast, what, conversation) == outcome(slow, what, conversation)
    assert any(form is not None for form in fast.gaps.known.values())


def test_only_templates_that_are_known_are_filled_in():
    assert EVEN < KNOWN
    assert not is_even(template_hash("{# changed #}" + starter_template()))


@pytest.mark.parametrize(
    "write",
    [
        lambda messages: messages[0]["content"] * 2,
        lambda messages: messages[0]["content"].lstrip(),
        lambda messages: "nothing of it",
        lambda messages: messages[1]["content"] + messages[0]["content"],
    ],
)
def test_texts_that_are_not_written_once_and_in_order_are_left_to_the_template(write):
    gaps = Gaps(lambda messages, add_generation_prompt: write(messages))
    messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    assert gaps.filled(messages, False) is None


def test_messages_with_more_than_a_text_are_left_to_the_template():
    gaps = Gaps(lambda messages, add_generation_prompt: "".join(each["content"] for each in messages))
    assert gaps.filled([{"role": "user", "content": " a "}], False) == " a "
    assert gaps.filled([{"role": "assistant", "content": "a", "weight": 0}], False) is None
