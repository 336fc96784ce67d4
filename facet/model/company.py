"""One base model in memory, and several adapters beside it: each speaks in turn, and so does the untouched base."""

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from facet.dataset.render import Renderer
from facet.errors import DataError
from facet.gemma.adapter_files import WEIGHTS
from facet.model import adapter as adapters
from facet.model.load import Execution, decide, give_memory_back, load_base
from facet.model.speak import context_of

MOST_ADAPTERS: Final = 8  # kept beside a base; the one that spoke longest ago makes room


@dataclass(frozen=True)
class Stamp:
    """Which file an adapter was read from, and as it was then: a new one in its place is read again."""

    file: Path
    size: int
    changed: int

    @classmethod
    def of(cls, adapter: Path) -> "Stamp":
        file = adapter / WEIGHTS
        try:
            facts = file.stat()
        except OSError as error:
            raise DataError(
                "This run has no finished model.",
                "Its adapter file is missing.",
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
        return list(self._members)

    def has(self, key: str, adapter: Path) -> bool:
        """Is this very file in memory? Raises: `DataError` when it is not on disk any more."""
        stamp = Stamp.of(adapter)
        return key in self._members and self._members[key][1] == stamp

    def add(self, key: str, adapter: Path) -> None:
        """Read an adapter from its folder, unless it is here already.

        Raises: `FacetError` for one that is damaged, of another kind, or made for another base; nothing changed then.
        """
        try:
            stamp = Stamp.of(adapter)
        except DataError:
            self.drop(key)
            raise
        if key in self._members and self._members[key][1] == stamp:
            self._members[key] = self._members.pop(key)
            return
        adapters.read(adapter).require_fit(self.base)
        self.drop(key)
        while len(self._members) >= MOST_ADAPTERS:
            self.drop(next(iter(self._members)))
        name = next(self._names)
        self._attach(name, adapter)
        self._members[key] = (name, stamp)

    def drop(self, key: str) -> None:
        """Forget an adapter; with the last one the base is again as it was before it met any."""
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
        """The model, answering with one adapter, or with None really without any.

        Raises: `KeyError` for an adapter that was never added.
        """
        if key is not None:
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
        self.model = self.renderer = None
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
