"""How the time of passes of different size tells what each unit of work costs, and what each pass."""

import numpy as np


def line(works: list[float], seconds: list[float]) -> tuple[float, float]:
    """Seconds for each unit of work, and for each pass however small, neither below nothing.

    >>> line([1.0, 3.0], [2.0, 4.0])
    (1.0, 1.0)
    """
    mean, middle = float(np.mean(works)), float(np.mean(seconds))
    spread = float(np.var(works))
    if spread < 0.01 * mean**2:  # all alike: nothing tells the two apart
        return middle / max(1e-9, mean), 0.0
    slope = float(np.mean((np.array(works) - mean) * (np.array(seconds) - middle))) / spread
    slope = min(max(slope, 0.0), middle / mean)
    return slope, middle - slope * mean
