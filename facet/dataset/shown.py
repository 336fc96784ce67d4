"""Pictures that somebody shows in a chat: read in the limited child, and written anew without what they carry along."""

import contextlib
import secrets
from pathlib import Path
from typing import Final

from facet.dataset import budget
from facet.dataset.pictures import Pictures
from facet.errors import DataError

LONGEST_SIDE: Final = 1_536  # pixels; models look at squares of less
_UNREAD: Final = ".unread"


def take_pictures(files: list[str], names: list[str], folder: str) -> list[str]:
    """Write each file into the folder as a picture of its own; `names` are those that people gave them.

    What is written is upright and bounded, and holds pixels only: no place, time or camera. All are taken, or none.
    Raises: `DataError` for a file that is no picture, damaged, or too large.
    """
    made: list[str] = []
    try:
        for file, name in zip(files, names, strict=True):
            made.append(_take(Path(file), name, Path(folder)))
    except BaseException:
        for name in made:
            (Path(folder) / name).unlink(missing_ok=True)
        raise
    return made


def _take(file: Path, name: str, folder: Path) -> str:
    checked = Pictures(folder / _UNREAD, budget.MOST_PICTURE_BYTES * 2)
    try:
        with open(file, "rb") as handle:
            kept = checked.keep(handle.read(budget.MOST_PICTURE_BYTES + 1))
        if kept is None:
            raise _unusable(name, next(iter(checked.problems), "they are empty."))
        return _written_anew(checked.folder / kept, folder)
    finally:
        with contextlib.suppress(OSError):
            for left in checked.folder.iterdir():
                left.unlink(missing_ok=True)
            checked.folder.rmdir()


def _written_anew(file: Path, folder: Path) -> str:
    """Returns the new file's name, which nobody can guess."""
    from PIL import Image, ImageOps

    with Image.open(file) as picture:
        is_photo = picture.format == "JPEG"
        upright = ImageOps.exif_transpose(picture)
        plain = upright.convert("RGBA") if upright.has_transparency_data else upright.convert("RGB")
    plain.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    if plain.mode == "RGBA":
        white = Image.new("RGB", plain.size, "white")
        white.paste(plain, mask=plain.getchannel("A"))
        plain = white
    bare = Image.new("RGB", plain.size)
    bare.paste(plain)  # the pixels, and nothing that came with them
    name = f"{secrets.token_hex(16)}.{'jpg' if is_photo else 'png'}"
    bare.save(folder / name, **({"quality": 95} if is_photo else {}))
    return name


def _unusable(name: str, problem: str) -> DataError:
    return DataError(
        f"“{name[:60]}” cannot be shown.",
        f"Pictures like this one cannot be used: {problem}",
        "Save it as PNG or JPEG and add it again.",
    )
