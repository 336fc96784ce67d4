"""What is asked before a run starts: facts of the model, lengths of the data, room here, and earlier work."""

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from facet.dataset.shelf import Shelf
from facet.gemma.memory import Precision, free_memory_gb
from facet.identity import Grant, Person
from facet.model.choose import ModelCheck
from facet.model.load import dtype_bytes, threads
from facet.places import Places
from facet.recipe.forecast import Machine, rented
from facet.recipe.plan import Plan, plan
from facet.recipe.recipes import PretrainRecipe, TrainingRecipe
from facet.recipe.workload import Lengths
from facet.train.known import known
from facet.train.probe import SMALL
from facet.train.rows import validation_rows
from facet.work import device
from facet.work.log import Progress
from facet.work.task import Where
from facet.workspace import Workspace

CHARACTERS_PER_TOKEN = 3.5  # an estimate for a model whose tokenizer is not here yet
CORE_GFLOPS = 25.0  # of one processor core, by rule of thumb; twice that in bfloat16 where it has such instructions
CARD_GFLOPS = 60_000.0
APPLE_GFLOPS = 3_000.0
ZERO_GFLOPS = 80_000.0


@dataclass
class Planning:
    """`free_gb` tells the memory a model may take on this machine; `look` the progress of a task's folder."""

    workspace: Workspace
    shelf: Shelf
    places: Places
    look: Callable[[Path], Progress]
    free_gb: Callable[[], float] = free_memory_gb

    def plan(
        self,
        person: Person,
        dataset_id: str,
        check: ModelCheck,
        recipe: TrainingRecipe,
        where: Where | None = None,
        grant: Grant | None = None,
        further: bool = False,
    ) -> Plan:
        """What this run needs, first in the place it is meant for, then in the others. Raises: `CapacityError`."""
        lengths = self.lengths(person, dataset_id, check, recipe)
        chosen = self.places.chosen(where, check.base)
        here = [self._machine(person, choice.where, check, recipe, grant) for choice in self.places.choices]
        here.sort(key=lambda machine: machine.where != chosen)
        return plan(check.facts, recipe, lengths, (*here, *rented()), further)

    def lengths(self, person: Person, dataset_id: str, check: ModelCheck, recipe: TrainingRecipe) -> Lengths:
        """The examples of the train part, in tokens of this model."""
        summary = self.shelf.card(person, dataset_id).summary
        splits = summary["splits"]
        if check.download_gb:
            characters = summary["lengths"]
            usual = characters["median_prompt_characters"] + characters["median_answer_characters"]
            tokens = tuple(int(size / CHARACTERS_PER_TOKEN) + 16 for size in (usual, characters["longest_characters"]))
            share = characters["median_answer_characters"] / max(1, usual)
            learned = tuple(max(1, round(share * size)) for size in tokens)
            found = Lengths(splits["train"], (tokens[0],) * 19 + tokens[1:], (learned[0],) * 19 + learned[1:],
                            measured=False)  # fmt: skip
        else:
            measured = self.shelf.statistics(person, dataset_id, check.base.folder(self.workspace.models))
            spread = measured["spread"]
            found = Lengths(measured["of"], tuple(spread["tokens"]), tuple(spread["learned"]))
        read = found.read_with(recipe).rows
        looked_at = validation_rows(recipe, recipe.steps(max(1, read)))
        there = splits["validation"]
        if isinstance(recipe, PretrainRecipe):  # blocks of text, and not the texts
            blocks = found.read_with(recipe.model_copy(update={"max_examples": None})).rows
            there = math.ceil(there * blocks / max(1, found.rows))
        return Lengths(found.rows, found.tokens, found.learned, min(there, looked_at), found.measured)

    def _machine(
        self, person: Person, where: Where, check: ModelCheck, recipe: TrainingRecipe, grant: Grant | None
    ) -> Machine:
        if where == "zerogpu" and self.places.zerogpu is not None:
            return self._lent(person, grant)
        kind = device.kind()
        free = self.free_gb() if self.places.zerogpu is None else free_memory_gb()
        precision = self._precision(check, kind)
        measured = known(
            check.facts,
            check.base.as_dict(),
            recipe,
            kind,
            self.workspace.all(person, "measures"),
            self.workspace.all(person, "runs"),
            self.look,
        )
        words = self.places.local.capacity().words
        return Machine("local", words, kind, free, _gflops(kind, precision), precision, cores=threads(),
                       measured=measured)  # fmt: skip

    def _lent(self, person: Person, grant: Grant | None) -> Machine:
        zerogpu = self.places.zerogpu
        left = self.places.left(grant) if grant else zerogpu.quotas.left(person.key, "visitor")
        capacity, factor = zerogpu.capacity(), zerogpu.quotas.factor
        longest = zerogpu.quotas.longest(person.key, zerogpu.tier(grant)) or 60.0
        return Machine("zerogpu", capacity.words, "cuda", capacity.memory_gb, ZERO_GFLOPS, "bfloat16", left.seconds,
                       factor, longest, quota_daily=left.of)  # fmt: skip

    def _precision(self, check: ModelCheck, kind: str) -> Precision:
        """What "auto" comes to here, before the worker has tried."""
        if check.facts.packed:
            return check.facts.packed
        if kind == "cuda" or dtype_bytes(check.facts) == 2:
            return "bfloat16"
        fast = kind == "cpu" and check.facts.parameters >= SMALL and device.has_fast_bfloat16()
        return "bfloat16" if fast else "float32"


def _gflops(kind: str, precision: Precision) -> float:
    if kind == "cuda":
        return CARD_GFLOPS
    if kind == "mps":
        return APPLE_GFLOPS
    cores = min(threads(), psutil.cpu_count() or os.cpu_count() or 1)
    return cores * CORE_GFLOPS * (2 if precision == "bfloat16" and device.has_fast_bfloat16() else 1)
