"""What an example is, as a few bytes: equal for equal content, whatever file or row it came from."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import xxhash

from facet.dataset.conversation import Conversation, Example
from facet.dataset.split import PARTS

DIGEST_BYTES = 16
_FIELDS = ("label", "reference", "text", "tools", "images")


def digest(example: Example) -> bytes:
    """Sixteen bytes for everything a model could learn from an example. Its group is no part of that."""
    content = "".join(_turns(example["messages"]))
    if len(example) > 1:
        content += "".join(_further(example))
    return hashlib.blake2b(content.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).digest()


def _turns(turns: Conversation) -> Iterator[str]:
    for turn in turns:
        yield f"{turn['role']}\0{turn['content']}\0"
        if len(turn) > 2:
            rest = {name: value for name, value in turn.items() if name not in ("role", "content")}
            yield f"\1{_json(rest)}\0"


def _further(example: Example) -> Iterator[str]:
    for name in ("chosen", "rejected"):
        if turns := example.get(name):
            yield f"\2{name}\0"
            yield from _turns(turns)
    rest = {name: value for name in _FIELDS if (value := example.get(name)) not in (None, "", [])}
    if rest:
        yield f"\3{_json(rest)}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def asked(example: Example) -> str:
    """What is asked, without the instruction that all examples share: up to the last answer, or the whole text."""
    turns = example["messages"]
    if not turns:
        return example.get("text", "")
    if turns[-1]["role"] == "assistant":
        turns = turns[:-1]
    texts = [turn["content"] for turn in turns if turn["role"] != "system"]
    return "\n".join(texts) if texts else example.get("text", "")


def matter(example: Example) -> str:
    """What is asked, with the pictures it is asked about: the same words about another picture are another question."""
    return " ".join([asked(example), *example.get("images", ())])


def answered(example: Example) -> str:
    """What the model would learn to say: the last answer, or of a pair the better one."""
    turns = example["messages"]
    if turns and turns[-1]["role"] == "assistant":
        return turns[-1]["content"]
    better = example.get("chosen")
    return better[-1]["content"] if better else example.get("reference", "") if turns else example.get("text", "")


def prompt_key(prompt: str) -> int:
    """Eight bytes, equal for prompts that differ only in capital letters and white space."""
    return xxhash.xxh3_64_intdigest(" ".join(prompt.lower().split()).encode("utf-8", "surrogatepass"))


def text_key(text: str) -> int:
    return xxhash.xxh3_64_intdigest(text.encode("utf-8", "surrogatepass"))


def fingerprint(digests: bytes | bytearray, parts: np.ndarray) -> str:
    """A hash of what is in each part, in order: equal for equal training data, whatever the files are called.

    Shapes: `digests` is sixteen bytes for each row; `parts` uint8 (N,), indices into `PARTS`, others are left out.
    """
    rows = np.frombuffer(digests, dtype=np.uint8).reshape(-1, DIGEST_BYTES)
    return whole_fingerprint({part: rows[parts == number].tobytes() for number, part in enumerate(PARTS)})


def whole_fingerprint(parts: dict[str, bytes]) -> str:
    """The same for the digests of each part."""
    whole = hashlib.sha256()
    for part in PARTS:
        whole.update(part.encode() + b"\0")
        whole.update(parts[part])
    return whole.hexdigest()


def file_sha256(file: Path) -> str:
    with open(file, "rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
