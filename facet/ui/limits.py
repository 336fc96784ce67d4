"""How often one person may ask: a bucket of calls that refills steadily."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from facet.errors import CapacityError

KEPT = 10_000  # buckets remembered; the oldest are forgotten first, which only ever gives calls back


class Limits:
    """One bucket per person. `burst` calls at once, `per_second` afterwards."""

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_second, self.burst, self.clock = per_second, burst, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # key → (calls left, at)
        self._lock = threading.Lock()

    def spend(self, key: str, calls: float = 1.0) -> None:
        """Take calls out of a person's bucket.

        Raises: `CapacityError` with the seconds to wait when there are not enough left.
        """
        with self._lock:
            now = self.clock()
            left, at = self._buckets.get(key, (float(self.burst), now))
            left = min(float(self.burst), left + (now - at) * self.per_second)
            enough = left >= calls
            self._buckets[key] = (left - calls if enough else left, now)
            self._buckets.move_to_end(key)
            while len(self._buckets) > KEPT:
                self._buckets.popitem(last=False)
        if not enough:
            wait = max(1, round((calls - left) / self.per_second))
            raise CapacityError(
                "That was a little too fast.",
                f"This page answers {self.burst} requests at once and {self.per_second:g} a second after that.",
                f"Wait {wait} second{'s' if wait > 1 else ''} and try again.",
            )
