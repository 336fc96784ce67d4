"""Answers that were judged in a chat, as examples to learn from: kept until they are put into a version of a dataset.

An answer that was praised or rewritten is learned; one that was blamed is what a rewritten one, or a praised one to
the same question, is preferred to. Of a conversation only the judged answer is learned, not those before it.
"""

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from facet.dataset.conversation import Conversation, DatasetType, Example, Message
from facet.dataset.lineage import family_of
from facet.errors import DataError
from facet.workspace import read_json, write_json

_PARTS = ("train", "validation", "exam")
FITTING: tuple[DatasetType, ...] = ("conversation", "preference", "unpaired_preference")


@dataclass(frozen=True)
class Feedback:
    """One judged answer. `messages` is all that was said before it, the last turn a person's."""

    messages: Conversation
    answer: str
    good: bool | None = None  # thumb up or down
    better: str = ""  # how the person rewrote it
    model: str = ""  # whose answer it was, as the person sees it
    when: float = field(default_factory=time.time)  # seconds since 1970

    @property
    def key(self) -> str:
        return _hash([*_plain(self.messages), self.answer])

    @property
    def question(self) -> str:
        return _hash(_plain(self.messages))

    @property
    def says_anything(self) -> bool:
        return self.good is not None or bool(self.better.strip())


def _plain(turns: Conversation) -> list[list[str]]:
    return [[turn["role"], turn["content"]] for turn in turns]


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:24]


def read_feedback(file: Path) -> list[Feedback]:
    """What was judged, oldest first; nothing for a file that is not there, or that another Facet wrote.

    Raises: `OSError` for one that cannot be read just now: what is in it must not be written over.
    """
    try:
        return [Feedback(**one) for one in read_json(file)]
    except (FileNotFoundError, ValueError, TypeError):
        return []


def write_feedback(file: Path, judged: Iterable[Feedback]) -> None:
    write_json(file, [asdict(one) for one in judged])


# ---- as examples
def examples_of(kind: DatasetType, judged: Sequence[Feedback]) -> list[Example]:
    """The examples that a dataset of this type can take of them; none for types without answers."""
    if kind == "conversation":
        return [one for each in judged for one in _conversation(each)]
    if kind == "preference":
        return [*_rewritten(judged), *_compared(judged)]
    return [one for each in judged for one in _labelled(each)] if kind == "unpaired_preference" else []


def _conversation(one: Feedback) -> Iterator[Example]:
    if answer := one.better.strip() or (one.answer if one.good else ""):
        yield {"messages": [*_read_only(one.messages), _answer(answer)]}


def _rewritten(judged: Sequence[Feedback]) -> Iterator[Example]:
    for one in judged:
        if one.better.strip() and one.better.strip() != one.answer.strip():
            yield _pair(one.messages, one.better, one.answer)


def _compared(judged: Sequence[Feedback]) -> Iterator[Example]:
    """Two answers to the very same question, of which a person liked one and not the other."""
    for liked in judged:
        for other in judged:
            apart = liked.answer.strip() != other.answer.strip()
            if liked.good and other.good is False and apart and liked.question == other.question:
                yield _pair(liked.messages, liked.better or liked.answer, other.answer)


def _pair(asked: Conversation, chosen: str, rejected: str) -> Example:
    return {"messages": _bare(asked), "chosen": [_answer(chosen)], "rejected": [_answer(rejected)]}


def _labelled(one: Feedback) -> Iterator[Example]:
    if one.better.strip():
        yield {"messages": [*_bare(one.messages), _answer(one.better)], "label": True}
    if one.good is not None and one.answer.strip():
        yield {"messages": [*_bare(one.messages), _answer(one.answer)], "label": one.good}


def _answer(text: str) -> Message:
    return {"role": "assistant", "content": text.strip()}


def _bare(turns: Conversation) -> Conversation:
    return [{"role": turn["role"], "content": turn["content"]} for turn in turns]


def _read_only(turns: Conversation) -> Conversation:
    """Answers from before are read and not learned: nobody judged them."""
    return [turn | {"weight": 0} if turn["role"] == "assistant" else turn for turn in _bare(turns)]


def as_rows(kind: DatasetType, examples: Sequence[Example]) -> str:
    """The same as JSONL in the field's usual form, from which a dataset of its own can be prepared."""
    return "".join(json.dumps(_row(kind, one), ensure_ascii=False) + "\n" for one in examples)


def _row(kind: DatasetType, example: Example) -> dict[str, Any]:
    if kind == "preference":
        return {"prompt": example["messages"], "chosen": example["chosen"], "rejected": example["rejected"]}
    if kind == "unpaired_preference":
        *asked, answer = example["messages"]
        return {"prompt": asked, "completion": [answer], "label": example["label"]}
    return {"messages": example["messages"]}


