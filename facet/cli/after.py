"""`export`: a tuned model to take home."""

import argparse
from pathlib import Path
from typing import Any

from facet.identity import LOCAL
from facet.studio import Studio

Answer = dict[str, Any]


def export(options: argparse.Namespace) -> Answer:
    folder = Studio.from_environment().export(LOCAL, options.run, Path(options.to).expanduser().resolve())
    return {"folder": str(folder), "words": f"{folder}\nIts README.md says how to use it."}
