"""What the Hub's client raises, in three sentences of ours. The only place where the two meet."""

import contextlib
import errno
from collections.abc import Iterator
from typing import Literal

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


@contextlib.contextmanager
def ours(thing: Thing, name: str) -> Iterator[None]:
    """Whatever the client raises inside leaves as a `FacetError` about this model or dataset."""
    try:
        yield
    except FacetError:
        raise
    except Exception as error:
        translated = translate(error, thing, name)
        if translated is None:
            raise
        raise translated from error


def translate(error: Exception, thing: Thing, name: str) -> FacetError | None:
    """The error in our words, or None when it is none of the Hub's."""
    if isinstance(error, theirs.GatedRepoError):
        return gated(thing, name)
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
    return _by_answer(error, thing, name)


def _by_answer(error: Exception, thing: Thing, name: str) -> FacetError | None:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return CapacityError(
            "The disk became full during the download.",
            f"What was fetched of {name} so far is kept.",
            "Delete runs or datasets you no longer need, then try again.",
        )
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, httpx.HTTPError) and status is not None:
        return by_status(status, thing, name)
    if isinstance(error, DAMAGED):
        return HubError(
            "The download broke off.",
            f"The Hub's answer about {name} was not complete.",
            "Try again; what has arrived is kept.",
        )
    return None


def by_status(status: int, thing: Thing, name: str) -> FacetError:
    """An answer of the Hub that has a number and no better explanation."""
    if status == 429:
        return HubError(
            "The Hub asks us to wait.", "Too many requests came from here (answer 429).", "Try again in five minutes."
        )
    if status in (401, 403):
        return AccessError(
            f"The Hub does not let us read {name}.",
            f"It answered {status}: not allowed.",
            f"Choose a {thing} that is open to everyone.",
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


def not_reached() -> HubError:
    return HubError(
        "The Hugging Face Hub could not be reached.",
        "This machine is offline, or something between it and huggingface.co blocks the way.",
        "Check the network and try again, or use a file and a model that are already here.",
    )


def not_found(thing: Thing, name: str) -> NotFoundError:
    """Missing and private are the same sentence: we do not ask with anybody's rights."""
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


def gated(thing: Thing, name: str) -> AccessError:
    return AccessError(
        f"{name} is not open to everyone.",
        "Its owner asks each person to accept a licence once, and Facet does not sign in to the Hub for you yet.",
        f"Choose a {thing} that asks for nothing; its page is {PAGES[thing]}{name}.",
    )
