"""One conversation as tokens, and which of them the model is taught to write.

The coloured preview, the counts, the gate before training and the tensors that are trained on all come from here.
A token is taught when it belongs to an answer or ends one; what the person and the instruction say is only read.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal

from tokenizers import Tokenizer

from facet.dataset import limited
from facet.dataset.conversation import Conversation
from facet.dataset.marks import Marker
from facet.dataset.model_files import ChatFormat, chat_format
from facet.dataset.template import ChatTemplate, Plan, Refused, refused, unusable
from facet.dataset.trusted import is_even, is_trusted
from facet.dataset.words import Words
from facet.errors import SettingError

_BATCH = 256
_WORDS_PAY_AFTER = 5_000  # pieces of text
_MOST_SECONDS = 1.0  # of processor time, for an unknown template to write one conversation
_MOST_PIECES_OF_ONE_LETTER = 4


TrainOn = Literal["answers", "last_answer", "everything"]


@dataclass(frozen=True)
class Rendered:
    """Shapes: `ids` and `trained` have T entries each, T ≤ `max_length`."""

    ids: list[int]
    trained: list[bool]
    cut: int = 0  # tokens left away behind `max_length`


class Renderer:
    """Turns conversations into tokens exactly as one model reads them."""

    def __init__(self, form: ChatFormat) -> None:
        self.tokenizer = tokenizer = form.tokenizer
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self.template_sha = template_hash(form.template)
        self.control_ids = _controls(tokenizer, form.template)
        stop_ids = {stop if isinstance(stop, int) else tokenizer.token_to_id(stop) for stop in form.stops}
        self.stop_ids = sorted(stop for stop in stop_ids if stop is not None)
        ends = [text for text, number in self.control_ids.items() if number in self.stop_ids]
        if not ends:
            raise _unknown_end()
        self._special_ids = {number for number, added in _added(tokenizer).items() if added.special}
        self._controls = re.compile(f"({'|'.join(map(re.escape, sorted(self.control_ids, key=len, reverse=True)))})")
        self._spells_controls = _may_spell_controls(tokenizer)
        self._marker = Marker(list(self.control_ids))
        self._opening, self._closing = (_named(form, name, tokenizer) for name in ("bos_token", "eos_token"))
        self._anchor = tokenizer.encode("a", add_special_tokens=False).ids[-1:]
        self._seen = 0
        self._words: Words | Literal[False] | None = None
        arguments = {
            "source": form.template,
            "variables": form.variables,
            "controls": list(self.control_ids),
            "ends": ends,
        }
        self._plans = _here(arguments) if is_trusted(self.template_sha) else _in_a_child(arguments)

    @classmethod
    def load(cls, model_folder: Path) -> "Renderer":
        """The renderer of a model's folder. Raises: `SettingError` when its tokenizer or template cannot be used."""
        return cls(chat_format(Path(model_folder)))

    def render(self, conversation: Conversation, max_length: int | None = None, tools: str | None = None) -> Rendered:
        return self.render_many([conversation], max_length, [tools])[0]

    def render_many(
        self,
        conversations: Sequence[Conversation],
        max_length: int | None = None,
        tools: Sequence[str | None] | None = None,
        train_on: TrainOn = "answers",
    ) -> list[Rendered]:
        """Many at once, which is faster than one by one. `tools`: declarations for each, as `Example` has them.

        Raises: `DataError` when the template refuses a conversation, or has no place for the tools in it.
        """
        rendered: list[Rendered] = []
        for start in range(0, len(conversations), _BATCH):
            declared = tools[start : start + _BATCH] if tools else ()
            plans = self._plans("plan", conversations[start : start + _BATCH], declared)
            for plan, pieces in zip(plans, self._encode(plans), strict=True):
                rendered.append(_joined(pieces, _learned(plan.trained, train_on), max_length))
        return rendered

    def prompt(self, messages: Conversation, tools: str | None = None) -> list[int]:
        """What the model reads right before it answers the last message."""
        return self.prompts([messages], [tools])[0]

    def prompts(
        self, conversations: Sequence[Conversation], tools: Sequence[str | None] | None = None
    ) -> list[list[int]]:
        """The same for many at once, which is faster than one by one."""
        found: list[list[int]] = []
        for start in range(0, len(conversations), _BATCH):
            declared = tools[start : start + _BATCH] if tools else ()
            plans = self._plans("prompt", conversations[start : start + _BATCH], declared)
            found += [[number for piece in pieces for number in piece] for pieces in self._encode(plans)]
        return found

    def prompt_with(self, messages: Conversation, written: Mapping[str, str]) -> list[int]:
        """`prompt`, where each of some texts of ours is replaced by others that may hold control tokens."""
        plan = self._plans("prompt", [messages])[0]
        texts = list(plan.texts)
        for mark, text in written.items():
            texts = [each.replace(mark, text) for each in texts]
        return [number for piece in self._encode([replace(plan, texts=tuple(texts))])[0] for number in piece]

    def chunks(self, text: str, max_length: int | None = None) -> list[Rendered]:
        """Raw text, of which every token is learned: between the tokens of a beginning and an end, cut into parts.

        Shapes: all but the last have `max_length` tokens.
        """
        marked, mark = self._marker.text(text)
        plan = Plan((marked,), (True,), mark)
        ids = [*self._opening, *self._encode([plan])[0][0], *self._closing]
        size = max_length or len(ids)
        parts = [ids[start : start + size] for start in range(0, len(ids), size)]
        return [Rendered(part, [True] * len(part)) for part in parts]

    def pieces(self, rendered: Rendered) -> list[tuple[str, bool, bool]]:
        """Tokens as readable text: (text, is it learned, is it a control token).

        A letter that is spread over several tokens is shown as one piece.
        """
        shown: list[tuple[str, bool, bool]] = []
        at = 0
        while at < len(rendered.ids):
            special = rendered.ids[at] in self._special_ids
            length, text = (1, self.tokenizer.id_to_token(rendered.ids[at])) if special else self._letters(rendered, at)
            shown.append((text, rendered.trained[at], special))
            at += length
        return shown

    def _letters(self, rendered: Rendered, at: int) -> tuple[int, str]:
        """How many tokens from here make whole letters, and their text."""
        first = ""
        for length in range(1, min(_MOST_PIECES_OF_ONE_LETTER, len(rendered.ids) - at) + 1):
            ids = rendered.ids[at : at + length]
            if len(set(rendered.trained[at : at + length])) > 1 or not self._special_ids.isdisjoint(ids):
                break
            text = self._decode(ids)
            if "\ufffd" not in text or (length == len("\ufffd".encode()) and text == "\ufffd"):
                return length, text
            first = first or text
        return 1, first

    def _decode(self, ids: list[int]) -> str:
        """Text of tokens in the middle of a text, where some decoders drop a leading space."""
        behind = self.tokenizer.decode(self._anchor + ids, skip_special_tokens=False)
        return behind[len(self.tokenizer.decode(self._anchor, skip_special_tokens=False)) :]

    def _encode(self, plans: list[Plan]) -> list[list[list[int]]]:
        """Token ids of every piece of every plan, all pieces that need no care together."""
        encoded = iter(self._encode_all([text for plan in plans if self._is_plain(plan) for text in plan.texts]))
        return [
            [next(encoded) if self._is_plain(plan) else self._encode_carefully(text, plan.mark) for text in plan.texts]
            for plan in plans
        ]

    def _encode_all(self, texts: list[str]) -> list[list[int]]:
        """Word by word once there are many; before that, learning words would not pay."""
        self._seen += len(texts)
        if self._words is None and self._seen > _WORDS_PAY_AFTER:
            self._words = Words.of(self.tokenizer) or False
        if self._words:
            return [self._words.encode(text) for text in texts]
        return [encoded.ids for encoded in self.tokenizer.encode_batch_fast(texts, add_special_tokens=False)]

    def _is_plain(self, plan: Plan) -> bool:
        return plan.mark is None and not self._spells_controls

    def _encode_carefully(self, text: str, mark: str | None) -> list[int]:
        """The template's control tokens become control tokens; the same letters in a person's text stay text."""
        ids: list[int] = []
        self.tokenizer.encode_special_tokens = True
        try:
            for part in self._controls.split(text):
                if part in self.control_ids:
                    ids.append(self.control_ids[part])
                    continue
                for words in part.split(mark) if mark else (part,):
                    ids += self.tokenizer.encode(words, add_special_tokens=False).ids
        finally:
            self.tokenizer.encode_special_tokens = False
        return ids


