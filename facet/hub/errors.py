"""What the Hub's client raises, in three sentences of ours. The only place where the two meet."""

import contextlib
import errno
import re
import traceback
from collections.abc import Iterator
from typing import Final, Literal

from huggingface_hub import errors as theirs
from huggingface_hub.utils import httpx

from facet.errors import AccessError, CapacityError, FacetError, HubError, NotFoundError, SettingError

Thing = Literal["model", "dataset"]

PAGES: dict[Thing, str] = {"model": "https://huggingface.co/", "dataset": "https://huggingface.co/datasets/"}
NOT_REACHED = (
    theirs.OfflineModeIsEnabled,
    theirs.LocalEntryNotFoundError,  # the client found neither the network nor a copy of its own
    theirs.CachedRepoTreeNotFoundError,
    httpx.TransportError,
    ConnectionError,
    TimeoutError,
)
DAMAGED = (
    theirs.FileMetadataError,
    theirs.XetDownloadError,
    theirs.CorruptedCacheException,
    theirs.CacheNotFound,
    httpx.HTTPError,
    httpx.InvalidURL,
)


SCOPE: Final = re.compile(r"\b((?:contribute|manage|write|read|gated)-repos|inference-api|jobs)\b")
TOKEN: Final = re.compile(r"hf_(?:(?:oauth|jwt)_)?[A-Za-z0-9._-]{20,}")
CREDENTIAL: Final = re.compile(r"[\x21-\x7e]{3,4000}")


@contextlib.contextmanager
def ours(thing: Thing, name: str, token: str | None = None) -> Iterator[None]:
    """Whatever the client raises inside leaves as a `FacetError` about this model or dataset."""
    try:
        yield
    except FacetError:
        raise
    except Exception as error:
        translated = translate(error, thing, name, signed_in=token is not None)
        if translated is None:
            raise
        raise translated from printable(error, token)


def translate(error: Exception, thing: Thing, name: str, signed_in: bool = False) -> FacetError | None:
    """The error in our words, or None when it is none of the Hub's."""
    cause = error.__cause__
    if isinstance(error, theirs.LocalEntryNotFoundError) and isinstance(cause, Exception) and status_of(cause):
        return translate(cause, thing, name, signed_in)  # the client speaks of its cache when the Hub refuses a file
    if isinstance(error, theirs.GatedRepoError):
        return gated(thing, name, signed_in, said(error))
    if isinstance(error, theirs.RepositoryNotFoundError):
        return not_found(thing, name)
    if isinstance(error, (theirs.RevisionNotFoundError, theirs.RevisionResolutionError)):
        return NotFoundError(
            f"We could not find this version of {name}.",
            "The Hub has no branch, tag or commit of that name.",
            f"Leave out the part after “@” to use the newest version of the {thing}.",
        )
    if isinstance(error, (theirs.HFValidationError, theirs.HfUriError)):
        return bad_name(thing)
    if isinstance(error, NOT_REACHED):
        return not_reached()
    if isinstance(error, theirs.DisabledRepoError):
        return HubError(
            f"The Hub has closed {name}.", "Its page says that access is disabled.", f"Choose another {thing}."
        )
    if isinstance(error, theirs.EntryNotFoundError):
        return HubError(
            f"A file of {name} is missing on the Hub.",
            "It was there when we asked for the list of files.",
            "Try again in a minute.",
        )
    return _by_answer(error, thing, name, signed_in)


def _by_answer(error: Exception, thing: Thing, name: str, signed_in: bool) -> FacetError | None:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return CapacityError(
            "The disk became full during the download.",
            f"What was fetched of {name} so far is kept.",
            "Delete runs or datasets you no longer need, then try again.",
        )
    status = status_of(error)
    if isinstance(error, httpx.HTTPError) and status is not None:
        scope = SCOPE.search(said(error)) if status == 403 else None
        return scope_missing(scope[1]) if scope else by_status(status, thing, name, signed_in)
    if isinstance(error, DAMAGED):
        return HubError(
            "The download broke off.",
            f"The Hub's answer about {name} was not complete.",
            "Try again; what has arrived is kept.",
        )
    return None


