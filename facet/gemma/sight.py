"""Whether a model sees pictures, and how it takes them, read from its `config.json`. No torch, no loading."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from facet.errors import DataError, FacetError
from facet.gemma.defaults import language_part
from facet.gemma.inspect import read_config
from facet.gemma.models import find

SEEING_TYPES: Final = frozenset({"gemma3"})  # whose pictures Facet knows how to prepare
_DEFAULTS: Final = {
    "mm_tokens_per_image": 256,
    "boi_token_index": 255_999,
    "eoi_token_index": 256_000,
    "image_token_index": 262_144,
}
_SHORT: Final = {"boi_token_index": "boi_token_id", "eoi_token_index": "eoi_token_id",
                 "image_token_index": "image_token_id"}  # fmt: skip
MOST_TOKENS: Final = 4_096  # of one picture
MOST_SIDE: Final = 4_096  # pixels of the square that a model looks at


@dataclass(frozen=True)
class Sight:
    """A picture as a model reads it: `tokens` times the token `picture`, between `begin` and `end`.

    Units: `side` in pixels, of the square that every picture becomes.
    """

    begin: int
    end: int
    picture: int
    tokens: int
    side: int


def sight_of(config: dict[str, Any]) -> Sight | None:
    """None for a model that sees nothing, or in a way Facet does not know."""
    vision = config.get("vision_config")
    if config.get("model_type") not in SEEING_TYPES or not isinstance(vision, dict):
        return None
    tokens, begin, end, picture = (_stated(config, name) for name in _DEFAULTS)
    side = vision.get("image_size", 224)
    vocabulary = language_part(config).get("vocab_size")
    numbers = (tokens, begin, end, picture, side, vocabulary)
    if not all(isinstance(number, int) and not isinstance(number, bool) for number in numbers):
        return None
    known = all(0 <= token < vocabulary for token in (begin, end, picture))
    if not known or not 0 < tokens <= MOST_TOKENS or not 0 < side <= MOST_SIDE:
        return None
    return Sight(begin, end, picture, tokens, side)


def sees_pictures(folder: Path) -> bool:
    """Of a model in a folder; False where it cannot be read."""
    try:
        return sight_of(read_config(folder / "config.json")) is not None
    except FacetError:
        return False


def will_see_pictures(model_id: str) -> bool:
    """The same of an offered model that is not on this machine yet."""
    model = find(model_id)
    return model is not None and model.multimodal and model.generation == "3"


def require_sight(folder: Path) -> Sight:
    """Raises: `DataError` for a model that sees no pictures."""
    sight = sight_of(read_config(folder / "config.json"))
    if sight is None:
        raise blind()
    return sight


def blind(name: str = "") -> DataError:
    return DataError(
        f"{name or 'This model'} cannot see pictures here.",
        "Facet shows pictures to Gemma 3 from 4B on; others would answer about a picture they never saw.",
        "Take the pictures out, or choose a model that sees.",
    )


def _stated(config: dict[str, Any], name: str) -> Any:
    """A number under either of its names."""
    found = config.get(name)
    return found if found is not None else config.get(_SHORT.get(name, name), _DEFAULTS[name])
