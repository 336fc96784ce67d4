"""The real app in a process of its own, at home or as on a Space. May be killed and started again."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.hub_stand_in import StandInHub

ROOT = Path(__file__).resolve().parents[1]
PASSED_ON = ("PATH", "HOME", "LANG", "VIRTUAL_ENV", "SYSTEMROOT", "TEMP", "TMP")
SCOPES = "openid profile contribute-repos gated-repos read-repos"


@dataclass
class App:
    """`python app.py` on a workspace of its own."""

    home: Path
    port: int
    log: Path
    process: subprocess.Popen | None = field(default=None)
    patience: float = 120.0  # seconds until it must answer

    @property
    def command(self) -> list[str]:
        return [sys.executable, "app.py"]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def settings(self) -> dict[str, str]:
        place = {"FACET_HOME": str(self.home), "GRADIO_SERVER_PORT": str(self.port)}
        return place | {"HF_HUB_OFFLINE": "1", "FACET_WARM": "0"}

    def start(self) -> None:
        kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        with open(self.log, "ab") as output:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env=kept | self.settings(), stdout=output, stderr=output
            )
        end = time.monotonic() + self.patience
        while not self._answers():
            assert self.process.poll() is None and time.monotonic() < end, self.log.read_text()[-2000:]
            time.sleep(0.1)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(timeout=20)

    def end(self) -> None:
        """Also of what would go on without it, as trainings do: nothing of this test takes time from the next one."""
        self.kill()
        for process in psutil.process_iter(["cmdline"]):
            if any(str(self.home) in part for part in process.info["cmdline"] or ()):
                with contextlib.suppress(psutil.Error):
                    process.kill()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url, timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False


@dataclass
class Space(App):
    """The app as it runs on a Space, with the stand-in for the Hub and its sign-in."""

    hub: StandInHub | None = None
    more: dict[str, str] = field(default_factory=dict)

    def settings(self) -> dict[str, str]:
        places = {"FACET_HOME": str(self.home), "HF_HOME": str(self.home.parent / "hf"), "FACET_WARM": "0"}
        return self.hub.space_environment(self.port, scopes=SCOPES) | places | self.more


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
