"""Whose account a token belongs to, and the sign-in of the machine itself, as `hf auth login` keeps it.

No function here puts a token into a message, a log or a file of Facet's own.
"""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import huggingface_hub
from huggingface_hub import _login
from huggingface_hub import errors as theirs

# The browser's part of `hf auth login` has no public function that neither prints nor asks in a terminal. These two
# modules are the library's own pieces of it, used here and nowhere else: the protocol, and the store every tool that
# speaks to the Hub reads. If an update moves them, tests/hub/test_account.py fails first.
from huggingface_hub.utils import _oauth_device

from facet.errors import AccessError, FacetError, HubError
from facet.hub.client import reader
from facet.hub.errors import NOT_REACHED, checked, not_reached, printable, signed_out, status_of

READING_ROLES: Final = frozenset(["read", "no_access"])  # in an organisation; a contributor may make repositories
SCOPES_OF_A_READER: Final = frozenset(["read-repos", "gated-repos", "inference-api"])
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Organisation:
    name: str
    may_write: bool


@dataclass(frozen=True)
class Account:
    """`scopes` None: nobody told, and the Hub will say so when something is not allowed."""

    name: str
    fullname: str
    orgs: tuple[Organisation, ...] = ()
    scopes: frozenset[str] | None = None
    kind: str = "user"  # or "org"
    writes_own: bool = True
    is_pro: bool = False  # a paid account, which has more minutes on lent graphics cards

    def may_write(self, namespace: str) -> bool:
        """Whether repositories under this name are this account's to make, as far as the Hub tells."""
        if namespace == self.name:
            return self.writes_own
        return any(org.name == namespace and org.may_write for org in self.orgs)

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Where a model can be published, the account's own name first."""
        return tuple(name for name in (self.name, *(org.name for org in self.orgs)) if self.may_write(name))


@dataclass(frozen=True)
class DeviceCode:
    """What a person needs to allow this machine in their browser."""

    url: str  # with the code already in it
    user_code: str
    expires_in: int  # seconds
    raw: Any = field(repr=False)  # the client's own; who holds it can fetch the token


def whoami(token: str, endpoint: str | None = None) -> Account:
    """The account behind a token.

    Raises: `AccessError` when the Hub does not accept the token, `HubError` when it cannot tell.
    """
    token = checked(token)
    try:
        return account_of(reader(endpoint).whoami(token=token))
    except Exception as error:
        translated = _translated(error)
        if translated is None:
            raise
        raise translated from printable(error, token)


def account_of(told: Any) -> Account:
    """The Hub's answer to whoami, read with care: what is not there is not known.

    Raises: `ValueError` when it names nobody.
    """
    if not isinstance(told, dict) or not isinstance(told.get("name"), str):
        raise ValueError("an account without a name")
    auth = _dict(told.get("auth"))
    personal = _dict(auth.get("accessToken"))
    role, rights = personal.get("role"), _rights(personal)
    orgs = tuple(
        Organisation(org["name"], _may_write(org.get("roleInOrg"), role, rights, org["name"]))
        for org in told.get("orgs") or []
        if isinstance(org, dict) and isinstance(org.get("name"), str)
    )
    scopes = auth.get("scopes", auth.get("scope"))
    scopes = scopes.split() if isinstance(scopes, str) else scopes
    known = frozenset(map(str, scopes)) if isinstance(scopes, list) else None
    return Account(
        told["name"],
        str(told.get("fullname") or told["name"]),
        orgs,
        SCOPES_OF_A_READER if role == "read" else known,
        "org" if told.get("type") == "org" else "user",
        _may_write("admin", role, rights, told["name"]),
        told.get("isPro") is True,
    )


def machine_token() -> str | None:
    """The login of this machine, None when there is none; never on a Space, where it would be its owner's."""
    if on_a_space():
        return None
    try:
        return huggingface_hub.get_token()
    except (theirs.OIDCError, OSError):
        log.warning("The login of this machine could not be read.")
        return None


def begin_sign_in() -> DeviceCode:
    """Ask the Hub for a code that a person types, or finds typed, in their browser.

    Raises: `AccessError` on a Space, `HubError`.
    """
    _only_at_home()
    try:
        raw = _oauth_device.request_device_code()
        return DeviceCode(raw["verification_uri_complete"], raw["user_code"], int(raw["expires_in"]), raw)
    except (theirs.DeviceCodeError, *NOT_REACHED, ValueError, KeyError) as error:
        raise (_translated(error.__cause__) or _no_code()) from printable(error, None)