# ---- as the next version of a dataset; runs in the limited child
def version_from_chat(dataset_folder: str, judged: list[dict[str, Any]], into: str, version: int) -> dict[str, Any]:
    """Write a dataset with judged answers added to what it learns from; returns its summary.

    Validation and exam stay the same files. Left out: copies of what is there, and every question that the validation
    or the exam asks, since nobody may learn from those.
    Raises: `DataError` when nothing would be added.
    """
    from facet.dataset.measure import measured

    parent, folder = Path(dataset_folder), Path(into)
    before = read_json(parent / "dataset.json")
    examples = examples_of(before.get("type", "conversation"), [Feedback(**one) for one in judged])
    known, asked_elsewhere = _known(parent)
    new, left = _new_ones(examples, known, asked_elsewhere)
    if not new:
        raise _nothing_new(len(judged), left)
    _link_files(parent, folder)
    extras = _append(parent, folder, new)
    label = f"{len(new)} answer{'' if len(new) == 1 else 's'} from the chat added"
    summary = {
        **before,
        **measured(folder, before.get("labels") is not None),
        "mended": _with(before.get("mended"), len(new), label),
        "from_chat": {"added": len(new), **left},
        "extras": extras,
        "dataset_id": folder.name,
        "version": version,
        "parent": before["dataset_id"],
        "family": family_of(before),
        "created": time.time(),
    }
    write_json(folder / "dataset.json", summary)
    return summary


def _known(parent: Path) -> tuple[set[bytes], set[str]]:
    """What the dataset holds already, and what is asked in the parts that are kept aside."""
    from facet.dataset.digests import asked, digest
    from facet.dataset.store import part_file, whole_examples

    known: set[bytes] = set()
    elsewhere: set[str] = set()
    for part in _PARTS:
        for _, example in whole_examples(part_file(parent, part)):
            known.add(digest(example))
            if part != "train":
                elsewhere.add(_same(asked(example)))
    return known, elsewhere


def _same(text: str) -> str:
    """Questions that differ in spaces and capitals alone are the same question."""
    return " ".join(text.split()).casefold()


def _new_ones(
    examples: Sequence[Example], known: set[bytes], elsewhere: set[str]
) -> tuple[list[Example], dict[str, int]]:
    from facet.dataset.digests import asked, digest

    new: list[Example] = []
    left = {"copies": 0, "kept_aside": 0}
    for example in examples:
        if (mark := digest(example)) in known:
            left["copies"] += 1
        elif _same(asked(example)) in elsewhere:
            left["kept_aside"] += 1
        else:
            known.add(mark)
            new.append(example)
    return new, left


def _link_files(parent: Path, folder: Path) -> None:
    from facet.dataset.album import FOLDER, link, link_all
    from facet.dataset.parts import FILES

    for name in FILES:
        if name != "train.parquet":
            link(parent / name, folder / name)
    if (parent / FOLDER).is_dir():
        link_all(parent / FOLDER, folder / FOLDER)


def _append(parent: Path, folder: Path, new: Sequence[Example]) -> list[str]:
    """The train part, with the new examples after all the others. Returns what its examples have beyond the usual."""
    from facet.dataset.conversation import EXTRA_FIELDS, texts_of
    from facet.dataset.store import ExampleWriter, extras_of, part_file, whole_examples

    extras = {*extras_of(part_file(parent, "train"))}
    for example in new:
        extras |= {name for name in EXTRA_FIELDS if name in example}
        extras |= {"weight" for turn in example["messages"] if "weight" in turn}
    writer = ExampleWriter(folder / "train.parquet", extras)
    last = 0
    for row, example in whole_examples(part_file(parent, "train")):
        last = max(last, row)
        writer.add(row, example, sum(map(len, texts_of(example))))
    for row, example in enumerate(new, start=last + 1):
        writer.add(row, example, sum(map(len, texts_of(example))))
    writer.close()
    return sorted(extras)


def _with(before: dict[str, Any] | None, added: int, label: str) -> dict[str, Any]:
    """What all repairs and additions since the first version did, so that every row stays accounted for."""
    done = {"kind": "from_chat", "label": label, "examples": added, "changed": 0, "dropped": 0, "added": added}
    so_far = before or {"changed": 0, "dropped": 0, "added": 0, "by_repair": []}
    return {**so_far, "added": so_far["added"] + added, "by_repair": [*so_far["by_repair"], done]}


def _nothing_new(judged: int, left: dict[str, int]) -> DataError:
    why = f"Of {judged} judged answers none is an example for data of this kind."
    if left["copies"] or left["kept_aside"]:
        why = f"{left['copies']} are in it already, and {left['kept_aside']} ask what its exam or validation asks."
    return DataError(
        "There is nothing to add to this data.",
        why,
        "Rewrite an answer or give it a thumb up, or choose other data in “Put them into”.",
    )
