"""One stand-in for many tests: starting it takes longer than most of them, so each finds it as if it were new."""

import contextlib
import copy
from collections.abc import Iterator

from tests.hub_stand_in import StandInHub

PLAIN = (dict, list, set, str, int, float, type(None))


@contextlib.contextmanager
def as_new(hub: StandInHub) -> Iterator[StandInHub]:
    """Afterwards everything a test can say to it is as it was before."""
    before = {name: copy.copy(value) for name, value in vars(hub).items() if isinstance(value, PLAIN)}
    waiting = list(hub.devices.waiting)
    try:
        yield hub
    finally:
        vars(hub).update(before)
        hub.devices.waiting[:] = waiting
