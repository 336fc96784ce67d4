"""A template's own text around the words of people: rendered once for each order of speakers, then only filled in.

Right for a template that writes every text once, whole or without its outer white space, and never looks at what it
says. That cannot be seen from outside, so it is done for the templates in `trusted.EVEN` alone.
"""

import re
from collections.abc import Callable
from typing import Any

_MOST_ORDERS = 1_000
_MOST_TURNS = 100
_PROBE = re.compile("( ?)\ue000([0-9]+)\ue000( ?)")

Render = Callable[[list[dict[str, Any]], bool], str]
Form = tuple[list[str], list[bool]]  # the template's text with a place for every message, and which are trimmed


class Gaps:
    """The texts of one template between messages, learned as orders of speakers come up."""

    def __init__(self, render: Render) -> None:
        self.render = render
        self.known: dict[tuple[Any, ...], Form | None] = {}

    def filled(self, messages: list[dict[str, Any]], add_generation_prompt: bool) -> str | None:
        """What the template writes; None where it has to be asked itself.

        Raises: what `render` raises for messages in this order.
        """
        if len(messages) > _MOST_TURNS or any([len(message) != 2 for message in messages]):
            return None
        order = (add_generation_prompt, *[message["role"] for message in messages])
        if order not in self.known:
            if len(self.known) >= _MOST_ORDERS:
                return None
            self.known[order] = self._form(order)
        if (form := self.known[order]) is None:
            return None
        texts, trimmed = form[0].copy(), form[1]
        for place, message in enumerate(messages):
            content = message["content"]
            texts[2 * place + 1] = content.strip() if trimmed[place] else content
        return "".join(texts)

    def _form(self, order: tuple[Any, ...]) -> Form | None:
        probes = [{"role": role, "content": f" \ue000{place}\ue000 "} for place, role in enumerate(order[1:])]
        texts = _PROBE.split(self.render(probes, order[0]))
        before, places, after = texts[1::4], texts[2::4], texts[3::4]
        if places != [str(place) for place in range(len(probes))] or before != after:
            return None
        own = texts[0::4]
        form = [own[0]]
        for text in own[1:]:
            form += ["", text]
        return form, [not space for space in before]
