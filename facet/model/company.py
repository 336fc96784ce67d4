"""One base model in memory, and what was trained from it beside it: each speaks in turn, and so does the base.

Beside it are several adapters, or a whole model, which takes as much memory again: of those one at a time.
"""

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from facet.dataset.render import Renderer
from facet.errors import CapacityError, DataError
from facet.gemma.inspect import count, read_config, read_tensors, tied_in
from facet.gemma.memory import free_memory_gb
from facet.model import adapter as adapters
from facet.model.load import Execution, decide, give_memory_back, load_base, load_tuned
from facet.model.speak import context_of
from facet.model.tuned import is_whole, weight_files

SHARE_OF_FREE: Final = 0.9  # of the free memory that a model may take
MOST_ADAPTERS: Final = 8  # kept beside a base; the one that spoke longest ago makes room


@dataclass(frozen=True)
class Stamp:
    """Which file was read, and as it was then: a new one in its place is read again."""

    file: Path
    size: int
    changed: int

    @classmethod
    def of(cls, adapter: Path) -> "Stamp":
        try:
            file = weight_files(adapter)[0]
            facts = file.stat()
        except (OSError, ValueError, KeyError) as error:
            raise DataError(
                "This run has no finished model.",
                "The file with its weights is missing.",
                "Press “Resume” on the Runs tab and let it finish, then try again.",
            ) from error
        return cls(file, facts.st_size, facts.st_mtime_ns)


class Company:
    """`model` is what to call; who answers is decided by `speaking_as`."""

    def __init__(self, base: Path, model: Any, renderer: Renderer, execution: Execution) -> None:
        self.base = base
        self.model = model
        self.renderer = renderer
        self.execution = execution
        self._names = (f"a{number}" for number in itertools.count())  # PEFT takes no dots
        self._members: dict[str, tuple[str, Stamp]] = {}  # key → (PEFT's name, file); the last used stands last
        self._whole: tuple[str, Stamp, Any] | None = None  # key, file and model of one that was trained as a whole

    @classmethod
    def load(cls, base: Path, execution: Execution | None = None) -> "Company":
        """`execution` says where and how precisely, as a task has decided; otherwise as fits this machine.

        Raises: `FacetError` for folders that are not a model Facet can use.
        """
        import torch

        execution = execution or decide(base, 1)
        torch.set_num_threads(execution.threads)
        renderer = Renderer.load(base)
        return cls(base, load_base(base, execution.dtype, execution.device), renderer, execution)

    @property
    def context(self) -> int:
        """Tokens the model can read and write in all."""
        return context_of(self.model)

    @property
    def device(self) -> str:
        return self.execution.device

    @property
    def keys(self) -> list[str]:
        return [*self._members, *([self._whole[0]] if self._whole else [])]

    def has(self, key: str, adapter: Path) -> bool:
        """Is this very file in memory? Raises: `DataError` when it is not on disk any more."""
        stamp = Stamp.of(adapter)
        return self._stamp(key) == stamp

    def is_whole(self, key: str) -> bool:
        """Is it a model of its own, and no adapter?"""
        return self._whole is not None and self._whole[0] == key

    def _stamp(self, key: str) -> Stamp | None:
        if self._whole and self.is_whole(key):
            return self._whole[1]
        return self._members[key][1] if key in self._members else None

    def add(self, key: str, adapter: Path) -> None:
        """Read an adapter, or a whole model, from its folder, unless it is here already.

        Raises: `FacetError` for one that is damaged, of another kind, or made for another base, and `CapacityError`
        for a whole model that has no room beside the untouched one; nothing changed then.
        """
        try:
            stamp = Stamp.of(adapter)
        except DataError:
            self.drop(key)
            raise
        if self._stamp(key) == stamp:
            self._members |= {key: self._members.pop(key)} if key in self._members else {}
            return
        if is_whole(adapter):
            self._add_whole(key, stamp, adapter)
            return
        adapters.read(adapter).require_fit(self.base)
        self.drop(key)
        while len(self._members) >= MOST_ADAPTERS:
            self.drop(next(iter(self._members)))
        name = next(self._names)
        self._attach(name, adapter)
        self._members[key] = (name, stamp)

    def _add_whole(self, key: str, stamp: Stamp, folder: Path) -> None:
        self._drop_whole()  # two would rarely fit
        if self.device == "cpu":
            _require_room(folder, self.execution.dtype)
        self.drop(key)
        self._whole = key, stamp, load_tuned(folder, self.execution.dtype, self.device)

    def _drop_whole(self) -> None:
        if self._whole:
            self._whole = None
            give_memory_back()

    def drop(self, key: str) -> None:
        """Forget an adapter or a whole model; with the last adapter the base is again as it was before it met any."""
        if self.is_whole(key):
            self._drop_whole()
        if key not in self._members:
            return
        name, _ = self._members.pop(key)
        if self._members:
            self.model.set_adapter(next(iter(self._members.values()))[0], inference_mode=True)
            self.model.delete_adapter(name)
        else:
            self.model = self.model.unload()
            self.model.__dict__.pop("peft_config", None)

    @contextlib.contextmanager
    def speaking_as(self, key: str | None) -> Iterator[Any]:
        """The model, answering with one adapter or as one that was trained, or with None really untouched.

        Raises: `KeyError` for one that was never added.
        """
        if key is not None and self._whole and self.is_whole(key):
            yield self._whole[2]
        elif key is not None:
            name, _ = self._members[key]
            self._members[key] = self._members.pop(key)
            self.model.set_adapter(name, inference_mode=True)
            yield self.model
        elif self._members:
            with self.model.disable_adapter():
                yield self.model
        else:
            yield self.model

    def close(self) -> None:
        """Forget everything and give its memory back."""
        self._members.clear()
        self.model = self.renderer = self._whole = None
        give_memory_back()

    def _attach(self, name: str, adapter: Path) -> None:
        from peft import LoraConfig, PeftModel

        if self._members:
            self.model.load_adapter(adapter, name, torch_device=self.device, local_files_only=True)
            self.model.eval()
            return
        config = LoraConfig.from_pretrained(adapter, local_files_only=True)
        config.inference_mode = True
        adapted = PeftModel(self.model, config, name)
        adapted.load_adapter(adapter, name, torch_device=self.device, local_files_only=True)
        self.model = adapted.eval()


def _require_room(folder: Path, dtype: str) -> None:
    """Raises: `CapacityError` when a whole model does not fit beside the untouched one."""
    weights = count(read_tensors(folder), tied_in(read_config(folder / "config.json")))
    needs = weights * (2 if dtype == "bfloat16" else 4) / 1e9
    free = free_memory_gb()
    if needs > SHARE_OF_FREE * free:
        raise CapacityError(
            "There is no room for the tuned model beside the untouched one.",
            f"All of its weights were trained, so it needs {needs:.1f} GB for itself, and {free:.1f} GB are free.",
            "Close other programs or stop what is running, then try again.",
        )
