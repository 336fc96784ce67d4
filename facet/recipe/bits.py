"""What needs bitsandbytes, a library that holds numbers in 4 or 8 bits and is not made for every system."""

from importlib.util import find_spec
from typing import Final

from facet.errors import SettingError
from facet.recipe.recipes import TrainingRecipe

SQUEEZED: Final = ("8bit", "4bit")  # values of `base_precision`
OPTIMIZERS: Final = ("adamw_8bit", "lion_32bit")
_WHY: Final = "the library bitsandbytes, which is not installed here; there is none for a Mac."


def uses_bits(recipe: TrainingRecipe) -> bool:
    return recipe.base_precision in SQUEEZED or recipe.optim in OPTIMIZERS


def bits_are_here() -> bool:
    return find_spec("bitsandbytes") is not None


def require_bits(recipe: TrainingRecipe) -> None:
    """Raises: `SettingError` when a recipe needs the library and it is not here."""
    if not uses_bits(recipe) or bits_are_here():
        return
    if recipe.base_precision in SQUEEZED:
        what, next = "Weights of 8 or 4 bits need", "Set “Precision of the frozen model” to 16 or 32 bits."
    else:
        what, next = f"“{recipe.optim}” needs", "Set “Way of stepping” to AdamW or Adafactor."
    raise SettingError("This setting cannot be used on this machine.", f"{what} {_WHY}", next)


def squeezed_beforehand(name: str) -> SettingError:
    """Why a copy of a model that was squeezed before it was published cannot be used here."""
    return SettingError(
        f"{name} cannot be used on this machine.",
        f"It was squeezed to few bits before it was published, and that needs {_WHY}",
        "Choose the whole model it was made from under “Starting model”.",
    )
