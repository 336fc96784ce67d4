"""The entry for a Space and for home: `python app.py` opens the page."""

import logging
import os
import signal
import sys

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from facet.studio import Studio
from facet.ui.page import launch
from facet.ui.visitors import on_space


def main() -> None:
    if on_space() and not os.environ.get("OAUTH_CLIENT_ID"):
        raise SystemExit(
            "On a Space each visitor signs in as themselves: README.md has to say “hf_oauth: true”. On a private Space "
            "of your own you may set the variable FACET_ONE_PERSON=1 instead."
        )
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    signal.signal(signal.SIGTERM, leave)  # a Space that restarts: what is new is still copied
    studio = Studio.from_environment()
    if not studio.open():
        print("Another Facet works on this folder now. This page shows the same runs and takes over when it ends.")
    try:
        launch(studio)
    finally:
        studio.close()


def leave(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # asked twice, it would be torn out of its last copy
    sys.exit(0)


if __name__ == "__main__":
    main()