def _learned(is_trained: tuple[bool, ...], train_on: TrainOn) -> tuple[bool, ...]:
    """Which pieces are learned. In a plan they take turns: what comes before an answer, and the answer.

    An answer of weight 0 is never learned.
    """
    if train_on == "everything":
        return tuple(learned or place % 2 == 0 for place, learned in enumerate(is_trained))
    if train_on == "last_answer" and any(is_trained):
        last = max(place for place, learned in enumerate(is_trained) if learned)
        return tuple(place == last for place in range(len(is_trained)))
    return is_trained


def _joined(pieces: list[list[int]], is_trained: tuple[bool, ...], max_length: int | None) -> Rendered:
    ids: list[int] = []
    trained: list[bool] = []
    for piece, learned in zip(pieces, is_trained, strict=True):
        ids += piece
        trained += [learned] * len(piece)
    if max_length is None or len(ids) <= max_length:
        return Rendered(ids, trained)
    return Rendered(ids[:max_length], trained[:max_length], len(ids) - max_length)


def _here(arguments: dict[str, Any]):
    template = ChatTemplate(**arguments, is_even=is_even(template_hash(arguments["source"])))

    def plans(what: str, conversations: Sequence[Conversation], tools: Sequence[str | None] = ()) -> list[Plan]:
        make = getattr(template, what)
        try:
            return [
                make(conversation, json.loads(declared) if declared else None)
                for conversation, declared in zip_longest(conversations, tools)
            ]
        except Refused as complaint:
            raise refused(str(complaint)) from None

    return plans


