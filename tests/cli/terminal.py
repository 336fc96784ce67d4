"""A person's terminal with a FACET_HOME of its own, in a folder that is not the project's.

Commands run in this process: to load Facet anew for each would cost more than most of them do. `apart` starts one as a
person does, `python -m facet`, for what has to do with being a process.
"""

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

from facet.cli.main import main
from facet.compute.child import PACKAGE_ROOT


class Terminal:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def __call__(self, *words: object, **environment: str) -> subprocess.CompletedProcess:
        out, errors, given = io.StringIO(), io.StringIO(), [str(word) for word in words]
        with contextlib.ExitStack() as here:
            here.enter_context(mock.patch.dict(os.environ, {"FACET_HOME": str(self.home)} | environment))
            here.enter_context(contextlib.chdir(self.folder))
            here.enter_context(contextlib.redirect_stdout(out))
            here.enter_context(contextlib.redirect_stderr(errors))
            try:
                status = main(given)
            except SystemExit as wrong_usage:
                status = wrong_usage.code
        return subprocess.CompletedProcess(given, status, out.getvalue(), errors.getvalue())

    def apart(self, *words: str, typed: str | None = None, **more: str) -> subprocess.CompletedProcess:
        """The command in a process of its own, and what is typed into it."""
        environment = os.environ | {"FACET_HOME": str(self.home), "PYTHONPATH": PACKAGE_ROOT} | more
        command = [sys.executable, "-m", "facet", *map(str, words)]
        return subprocess.run(
            command, cwd=self.folder, env=environment, input=typed, capture_output=True, text=True, timeout=300
        )

    def json(self, *words: object, **environment: str) -> dict[str, Any]:
        return answer(self(*words, "--json", **environment))


def answer(done: subprocess.CompletedProcess) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
