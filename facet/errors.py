"""What went wrong, in three sentences a person can act on: what happened, why, and what to do next."""

import errno
from typing import Self


class FacetError(Exception):
    """Something a person can act on. All three sentences are in `args`, so it survives pickling and JSON."""

    def __init__(self, what: str, why: str, next: str) -> None:
        super().__init__(what, why, next)
        self.what, self.why, self.next = what, why, next

    def __str__(self) -> str:
        return f"{self.what} {self.why} {self.next}"

    def as_dict(self) -> dict[str, str]:
        return {"kind": type(self).__name__, "what": self.what, "why": self.why, "next": self.next}

    @staticmethod
    def from_dict(data: dict[str, str]) -> "FacetError":
        """The error another process sent as data; an unknown kind becomes a plain `FacetError`."""
        return KINDS.get(data.get("kind", ""), FacetError)(data["what"], data["why"], data["next"])

    @classmethod
    def unexpected(cls, error_id: str) -> Self:
        return cls(
            "Something went wrong that should not have.",
            f"This is a fault in Facet, not yours; it is in the log as {error_id}.",
            "Try once more, and report that number if it happens again.",
        )


class DataError(FacetError):
    """The file or its rows cannot be used as they are."""


class SettingError(FacetError):
    """A value is outside of what it may be, or two of them do not go together."""


class AccessError(FacetError):
    """Sign in, accept a licence or grant a permission."""


class CapacityError(FacetError):
    """Not enough memory, disk, time or quota."""


class HubError(FacetError):
    """The Hugging Face Hub could not be reached or refused."""


class TrainingError(FacetError):
    """A run cannot go on."""


class NotFoundError(FacetError):
    """Missing and foreign look the same."""

    @classmethod
    def of(cls, thing: str) -> "NotFoundError":
        return cls(
            f"We could not find this {thing}.",
            "It may have been deleted, or the link is incomplete.",
            "Choose one from the list.",
        )


def full_disk(error: Exception) -> CapacityError | None:
    """What to say when this error means that nothing more fits on the disk, or into what one may use of it."""
    if not isinstance(error, OSError) or error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return None
    return CapacityError(
        "The disk is full.",
        "What you asked for could not be written; what was there before is unchanged.",
        "Delete runs or datasets you no longer need, or free some space, then try again.",
    )


KINDS: dict[str, type[FacetError]] = {
    kind.__name__: kind
    for kind in (DataError, SettingError, AccessError, CapacityError, HubError, TrainingError, NotFoundError)
}
