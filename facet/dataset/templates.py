"""Chat templates a person may choose for a model that brings none: ready ones, or their own, tried before it is used.

A pre-trained model only continues text. A template says how a conversation is written for it as one text; whatever is
chosen stays with the run, so that training, chat, tests and the published model all write it alike.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from facet.dataset.conversation import Conversation
from facet.dataset.model_files import ChatFormat, chat_format
from facet.dataset.render import Rendered, Renderer
from facet.dataset.trusted import FOLDER, starter_template
from facet.errors import CapacityError, DataError, SettingError

LONGEST: Final = 40_000  # characters of a template
OWN: Final = "own"
TRIED: Final[tuple[Conversation, ...]] = (
    [
        {"role": "user", "content": "What is the capital of Peru?"},
        {"role": "assistant", "content": "Lima."},
    ],
    [
        {"role": "user", "content": "Name a colour."},
        {"role": "assistant", "content": "Blue."},
        {"role": "user", "content": "Another one, please."},
        {"role": "assistant", "content": "Green it is."},
    ],
    [
        {"role": "system", "content": "Answer like a pirate."},
        {"role": "user", "content": "Where is the sea?"},
        {"role": "assistant", "content": "Over there, arr!"},
    ],
)


@dataclass(frozen=True)
class Ready:
    """A template that comes with Facet. `needs` are the control tokens it writes."""

    name: str
    label: str
    words: str
    needs: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        return starter_template() if self.name == "gemma3" else _file(self.name)


READY: Final[tuple[Ready, ...]] = (
    Ready("gemma3", "Turns of Gemma 1 to 3", "As the tuned Gemmas read it.", ("<start_of_turn>", "<end_of_turn>")),
    Ready("gemma4", "Turns of Gemma 4", "As the tuned Gemma 4 reads it, without thoughts.", ("<|turn>", "<turn|>")),
    Ready("chatml", "ChatML", "As Qwen and many others read it.", ("<|im_start|>", "<|im_end|>")),
    Ready("plain", "Question and answer", "Two words of plain text, for any model: Question, Answer."),
    Ready("continuation", "Plain continuation", "Nothing around the words: the model goes on where you stop."),
)
NAMES: Final = tuple(ready.name for ready in READY)


@dataclass(frozen=True)
class Tried:
    """What a template makes of a conversation: (text, is it learned, is it a control token)."""

    pieces: list[tuple[str, bool, bool]]
    ends_with: str  # the token that ends the model's turn


def recommended(generation: str, method: str = "sft") -> str:
    """The ready template for a pre-trained model: that of its tuned sibling; for raw text nothing around the words.

    Other families' control tokens were often never trained in the pre-trained model, so they get plain words.
    """
    if method == "cpt":
        return "continuation"
    return {"1": "gemma3", "2": "gemma3", "3": "gemma3", "3n": "gemma3", "4": "gemma4"}.get(generation, "plain")


def source_of(name_or_text: str) -> str:
    """The template itself. Whatever is no name of a ready one is a template.

    Raises: `SettingError` for something that cannot be one.
    """
    wanted = name_or_text.strip()
    if found := next((ready for ready in READY if ready.name == wanted), None):
        return found.source
    if len(wanted) > LONGEST:
        raise unfit(f"It has {len(wanted):,} characters, and {LONGEST:,} are the most.")
    if "{" not in wanted:
        raise unfit(f"It is neither one of {', '.join(NAMES)} nor a text with places for messages.")
    return name_or_text


def try_template(model_folder: str, template: str) -> dict[str, Any]:
    """What a limited child does: see `tried`."""
    return asdict(tried(Path(model_folder), template))


def tried(model_folder: Path, template: str) -> Tried:
    """A short conversation as this model would read it, once the template has kept what every template must.

    The prompt before each answer is what training shows before it; exactly the answers and their ends are learned;
    nothing that a person says is left out or becomes a control token. Whoever wrote it, it runs where it can do no
    harm, for a limited time.

    Raises: `SettingError` that says what is wrong with it.
    """
    source = source_of(template)
    try:
        form = chat_format(model_folder, source)
        _require_tokens(template.strip(), form)
        renderer = Renderer(form)
        for conversation in TRIED:
            _require_properties(renderer, conversation)
        shown = renderer.render(TRIED[1])
    except (SettingError, DataError, CapacityError) as problem:
        raise problem if problem.what == UNFIT else unfit(f"{problem.why.rstrip('.')}.") from None
    end = renderer.tokenizer.id_to_token(_trained(shown)[-1])
    return Tried(renderer.pieces(shown), end)


def _require_tokens(name: str, form: ChatFormat) -> None:
    needs = next((ready.needs for ready in READY if ready.name == name), ())
    if missing := [token for token in needs if form.tokenizer.token_to_id(token) is None]:
        raise unfit(f"It writes {missing[0]}, and this model does not know that token.")


def _require_properties(renderer: Renderer, conversation: Conversation) -> None:
    rendered = renderer.render(conversation)
    starts = [place for place, _ in _spans(rendered)]
    answers = [place for place, message in enumerate(conversation) if message["role"] == "assistant"]
    if len(starts) != len(answers):
        raise unfit("It does not write every answer where it can be learned.")
    for start, place in zip(starts, answers, strict=True):
        prompt = renderer.prompt(conversation[:place])
        if rendered.ids[:start] != prompt:
            raise unfit("What it writes before an answer differs from what the model will read when it is asked.")
    for (start, end), place in zip(_spans(rendered), answers, strict=True):
        text = renderer.tokenizer.decode(rendered.ids[start:end], skip_special_tokens=False)
        if conversation[place]["content"] not in text or rendered.ids[end - 1] not in renderer.stop_ids:
            raise unfit("It does not end an answer with a token that stops the model.")
    whole = "".join(text for text, _, _ in renderer.pieces(rendered))
    if forgotten := [message for message in conversation if message["content"] not in whole]:
        raise unfit(f"It leaves out what somebody said: “{forgotten[0]['content']}”.")
    _require_plain_people(renderer, conversation)


def _require_plain_people(renderer: Renderer, conversation: Conversation) -> None:
    """Control tokens that a person spells stay letters."""
    spelled = " ".join(list(renderer.control_ids)[:20])
    first = next(place for place, message in enumerate(conversation) if message["role"] == "user")
    bad = [dict(message) for message in conversation]
    bad[first]["content"] += f" {spelled}"
    controls = set(renderer.control_ids.values())
    usual, now = (sum(token in controls for token in renderer.render(each).ids) for each in (conversation, bad))
    if usual != now:
        raise unfit("Words of a person would become control tokens.")


def _spans(rendered: Rendered) -> list[tuple[int, int]]:
    """Where each learned stretch begins and ends."""
    return list(_stretches(rendered.trained))


def _stretches(trained: list[bool]) -> Iterator[tuple[int, int]]:
    start = None
    for place, learned in enumerate([*trained, False]):
        if learned and start is None:
            start = place
        elif not learned and start is not None:
            yield start, place
            start = None


def _trained(rendered: Rendered) -> list[int]:
    return [token for token, learned in zip(rendered.ids, rendered.trained, strict=True) if learned]


@cache
def _file(name: str) -> str:
    return (FOLDER / f"{name}.jinja").read_text("utf-8")


UNFIT: Final = "This chat template cannot be used."


def unfit(why: str) -> SettingError:
    return SettingError(UNFIT, why, "Change it, or choose one of the ready templates.")
