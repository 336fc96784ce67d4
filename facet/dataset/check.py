"""The gate before training: is there anything left to learn once the examples are cut to length?"""

from pathlib import Path

from facet.dataset.render import Renderer
from facet.dataset.store import part_file
from facet.dataset.tokens import measure
from facet.errors import DataError

_MOST_EMPTY_SHARE = 0.5


def gate(dataset_folder: str, model_folder: str, max_length: int) -> dict[str, int]:
    """The statistics of the training examples, if training on them makes sense.

    Raises: `DataError` when nothing, or less than half of it, is left to learn.
    """
    statistics = measure(Renderer.load(Path(model_folder)), part_file(Path(dataset_folder), "train"), max_length)
    if statistics["nothing_left"] > statistics["rows"] * _MOST_EMPTY_SHARE:
        raise DataError(
            f"{statistics['nothing_left']:,} of {statistics['rows']:,} examples are cut off before the answer begins.",
            f"“Longest example” is {max_length:,} tokens, and half of the examples have {statistics['p50']:,} or more.",
            f"Raise “Longest example” towards {statistics['p95']:,}, or shorten the examples.",
        )
    return statistics
