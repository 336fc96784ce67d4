"""What a run will need, told before it starts; what to change when it does not fit; the largest run that does. Pure."""

from dataclasses import dataclass

from facet.gemma.inspect import ModelFacts
from facet.gemma.memory import Needs
from facet.recipe.forecast import Forecast, Machine, checkpoints, forecast, needs_of
from facet.recipe.ladder import Largest, Rung, ladder, largest
from facet.recipe.recipes import TrainingRecipe
from facet.recipe.workload import Lengths, Workload, workload


@dataclass(frozen=True)
class Plan:
    load: Workload
    longest: int  # tokens, after cutting
    needs: Needs  # at the first place
    places: tuple[Forecast, ...]  # the one that is chosen first; rented machines last
    ladder: tuple[Rung, ...] = ()
    largest: Largest | None = None

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


def plan(facts: ModelFacts, recipe: TrainingRecipe, lengths: Lengths, machines: tuple[Machine, ...]) -> Plan:
    """What this recipe needs on these examples, in each of the machines; the first is the one that is meant."""
    first = machines[0]
    load = workload(facts, recipe, lengths, checkpoints(recipe, first))
    longest = lengths.read_with(recipe).longest
    needs = needs_of(facts, recipe, lengths, first)
    places = tuple(forecast(facts, recipe, lengths, machine) for machine in machines)
    rungs = () if places[0].fits else ladder(facts, recipe, lengths, first)
    return Plan(load, longest, needs, places, rungs, largest(facts, recipe, lengths, first))
