"""Loss and perplexity of the untouched and the tuned model on the validation and the exam part."""

import contextlib
import math
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from facet.dataset.render import Renderer
from facet.errors import DataError
from facet.model.load import Execution, decide, device_here, load_base, with_adapter
from facet.model.source import BaseSource
from facet.model.tokens import IGNORED, write_tokens
from facet.work import log
from facet.work.worker import Slice
from facet.workspace import read_json, write_json

Side = Literal["base", "tuned"]
SIDES: tuple[Side, ...] = ("base", "tuned")
PARTS = ("validation", "exam")
SAVE_EVERY_SECONDS = 5.0
LOGIT_BYTES = 3e8  # memory the scores of one batch may take


@dataclass
class Score:
    """Sums over the rows done so far, so that a slice can go on where the last one ended."""

    rows_done: int = 0
    tokens: int = 0  # scored: what the model had to write
    nats: float = 0.0  # summed negative log likelihood

    @property
    def loss(self) -> float:
        return self.nats / self.tokens if self.tokens else math.nan

    @property
    def perplexity(self) -> float:
        """exp of the mean loss: how many tokens the model hesitates between, on average."""
        return math.exp(min(self.loss, 50.0)) if self.tokens else math.nan


def prepare(piece: Slice) -> None:
    """What needs no device, done ahead of the first slice: tokens."""
    request = piece.task.request
    _tokens(piece, BaseSource.of(request["base"]).folder(piece.models), int(request["max_length"]))


def advance(piece: Slice) -> None:
    """One slice of a test. Results so far are kept in `results.json` after every few seconds."""
    piece.emit(log.Staged(words="Loading the libraries, about ten seconds"))
    request = piece.task.request
    base = BaseSource.of(request["base"])
    folder = base.folder(piece.models)
    execution = _execution(piece, folder)
    sizes = _tokens(piece, folder, int(request["max_length"]))
    piece.emit(log.Staged(words="Loading the models"))
    import torch

    torch.set_num_threads(execution.threads)
    model = with_adapter(load_base(folder, execution.dtype, execution.device), piece.task.folder / "adapter")
    total = 2 * sum(sizes.values())
    piece.emit(log.Started(total_steps=total, where=execution.words))
    results = read_results(piece.task.folder)
    for part in sizes:
        for side in SIDES:
            if not _measure(piece, model, part, side, results, execution.device):
                by_itself = piece.task.stop_asked() is None
                piece.task.clear_turn()
                piece.emit(log.Paused(step=_done(results), words="Paused.", out_of_time=by_itself))
                return
    outputs = {f"{part}_{side}_loss": round(results[part][side].loss, 6) for part in sizes for side in SIDES}
    piece.emit(log.Finished(step=total, outputs=outputs))


def _execution(piece: Slice, folder: Path) -> Execution:
    decided = piece.task.execution()
    if decided is None:
        decided = asdict(decide(folder, 1))
        piece.task.decide_execution(decided)
    return replace(Execution(**decided), device=device_here())


def _tokens(piece: Slice, folder: Path, max_length: int) -> dict[str, int]:
    """Token files for the parts asked for; how many rows each can be scored on.

    Raises: `DataError` when no part has a row to score.
    """
    place = piece.task.folder / "tokens"
    if (place / "sizes.json").exists():
        return read_json(place / "sizes.json")
    piece.emit(log.Staged(words="Turning the examples into tokens"))
    place.mkdir(exist_ok=True)
    renderer = Renderer.load(folder)
    sizes = {}
    for part in piece.task.request["parts"]:
        file = piece.task.folder / "data" / f"{part}.parquet"
        rows = write_tokens(file, place / f"{part}.arrow", renderer, max_length).rows
        if rows:
            sizes[part] = rows
    if not sizes:
        raise DataError(
            "There is nothing to test on.",
            "The validation and the exam part of this dataset hold no usable example.",
            "Prepare the data again with a larger “Set aside for the exam”.",
        )
    write_json(place / "sizes.json", sizes)
    return sizes


def read_results(folder: Path) -> dict[str, dict[Side, Score]]:
    try:
        saved: dict[str, Any] = read_json(folder / "results.json")
    except (OSError, ValueError):
        return {}
    return {part: {side: Score(**score) for side, score in sides.items()} for part, sides in saved.items()}


