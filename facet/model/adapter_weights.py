"""The weights file of an adapter from elsewhere: its header taken apart, its names and sizes checked. No torch.

The header is eight bytes of length and JSON, as https://huggingface.co/docs/safetensors/index#format describes it.
"""

import json
import math
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from facet.gemma.refuse import printable
from facet.gemma.targets import ANY_LAYER

HEADER_CAP: Final = 4_000_000  # bytes; an adapter of the largest Gemma needs a tenth of it
BYTES: Final = {"F32": 4, "F16": 2, "BF16": 2}
CHUNK: Final = 4_000_000  # numbers looked at together
_MODULE = rf"layers\.(?:0|[1-9][0-9]{{0,2}})\.(?:{ANY_LAYER})"
_STEM = r"(?:(?:model|language_model)\.){0,3}"
_PART = r"lora_(?:(?P<half>[AB])\.weight|(?P<size>magnitude_vector))"
_NAME = re.compile(rf"base_model\.model\.(?P<stem>{_STEM})(?P<module>{_MODULE})\.{_PART}")
_IN_BASE = re.compile(rf"{_STEM}(?P<module>{_MODULE})\.weight")


@dataclass(frozen=True)
class Tensor:
    dtype: str
    shape: tuple[int, ...]  # of two numbers, but for the sizes of DoRA
    start: int  # bytes behind the header
    end: int


@dataclass(frozen=True)
class Weights:
    """A weights file that was taken apart. A module is the place of a layer: `layers.0.self_attn.q_proj`."""

    file: Path
    stem: str  # what stands before the module: "model." or "model.language_model."
    tensors: dict[str, Tensor]  # by their whole names
    modules: dict[str, tuple[int, int]]  # module → (numbers in, numbers out)
    header_bytes: int

    @property
    def parameters(self) -> int:
        return sum(math.prod(tensor.shape) for tensor in self.tensors.values())


def read_weights(file: Path, rank: int, dora: bool = False) -> Weights:
    """`dora`: beside the two halves of each change stands the size of every output.

    Raises: `ValueError` with a sentence for a file that is not the weights of a LoRA adapter of this rank.
    """
    length, header = _header(file)
    tensors = {name: _tensor(name, entry) for name, entry in header.items()}
    _require_whole(tensors, file.stat().st_size - 8 - length)
    stems, modules = set(), {}
    for name, tensor in tensors.items():
        found = _NAME.fullmatch(name)
        if found is None or (found["size"] and not dora):
            raise ValueError(f"It changes “{printable(name, 80)}”, a part of the model that Facet leaves alone.")
        stems.add(found["stem"])
        modules.setdefault(found["module"], {})[found["half"] or "sizes"] = tensor.shape
    if not tensors or len(stems) > 1:
        raise ValueError("Its weights are empty." if not tensors else "Its weights are named in two different ways.")
    sizes = {module: _size(module, parts, rank, dora) for module, parts in modules.items()}
    if len(sizes) * (3 if dora else 2) != len(tensors):
        raise ValueError("Some of its weights are there twice.")
    _require_numbers(file, 8 + length, tensors)
    _require_the_library_agrees(file, set(tensors))
    return Weights(file, stems.pop(), tensors, sizes, 8 + length)


def sizes_in_base(tensors: dict[str, dict[str, Any]]) -> dict[str, tuple[int, int]]:
    """The same table for a starting model, from the headers of its weights: module → (numbers in, numbers out)."""
    found = ((_IN_BASE.fullmatch(name), entry["shape"]) for name, entry in tensors.items())
    return {place["module"]: (shape[1], shape[0]) for place, shape in found if place and len(shape) == 2}


