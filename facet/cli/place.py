"""`place`: where it computes here, what is kept, and how the copies stand."""

import argparse
import time
from typing import Any

from facet.identity import LOCAL
from facet.studio import Studio

Answer = dict[str, Any]


def place(options: argparse.Namespace) -> Answer:
    studio = Studio.from_environment()
    here, copies = studio.place(LOCAL), studio.copies.state
    lines = [
        f"It computes on {here.words}; {here.free_gb:.1f} GB of memory are free.",
        here.keeps,
        f"{here.home}: {here.free_disk_gb:.1f} GB of disk are free.",
    ]
    return {
        "device": here.device,
        "where": here.words,
        "keeps": here.keeps,
        "keeps_fine": here.keeps_fine,
        "bucket": copies.bucket or None,
        "last_copied": _moment(copies.last_copied),
        "home": str(here.home),
        "free_gb": round(here.free_gb, 2),
        "free_disk_gb": round(here.free_disk_gb, 2),
        "words": "\n".join(lines),
    }


def _moment(when: float | None) -> str | None:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when)) if when else None
