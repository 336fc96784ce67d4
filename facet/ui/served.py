"""Where a browser fetches the pictures of a conversation. The workspace is closed to Gradio; its own folder is not."""

import contextlib
import time
from pathlib import Path
from typing import Final

from gradio.utils import get_upload_folder

from facet.showing import is_picture_name

KEPT_SECONDS: Final = 86_400


def served_at(name: str) -> Path:
    """Where the page finds a picture; its name is a secret of those who were told it."""
    return _folder() / (name if is_picture_name(name) else "none")


def _folder() -> Path:
    return Path(get_upload_folder()) / "facet-shown"


def remove_old() -> None:
    """Pictures of pages that never said goodbye."""
    for file in _folder().glob("*"):
        with contextlib.suppress(OSError):
            if time.time() - file.stat().st_ctime > KEPT_SECONDS:
                file.unlink()
