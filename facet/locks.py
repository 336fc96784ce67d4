"""Files that one process at a time may hold; the system frees them however that process ends."""

from pathlib import Path

from filelock import FileLock, Timeout


def claim(file: Path) -> FileLock | None:
    """The lock on this file, which any thread may release; None while somebody holds it."""
    lock = FileLock(file, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return None
    return lock


def is_held(file: Path) -> bool:
    if lock := claim(file):
        lock.release()
    return lock is None
