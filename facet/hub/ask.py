"""What a model or dataset on the Hub is at one commit, and whether this person may read it, before anything is read."""

import contextlib
import re
from typing import Any, Final

from facet.errors import DataError, HubError, NotFoundError
from facet.hub import errors
from facet.hub.account import whoami
from facet.hub.client import reader
from facet.hub.download import Listed, Repository
from facet.hub.errors import Thing, ours
from facet.hub.parts import is_plain

NAME: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9_][\w.-]{0,95}")
COMMIT: Final = re.compile(r"[0-9a-f]{40}")


def ask(
    thing: Thing, name: str, revision: str | None, token: str | None, endpoint: str | None, seconds: float
) -> tuple[Repository, Any]:
    """The pinned commit with its files, and the Hub's own description.

    Raises: `AccessError` when it is gated for this person or their token is not accepted; `NotFoundError` for what is
    missing and for what is private to others; `SettingError` for a name that is none; `HubError`.
    """
    if not NAME.fullmatch(name) or ".." in name or "--" in name or name.endswith(".git"):
        raise errors.bad_name(thing)
    token = errors.checked(token) if token else None
    api = reader(endpoint)
    describe = api.model_info if thing == "model" else api.dataset_info
    try:
        with ours(thing, name, token):
            info = describe(name, revision=revision, timeout=seconds, files_metadata=True, token=token or False)
        _require_access(api, thing, name, info, token)
    except NotFoundError as missing:
        _require_sign_in(missing, token, endpoint)
        raise
    if not COMMIT.fullmatch(info.sha or ""):
        raise DataError(f"We cannot tell which version of {name} this is.", "The Hub named none.", "Try again.")
    files = {
        file.rfilename: Listed(file.size or 0, file.lfs.sha256 if file.lfs else None)
        for file in info.siblings or []
        if is_plain(file.rfilename)
    }
    moved_to = info.id if NAME.fullmatch(info.id or "") else name
    return Repository(thing, moved_to, info.sha, endpoint, files, token), info


def is_closed(info: Any) -> bool:
    """Whether only some people may read it."""
    return bool(info.gated or info.private)


def card_value(info: Any, name: str) -> str | None:
    """A word from the front matter of the repository's page; authors write lists there too."""
    value = getattr(info.card_data, name, None) if info.card_data else None
    first = value[0] if isinstance(value, list) and value else value
    return first if isinstance(first, str) and len(first) < 80 else None


def _require_access(api: Any, thing: Thing, name: str, info: Any, token: str | None) -> None:
    if token and is_closed(info):
        with ours(thing, name, token):
            api.auth_check(name, repo_type=thing, token=token)
    elif info.gated:
        raise errors.gated(thing, name)
    elif info.private:
        raise errors.not_found(thing, name)


def _require_sign_in(missing: NotFoundError, token: str | None, endpoint: str | None) -> None:
    """To a token it no longer accepts the Hub answers 401, as it does for what is missing: ask whose it is."""
    if token and errors.status_of(missing.__cause__) == 401:
        with contextlib.suppress(HubError):
            whoami(token, endpoint)
