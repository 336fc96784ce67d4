"""An open page without a browser, in a process that is "on ZeroGPU".

    python -m tests.stand_in.zero_app -m tests.stand_in.zero_page HOME VISITOR [--leave-at STEP] [--stop-at STEP] …

Drives the work of the one person at home again and again, as the page's clock does, with the pass of VISITOR. Ends
when nothing is left to do now. Prints one JSON line for each event, and `{"left": …}` with the quota at the end.
"""

import argparse
import json
import sys
import time
from pathlib import Path

from facet.errors import FacetError
from facet.identity import LOCAL, Grant
from facet.studio import Studio
from facet.workspace import Workspace
from tests.stand_in.zero import visitor_token


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    parser.add_argument("visitor")
    parser.add_argument("--leave-at", type=int, help="close the page once this step was seen")
    parser.add_argument("--stop-at", type=int, help="press “Pause” once this step was seen")
    parser.add_argument("--visits", type=int, default=1, help="how often the clock of the page ticks")
    parser.add_argument("--conduct", action="store_true", help="with the conductor at work in the same process")
    parser.add_argument("--chat", help="say this to the first run instead, on a card")
    how = parser.parse_args()
    studio = Studio(Workspace(how.home))
    studio.open() if how.conduct else studio.places.zerogpu.preload()
    try:
        chat(studio, how) if how.chat else drive(studio, how)
        tell(left=studio.places.left(grant(how)).__dict__)
    except FacetError as error:
        print(error)
        return 1
    finally:
        studio.close()
    return 0


def grant(how: argparse.Namespace) -> Grant:
    return Grant(LOCAL, context={"x-ip-token": visitor_token(how.visitor)})


def drive(studio: Studio, how: argparse.Namespace) -> None:
    for _ in range(how.visits):
        slices = studio.drive(grant(how))
        for event in slices:
            if event is None:
                continue
            tell(**event.model_dump())
            step = getattr(event, "step", 0)
            if how.leave_at and step >= how.leave_at:
                slices.close()
                tell(kind="left the page", still_saving=studio.places.is_driven(LOCAL))
                while studio.places.is_driven(LOCAL):
                    time.sleep(0.1)
                return
            if how.stop_at and step >= how.stop_at:
                for run in studio.runs(LOCAL):
                    studio.pause(LOCAL, run.id)
                how.stop_at = None
        time.sleep(0.2)


def chat(studio: Studio, how: argparse.Namespace) -> None:
    from facet.model.speak import Decoding, Piece

    run, turn = studio.runs(LOCAL)[0], [{"role": "user", "content": how.chat}]
    for piece in studio.chat(LOCAL, run.id, {"base": turn, "tuned": turn}, Decoding(max_new_tokens=12), grant(how)):
        tell(**(piece.__dict__ if isinstance(piece, Piece) else {"said": piece}))


def tell(**facts: object) -> None:
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    sys.exit(main())
