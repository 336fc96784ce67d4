"""The entry for a Space and for home: `python app.py` opens the page."""

import logging
import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from facet.studio import Studio
from facet.ui.page import launch


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    studio = Studio.from_environment()
    if not studio.open():
        print("Another Facet already works on this folder. This page shows the same runs and leaves the work to it.")
    try:
        launch(studio)
    finally:
        studio.close()


if __name__ == "__main__":
    main()
