"""Scripts that run as if on ZeroGPU in another process, and tell a test what happened to them."""

import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.stand_in.zero import ZeroGpu

# What every script of these tests has: a function to call, and a way to tell the test what happened.
APP = """
import json, os, sys, threading, time, types
import gradio as gr
import spaces
from gradio.context import LocalContext

TOLD = open(sys.argv[1], "a", buffering=1)

def tell(*what):
    TOLD.write(json.dumps(what) + "\\n")

class Headers(dict):
    "A plain dict is refused by the client."

def visit(token=None, **headers):
    headers = Headers(headers, **({"x-ip-token": token} if token else {}))
    LocalContext.request.set(types.SimpleNamespace(headers=headers))

def attempt(call):
    try:
        for each in call:
            tell("value", each)
        tell("end")
    except Exception as error:
        tell(type(error).__name__, getattr(error, "title", None), getattr(error, "message", str(error)))

@spaces.GPU(duration=lambda seconds, *rest: seconds)
def count(seconds, values=3, pause=0.0):
    try:
        for number in range(int(values)):
            yield [number, os.getpid()]
            time.sleep(pause)
    finally:
        tell("finally", os.getpid())
"""
# Most scripts are run one after the other by one process, because it takes seconds to begin one.
RUNNER = """
import contextvars, sys, traceback
import gradio, spaces

for line in sys.stdin:
    path = line.strip()
    told = {}
    try:
        contextvars.copy_context().run(exec, compile(open(path).read(), path, "exec"), told)
        told["tell"]("over")
    except BaseException:
        told["tell"]("broken", traceback.format_exc())
"""


class App:
    """A process on ZeroGPU for our scripts, which tell what happened in a file."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.told, self.errors = folder, folder / "told.jsonl", folder / "errors.txt"
        self.process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def zero(self, **about: Any) -> ZeroGpu:
        """The scheduler that the process knows the address of."""
        return ZeroGpu(port=self.port, **about)

    def start(self, zero: ZeroGpu, script: str) -> "subprocess.Popen[bytes]":
        """A process of its own for this script, or for the one that runs scripts."""
        path = self.folder / "begin.py"
        path.write_text(script, "utf-8")
        self.told.write_text("")
        command = [sys.executable, "-m", "tests.stand_in.zero_app", str(path), str(self.told)]
        with self.errors.open("ab") as errors:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": errors}
            return subprocess.Popen(command, env=zero.environment, **pipes)

    def __call__(self, zero: ZeroGpu, script: str) -> list[list[Any]]:
        """What this script told, in the process that has run others before."""
        if self.process is None or self.process.poll() is not None:
            self.process = self.start(zero, RUNNER)
        path = self.folder / "script.py"
        path.write_text(APP + script, "utf-8")
        self.told.write_text("")
        self.process.stdin.write(f"{path}\n".encode())
        self.process.stdin.flush()
        try:
            until(lambda: self.process.poll() is not None or self.tales("over", "broken"), 120)
        except AssertionError:
            self.end()
        assert self.tales("over"), [*self.tales(), self.errors.read_text()[-3000:]]
        return [tale for tale in self.tales() if tale != ["over"]]

    def tales(self, *kinds: str) -> list[list[Any]]:
        tales = [json.loads(line) for line in self.told.read_text("utf-8").splitlines(True) if line.endswith("\n")]
        return [tale for tale in tales if not kinds or tale[0] in kinds]

    def end(self) -> None:
        if self.process:
            self.process.kill()
            self.process.communicate()

    @contextlib.contextmanager
    def page(self, zero: ZeroGpu, script: str) -> Iterator[str]:
        """The address of a page, which ends with the block."""
        with self.start(zero, APP + script) as process:
            try:
                until(lambda: bool(self.tales("url")) or process.poll() is not None)
                yield dict(self.tales())["url"]
            finally:
                process.kill()


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.02)
