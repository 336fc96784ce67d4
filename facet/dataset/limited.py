"""Runs one function on foreign data in a child process with limits of memory, processor time and disk.

`python -m facet.dataset.limited FUNCTION` reads its arguments as JSON and answers in JSON. Only the functions listed
here can be called. Where the system offers no limits (Windows) the wall clock still holds.
"""

import contextlib
import importlib
import json
import logging
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from facet.errors import CapacityError, DataError, FacetError

FUNCTIONS: dict[str, str] = {
    "look": "facet.dataset.look",
    "preview": "facet.dataset.preview",
    "prepare": "facet.dataset.prepare",
    "tokens": "facet.dataset.tokens",
    "gate": "facet.dataset.check",
    "plans": "facet.dataset.render",
    "try_template": "facet.dataset.templates",
    "unpack": "facet.dataset.unpack",
    "beginning": "facet.dataset.beginning",
    "examine": "facet.dataset.doctor.examine",
    "repair": "facet.dataset.doctor.repair",
    "statistics": "facet.dataset.statistics",
    "try_cleaning": "facet.dataset.clean_preview",
    "next_version": "facet.dataset.versions",
    "version_from_chat": "facet.dataset.from_chat",
    "download": "facet.dataset.download",
    "take_pictures": "facet.dataset.shown",
}
_MOST_ANSWER_BYTES = 64 * 2**20
_MOST_WRITTEN_GB = 16.0
_KEPT_VARIABLES = (
    "PATH", "HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "TEMP", "TMP",
    "TMPDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "VIRTUAL_ENV", "PYTHONHOME",
)  # fmt: skip
_SET_VARIABLES = {
    "PYTHONUTF8": "1",
    "PYTHONHASHSEED": "0",
    "TOKENIZERS_PARALLELISM": "false",
    "RAYON_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",  # the others reserve address space far beyond what they use
    "MALLOC_ARENA_MAX": "2",
    "HF_HUB_OFFLINE": "1",
}
log = logging.getLogger("facet.limited")
_is_child = False  # a child's own children stay in its process group, so that they end with it


def call(
    function: str,
    arguments: dict[str, Any],
    *,
    seconds: float = 60,
    memory_gb: float = 2.0,
    processor_seconds: float | None = None,
    on_progress: Callable[[str], None] | None = None,
) -> Any:
    """The result of one listed function, computed in a child process.

    Units: `seconds` by the clock on the wall; `processor_seconds`, of work, are the same unless given.

    Raises: what the function raised, if it was a `FacetError`; `CapacityError` when a limit was reached;
    `DataError` when the child broke down, which hostile data can make it do.
    """
    if function not in FUNCTIONS:
        raise KeyError(function)
    limits = {"processor_seconds": processor_seconds or seconds, "memory_gb": memory_gb}
    request = json.dumps({"arguments": arguments, "limits": limits})
    child = _start(function)
    errors = _Errors(child.stderr, on_progress)
    watch = threading.Timer(seconds, _kill, (child,))
    started = time.monotonic()  # before the watch: what it stops has had its time, however slow this thread is
    watch.start()
    try:
        answer = _exchange(child, request.encode())
        if answer is None:
            raise _too_much_to_answer()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=5)  # the answer is whole a moment before its writer has ended
    finally:
        watch.cancel()
        _kill(child)
        child.wait()
        errors.join()
    if child.returncode == 0 and answer:
        return _result(function, answer)
    raise _broken_down(function, child.returncode, time.monotonic() - started >= seconds, seconds, errors.last)


def _start(function: str) -> subprocess.Popen[bytes]:
    package_home = str(Path(__file__).parents[2])
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return subprocess.Popen(
        # -P keeps the working folder, which may hold anything, off the module path
        [sys.executable, "-P", "-m", "facet.dataset.limited", function],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**kept, **_SET_VARIABLES, "PYTHONPATH": package_home},
        start_new_session=not _is_child,
    )


def _exchange(child: subprocess.Popen[bytes], request: bytes) -> bytes | None:
    """The child's answer, as far as it came; None when it is longer than any answer should be."""
    assert child.stdin and child.stdout
    with contextlib.suppress(BrokenPipeError), child.stdin:
        child.stdin.write(request)
    with child.stdout:
        answer = child.stdout.read(_MOST_ANSWER_BYTES + 1)
    return answer if len(answer) <= _MOST_ANSWER_BYTES else None


def _kill(child: subprocess.Popen[bytes]) -> None:
    """The child and whatever it started."""
    if child.poll() is not None:
        return
    if hasattr(os, "killpg") and not _is_child:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    child.kill()


