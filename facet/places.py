"""Where work can be done here: on this machine, and on a ZeroGPU Space on a card lent for minutes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from facet.compute.local import Local
from facet.compute.warm import Warm
from facet.compute.zero_quota import Left, Tier
from facet.compute.zerogpu import CARD_GB, Ledger, Zerogpu, is_here
from facet.driving import Driving
from facet.errors import CapacityError, FacetError
from facet.gemma.memory import free_memory_gb
from facet.hub.accounts import Accounts
from facet.identity import Grant, Person
from facet.model.source import BaseSource
from facet.work import device
from facet.work.log import Progress
from facet.work.task import Task, Where
from facet.workspace import Workspace


@dataclass(frozen=True)
class Choice:
    """One place, as a person chooses it."""

    where: Where
    words: str


@dataclass
class Places:
    """`zerogpu` and `driving` are None wherever there is no such card."""

    local: Local
    zerogpu: Zerogpu | None = None
    driving: Driving | None = None

    @classmethod
    def here(
        cls,
        workspace: Workspace,
        accounts: Accounts,
        ledger: Ledger,
        before: Callable[[Task], None],
        look: Callable[[Path], Progress],
    ) -> "Places":
        local = Local(workspace.models, before=before)
        if not is_here():
            local.warm = Warm(free_memory_gb, ("facet.train.ready",))
            return cls(local)

        def tier(grant: Grant | None) -> Tier:
            return tier_of(accounts, grant)

        def tasks(person: Person) -> list[Path]:
            folders = [*workspace.all(person, "runs"), *workspace.all(person, "exams")]
            whole = [folder for folder in folders if (folder / "task.json").exists()]
            return sorted(whole, key=lambda folder: (folder / "task.json").stat().st_mtime)

        zerogpu = Zerogpu(workspace.models, workspace.home, ledger, before, tier)
        return cls(local, zerogpu, Driving(zerogpu, tasks, look))

    @property
    def words(self) -> str:
        """Where it computes, for the side of the page."""
        if self.zerogpu is None:
            return self.local.capacity().words
        return "a graphics card lent by Hugging Face for minutes (ZeroGPU); the starter on this Space's processors"

    @property
    def choices(self) -> tuple[Choice, ...]:
        """Every place that is here, the usual one for larger models first."""
        if self.zerogpu is None:
            return (Choice("local", self.words),)
        return (
            Choice("zerogpu", "A graphics card (ZeroGPU): fast, a few minutes a day, while this page is open"),
            Choice("local", "This Space's processors: slow, without a limit, also when you close the page"),
        )

    def usual(self, base: BaseSource) -> Where:
        """The starter is quicker on a processor than a card can be had, and costs nobody's minutes."""
        return "zerogpu" if self.zerogpu is not None and base.where != "starter" else "local"

    def chosen(self, where: Where | None, base: BaseSource) -> Where:
        """Raises: `CapacityError` when that place is not here."""
        if where == "zerogpu" and self.zerogpu is None:
            raise CapacityError(
                "There is no ZeroGPU here.",
                "Cards by the minute exist only on Hugging Face Spaces with ZeroGPU hardware.",
                "Train on this machine (--where local), or open Facet as such a Space.",
            )
        return where or self.usual(base)

    def memory_gb(self) -> float:
        """What a model may take, in the largest place here: a card's memory where there is one."""
        if self.zerogpu is not None:
            return CARD_GB
        card = next(iter(device.cards()), None)
        return card.free_gb if card else free_memory_gb()

    def left(self, grant: Grant) -> Left | None:
        """Minutes on the lent card that are left today; None where there is none."""
        return self.zerogpu.left(grant) if self.zerogpu else None

    def settle(self, tasks: Iterable[Path]) -> None:
        """Get ready at the start. Where the lent cards are gone, what waited for them goes on here."""
        if self.zerogpu is not None:
            self.zerogpu.preload()
            return
        for folder in tasks:
            Task(folder).move_to("local")

    def ask_anew(self, person: Person) -> None:
        """Somebody wants to go on: what the scheduler said of their minutes may have changed."""
        if self.zerogpu is not None:
            self.zerogpu.quotas.forget(person.key)

    def is_driven(self, person: Person) -> bool:
        """Does a page of theirs use the lent card now?"""
        return self.driving is not None and self.driving.is_driven(person)

    def stop(self, task: Task) -> None:
        """Free whatever device works on it now."""
        if self.zerogpu is not None:
            self.zerogpu.stop(task)
        self.local.stop(task)


def tier_of(accounts: Accounts, grant: Grant | None) -> Tier:
    """How many minutes an account has a day. Where the Hub cannot be asked, the fewest it may have."""
    if grant is None or grant.person.kind == "visitor":
        return "visitor"
    try:
        account = accounts.of(grant)
    except FacetError:
        return "free"
    return "pro" if account and account.is_pro else "free"
