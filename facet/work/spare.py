"""A worker that has loaded its libraries and waits for its one task: `python -m facet.work.spare [MODULE …]`.

Each module has a function `load`, which is called first. Then one line is read: {"worker": the arguments of
`facet.work.worker`, "output": the file for what it prints}, and from then on this is that worker. Without a line,
because who started it is gone, it ends. It never sees a second task.
"""

import contextlib
import importlib
import json
import os
import sys
from typing import TextIO

from facet.work import worker


def main() -> int:
    worker.step_back()
    for name in sys.argv[1:]:
        with contextlib.suppress(Exception):  # what is wrong with a library is told by the task that needs it
            importlib.import_module(name).load()
    orders = wait_for_orders(sys.stdin)
    if orders is None:
        return 0
    _print_to(orders["output"])
    return worker.main(orders["worker"])


def wait_for_orders(lines: TextIO) -> dict | None:
    """The one line; None when it never came, or not whole."""
    line = lines.readline()
    return json.loads(line) if line.endswith("\n") else None


def _print_to(file: str) -> None:
    """From now on everything that is printed, also by libraries below Python, goes to the end of this file."""
    with open(os.devnull, "rb") as nothing, open(file, "ab") as output:
        os.dup2(nothing.fileno(), 0)
        for stream in (1, 2):
            os.dup2(output.fileno(), stream)


if __name__ == "__main__":
    sys.exit(main())
