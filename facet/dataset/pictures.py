"""Pictures that come with a dataset: checked, bounded, and kept under the hash of their content.

Nothing is fetched: a value that is an address stays without a picture. In a row a picture is `{"image": "<name>"}`.
"""

import hashlib
import io
import struct
import warnings
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

from facet.dataset import budget
from facet.errors import DataError

FOLDER = "images"  # where the pictures of an upload or a dataset lie
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")
UNREAD_SUFFIXES = (".svg", ".heic", ".avif", ".psd", ".raw", ".eps")
_FORMATS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp", "GIF": "gif", "BMP": "bmp", "TIFF": "tif"}
_STARTS = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*")
_KINDS = "no PNG, JPEG, WebP, GIF, BMP or TIFF."
FIRST_OF_MANY = "Of moving pictures the first one is used."


class PictureProblem(Exception):
    """One picture cannot be used; the words say why."""


def is_picture(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def looks_like_picture(content: bytes) -> bool:
    return content.startswith(_STARTS) or (content[:4] == b"RIFF" and content[8:12] == b"WEBP")


class Pictures:
    """A folder of pictures that is being filled. `problems` counts those that were not taken, by the reason."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.folder, self.most_bytes = folder, most_bytes
        self.kept = 0
        self.bytes = 0
        self.notes: Counter[str] = Counter()
        self.problems: Counter[str] = Counter()
        self._known: dict[bytes, str | None] = {}

    def keep(self, content: bytes) -> str | None:
        """The name under which a picture lies in the folder; None, and a problem counted, when it is none.

        Raises: `DataError` when all of them together are too large.
        """
        digest = hashlib.sha256(content).digest()
        if digest in self._known:
            return self._known[digest]
        try:
            content, ending = self._checked(content)
        except PictureProblem as problem:
            self.problems[str(problem)] += 1
            name = None
        else:
            name = f"{hashlib.sha256(content).hexdigest()}.{ending}"
            self._write(name, content)
        self._known[digest] = name
        return name

    def value(self, content: bytes | None) -> dict[str, str] | None:
        """The same as a value of a row."""
        name = self.keep(content) if content else None
        return {"image": name} if name else None

    def words(self) -> list[str]:
        """What to tell about the pictures: what was done to some, and why others are missing."""
        return [
            *self.notes,
            *(f"Pictures left out ({count:,}): {why}" for why, count in self.problems.most_common()),
        ]

    def require_some(self) -> None:
        """Raises: `DataError` when there were pictures and not one can be used."""
        if self.problems and not self.kept:
            why, count = self.problems.most_common(1)[0]
            raise DataError(
                "None of the pictures can be used.",
                f"There were {count:,}, and {why}",
                "Save them as PNG or JPEG and upload them again.",
            )

    def _write(self, name: str, content: bytes) -> None:
        self.folder.mkdir(exist_ok=True)
        if (self.folder / name).exists():
            return
        self.kept += 1
        self.bytes += len(content)
        if self.bytes > self.most_bytes or self.kept > budget.MOST_MEMBERS:
            raise budget.unpacks_too_large(self.most_bytes)
        (self.folder / name).write_bytes(content)

    def _checked(self, content: bytes) -> tuple[bytes, str]:
        """The content and its proper ending, after the whole picture was decoded once."""
        from PIL import Image, UnidentifiedImageError

        if len(content) > budget.MOST_PICTURE_BYTES:
            raise PictureProblem(f"they are larger than {budget.MOST_PICTURE_BYTES // 2**20} MB.")
        if content[:1024].lstrip()[:5].lower() in (b"<svg ", b"<?xml"):
            raise PictureProblem("they are drawings (SVG), which can hold programs.")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                Image.MAX_IMAGE_PIXELS = budget.MOST_PIXELS
                with Image.open(io.BytesIO(content), formats=list(_FORMATS)) as picture:
                    return self._decoded(content, picture)
        except (PictureProblem, MemoryError):
            raise
        except UnidentifiedImageError:
            whole = "damaged or cut short." if len(content) > 4 and looks_like_picture(content) else _KINDS
            raise PictureProblem(f"they are {whole}") from None
        except Image.DecompressionBombError:
            raise _too_many_pixels() from None
        except (OSError, SyntaxError, ValueError, struct.error, zlib.error, ArithmeticError, LookupError, TypeError,
                AttributeError, EOFError, RuntimeError, NotImplementedError):  # fmt: skip
            raise PictureProblem("they are damaged or cut short.") from None

    def _decoded(self, content: bytes, picture: Any) -> tuple[bytes, str]:
        if picture.width * picture.height > budget.MOST_PIXELS:
            raise _too_many_pixels()
        moves = getattr(picture, "n_frames", 1) > 1 and picture.format != "TIFF"
        picture.load()
        if not moves:
            return content, _FORMATS[picture.format]
        self.notes[FIRST_OF_MANY] += 1
        still = io.BytesIO()
        picture.convert("RGBA" if picture.has_transparency_data else "RGB").save(still, "PNG")
        return still.getvalue(), "png"


def _too_many_pixels() -> PictureProblem:
    return PictureProblem(f"they have more than {budget.MOST_PIXELS // 10**6} million pixels.")
