"""What a model's folder says about its conversations: tokenizer, chat template, special tokens, ends of turns."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from facet.dataset.trusted import starter_template
from facet.errors import SettingError

TURN_ENDS = ("<end_of_turn>", "<turn|>", "<|im_end|>", "<|eot_id|>", "<|end|>", "<|endoftext|>", "</s>", "<eos>")


@dataclass(frozen=True)
class ChatFormat:
    tokenizer: Tokenizer
    template: str
    variables: dict[str, str]  # special tokens by the names that templates use
    stops: frozenset[str | int]  # tokens that may end the model's turn, as texts or ids


def chat_format(folder: Path, template: str | None = None) -> ChatFormat:
    """Read a model's folder. `config.json` and `generation_config.json` may be absent.

    `template` takes the place of the model's own, or of the one it lacks.

    Raises: `SettingError` when the tokenizer or the template is missing or cannot be used.
    """
    tokenizer = _tokenizer(folder / "tokenizer.json")
    settings = _json(folder / "tokenizer_config.json")
    variables = _variables(settings) or _variables(_json(folder / "special_tokens_map.json"))
    template = template or _template(folder, settings, tokenizer)
    return ChatFormat(tokenizer, template, variables, frozenset(_stops(folder, variables, tokenizer)))


def _tokenizer(file: Path) -> Tokenizer:
    if not file.is_file():
        raise SettingError(
            "This model has no tokenizer that Facet can read.",
            "Its folder has no file tokenizer.json.",
            "Choose another “Starting model”.",
        )
    try:
        return Tokenizer.from_file(str(file))
    except Exception:  # the library raises nothing more specific
        raise SettingError(
            "The tokenizer of this model cannot be read.",
            "Its file tokenizer.json is damaged or of an unknown kind.",
            "Choose another “Starting model”.",
        ) from None


def _json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _variables(settings: dict[str, Any]) -> dict[str, str]:
    """The special tokens by name, as templates use them: `bos_token` and its like."""
    found = {name: value.get("content") if isinstance(value, dict) else value for name, value in settings.items()}
    return {name: value for name, value in found.items() if name.endswith("_token") and isinstance(value, str)}


def _template(folder: Path, settings: dict[str, Any], tokenizer: Tokenizer) -> str:
    file = folder / "chat_template.jinja"
    if file.is_file():
        return file.read_text("utf-8")
    found = settings.get("chat_template") or _json(folder / "chat_template.json").get("chat_template")
    if isinstance(found, list):
        found = {each.get("name"): each.get("template") for each in found if isinstance(each, dict)}.get("default")
    if isinstance(found, str):
        return found
    if tokenizer.token_to_id("<start_of_turn>") is not None and tokenizer.token_to_id("<end_of_turn>") is not None:
        return starter_template()
    raise SettingError(
        "This model has no chat template.",
        "It was not made to hold conversations, and nothing says how they would be written.",
        "Choose a chat template for it, or a “Starting model” whose name ends in “it” or “instruct”.",
    )


def _stops(folder: Path, variables: dict[str, str], tokenizer: Tokenizer) -> set[str | int]:
    """Everything that may end the model's turn: what its files say, and the marks that are known to."""
    special = {added.content for added in tokenizer.get_added_tokens_decoder().values() if added.special}
    stops: set[str | int] = special.intersection(TURN_ENDS)  # in Gemma's vocabulary "</s>" is a tag of HTML
    for name in ("generation_config.json", "config.json"):
        declared = _json(folder / name).get("eos_token_id")
        stops.update(each for each in (declared if isinstance(declared, list) else [declared]) if isinstance(each, int))
    return stops | {variables[name] for name in ("eos_token", "eot_token") if name in variables}