def _in_a_child(arguments: dict[str, Any]):
    """A template that came with a model and is not among the known ones runs where it can do no harm."""

    def plans(what: str, conversations: Sequence[Conversation], tools: Sequence[str | None] = ()) -> list[Plan]:
        request = {"template": arguments, "what": what, "conversations": list(conversations), "tools": list(tools)}
        count = len(conversations)
        answers = limited.call(
            "plans", request, seconds=10 + count, processor_seconds=2 + count * _MOST_SECONDS, memory_gb=0.5
        )
        return [Plan(tuple(each["texts"]), tuple(each["trained"]), each["mark"]) for each in answers]

    plans("prompt", [[{"role": "user", "content": "a"}]])  # a template that cannot work fails at once
    return plans


def plans(
    template: dict[str, Any], what: str, conversations: list[Conversation], tools: list[str | None] | None = None
) -> list[dict[str, Any]]:
    """What a limited child does with an unknown template."""
    try:
        with limited.processor_seconds(_MOST_SECONDS):
            make = _here(template)
        found: list[Plan] = []
        for conversation, declared in zip_longest(conversations, tools or ()):
            with limited.processor_seconds(_MOST_SECONDS):
                found += make("prompt" if what == "prompt" else "plan", [conversation], [declared])
    except TimeoutError:
        raise unusable(f"It was still computing after {_MOST_SECONDS:g} second.") from None
    return [asdict(plan) for plan in found]


def _named(form: ChatFormat, name: str, tokenizer: Tokenizer) -> list[int]:
    """A special token by the name that templates use, if the model has it."""
    number = tokenizer.token_to_id(form.variables.get(name, ""))
    return [] if number is None else [number]


def template_hash(template: str) -> str:
    return hashlib.sha256(template.strip().encode()).hexdigest()


def _added(tokenizer: Tokenizer) -> dict[int, Any]:
    return tokenizer.get_added_tokens_decoder()


def _controls(tokenizer: Tokenizer, template: str) -> dict[str, int]:
    """Tokens that steer the model: the special ones, and other added ones that the template writes itself."""
    return {
        added.content: number
        for number, added in _added(tokenizer).items()
        if added.content.strip() and (added.special or added.content in template)
    }


def _may_spell_controls(tokenizer: Tokenizer) -> bool:
    """Whether other letters can become a control token, because the text is normalised before they are looked for."""
    return any(added.special and added.normalized for added in _added(tokenizer).values())


def _unknown_end() -> SettingError:
    return SettingError(
        "Nothing says how this model ends its turn.",
        "Its files name no end-of-turn token, so it would never stop speaking.",
        "Choose another “Starting model”.",
    )