def by_status(status: int, thing: Thing, name: str, signed_in: bool = False) -> FacetError:
    """An answer of the Hub that has a number and no better explanation."""
    if status == 429:
        return HubError(
            "The Hub asks us to wait.", "Too many requests came from here (answer 429).", "Try again in five minutes."
        )
    if status == 401 and signed_in:
        return signed_out()
    if status in (401, 403):
        return AccessError(
            f"The Hub does not let us read {name}.",
            f"It answered {status}: not allowed.",
            f"Choose a {thing} that is open to everyone{' or to your account' if signed_in else ''}.",
        )
    if status >= 500:
        return HubError(
            "The Hub has a problem of its own.", f"It answered {status} when we asked for {name}.", "Try again later."
        )
    return HubError(
        f"The Hub refused what we asked about {name}.",
        f"It answered {status}.",
        f"Try again, or choose another {thing}.",
    )


def status_of(error: BaseException | None) -> int | None:
    return getattr(getattr(error, "response", None), "status_code", None)


def said(error: Exception) -> str:
    """What the Hub answered in words; it may be empty, and a stranger may have had a hand in it."""
    return str(getattr(error, "server_message", None) or "")


def printable(error: Exception, token: str | None) -> Exception | None:
    """The error as a cause for ours, unless a log that prints it would print a token."""
    text = "".join(traceback.format_exception(error))
    return None if (token and token in text) or TOKEN.search(text) else error


def checked(token: str) -> str:
    """A token as it may be sent. A stray blank or newline would end up, token and all, in the client's error."""
    token = token.strip()
    if not CREDENTIAL.fullmatch(token):
        raise signed_out()
    return token


def signed_out() -> AccessError:
    return AccessError(
        "Your sign-in is no longer accepted.",
        "It has run out, or it was withdrawn on Hugging Face.",
        "Sign in again, then repeat this. Nothing you have entered is lost.",
    )


def scope_missing(scope: str) -> AccessError:
    return AccessError(
        "A permission is missing.",
        f"The Hub says that your sign-in does not include “{scope}”.",
        "Sign out and in again, and leave that permission ticked.",
    )


def not_reached() -> HubError:
    return HubError(
        "The Hugging Face Hub could not be reached.",
        "This machine is offline, or something between it and huggingface.co blocks the way.",
        "Check the network and try again, or use a file and a model that are already here.",
    )


def not_found(thing: Thing, name: str) -> NotFoundError:
    """Missing and private are the same sentence, also for a person who is signed in."""
    return NotFoundError(
        f"We could not find the {thing} {name} on the Hub.",
        "It does not exist, or it is private.",
        "Check the name: it looks like owner/name, and capital letters count.",
    )


def bad_name(thing: Thing) -> SettingError:
    return SettingError(
        f"This is not the name of a {thing} on the Hub.",
        "Such a name looks like owner/name, with letters, digits, “-”, “_” and “.” only.",
        f"Copy it from the top of the {thing}'s page.",
    )


def gated(thing: Thing, name: str, signed_in: bool = False, words: str = "") -> AccessError:
    """`words` are the Hub's own: they tell waiting for the owner, and a token without that right, from the rest."""
    what, page = f"{name} is not open to everyone.", f"{PAGES[thing]}{name}"
    if not signed_in:
        return AccessError(
            what,
            "Its owner asks each person to accept a licence once, and Facet does not know who you are yet.",
            f"Sign in first. Then open {page} and accept what it asks, come back and press again.",
        )
    if "await" in words or "pending" in words:
        return AccessError(
            what,
            "You have asked for access, and its owner has not answered yet.",
            f"Look at {page} from time to time, and press again when it says that you have access.",
        )
    if "gated-repos" in words or "token settings" in words:
        return AccessError(
            what,
            "Your sign-in does not include reading models whose terms you have accepted (gated-repos).",
            f"Sign out and in again with that permission, look whether {page} is open to you, and press again.",
        )
    return AccessError(
        what,
        "Its owner asks each person to accept a licence once, and your account has not done so.",
        f"Open {page} and accept what it asks, then come back and press again.",
    )
