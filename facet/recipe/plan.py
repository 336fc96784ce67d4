"""What a run will need, told before it starts; what to change when it does not fit; the largest run that does. Pure."""

from dataclasses import dataclass, replace
from typing import Any

from facet.gemma.inspect import ModelFacts
from facet.gemma.memory import Needs
from facet.recipe.forecast import Forecast, Machine, checkpoints, forecast, needs_of
from facet.recipe.ladder import Largest, Rung, ladder, largest
from facet.recipe.recipes import PretrainRecipe, TrainingRecipe
from facet.recipe.workload import Lengths, Workload, workload


@dataclass(frozen=True)
class Plan:
    load: Workload
    longest: int  # tokens, after cutting
    needs: Needs  # at the first place
    places: tuple[Forecast, ...]  # the one that is chosen first; rented machines last
    ladder: tuple[Rung, ...] = ()
    largest: Largest | None = None
    further: bool = False  # it goes on from something trained already
    reads: str = "examples"  # what a group is made of, in words

    @property
    def here(self) -> Forecast:
        return self.places[0]

    @property
    def as_forecast(self) -> dict[str, float | str]:
        """What a run keeps of it, to be compared with what really came."""
        here = self.here
        numbers = {
            "gb": round(here.gb, 3),
            "minutes": round(here.minutes, 2),
            "seconds_per_step": round(here.seconds_per_step, 4),
            "processor_seconds": round(here.processor_seconds, 1),
        }
        return {**numbers, "how": here.how, "where": here.where}

    def described(self) -> dict[str, Any]:
        """All of it as plain values, for programs."""
        return {
            "steps": self.load.steps,
            "longest": self.longest,
            "forecast": self.as_forecast,
            "needs": {name: round(gb, 3) for name, gb in vars(self.needs).items()},
            "places": [vars(place) | {"fits": place.fits} for place in self.places],
            "ladder": [vars(rung) for rung in self.ladder],
            "largest": vars(self.largest) if self.largest else None,
        }


def plan(
    facts: ModelFacts,
    recipe: TrainingRecipe,
    lengths: Lengths,
    machines: tuple[Machine, ...],
    further: bool = False,
) -> Plan:
    """What this recipe needs on these examples, in each of the machines; the first is the one that is meant.

    `further`: it goes on from something trained already, which decides the model and the kind of adapter.
    """
    first = machines[0]
    load = workload(facts, recipe, lengths, checkpoints(recipe, first))
    longest = lengths.read_with(recipe).longest
    needs = needs_of(facts, recipe, lengths, first)
    places = tuple(forecast(facts, recipe, lengths, machine) for machine in machines)
    rungs = () if places[0].fits else ladder(facts, recipe, lengths, first, further)
    most = largest(facts, recipe, lengths, first)
    most = replace(most, model=None) if further else most
    reads = "pieces of text" if isinstance(recipe, PretrainRecipe) else "examples"
    return Plan(load, longest, needs, places, rungs, most, further, reads)
