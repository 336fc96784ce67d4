"""A tracker's own client in a process of its own: it reads lines of JSON and answers each with one.

`python -m facet.track.child`. A key arrives on standard input, lives in this process, and is written nowhere.
"""

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

Log = Callable[[int, float, dict[str, float]], None]


@contextlib.contextmanager
def trackio(opened: dict[str, Any]) -> Iterator[Log]:
    """A local project in the person's own folder."""
    os.environ["TRACKIO_DIR"] = opened["folder"]
    import trackio as client

    quiet = {"embed": False, "auto_log_gpu": False, "auto_log_cpu": False}
    run = client.init(opened["project"], name=opened["name"], config=opened["config"], resume="allow", **quiet)
    try:
        yield lambda step, at, values: run.log(values, step=step)
    finally:
        client.finish()


@contextlib.contextmanager
def wandb(opened: dict[str, Any]) -> Iterator[Log]:
    """To the person's own account with their key; without one into files that `wandb sync` sends later."""
    key = opened.pop("key", "")
    os.environ["WANDB_DIR"] = opened["folder"]
    os.environ["WANDB_MODE"] = "online" if key else "offline"
    if key:
        os.environ["WANDB_API_KEY"] = key
    import wandb as client

    settings = client.Settings(
        disable_git=True,
        save_code=False,
        console="off",
        silent=True,
        x_disable_stats=True,
        x_disable_meta=True,
        x_save_requirements=False,
        disable_job_creation=True,
        login_timeout=30,
        init_timeout=60,
    )
    run = client.init(
        project=opened["project"],
        id=opened["id"],
        name=opened["name"],
        config=opened["config"],
        resume="allow",
        settings=settings,
    )
    try:
        run.define_metric("*", step_metric="step")
        yield lambda step, at, values: run.log({**values, "step": step})
    finally:
        run.finish()


CLIENTS = {"trackio": trackio, "wandb": wandb}


def main() -> None:
    """First line: what to open. Then lists of points, each answered with their number; the end of input closes it."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a client prints goes where nobody takes it for an answer
    opened = json.loads(sys.stdin.readline())
    try:
        with CLIENTS[opened.pop("tracker")](opened) as tell:
            print(json.dumps({"open": True}), file=answers, flush=True)
            for line in sys.stdin:
                points = json.loads(line)
                for step, at, values in points:
                    tell(step, at, values)
                print(json.dumps({"told": len(points)}), file=answers, flush=True)
        print(json.dumps({"closed": True}), file=answers, flush=True)
    except Exception as error:  # its text may hold an address or a name: only its kind goes home
        print(json.dumps({"fault": type(error).__name__}), file=answers, flush=True)


if __name__ == "__main__":
    main()
