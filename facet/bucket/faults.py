"""What can go wrong between this disk and the bucket."""

import contextlib
import errno
from collections.abc import Iterator


class BucketError(Exception):
    """The bucket refused or did not answer; `words` say so in half a sentence."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class ChangedError(Exception):
    """What was to be copied changed or vanished meanwhile: the next look will see."""


class SpoiledError(Exception):
    """A file of a copy is missing, or is not what was written."""


@contextlib.contextmanager
def asking() -> Iterator[None]:
    """What the system says of the bucket becomes a `BucketError`."""
    try:
        yield
    except OSError as error:
        raise BucketError(in_words(error)) from error


def in_words(error: OSError) -> str:
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return "it is full"
        case errno.EROFS | errno.EACCES | errno.EPERM:
            return "it may not be written to"
        case errno.ENOENT | errno.ENOTDIR | errno.ENOTCONN | errno.ESTALE | errno.ENODEV | errno.ENXIO:
            return "it is not there"
        case _:
            return f"it answers “{error.strerror or type(error).__name__}”"
