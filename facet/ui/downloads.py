"""Files for a browser to fetch. The workspace is closed to Gradio; what is handed out lies where it may serve it."""

import hashlib
import shutil
import tempfile
import time
from pathlib import Path

from facet.identity import Person

KEPT_SECONDS = 3600
PREFIX = "facet-download-"


def handed_out(file: Path, person: Person) -> Path:
    """The file, moved to where it can be fetched by whoever was told its address. Old ones are removed."""
    for earlier in _folders():
        if time.time() - earlier.stat().st_mtime > KEPT_SECONDS:
            shutil.rmtree(earlier, ignore_errors=True)
    return Path(shutil.move(file, Path(tempfile.mkdtemp(prefix=_mark(person))) / file.name))


def take_back(person: Person) -> None:
    """Everything that was handed out to this person is gone."""
    for key in person.keys:
        for folder in _folders(_mark(Person(key, key))):
            shutil.rmtree(folder, ignore_errors=True)


def _mark(person: Person) -> str:
    return f"{PREFIX}{hashlib.sha256(person.key.encode()).hexdigest()[:12]}-"


def _folders(prefix: str = PREFIX) -> list[Path]:
    return [folder for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*") if folder.is_dir()]
