"""A base model with a chat template that a person chose for it: the same files in another folder, and the template.

Whatever reads a model's folder (training, chat, tests, exports, a published model) then writes conversations as it was
taught to, without knowing that a template was chosen. The folder is made of links wherever it is missing, so it may be
deleted at any time, and on another machine it comes into being by itself.
"""

import hashlib
import json
import os
import shutil
import stat
import tempfile
import uuid
from pathlib import Path
from typing import Any, Final

from facet.dataset.model_files import TURN_ENDS

FOLDER: Final = ".templates"  # beside the models
TEMPLATE: Final = "chat_template.jinja"
_OWN_TEMPLATES: Final = (TEMPLATE, "chat_template.json")


def dressed(base: Path, template: str, models: Path) -> Path:
    """The folder of this model with this template, beside the models or, where nothing may be written, elsewhere."""
    name = hashlib.sha256(f"{base.resolve()}\n{template}".encode()).hexdigest()[:24]
    temporary = Path(tempfile.gettempdir()) / f"facet-templates-{_user()}"
    for shelf in (models / FOLDER, temporary):
        place = shelf / name
        try:
            shelf.mkdir(parents=True, exist_ok=True, mode=0o700)
            if shelf is temporary:
                _require_own(shelf)
            if _is_whole(place, template):
                return place
            _make(base, template, place)
        except OSError:
            continue
        return place
    raise OSError(f"no folder can be made for the template of {base.name}")


def _require_own(shelf: Path) -> None:
    """In the folder for what is temporary somebody else may have been there first. Raises: `OSError`."""
    about = shelf.lstat()
    if not stat.S_ISDIR(about.st_mode):
        raise OSError(f"{shelf} is not a folder")
    if hasattr(os, "getuid") and (about.st_uid != os.getuid() or about.st_mode & 0o022):
        raise OSError(f"{shelf} belongs to somebody else, or others may write to it")


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else "me"


def _is_whole(place: Path, template: str) -> bool:
    """The template is written last, and the links lead nowhere once the model was deleted."""
    try:
        return (place / TEMPLATE).read_text("utf-8") == template and (place / "config.json").is_file()
    except OSError:
        return False


def _make(base: Path, template: str, place: Path) -> None:
    part = place.with_name(f"{place.name}.{uuid.uuid4().hex[:8]}")
    part.mkdir()
    try:
        for file in base.resolve().iterdir():
            if file.is_file() and file.name not in _OWN_TEMPLATES:
                _link(file, part / file.name)
        _replace(part / "generation_config.json", _stopping(base, template))
        settings = _read(base / "tokenizer_config.json")
        _replace(part / "tokenizer_config.json", {name: settings[name] for name in settings if name != "chat_template"})
        (part / TEMPLATE).write_text(template, "utf-8")
        shutil.rmtree(place, ignore_errors=True)
        part.rename(place)
    except OSError:
        shutil.rmtree(part, ignore_errors=True)
        if not _is_whole(place, template):  # else another process was quicker
            raise


def _link(file: Path, target: Path) -> None:
    try:
        target.symlink_to(file)
    except OSError:  # Windows without the right to
        os.link(file, target)


def _replace(link: Path, content: dict[str, Any]) -> None:
    link.unlink(missing_ok=True)
    link.write_text(json.dumps(content, indent=2), "utf-8")


def _stopping(base: Path, template: str) -> dict[str, Any]:
    """How it speaks, ending at the tokens its files name and at every turn end that the template writes."""
    settings = _read(base / "generation_config.json") or {"_from_model_config": True}
    said = settings.get("eos_token_id", _read(base / "config.json").get("eos_token_id"))
    stops = [said] if isinstance(said, int) else list(said or [])
    added = _read(base / "tokenizer.json").get("added_tokens") or []
    written = [one["id"] for one in added if one["content"] in TURN_ENDS and one["content"] in template]
    return settings | {"eos_token_id": list(dict.fromkeys([*stops, *written]))}


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
