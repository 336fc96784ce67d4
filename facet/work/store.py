"""A small SQLite file that several processes write, and that may be lost: damaged, it is set aside and begun anew.

It lies on local disk. A connection lives for one operation and is never open across a fork.
"""

import contextlib
import logging
import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from filelock import FileLock, Timeout

from facet.errors import CapacityError

BUSY_SECONDS: Final = 10.0  # until another process is done with the file
Answer = TypeVar("Answer")
log_to = logging.getLogger("facet.store")

_alone = threading.Lock()  # held while a connection is open: a fork waits for it, so none is ever open across one
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_alone.acquire, after_in_parent=_alone.release, after_in_child=_alone.release)


class Store:
    """`schema` makes the tables of this `version`. For several threads and processes."""

    def __init__(self, file: Path, schema: str, version: int) -> None:
        self.file, self.schema, self.version = file, schema, version
        self._is_sound = False

    def do(self, act: Callable[[sqlite3.Connection], Answer], write: bool = True) -> Answer:
        """One operation, whole or not at all; when this returns, it is on disk. `act` may be called twice.

        Raises: `CapacityError` when the disk does not let it.
        """
        try:
            with _alone, FileLock(f"{self.file}.lock", timeout=BUSY_SECONDS, poll_interval=0.005):
                try:
                    return self._transaction(act, write)
                except sqlite3.DatabaseError as error:
                    if not _is_damage(error):
                        raise
                    self._set_aside()
                    return self._transaction(act, write)
        except (sqlite3.Error, OSError, Timeout) as error:
            raise _not_kept(error) from error

    def _transaction(self, act: Callable[[sqlite3.Connection], Answer], write: bool) -> Answer:
        with contextlib.closing(sqlite3.connect(self.file, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            self._require_sound(connection)
            connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            try:
                answer = act(connection)
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            return answer

    def _require_sound(self, connection: sqlite3.Connection) -> None:
        """Tables of this version, and, once in each process, pages that fit together."""
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0 and not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            script = f"BEGIN IMMEDIATE; {self.schema} PRAGMA user_version = {self.version}; COMMIT;"
            connection.executescript(script)
        elif version != self.version:
            raise _Damaged("tables of another version")
        if not self._is_sound:
            said = connection.execute("PRAGMA quick_check").fetchone()[0]
            if said != "ok":
                raise _Damaged(said)
            self._is_sound = True

    def _set_aside(self) -> None:
        """Nobody else has it open: whoever does holds the lock."""
        log_to.warning("%s was damaged; it is set aside and begun anew", self.file.name)
        for beside in ("-journal", "-wal", "-shm"):
            Path(f"{self.file}{beside}").unlink(missing_ok=True)
        os.replace(self.file, f"{self.file}.damaged")


class _Damaged(sqlite3.DatabaseError):
    """The file can be read, and is not what we wrote."""


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    """Not so: a full disk, a disk that fails, a file that may not be written."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return isinstance(error, _Damaged) or code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _not_kept(error: Exception) -> CapacityError:
    reason = getattr(error, "sqlite_errorname", type(error).__name__)
    return CapacityError(
        "The waiting line could not be written down.",
        f"The disk that keeps it does not allow that now ({reason}).",
        "Free some space on the disk, then try again.",
    )