def _write_results(folder: Path, results: dict[str, dict[Side, Score]]) -> None:
    write_json(
        folder / "results.json", {p: {s: asdict(score) for s, score in sides.items()} for p, sides in results.items()}
    )


def _done(results: dict[str, dict[Side, Score]]) -> int:
    return sum(score.rows_done for sides in results.values() for score in sides.values())


def _measure(piece: Slice, model: Any, part: str, side: Side, results: dict, device: str) -> bool:
    """Score the rest of one part with one side. False when asked to stop or out of time before the end."""
    from datasets import Dataset

    rows = Dataset.from_file(str(piece.task.folder / "tokens" / f"{part}.arrow"))
    score = results.setdefault(part, {}).setdefault(side, Score())
    saved_at, batch_seconds = time.monotonic(), 0.0
    untouched = model.disable_adapter() if side == "base" else contextlib.nullcontext()
    with untouched:
        while score.rows_done < len(rows):
            if piece.task.stop_asked() or piece.task.turn_asked() or piece.seconds_left() < 2 + 2 * batch_seconds:
                _write_results(piece.task.folder, results)
                return False
            batch = rows[score.rows_done : score.rows_done + _batch_size(rows, score.rows_done, model)]
            began = time.monotonic()
            nats, tokens = negative_log_likelihood(model, batch, device)
            score.nats, score.tokens = score.nats + nats, score.tokens + tokens
            score.rows_done += len(batch["input_ids"])
            batch_seconds = time.monotonic() - began
            if time.monotonic() - saved_at > SAVE_EVERY_SECONDS:
                saved_at = time.monotonic()
                _write_results(piece.task.folder, results)
                piece.emit(log.Logged(step=_done(results), values={f"{part}_{side}_loss": score.loss}))
    _write_results(piece.task.folder, results)
    piece.emit(log.Logged(step=_done(results), values={f"{part}_{side}_loss": score.loss}))
    return True


def _batch_size(rows: Any, start: int, model: Any) -> int:
    longest = max(len(ids) for ids in rows[start : start + 8]["input_ids"])
    vocabulary = model.config.get_text_config().vocab_size
    return max(1, min(8, int(LOGIT_BYTES / (longest * vocabulary * 4))))


def negative_log_likelihood(model: Any, batch: dict[str, list[list[int]]], device: str) -> tuple[float, int]:
    """Summed -log p of every labelled token of a batch, in nats, and how many there are.

    Only positions that predict a label are given to the vocabulary head: for Gemma it is most of the work.
    """
    import torch

    longest = max(len(ids) for ids in batch["input_ids"])
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in batch["input_ids"]], device=device)  # (B, T)
    labels = torch.tensor([row + [IGNORED] * (longest - len(row)) for row in batch["labels"]], device=device)
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in batch["input_ids"]], device=device)
    targets = labels[:, 1:]  # (B, T - 1): position t predicts token t + 1
    kept = (targets != IGNORED).any(0).nonzero().flatten()  # (K,)
    with torch.inference_mode():
        logits = model(input_ids=ids, attention_mask=mask, logits_to_keep=kept, use_cache=False).logits  # (B, K, V)
        wanted = targets[:, kept]
        nats = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1).float(), wanted.flatten(), ignore_index=IGNORED, reduction="sum"
        )
    return float(nats), int((wanted != IGNORED).sum())


def words(results: dict[str, dict[Side, Score]]) -> str:
    """What the numbers say, in one sentence, and no more than they say."""
    part = "exam" if "exam" in results else "validation"
    sides = results.get(part, {})
    if not all(side in sides and sides[side].tokens for side in SIDES):
        return "Not measured yet."
    before, after = sides["base"], sides["tuned"]
    change = before.loss - after.loss
    rows = f"{after.rows_done:,} example{'s' if after.rows_done != 1 else ''} it never learned from"
    if abs(change) < 0.02:
        return f"On {rows}, the tuned model finds the right answers about as likely as the untouched one."
    better = "more" if change > 0 else "less"
    return (
        f"On {rows}, the tuned model finds each right word piece {math.exp(abs(change)):.1f} times {better} likely "
        f"than the untouched one (perplexity {before.perplexity:.1f} → {after.perplexity:.1f})."
    )