class _Errors(threading.Thread):
    """Reads the child's error stream to its end, so that it never blocks; passes progress on."""

    def __init__(self, stream: IO[bytes] | None, on_progress: Callable[[str], None] | None) -> None:
        super().__init__(daemon=True)
        self.stream, self.on_progress, self.last = stream, on_progress, ""
        self.start()

    def run(self) -> None:
        assert self.stream
        while line := self.stream.readline(10_000):
            words = _progress(line)
            if words is None:
                self.last = line.decode("utf-8", "replace").strip()[:200]
            elif self.on_progress:
                self.on_progress(words)
        self.stream.close()


def _progress(line: bytes) -> str | None:
    if not line.startswith(b'{"progress"'):
        return None
    try:
        return str(json.loads(line)["progress"])
    except (ValueError, KeyError):
        return None


def _result(function: str, answer: bytes) -> Any:
    data = json.loads(answer)
    if "error" in data:
        raise FacetError.from_dict(data["error"])
    if "unexpected" in data:
        error_id = secrets.token_hex(4)
        log.error("%s %s failed: %s", error_id, function, data["unexpected"])
        raise FacetError.unexpected(error_id)
    return data["result"]


def _broken_down(function: str, status: int, late: bool, seconds: float, last: str) -> FacetError:
    log.warning("%s ended with status %s after %s: %s", function, status, "its time" if late else "a fault", last)
    if late or status == -getattr(signal, "SIGXCPU", 24):
        return CapacityError(
            "Reading this took too long.",
            f"It was stopped after {seconds:.0f} seconds.",
            "Upload a smaller part, or save the rows as JSONL or Parquet.",
        )
    if status == -9:
        return out_of_memory()
    return DataError(
        "This file cannot be read.",
        "Reading it broke down, as it does with damaged files.",
        "Save the rows once more as CSV, JSON, JSONL or Parquet and upload that file.",
    )


def _too_much_to_answer() -> CapacityError:
    return CapacityError(
        "This is too much to show at once.",
        f"It would take more than {_MOST_ANSWER_BYTES // 2**20} MB.",
        "Shorten the longest rows, or ask for fewer of them.",
    )


def _too_deep() -> DataError:
    return DataError(
        "This file cannot be read.",
        "Its values are nested hundreds of levels deep.",
        "Save the rows as plain columns of text and upload that file.",
    )


def out_of_memory() -> CapacityError:
    return CapacityError(
        "Reading this needs too much memory.",
        "It was stopped before it could slow down everything else.",
        "Upload a smaller part, or save the rows as JSONL.",
    )


def main(function: str) -> int:
    """The child's side: limits first, then the work."""
    global _is_child
    _is_child = True
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints is no answer
    request = json.load(sys.stdin)
    _limit(**request["limits"])
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    try:
        work = getattr(importlib.import_module(FUNCTIONS[function]), function)
        answer = {"result": work(**request["arguments"])}
    except FacetError as error:
        answer = {"error": error.as_dict()}
    except MemoryError:
        answer = {"error": out_of_memory().as_dict()}
    except RecursionError:
        answer = {"error": _too_deep().as_dict()}
    except Exception as error:
        answer = {"unexpected": f"{type(error).__name__} at {_where(error)}"}
    with answers:
        json.dump(answer, answers)
    os._exit(0)  # what the libraries would tidy up at the end needs memory that may be gone


def _end_with_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


@contextlib.contextmanager
def processor_seconds(most: float) -> Iterator[None]:
    """Ends the block with `TimeoutError` once it has computed for so long. Main thread only; not on Windows."""
    if not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGVTALRM, _out_of_time)
    signal.setitimer(signal.ITIMER_VIRTUAL, most)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _out_of_time(*_: object) -> None:
    raise TimeoutError


def _where(error: Exception) -> str:
    """Places in the code, without the error's own words, which may quote someone's rows."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))


def _limit(processor_seconds: float, memory_gb: float) -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    limits = {
        "RLIMIT_AS": int(memory_gb * 2**30),
        "RLIMIT_CPU": int(processor_seconds) + 1,
        "RLIMIT_FSIZE": int(_MOST_WRITTEN_GB * 2**30),
        "RLIMIT_NOFILE": 128,
        "RLIMIT_CORE": 0,
    }
    for name, value in limits.items():
        with contextlib.suppress(AttributeError, ValueError, OSError):  # macOS knows some and ignores others
            which = getattr(resource, name)
            hard = resource.getrlimit(which)[1]
            most = value if hard == resource.RLIM_INFINITY else min(value, hard)
            end = most + 5 if name == "RLIMIT_CPU" and hard in (resource.RLIM_INFINITY, -1) else most
            resource.setrlimit(which, (most, end))  # the soft limit of time is told, the hard one kills


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
