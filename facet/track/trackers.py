"""The trackers by name, which of them can be used here, and one call that tells a tracker what is new."""

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from facet.errors import CapacityError, HubError, SettingError
from facet.track import tensorboard
from facet.track.feed import Feed, Point
from facet.workspace import clean_name

Name = Literal["tensorboard", "trackio", "wandb"]
PROJECT: Final = "facet"
BATCH: Final = 500  # points in one line
MOST_SECONDS: Final = 300.0
PROXIES: Final = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")  # some programs read only small letters
PASSED_ON: Final = (
    "PATH", "HOME", "USERPROFILE", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE", *PROXIES, *map(str.lower, PROXIES),
)  # fmt: skip


@dataclass(frozen=True)
class Tracker:
    name: Name
    label: str
    words: str  # where what it is told goes to
    package: str | None = None  # what has to be installed for it
    site: str = ""  # where a key for it is made

    @property
    def is_here(self) -> bool:
        return self.package is None or importlib.util.find_spec(self.package) is not None


TRACKERS: Final[dict[Name, Tracker]] = {
    "tensorboard": Tracker("tensorboard", "TensorBoard", "Files that TensorBoard reads, to take home."),
    "trackio": Tracker("trackio", "Trackio", "A project in your own folder on this machine.", "trackio"),
    "wandb": Tracker(
        "wandb",
        "Weights & Biases",
        "Your own account there, with your key. Curves, settings, and the names of run, model and data go to Weights & "
        "Biases, a company in the United States; no example does.",
        "wandb",
        "https://wandb.ai/authorize",
    ),
}


@dataclass(frozen=True)
class Told:
    """How it stands: points told this time, and whether the run is over and all of it told."""

    points: int
    over: bool
    place: Path
    offline: bool = False  # written into files here and sent to nobody, because there is no key
    was_online: bool = False  # though an earlier part was sent, with a key

    def words(self, name: str, points: int) -> str:
        """What was done, in one sentence."""
        label = TRACKERS[name].label  # type: ignore[index]
        news = f"{points:,} new point{'' if points == 1 else 's'}"
        if self.offline and self.was_online:
            return (
                f"There is no key for {label} any more: {news} went into files on this computer. "
                "What your account has it keeps; enter your key again, and the rest is sent."
            )
        if self.offline:
            return (
                f"There is no key for {label}: {news} went into files on this computer, none of them to your account. "
                f"With your key all of them are sent; or write: wandb sync {self.place}/wandb/offline-run-*"
            )
        return f"{label} was told of {news}."


def tracker(name: str) -> Tracker:
    """Raises: `SettingError` for one that is not known or not installed here."""
    found = TRACKERS.get(name)  # type: ignore[call-overload]
    if found is None:
        raise SettingError(
            "This tracker is not known.", f"It is none of {', '.join(TRACKERS)}.", "Choose one of those."
        )
    if not found.is_here:
        raise SettingError(
            f"{found.label} is not installed here.",
            "Facet works without it, so it does not come along.",
            f"Where you run Facet yourself, write: pip install {found.package}. TensorBoard files need nothing.",
        )
    return found


def tell(
    name: Name, run: Path, label: str, config: Mapping[str, Any], home: Path, key: str = "", stop: Any = None
) -> Told:
    """Tell a tracker everything of a run that is certain and that it has not been told yet.

    `home` is the person's own folder for trackers; `config` what the tracker shows beside the curves.
    Raises: `SettingError`, `HubError`, `CapacityError`; then nothing counts as told.
    """
    tracker(name)
    place = run / "tracking" / name
    offline = name == "wandb" and not key  # what lies in files was not sent: with a key all of it still is
    state = "state-online.json" if name == "wandb" and key else "state.json"
    feed = Feed.of(run / "events.jsonl", place / state)
    news = feed.news()
    if name == "tensorboard":
        size = tensorboard.write(place / "events.out.tfevents.0.facet", news, feed.more.get("size"))
        feed.keep(size=size)
        return Told(len(news), feed.over, place)
    folder = place if name == "wandb" else home / "trackio"
    label = feed.more.get("label") or (label if name == "wandb" else f"{label[:60]} {run.name[-4:]}")
    if news:
        folder.mkdir(parents=True, exist_ok=True)
        opened = {
            "tracker": name,
            "project": PROJECT,
            "id": hashlib.sha256(run.name.encode()).hexdigest()[:12],
            "name": clean_name(label),
            "config": dict(config),
            "folder": str(folder),
        }
        _through_child(opened | ({"key": key} if key else {}), news, stop or threading.Event())
    feed.keep(label=label)  # Trackio knows a run by its name: it keeps that one when the run is renamed here
    return Told(len(news), feed.over, folder, offline, offline and (place / "state-online.json").exists())


def _through_child(opened: dict[str, Any], news: list[Point], stop: threading.Event) -> None:
    lines = [json.dumps(opened)]
    for start in range(0, len(news), BATCH):
        lines.append(json.dumps([[point.step, point.at, point.values] for point in news[start : start + BATCH]]))
    package = str(Path(__file__).resolve().parents[2])
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    passed["PYTHONPATH"] = os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH")])])
    child = subprocess.Popen(
        [sys.executable, "-m", "facet.track.child"],
        env=passed,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        cwd=opened["folder"],
    )
    watch = threading.Timer(MOST_SECONDS, child.kill)
    watch.daemon = True
    watch.start()
    try:
        answer, _ = child.communicate("\n".join(lines) + "\n")
    finally:
        watch.cancel()
        child.kill()
    _require_told(opened["tracker"], answer, len(news))


def _require_told(name: Name, answer: str, wanted: int) -> None:
    """Raises: `HubError` when the tracker did not take everything."""
    said = [json.loads(line) for line in answer.splitlines() if line.startswith("{")]
    if sum(each.get("told", 0) for each in said) == wanted and any("closed" in each for each in said):
        return
    fault = next((each["fault"] for each in said if "fault" in each), "no answer")
    label = TRACKERS[name].label
    if name == "trackio":
        raise CapacityError(
            f"{label} could not write its project.",
            f"Its own program ended with: {fault}.",
            "Try again; the run itself is not touched by this.",
        )
    raise HubError(
        f"{label} did not take the curves.",
        f"Its own program ended with: {fault}. A wrong key, or no way to its server, are the usual reasons.",
        "Check the key and try again; what it has already been told is not sent twice.",
    )
