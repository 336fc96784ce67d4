"""What runs on a ZeroGPU card: two functions under `spaces.GPU`, each in a process forked from the page's.

Imported under ZeroGPU only, and before anything that uses CUDA. The forked process is used again for other people, so
a call lets go of everything the page had open, reads and writes one task's folder, and leaves nothing behind.
"""

import contextlib
import contextvars
import gc
import importlib
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import spaces
from spaces.utils import gradio_request_var

from facet.work import worker
from facet.work.task import Task

END = object()
_fresh = True  # in a forked process: no call was made in it yet
HEARTBEAT_SECONDS = 0.5
LISTENED_SECONDS = 3.0  # a caller that has not heard the last word by then is gone
PRELOADED = (
    "facet.train.slice",
    "facet.exam.exam",
    "facet.exam.batch",
    "facet.model.voice",
    "facet.model.batch",
    "facet.model.likelihood",
    "trl",
    "peft",
    "datasets",
)


class Headers(dict[str, str]):
    """The client takes no plain dict for headers."""


@dataclass
class Grant:
    """When a call was granted, on the clock that all processes of a machine share: it is sent off right after that."""

    at: float | None = None

    def __reduce__(self) -> tuple[type["Grant"], tuple[float]]:
        self.at = time.monotonic()
        return Grant, (self.at,)


@dataclass
class Pass:
    """All that the scheduler's client is shown of a visitor's request: whose minutes a call takes."""

    headers: Headers

    @classmethod
    def of(cls, context: Mapping[str, str] | None) -> "Pass":
        token = (context or {}).get("x-ip-token")
        return cls(Headers({"x-ip-token": token} if token else {}))


def in_the_name_of(context: Mapping[str, str] | None, call: Iterator[Any]) -> Iterator[Any]:
    """What a call yields, asked for with one visitor's pass, whichever thread takes the values."""
    here = contextvars.copy_context()
    here.run(gradio_request_var().set, Pass.of(context))
    try:
        while (value := here.run(next, call, END)) is not END:
            yield value
    finally:
        here.run(call.close)


def preload() -> None:
    """Import what the calls need into the page's process, so that no second of a card goes into it.

    Nothing is built here: trainers and arguments would bind the forked processes to what they found.
    """
    for name in PRELOADED:
        importlib.import_module(name)
    importlib.import_module("transformers").Trainer  # noqa: B018 - both load on first use otherwise
    importlib.import_module("trl").SFTTrainer  # noqa: B018


@spaces.GPU(duration=lambda task, models, home, asked, seconds, granted: asked)
def slice_on_card(task: str, models: str, home: str, asked: int, seconds: float, granted: Grant) -> Iterator[bool]:
    """Advance a task for at most `seconds`; `asked` is what the scheduler is told. Heartbeats, then True at the end.

    When the caller goes away the work saves at its next step and ends. Without the last word the caller would wait for
    the scheduler's receipt, which can be lost. It is repeated until it is heard: whoever heard it late would stop the
    next call of this process.
    """
    let_go(home)
    hurry = threading.Event()
    with nothing_left(Task(Path(task)).output_log):
        left = seconds - (time.monotonic() - (granted.at or time.monotonic()))
        work = threading.Thread(target=worker.advance, args=(Task(Path(task)), Path(models), left, hurry))
        work.start()
        try:
            while work.is_alive():
                yield False
                work.join(HEARTBEAT_SECONDS)
        finally:
            hurry.set()
            work.join()
    yield from until_heard(True)


@spaces.GPU(duration=lambda request, home, asked, seconds, granted: asked)
def reply_on_card(
    request: dict[str, Any], home: str, asked: int, seconds: float, granted: Grant
) -> Iterator[dict[str, Any]]:
    """Speak as the chat process does, until `seconds` are over. The last answer is `over` or an `error`."""
    let_go(home)
    stop = threading.Event()
    clock = threading.Timer(seconds - (time.monotonic() - (granted.at or time.monotonic())), stop.set)
    clock.daemon = True
    clock.start()
    with nothing_left():
        voice = importlib.import_module("facet.model.voice").Voice()
        last: dict[str, Any] = {"over": True}
        try:
            for last in voice.answers(request, stop):
                if not ("over" in last or "error" in last):
                    yield last
        finally:
            clock.cancel()
            stop.set()
            voice.forget()
    yield from until_heard(last)


def until_heard(last: Any) -> Iterator[Any]:
    """The last word of a call, again and again until the caller closes it."""
    for _ in range(int(LISTENED_SECONDS / 0.1)):
        yield last
        time.sleep(0.1)


def let_go(home: str) -> None:
    """Point every file of ours that the fork brought along, locks and databases too, to nowhere.

    They are not closed: their numbers would be given to other files, which the copies of the page's objects would
    then close.
    """
    global _fresh
    if _fresh:
        gc.freeze()  # what the fork brought along is not this process's to tidy up: its event loops share the page's
        _fresh = False
    request = gradio_request_var().get(None)
    if isinstance(request, Pass):  # of the first visitor this process worked for; it is known to every later call
        request.headers.clear()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if Path(os.readlink(f"/proc/self/fd/{number}")).is_relative_to(home):
                os.dup2(nowhere, int(number))
    os.close(nowhere)


@contextlib.contextmanager
def nothing_left(output_log: Path | None = None) -> Iterator[None]:
    """What a call puts into this process goes with it: models, memory of the card, settings, the way to its log."""
    surroundings, folder, loggers = dict(os.environ), os.getcwd(), logging.getLogger("facet")
    handler = logging.FileHandler(output_log) if output_log else logging.NullHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    loggers.addHandler(handler)
    try:
        yield
    finally:
        loggers.removeHandler(handler)
        handler.close()
        os.environ.clear()
        os.environ.update(surroundings)
        os.chdir(folder)
        _forget_the_trainer()


def _forget_the_trainer() -> None:
    state = sys.modules.get("accelerate.state")
    if state is not None:
        state.AcceleratorState._reset_state(reset_partial_state=True)
        state.GradientState._reset_state()
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
    load = sys.modules.get("facet.model.load")
    if load is not None:
        load.give_memory_back()
