"""Room on the disk for the next save point: where there is none, training goes on without it."""

import shutil
from dataclasses import dataclass
from typing import Any, Final

from facet.work.task import Task

FLOOR_BYTES: Final = 200_000_000  # left for the logs, and for whoever else writes to this disk
BYTES_PER_WEIGHT: Final = 12  # a trained weight in single precision, and the two averages of its optimizer


@dataclass
class Room:
    task: Task
    said: bool = False

    def is_enough(self, model: Any) -> bool:
        """Whether another save point fits beside those that are kept."""
        return shutil.disk_usage(self.task.folder).free > FLOOR_BYTES + self._needed(model)

    def _needed(self, model: Any) -> int:
        points = [path for path in self.task.checkpoints.glob("[0-9]*") if path.is_dir()]
        if points:
            return sum(file.stat().st_size for file in max(points).rglob("*") if file.is_file())
        weights = sum(part.numel() for part in model.parameters() if part.requires_grad) if model else 0
        return BYTES_PER_WEIGHT * weights

    def once(self) -> bool:
        """True the first time, so that a person hears of it once."""
        first, self.said = not self.said, True
        return first
