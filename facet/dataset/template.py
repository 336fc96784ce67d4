"""A model's chat template, rendered without ever trusting it or the words it is given.

A template is a program that came with a model. It runs in Jinja's sandbox, and `render.py` decides in which process.
"""

import datetime
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jinja2 import TemplateError, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment, SecurityError

from facet.dataset.conversation import Conversation
from facet.dataset.gaps import Gaps
from facet.dataset.marks import Marker
from facet.errors import DataError, SettingError

Tools = list[dict[str, Any]] | None

_PROBE = "\ue000probe\ue000"
_MOST_TEMPLATE_CHARACTERS = 200_000
_MOST_IN_A_POWER = 64


@dataclass(frozen=True)
class Plan:
    """A conversation as text, cut where the model begins to speak and where it ends its turn.

    Wherever a person's own text spells a control token, `mark` stands behind the first character of it.
    """

    texts: tuple[str, ...]
    trained: tuple[bool, ...]
    mark: str | None = None


class Refused(Exception):
    """The template's own complaint about a conversation."""


class _Generation(Extension):
    """`{% generation %}` marks answers for other libraries; here its body is rendered and nothing else."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class ChatTemplate:
    """One template with the texts of the model's control tokens and of those that end a turn.

    `is_even`: it is known to write every text as it is, so that its own text around them can be kept.
    """

    def __init__(
        self, source: str, variables: Mapping[str, str], controls: list[str], ends: list[str], is_even: bool = False
    ) -> None:
        if len(source) > _MOST_TEMPLATE_CHARACTERS:
            raise unusable("It is longer than any template should be.")
        self.variables = dict(variables)
        self.marker = Marker(controls)
        self.end = re.compile("|".join(map(re.escape, ends)) or r"(?!)")
        try:
            self.template = _environment().from_string(source)
        except (TemplateError, RecursionError) as error:
            raise unusable(f"It is not valid: {str(error)[:100]}.") from None
        self.gaps = Gaps(self._written) if is_even else None
        self.folds_system = self._must_fold_system()

    def plan(self, conversation: Conversation, tools: Tools = None) -> Plan:
        """The pieces of a conversation; a trained piece is an answer and its end of turn.

        Raises: `Refused`, and `DataError` when tools are used that the template does not write.
        """
        messages, tools, mark = self._marked(conversation, tools)
        whole = self._render(messages, False, tools)
        pieces: list[tuple[str, bool]] = []
        at = 0
        for place, message in enumerate(messages):
            if message["role"] != "assistant":
                continue
            prompt = self._render(messages[:place], True, tools)
            if whole.startswith(prompt) and len(prompt) > at:
                pieces.append((whole[at : len(prompt)], False))
            elif place == len(messages) - 1:
                whole = prompt + self._answer(messages, whole, tools)
                pieces = [(prompt, False)]
            else:
                continue  # this answer is read in a form in which it was never asked for
            at = self._end(messages, place, whole, len(prompt), tools)
            pieces.append((whole[len(prompt) : at], message.get("weight") != 0))
        pieces.append((whole[at:], False))
        return Plan(tuple(text for text, _ in pieces), tuple(trained for _, trained in pieces), mark)

    def prompt(self, messages: Conversation, tools: Tools = None) -> Plan:
        """What the model reads right before it answers."""
        marked, tools, mark = self._marked(messages, tools)
        return Plan((self._render(marked, True, tools),), (False,), mark)

    def _end(self, messages: list[dict[str, Any]], place: int, whole: str, start: int, tools: Tools) -> int:
        """Where the answer that begins at `start` ends: behind its end of turn, and before the result of a tool."""
        most = len(whole)
        if place + 1 < len(messages) and messages[place + 1]["role"] == "tool":
            until = self._render(messages[: place + 1], False, tools)
            most = max(start, _alike(whole, until))
        end = self.end.search(whole, start, most)
        if end:
            return end.end()
        if most == len(whole):
            raise unusable("It does not end the model's turns with a control token.")
        return most

    def _answer(self, messages: list[dict[str, Any]], whole: str, tools: Tools) -> str:
        """The last answer and its end of turn, where the prompt ends in more than the template writes before it."""
        probe = self._render([*messages[:-1], {"role": "assistant", "content": _PROBE}], False, tools)
        header, found, _ = probe.rpartition(_PROBE)
        if not found or not whole.startswith(header):
            raise unusable("What it writes before an answer depends on the answer.")
        return whole[len(header) :]

    def _marked(self, conversation: Conversation, tools: Tools) -> tuple[list[dict[str, Any]], Tools, str | None]:
        """The messages with every control token that is spelled in them broken by a character used nowhere else."""
        messages: list[dict[str, Any]] = [dict(message) for message in conversation]
        if tools is not None or any("tool_calls" in each or each["role"] == "tool" for each in messages):
            self._require_tools(messages, tools)
        if self.folds_system and len(messages) > 1 and messages[0]["role"] == "system":
            messages = _folded(messages)
        return self.marker.marked(messages, tools)

    def _require_tools(self, messages: list[dict[str, Any]], tools: Tools) -> None:
        """Raises: `DataError` when the template would leave out what these messages need."""
        declares, calls = self.writes_tools
        uses = any("tool_calls" in message or message["role"] == "tool" for message in messages)
        if (tools and not declares) or (uses and not calls):
            raise no_tools()

    @cached_property
    def writes_tools(self) -> tuple[bool, bool]:
        """Whether the template writes declarations of tools, and whether it writes calls and what comes back."""
        asked = [{"role": "user", "content": "a"}]
        function = {"name": _PROBE, "description": "b", "parameters": {"type": "object", "properties": {}}}
        call = {"id": "call_1", "type": "function", "function": {"name": _PROBE, "arguments": {}}}
        called = [
            *asked,
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "name": "c", "content": _PROBE * 2},
            {"role": "assistant", "content": "d"},
        ]
        try:
            declares = _PROBE in self._render(asked, False, [{"type": "function", "function": function}])
        except Refused:
            declares = False
        try:
            text = self._render(called, False, None)
        except Refused:
            text = ""
        return declares, _PROBE * 2 in text and _PROBE in text.replace(_PROBE * 2, "")

    def _render(self, messages: list[dict[str, Any]], add_generation_prompt: bool, tools: Tools = None) -> str:
        filled = self.gaps.filled(messages, add_generation_prompt) if self.gaps is not None and tools is None else None
        return self._written(messages, add_generation_prompt, tools) if filled is None else filled

    def _written(self, messages: list[dict[str, Any]], add_generation_prompt: bool, tools: Tools = None) -> str:
        try:
            return self.template.render(
                messages=messages,
                tools=tools,
                documents=None,
                add_generation_prompt=add_generation_prompt,
                **self.variables,
            )
        except (MemoryError, RecursionError):
            raise unusable("It needs far too much memory or depth.") from None
        except TemplateError as error:
            raise Refused(str(error)[:200]) from None
        except (TypeError, ValueError, KeyError, AttributeError, IndexError, ArithmeticError) as error:
            raise Refused(f"{type(error).__name__} in the template") from None

    def _must_fold_system(self) -> bool:
        """Whether the template refuses or forgets an instruction, so that it has to open the first question."""
        try:
            text = self._render(
                [{"role": "system", "content": _PROBE}, {"role": "user", "content": "a"}], add_generation_prompt=True
            )
        except Refused:
            return True
        return _PROBE not in text


def _alike(first: str, second: str) -> int:
    """How many characters two texts begin with alike."""
    pairs = zip(first, second, strict=False)
    return next((place for place, (one, other) in enumerate(pairs) if one != other), min(len(first), len(second)))


def _folded(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    system, first, *others = messages
    return [{**first, "content": f"{system['content']}\n\n{first['content']}"}, *others]


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox stops no single operation, and one power of large numbers computes for hours."""

    intercepted_binops = frozenset({"**"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if not all(isinstance(each, int | float) and abs(each) <= _MOST_IN_A_POWER for each in (left, right)):
            raise SecurityError("too large a power")
        return super().call_binop(context, operator, left, right)


def _environment() -> _Sandbox:
    """The environment that templates on the Hub are written for."""
    environment = _Sandbox(trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols])
    environment.filters["tojson"] = _tojson
    environment.globals["raise_exception"] = _raise
    environment.globals["strftime_now"] = lambda form: datetime.datetime.now().strftime(form)
    return environment


def _tojson(value: Any, ensure_ascii: bool = False, indent: int | None = None, separators=None, sort_keys=False) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _raise(message: str) -> None:
    raise TemplateError(str(message))


def unusable(why: str) -> SettingError:
    return SettingError("This model's chat template cannot be used.", why, "Choose another “Starting model”.")


def no_tools() -> DataError:
    return DataError(
        "This model cannot be taught to use tools.",
        "Its chat template has no place for tools, and the examples declare or call some.",
        "Choose a “Starting model” that knows tools, such as Gemma 4 or FunctionGemma.",
    )


def refused(complaint: str) -> DataError:
    return DataError(
        "The model's chat template does not accept an example.",
        f"It says: {complaint}.",
        "Choose another “Starting model”, or prepare the data again.",
    )