def finish_sign_in(code: DeviceCode, stop: Callable[[], bool]) -> Account:
    """Wait until the person has allowed it, keep the token where `hf auth login` keeps it, and say whose it is.

    `stop` is asked every few seconds.
    Raises: `AccessError` when they refuse, take too long or stop; `HubError`.
    """
    _only_at_home()
    try:
        answer = _oauth_device.poll_device_token(code.raw, on_pending=lambda: _give_up_if(stop))
        _give_up_if(stop)  # between the last question and its answer
        token = answer["access_token"]
    except theirs.DeviceCodeError as error:
        raise _not_allowed(error) from printable(error, None)
    account = whoami(token)
    try:
        _login._save_oauth_token(answer)
    except Exception as error:
        raise _not_kept(error) from printable(error, token)
    return account


def sign_out_machine() -> None:
    """Forget the machine's login; other tokens kept on this machine stay.

    Raises: `AccessError` where a login remains that Facet cannot undo.
    """
    _only_at_home()
    try:
        active = huggingface_hub.get_token()
        kept = [name for name, token in huggingface_hub.utils.get_stored_tokens().items() if token == active]
        huggingface_hub.logout(kept[0] if kept else None)
    except FileNotFoundError:
        return  # there is no git on this machine; the token is gone by then
    except (theirs.OIDCError, OSError) as error:
        raise AccessError(
            "This machine is still signed in.",
            "Its login does not come from Facet: the variable HF_TOKEN is set, or this is a notebook with a secret.",
            "Remove it there and start Facet again.",
        ) from printable(error, None)


def on_a_space() -> bool:
    return bool(os.environ.get("SPACE_ID"))


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _rights(personal: dict[str, Any]) -> dict[str, set[str]] | None:
    """Namespace → permissions of a fine-grained token; None for every other kind."""
    if personal.get("role") != "fineGrained":
        return None
    rights: dict[str, set[str]] = {}
    for entry in _dict(personal.get("fineGrained")).get("scoped") or []:
        name = _dict(_dict(entry).get("entity")).get("name")
        if isinstance(name, str):
            rights.setdefault(name, set()).update(map(str, entry.get("permissions") or []))
    return rights


def _may_write(role_in_org: Any, role: Any, rights: dict[str, set[str]] | None, namespace: str) -> bool:
    if role == "read" or role_in_org in READING_ROLES:
        return False
    return rights is None or "repo.write" in rights.get(namespace, set())


def _give_up_if(stop: Callable[[], bool]) -> None:
    if stop():
        raise AccessError(
            "The sign-in was stopped.", "Nobody was signed in, and nothing was kept.", "Press “Sign in” to begin again."
        )


def _only_at_home() -> None:
    if on_a_space():
        raise AccessError(
            "Nobody can sign this machine in.",
            "It is shared: everyone who visits would act in the same account.",
            "Use “Sign in with Hugging Face” at the side, which is for you alone.",
        )


def _translated(error: BaseException | None) -> FacetError | None:
    if isinstance(error, FacetError):
        return error
    status = status_of(error)
    if status == 401:
        return signed_out()
    if status == 429:
        return HubError(
            "The Hub asks us to wait.", "It was asked too often who is signed in.", "Try again in five minutes."
        )
    if isinstance(error, NOT_REACHED):
        return not_reached()
    if status is not None or isinstance(error, (theirs.HfHubHTTPError, ValueError)):
        return HubError(
            "The Hub could not say who is signed in.",
            f"It answered {status}." if status else "Its answer made no sense.",
            "Try again in a minute.",
        )
    return None


def _no_code() -> HubError:
    return HubError(
        "The Hub gave no code to sign in with.", "Its answer was not what we expect.", "Try again in a minute."
    )


def _not_allowed(error: theirs.DeviceCodeError) -> FacetError:
    if error.error_code == theirs.OAuthErrorCode.ACCESS_DENIED:
        why = "The request was refused in the browser."
    elif error.error_code == theirs.OAuthErrorCode.EXPIRED_TOKEN:
        why = "The code was not entered in time."
    else:
        return _no_code()
    return AccessError("You are not signed in.", why, "Press “Sign in” to begin again.")


def _not_kept(error: Exception) -> HubError:
    return HubError(
        "You are signed in, but the sign-in could not be kept.",
        f"The place where this machine keeps it cannot be written ({type(error).__name__}).",
        "Look at the folder ~/.cache/huggingface, then press “Sign in” again.",
    )
