"""How this machine starts a child process: an argv list, an allow-listed environment, a group of its own."""

import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import facet

# What a child needs to run at all. No token, no key and nothing else a person may have set goes along.
PASSED_ON = (
    "PATH",
    "HOME",
    "USERPROFILE",
    "SYSTEMROOT",
    "WINDIR",
    "TEMP",
    "TMP",
    "TMPDIR",
    "LANG",
    "LC_ALL",
    "TZ",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "VIRTUAL_ENV",
    "CUDA_VISIBLE_DEVICES",
    "CUDA_HOME",
    "OMP_NUM_THREADS",
    "NVIDIA_VISIBLE_DEVICES",
    "FACET_HOME",
    "FACET_THREADS",
)
OFFLINE = {
    "HF_HUB_OFFLINE": "1",  # the parent downloads first
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "DO_NOT_TRACK": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TRL_EXPERIMENTAL_SILENCE": "1",
    "PYTHONUNBUFFERED": "1",
    "PYTHONIOENCODING": "utf-8",
}
PACKAGE_ROOT = str(Path(facet.__file__).resolve().parents[1])


def environment(**more: str) -> dict[str, str]:
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return passed | OFFLINE | {"PYTHONPATH": PACKAGE_ROOT} | more


def spawn(module: str, *arguments: str, trusted: bool = False, **streams: IO[Any] | int | None) -> subprocess.Popen:
    """`python -m module arguments…` in a group of its own, so that neither Ctrl-C nor our end takes it along.

    `trusted` is for another Facet of the same person, which may download: it gets the whole environment.
    """
    surroundings = os.environ | {"PYTHONPATH": PACKAGE_ROOT} if trusted else environment()
    own_group: dict[str, Any] = (
        {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if os.name == "nt" else {"start_new_session": True}
    )
    return subprocess.Popen([sys.executable, "-m", module, *arguments], env=surroundings, **own_group, **streams)
