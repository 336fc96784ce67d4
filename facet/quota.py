"""How much one person may keep and run on a machine shared with others. At home there is no limit but the disk."""

from dataclasses import dataclass
from typing import Final

from facet.errors import CapacityError
from facet.identity import Person

VISITOR_SECONDS: Final = 86_400.0  # how long a visitor's work is kept after the last visit


@dataclass(frozen=True)
class Quota:
    """The most of each kind of object, of runs that are active at once, and of disk in GB."""

    uploads: int
    datasets: int
    runs: int
    exams: int
    exports: int
    active_runs: int
    gigabytes: float
    measures: int = 10


@dataclass(frozen=True)
class Usage:
    """What a person has, and what they may have (None: as much as the disk holds)."""

    runs: int
    datasets: int
    gigabytes: float
    quota: Quota | None


QUOTAS: Final[dict[str, Quota]] = {
    "visitor": Quota(uploads=6, datasets=12, runs=4, exams=8, exports=4, active_runs=1, gigabytes=0.5),
    "signed-in": Quota(uploads=20, datasets=50, runs=100, exams=200, exports=20, active_runs=3, gigabytes=20.0),
}


def quota_of(person: Person) -> Quota | None:
    return QUOTAS.get(person.kind)


def too_many(kind_words: str, most: int, person: Person) -> CapacityError:
    return CapacityError(
        f"You cannot have another {kind_words} here.",
        f"{_who(person)} may have {most} at a time.",
        f"Delete a {kind_words} you no longer need, then try again.{_advice(person)}",
    )


def too_much(used: float, most: float, person: Person) -> CapacityError:
    return CapacityError(
        "There is no more room for your work here.",
        f"It takes {used:.1f} GB, and {_who(person).lower()} may keep {most:g} GB.",
        f"Delete runs, datasets or models you no longer need, then try again.{_advice(person)}",
    )


def too_busy(active: int, person: Person) -> CapacityError:
    return CapacityError(
        "Another training of yours is still going on.",
        f"{_who(person)} may have {active} waiting or running at a time.",
        f"Wait until it is finished, or stop it on the Runs tab.{_advice(person)}",
    )


def _who(person: Person) -> str:
    return "A visitor" if person.kind == "visitor" else "One person"


def _advice(person: Person) -> str:
    return " Who signs in may have more." if person.kind == "visitor" else ""
