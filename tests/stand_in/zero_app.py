"""Runs a script as if on ZeroGPU: `python -m tests.stand_in.zero_app SCRIPT ARGUMENTS`, or `-m MODULE ARGUMENTS`.

The environment says where the scheduler is (`ZeroGpu.environment`).
"""

import runpy
import sys
from pathlib import Path

from tests.stand_in import zero_stub


def main() -> None:
    zero_stub.install()
    what, *rest = sys.argv[1:]
    if what == "-m":
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = [what, *rest]
        sys.path.insert(0, str(Path(what).resolve().parent))
        runpy.run_path(what, run_name="__main__")


if __name__ == "__main__":
    main()
