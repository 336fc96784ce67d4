"""The gate before training: is there anything left to learn, in a form that the method and the model can read?"""

import json
from pathlib import Path
from typing import Any, Literal, get_args

import pyarrow.parquet as pq

from facet.dataset.conversation import DATASET_TYPES, TYPE_WORDS, DatasetType
from facet.dataset.render import Renderer
from facet.dataset.store import part_file
from facet.dataset.tokens import measure
from facet.errors import DataError, SettingError

Method = Literal["sft", "dpo", "orpo", "kto", "reward", "grpo", "rloo", "cpt"]
METHODS: dict[Method, tuple[DatasetType, ...]] = {
    "sft": ("conversation",),
    "dpo": ("preference",),
    "orpo": ("preference",),
    "kto": ("unpaired_preference", "preference"),  # TRL takes a pair as one praised and one criticised answer
    "reward": ("preference",),
    "grpo": ("prompt_only",),
    "rloo": ("prompt_only",),
    "cpt": ("text",),
}
LEARN_PICTURES: tuple[Method, ...] = ()  # methods that give pictures to the model
FEWEST_EXAMPLES = 20
_MOST_EMPTY_SHARE = 0.5
_INSTEAD: dict[DatasetType, str] = {
    "preference": "Prepare the file again and tick “Learn only the better answers”.",
    "unpaired_preference": "Prepare the file again and choose a question and its answer as “Shape of your data”.",
    "prompt_only": "Prepare the file again and choose a “Shape of your data” that has answers.",
    "text": "Prepare the file again and choose a “Shape of your data” that has questions and answers.",
    "conversation": "Choose another dataset.",
}


def gate(dataset_folder: str, model_folder: str, max_length: int, method: str = "sft") -> dict[str, Any]:
    """The statistics of the training examples, if training on them by this method makes sense.

    `type` is added to them, and `warnings`, sentences about what is odd but no reason to stop.
    Raises: `DataError` when the examples are of another type than the method needs, use tools or pictures the model
    cannot read, or when nothing, or less than half of it, is left to learn; `SettingError` for an unknown method.
    """
    folder = Path(dataset_folder)
    file = part_file(folder, "train")
    kind = dataset_type(folder)
    _require_type(kind, method)
    if not pq.read_metadata(file).num_rows:
        raise DataError("This dataset has no examples to learn from.", "Its part for learning is empty.", _AGAIN)
    _require_no_pictures(file, Path(model_folder), method)
    statistics = measure(Renderer.load(Path(model_folder)), file, max_length)
    if kind != "prompt_only" and statistics["unlearned"] == statistics["rows"]:
        raise DataError(
            "There is nothing to learn in these examples.",
            f"All {statistics['rows']:,} that were looked at have no answer, or only answers of weight 0.",
            "Prepare the file again with answers that are to be learned.",
        )
    _require_room(kind, statistics, max_length)
    return {**statistics, "type": kind, "warnings": _warnings(kind, statistics)}


_AGAIN = "Prepare it again with smaller parts set aside."


def dataset_type(folder: Path) -> DatasetType:
    """What a prepared dataset holds, as its `dataset.json` says; without a word of it, conversations."""
    try:
        found = json.loads((folder / "dataset.json").read_text("utf-8")).get("type")
    except (OSError, ValueError, AttributeError):
        found = None
    return found if found in DATASET_TYPES else "conversation"


def require_type(dataset_folder: Path, method: str) -> None:
    """Raises: `DataError` when a method cannot learn from a dataset of this type, whatever the model."""
    _require_type(dataset_type(dataset_folder), method)


def _require_type(kind: DatasetType, method: str) -> None:
    if method not in get_args(Method):
        raise SettingError(
            "This way of training is not known.",
            f"It is none of {', '.join(METHODS)}.",
            "Choose one of those that are offered.",
        )
    accepted = METHODS[method]  # type: ignore[index]
    if kind not in accepted:
        needs = " or ".join(TYPE_WORDS[each] for each in accepted)
        raise DataError(
            f"This way of training needs {needs}.",
            f"The dataset holds {TYPE_WORDS[kind]}.",
            _INSTEAD[kind] if method == "sft" else f"Choose a dataset of {needs}, or another way of training.",
        )


def _require_no_pictures(file: Path, model_folder: Path, method: str) -> None:
    """Raises: `DataError` when examples show pictures and they would be left out."""
    if "images" not in pq.read_schema(file).names:
        return
    shown = pq.read_table(file, columns=["images"], use_threads=False).column(0)
    count = len(shown) - shown.null_count
    if not count:
        return
    if not reads_pictures(model_folder):
        raise DataError(
            "This model reads no pictures.",
            f"{count:,} of {len(shown):,} examples show one, and the model would never see it.",
            "Choose a “Starting model” that reads pictures, or prepare the data without them.",
        )
    if method not in LEARN_PICTURES:
        raise DataError(
            "This way of training does not learn from pictures.",
            f"{count:,} of {len(shown):,} examples show one, and only their texts would be learned.",
            "Prepare the data again without the column of pictures.",
        )


def reads_pictures(model_folder: Path) -> bool:
    try:
        settings = json.loads((model_folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(settings, dict) and isinstance(settings.get("vision_config"), dict)


def _require_room(kind: DatasetType, statistics: dict[str, int], max_length: int) -> None:
    lost = statistics["cut_rows"] if kind == "prompt_only" else statistics["nothing_left"]
    if lost > statistics["rows"] * _MOST_EMPTY_SHARE:
        what = "longer than the model may read" if kind == "prompt_only" else "cut off before the answer begins"
        raise DataError(
            f"{lost:,} of {statistics['rows']:,} examples are {what}.",
            f"“Longest example” is {max_length:,} tokens, and half of the examples have {statistics['p50']:,} or more.",
            f"Raise “Longest example” towards {statistics['p95']:,}, or shorten the examples.",
        )


def _warnings(kind: DatasetType, statistics: dict[str, int]) -> list[str]:
    found = []
    if statistics["of"] < FEWEST_EXAMPLES and kind != "text":
        found.append(
            f"There are only {statistics['of']} examples to learn from; at least {FEWEST_EXAMPLES} are better."
        )
    if statistics["unlearned"] and kind != "prompt_only":
        found.append(f"{statistics['unlearned']:,} examples have no answer that is to be learned.")
    return found
