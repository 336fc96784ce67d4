"""Pictures in a conversation: their place in the prompt, and what the model's own tower looks at. Gemma 3.

A picture becomes a square of pixels and, where it stands, a fixed number of tokens that the tower's output replaces.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from facet.dataset.render import Renderer
from facet.errors import DataError
from facet.gemma.sight import Sight, blind, require_sight
from facet.model.history import window
from facet.model.speak import Prompt

MOST_SEEN: Final = 32  # pictures in one prompt
_SETTINGS: Final = "preprocessor_config.json"


@dataclass(frozen=True)
class Looking:
    """A renderer for `window`: each picture of a turn opens it with the tokens it takes."""

    renderer: Renderer
    sight: Sight

    def prompt(self, messages: Sequence[dict[str, Any]]) -> list[int]:
        mark = f"\ue000{secrets.token_hex(8)}\ue000"  # nobody can write it into a message
        marked = [
            {"role": turn["role"], "content": mark * len(turn.get("images", ())) + _stripped(turn)} for turn in messages
        ]
        ids = self.renderer.prompt_with(marked, {mark: self.written()})
        if ids.count(self.sight.picture) != self.sight.tokens * len(_files(messages)):
            raise _no_place()
        return ids

    def written(self) -> str:
        """One picture as the text of its tokens. Raises: `DataError` when the tokenizer does not have them."""
        ids = (self.sight.begin, self.sight.picture, self.sight.end)
        begin, picture, end = (self.renderer.tokenizer.id_to_token(number) for number in ids)
        if any(text not in self.renderer.control_ids for text in (begin, picture, end)):
            raise blind()
        return f"\n\n{begin}{picture * self.sight.tokens}{end}\n\n"


def shows_pictures(messages: Sequence[dict[str, Any]]) -> bool:
    return bool(_files(messages))


def seen(base: Path, model: Any, renderer: Renderer, messages: list[dict], context: int, wanted: int) -> Prompt:
    """The prompt of a conversation that shows pictures, with what the tower looks at; see `window` for the numbers.

    Shapes: pixel_values (pictures, 3, side, side), token_type_ids (1, T), 1 where a picture is.
    Raises: `DataError` for a model that sees nothing, too many pictures, or one that is gone.
    """
    import torch

    sight = require_sight(base)
    ids, left_out = window(Looking(renderer, sight), messages, context, wanted)
    opening = messages[:1] if messages[0]["role"] == "system" else []
    files = _files(messages[len(opening) + left_out :])
    if len(files) > MOST_SEEN:
        raise _too_many(len(files))
    if not files:
        return Prompt(ids, left_out)
    kinds = torch.tensor([[int(number == sight.picture) for number in ids]], device=model.device)
    pixels = _pixels(base, sight, files).to(model.device)
    return Prompt(ids, left_out, {"pixel_values": pixels, "token_type_ids": kinds})


def _pixels(base: Path, sight: Sight, files: list[str]) -> Any:
    """As the model's own settings prepare them, each as one square without parts of it beside."""
    from PIL import Image
    from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil as Processor

    own = (base / _SETTINGS).is_file()
    processor = Processor.from_pretrained(base, local_files_only=True) if own else Processor()
    pictures = []
    for file in files:
        try:
            with Image.open(file) as picture:
                pictures.append(picture.convert("RGB"))
        except OSError as error:
            raise _gone() from error
    square = {"height": sight.side, "width": sight.side}
    return processor(pictures, size=square, do_resize=True, do_pan_and_scan=False, return_tensors="pt")["pixel_values"]


def _files(messages: Sequence[dict[str, Any]]) -> list[str]:
    return [file for turn in messages for file in turn.get("images", ())]


def _stripped(turn: dict[str, Any]) -> str:
    """Templates strip a message, and behind a picture its words alone."""
    return turn["content"].strip() if turn.get("images") else turn["content"]


def _no_place() -> DataError:
    return DataError(
        "This model has no place for pictures.",
        "Its chat template does not write a message as it is, so a picture in it would get lost.",
        "Take the pictures out, or choose another model.",
    )


def _too_many(count: int) -> DataError:
    return DataError(
        "That many pictures are too much for one conversation.",
        f"It shows {count}, and {MOST_SEEN} is the most.",
        "Press “Clear” and show fewer.",
    )


def _gone() -> DataError:
    return DataError(
        "A picture of this conversation is not there any more.",
        "Pictures are kept only while their conversation is open.",
        "Press “Clear” and show it again.",
    )
