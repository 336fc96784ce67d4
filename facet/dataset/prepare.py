"""From a file and a mapping to a prepared dataset on disk: three parts, unusable rows with reasons, one summary.

Memory stays bounded whatever the size of the file: rows pass through, and sixteen bytes of each are kept.
"""

import contextlib
import hashlib
import json
import shutil
import statistics
import sys
import tempfile
import time
from array import array
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from facet.dataset import budget
from facet.dataset.columns import Converter, Mapping, check_mapping, parse_mapping
from facet.dataset.conversation import Conversation
from facet.dataset.look import look
from facet.dataset.preview import SHOWN_ROWS, shown
from facet.dataset.problem import RowProblem
from facet.dataset.read import Correction, Rows, open_rows
from facet.dataset.sniff import no_rows
from facet.dataset.split import PARTS, checked_shares, split_keys
from facet.dataset.store import ExampleWriter
from facet.errors import CapacityError, DataError, FacetError
from facet.workspace import clean_name, fsync, write_json

_MOST_LABELS = 100
_REPORT_EVERY_ROWS = 5_000
_NAMING_ROWS = 1_000
_FILES = ("train.parquet", "validation.parquet", "exam.parquet", "problems.jsonl", "preview.json")


def prepare(
    file: str,
    original_name: str,
    correction: Correction | None,
    mapping: dict[str, Any] | None,
    into: str,
    name: str,
    test_size: float = 0.1,
    validation_size: float | None = None,
    seed: int = 0,
    source: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Write a prepared dataset into the folder `into`; returns its summary, which is also in `dataset.json`.

    `test_size` is the share kept for the exam; `validation_size`, the share watched while learning, is the same
    unless given. `dataset.json` is written last: a folder without it is not a dataset.
    Without a `mapping` the shape is guessed, as `look` does.
    Raises: `DataError` when no row can be used; then nothing stays.
    """
    chosen = parse_mapping(mapping if mapping is not None else _guessed(file, original_name, correction))
    validation_share, exam_share = checked_shares(test_size if validation_size is None else validation_size, test_size)
    sniffed, rows = open_rows(Path(file), original_name, correction)
    check_mapping(chosen, rows.names)
    folder = Path(into)
    with _staging(folder) as staging:
        pass_ = _Pass(chosen, staging)
        pass_.read(rows, budget.most_decoded_bytes(Path(file).stat().st_size))
        parts = split_keys(pass_.keys(), validation_share, exam_share, seed)
        _write_parts(staging, parts)
        summary = {
            "dataset_id": folder.name,
            "name": clean_name(name),
            "source": {"sha256": _sha256(Path(file)), "original_name": clean_name(original_name), **(source or {})},
            "format": sniffed.format,
            "shape": chosen.kind,
            "mapping": chosen.model_dump(),
            "seed": seed,
            "test_size": exam_share,
            "validation_size": validation_share,
            **pass_.summary(rows),
            "splits": {part: int((parts == number).sum()) for number, part in enumerate(PARTS)},
            "fingerprint": _fingerprint(pass_.digests, parts),
            "created": time.time(),
        }
        _move_in(staging, folder)
    write_json(folder / "dataset.json", summary)
    return summary


def _guessed(file: str, original_name: str, correction: Correction | None) -> dict[str, Any]:
    seen = look(file, original_name, correction)
    if seen["complaint"]:
        raise FacetError.from_dict(seen["complaint"])
    return seen["shape"]["mapping"]


class _Pass:
    """One walk over all rows: the usable ones are stored, the others are listed, and everything is counted."""

    def __init__(self, mapping: Mapping, staging: Path) -> None:
        self.mapping, self.staging = mapping, staging
        self.converter = Converter(mapping)
        self.rows_in = 0
        self.digests = bytearray()  # sixteen bytes for each usable row, in order
        self.prompts, self.answers = array("I"), array("I")  # lengths in characters
        self.reasons: Counter[str] = Counter()
        self.repaired: Counter[str] = Counter()
        self.labels: Counter[str] | None = Counter() if mapping.kind == "text_label" else None
        self.preview: list[dict[str, Any]] = []
        self.characters = 0
        self.names: set[str] = set()  # of columns, where every row names its own

    def read(self, rows: Rows, most_characters: int) -> None:
        columns = self.mapping.columns() if rows.names is not None else None
        writer = ExampleWriter(self.staging / "usable.parquet")
        with open(self.staging / "problems.jsonl", "w", encoding="utf-8") as problems:
            for number, row in rows.rows(columns):
                self.rows_in += 1
                repairs: set[str] = set()
                try:
                    messages: Conversation | None = self.converter.convert(row, repairs)
                    problem = None
                except RowProblem as found:
                    messages, problem = None, found
                if messages is not None:
                    writer.add(number, {"messages": messages}, self._count(messages, repairs))
                elif problem is not None:
                    self.reasons[problem.words] += 1
                    problems.write(json.dumps({"row": number, "code": problem.code, "words": problem.words}) + "\n")
                if number <= _NAMING_ROWS and isinstance(row, dict):
                    self.names.update(row)
                if number <= SHOWN_ROWS:
                    self.preview.append(shown(number, row, messages, problem))
                if self.characters > most_characters:
                    raise budget.unpacks_too_large(most_characters)
                if number % _REPORT_EVERY_ROWS == 0:
                    report(f"{number:,} rows read")
        writer.close()
        write_json(self.staging / "preview.json", self.preview)
        self._require_something()

    def _count(self, messages: Conversation, repairs: set[str]) -> int:
        digest = hashlib.blake2b(digest_size=16)
        prompt = 0
        for message in messages:
            digest.update(f"{message['role']}\0{message['content']}\0".encode())
            prompt += len(message["content"])
        answer = messages[-1]["content"]
        self.digests += digest.digest()
        self.prompts.append(prompt - len(answer))
        self.answers.append(len(answer))
        self.characters += prompt
        if self.labels is not None and (answer in self.labels or len(self.labels) < 10_000):
            self.labels[answer] += 1
        if repairs:
            self.repaired.update(repairs)
        return prompt

    def _require_something(self) -> None:
        if self.rows_in == 0:
            raise no_rows()
        if not self.answers:
            check_mapping(self.mapping, sorted(self.names) or None)
            (words, count), *_ = self.reasons.most_common(1)
            raise DataError(
                "No row of this file can be used.",
                f"In {count:,} of {self.rows_in:,} rows {words}.",
                "Choose other columns above the preview, or correct the file.",
            )

    def keys(self) -> np.ndarray:
        """The first eight bytes of each digest as numbers. Shape: uint64 (N,)."""
        return np.frombuffer(self.digests, dtype=">u8")[::2].astype(np.uint64)

    def summary(self, rows: Rows) -> dict[str, Any]:
        used = len(self.answers)
        unique = len(np.unique(self.keys()))
        return {
            "rows_in": self.rows_in,
            "used": used,
            "unusable": self.rows_in - used,
            "reasons": dict(self.reasons.most_common()),
            "repaired": dict(self.repaired.most_common()),
            "notes": list(rows.notes),
            "duplicates": used - unique,
            "lengths": {
                "median_prompt_characters": int(statistics.median(self.prompts)),
                "median_answer_characters": int(statistics.median(self.answers)),
                "longest_characters": max(map(sum, zip(self.prompts, self.answers, strict=True))),
            },
            "labels": dict(self.labels.most_common(_MOST_LABELS)) if self.labels is not None else None,
        }


def _write_parts(staging: Path, parts: np.ndarray) -> None:
    """Deal the usable rows out to the three files, one row group at a time."""
    import pyarrow as pa

    with contextlib.ExitStack() as stack:
        usable = stack.enter_context(pq.ParquetFile(staging / "usable.parquet"))
        schema = usable.schema_arrow
        writers = [
            stack.enter_context(pq.ParquetWriter(staging / f"{part}.parquet", schema, compression="zstd"))
            for part in PARTS
        ]
        start = 0
        for group in range(usable.num_row_groups):
            table = usable.read_row_group(group, use_threads=False)
            mine = parts[start : start + table.num_rows]
            start += table.num_rows
            for number, writer in enumerate(writers):
                chosen = table.filter(pa.array(mine == number))
                if chosen.num_rows:
                    writer.write_table(chosen)
    (staging / "usable.parquet").unlink()


def _fingerprint(digests: bytearray, parts: np.ndarray) -> str:
    """A hash of what is in each part, in order: equal for equal training data, whatever the files are called."""
    whole = hashlib.sha256()
    rows = np.frombuffer(digests, dtype=np.uint8).reshape(-1, 16)
    for number, part in enumerate(PARTS):
        whole.update(part.encode() + b"\0")
        whole.update(np.ascontiguousarray(rows[parts == number]).tobytes())
    return whole.hexdigest()


@contextlib.contextmanager
def _staging(folder: Path):
    """A folder beside the result that vanishes, whatever happens. A full disk becomes a sentence."""
    staging = Path(tempfile.mkdtemp(prefix=".part-", dir=folder))
    try:
        yield staging
    except OSError as error:
        if error.errno in (27, 28, 122):  # EFBIG, ENOSPC, EDQUOT
            raise CapacityError(
                "There is not enough room on the disk.",
                "The prepared rows could not be written.",
                "Delete runs or datasets you no longer need, then try again.",
            ) from None
        raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _move_in(staging: Path, folder: Path) -> None:
    for name in _FILES:
        fsync(staging / name)
        (staging / name).replace(folder / name)
    fsync(folder)


def _sha256(file: Path) -> str:
    with open(file, "rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def report(words: str) -> None:
    """Progress for the process that waits for this one."""
    print(json.dumps({"progress": words}), file=sys.stderr, flush=True)
