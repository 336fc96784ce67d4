"""How fast a run goes, measured between two looks at it; a cache that may be lost at any time."""

import time

from facet.work.log import Progress

PATIENCE = 30.0  # seconds in which a pressed button shows its effect


class Pace:
    """Remembers where each run was when it was first seen at work."""

    def __init__(self) -> None:
        self._first: dict[str, tuple[int, float]] = {}  # run → (step, moment of that step)
        self._awaited: dict[str, float] = {}  # run → until when to keep looking

    def await_change(self, run_id: str) -> None:
        """A button was pressed: keep looking although nothing moves yet."""
        self._awaited[run_id] = time.monotonic() + PATIENCE

    def is_awaited(self, run_id: str) -> bool:
        return time.monotonic() < self._awaited.get(run_id, 0.0)

    def left(self, run_id: str, progress: Progress) -> float | None:
        """Seconds until the last step, or None while that cannot be known yet."""
        if progress.stage != "running" or not progress.total_steps:
            self._first.pop(run_id, None)
            return None
        step, moment = self._first.setdefault(run_id, (progress.step, progress.last_at))
        if progress.step < step:
            self._first[run_id] = (progress.step, progress.last_at)
        if progress.step <= step or progress.last_at <= moment:
            return None
        return (progress.total_steps - progress.step) * (progress.last_at - moment) / (progress.step - step)