def write_weights(weights: Weights, stem: str, into: Path) -> None:
    """The file as it is, or with other names where a model of today names its layers in another way."""
    if stem == weights.stem:
        shutil.copyfile(weights.file, into)
        return
    before = f"base_model.model.{weights.stem}"
    header = {
        f"base_model.model.{stem}{name.removeprefix(before)}": {
            "dtype": tensor.dtype,
            "shape": list(tensor.shape),
            "data_offsets": [tensor.start, tensor.end],
        }
        for name, tensor in sorted(weights.tensors.items(), key=lambda item: item[1].start)
    }
    text = json.dumps({"__metadata__": {"format": "pt"}} | header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(weights.file, "rb") as source, open(into, "wb") as target:
        target.write(len(text).to_bytes(8, "little") + text)
        source.seek(weights.header_bytes)
        shutil.copyfileobj(source, target, 1 << 20)


def strict_json(text: bytes) -> Any:
    """JSON without the freedoms that let two readers understand two things. Raises: `ValueError`."""
    try:
        return json.loads(text, object_pairs_hook=_no_name_twice, parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name is there twice")
    return dict(pairs)


def _no_constant(text: str) -> None:
    raise ValueError(f"it holds {text}")


def _header(file: Path) -> tuple[int, dict[str, Any]]:
    size = file.stat().st_size
    with open(file, "rb") as handle:
        length = int.from_bytes(handle.read(8), "little")
        if size < 10 or length > size - 8:
            raise ValueError("Its weights are cut short, or they are no safetensors file.")
        if length > HEADER_CAP:
            raise ValueError(f"Its weights begin with {length:,} bytes of description, and {HEADER_CAP:,} is the most.")
        try:
            header = strict_json(handle.read(length))
        except ValueError as error:
            raise ValueError("The description at the start of its weights is damaged.") from error
    if not isinstance(header, dict):
        raise ValueError("The description at the start of its weights is damaged.")
    header.pop("__metadata__", None)
    return length, header


def _tensor(name: str, entry: Any) -> Tensor:
    try:
        dtype, shape, (start, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        numbers = [*shape, start, end]
        if any(isinstance(number, bool) or not isinstance(number, int) or number < 0 for number in numbers):
            raise ValueError(name)
        if not isinstance(dtype, str):
            raise TypeError(name)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("The description at the start of its weights is damaged.") from error
    if dtype not in BYTES:
        raise ValueError(f"Its weights are of the kind “{printable(dtype, 20)}”; 32-bit and 16-bit numbers are known.")
    is_flat = len(shape) == 1 and name.endswith(".lora_magnitude_vector")
    if len(shape) != 2 - is_flat or math.prod(shape) * BYTES[dtype] != end - start or end == start:
        raise ValueError("The sizes in the description of its weights contradict each other.")
    return Tensor(dtype, tuple(shape), start, end)


def _require_whole(tensors: dict[str, Tensor], size: int) -> None:
    """The tensors fill the file without a gap, without overlap, to its last byte."""
    reached = 0
    for tensor in sorted(tensors.values(), key=lambda tensor: tensor.start):
        if tensor.start != reached:
            raise ValueError("The sizes in the description of its weights contradict each other.")
        reached = tensor.end
    if reached != size:
        raise ValueError("Its weights are cut short." if reached > size else "Something is hidden behind its weights.")


def _size(module: str, parts: dict[str, tuple[int, ...]], rank: int, dora: bool) -> tuple[int, int]:
    if set(parts) != {"A", "B"} | ({"sizes"} if dora else set()):
        raise ValueError(f"A part of its weights for {module} is missing.")
    if parts["A"][0] != rank or parts["B"][1] != rank:
        raise ValueError(f"Its description speaks of rank {rank}, and its weights for {module} are of another.")
    if dora and parts["sizes"] != parts["B"][:1]:
        raise ValueError(f"Its sizes for {module} are not as many as that layer has outputs.")
    return parts["A"][1], parts["B"][0]


def _require_numbers(file: Path, begin: int, tensors: dict[str, Tensor]) -> None:
    import numpy

    with open(file, "rb") as handle:
        for tensor in tensors.values():
            for values in _pieces(handle, begin + tensor.start, tensor):
                # BF16 is unknown to numpy: with all bits of the exponent set it is infinity or not a number
                bad = (values & 0x7F80) == 0x7F80 if tensor.dtype == "BF16" else ~numpy.isfinite(values)
                if bad.any():
                    raise ValueError("Some of its weights are not numbers.")


def _pieces(handle: IO[bytes], begin: int, tensor: Tensor) -> Iterator[Any]:
    import numpy

    kind = {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}[tensor.dtype]
    handle.seek(begin)
    left = math.prod(tensor.shape)
    while left:
        count = min(left, CHUNK)
        yield numpy.frombuffer(handle.read(count * BYTES[tensor.dtype]), kind)
        left -= count


def _require_the_library_agrees(file: Path, names: set[str]) -> None:
    """What will read the file later must find in it what was checked here."""
    from safetensors import safe_open

    try:
        with safe_open(str(file), "np") as opened:
            agreed = set(opened.keys()) == names
    except Exception as error:  # the library raises kinds of its own
        raise ValueError("Its weights cannot be read by the safetensors library.") from error
    if not agreed:
        raise ValueError("Its weights cannot be read by the safetensors library.")
