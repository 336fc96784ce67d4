"""What happens before the first step of a run: the model is checked and fetched, and advice rests on real numbers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from facet.dataset import limited, templates
from facet.dataset.check import dataset_type, require_type
from facet.dataset.shelf import Shelf
from facet.errors import NotFoundError
from facet.gemma.memory import free_memory_gb
from facet.gemma.models import STARTER
from facet.gemma.targets import layers_of
from facet.hub.account import machine_token
from facet.hub.adapters import adapter_name, fetch_adapter
from facet.hub.hub import Hub
from facet.identity import Grant, Person
from facet.model.choose import Chooser, ModelCheck
from facet.model.source import BaseSource, bases_of
from facet.quota import quota_of, too_busy
from facet.recipe.advice import Advice, DataFacts, ModelFacts, Preset, advise, require_fit
from facet.recipe.bits import require_bits
from facet.recipe.goals import Goal
from facet.recipe.methods import Method, method_of
from facet.recipe.plan import Plan
from facet.recipe.recipes import TrainingRecipe
from facet.train import imports
from facet.train.imports import Taken
from facet.train.runs import Runs
from facet.train.twins import Twins
from facet.work.policy import Telling
from facet.work.task import Task, Where
from facet.workspace import Workspace

CHARACTERS_PER_TOKEN = 3.5  # an estimate for a model whose tokenizer is not here yet


@dataclass
class Starting:
    """Finds models, for new runs and for imported ones. `wake` is called when something waits to be conducted."""

    workspace: Workspace
    hub: Hub
    shelf: Shelf
    runs: Runs
    wake: Callable[[], None] = lambda: None
    free_gb: Callable[[], float] = free_memory_gb  # memory a model may take here
    foresee: Callable[..., Plan] | None = None  # what a run will need; without it nothing is refused for its size
    twins: Twins = field(default_factory=Twins)
    _passed: set[tuple[Any, ...]] = field(default_factory=set)
    _lent: dict[str, str] = field(default_factory=dict)  # place of a person's own model → token, until it is here

    def __post_init__(self) -> None:
        self.chooser = Chooser(self.hub, self.workspace, lambda: self.free_gb())

    # ---- models
    def check(
        self, person: Person, base_model: str, grant: Grant | None = None, revision: str | None = None
    ) -> ModelCheck:
        """A model that can be used. Raises: the problem that `Chooser.check` reports."""
        check = self.chooser.check(person, base_model, revision, grant)
        if check.problem:
            raise check.problem
        return check

    def folder(self, person: Person, base_model: str) -> Path:
        """Where a model lies. Raises: `NotFoundError` when it is not on this machine yet."""
        check = self.check(person, base_model)
        if check.download_gb:
            raise NotFoundError(
                "This starting model is not on this machine yet.",
                f"It has {check.download_gb:.1f} GB, and is downloaded when you first train it.",
                "Start a training with it, or choose the Facet starter for now.",
            )
        return check.base.folder(self.workspace.models)

    def fetch_now(self, person: Person, base_model: str, say: Callable[[], None], grant: Grant | None) -> None:
        """Download a model that is not here yet; `say` is called before that begins."""
        check = self.check(person, base_model, grant)
        if check.download_gb:
            say()
            self.chooser.fetch(check.base, lambda done, total: None, grant.token if grant else None)

    def ready(self, person: Person, base_model: str, grant: Grant | None = None) -> ModelCheck:
        """A model that can be used, with a sign-in kept for what must still be downloaded. Raises: see `check`."""
        found = self.check(person, base_model, grant)
        self._lend(found.base, grant)
        return found

    def fetch_for(self, task: Task) -> None:
        """Download what a task starts from, with nobody present. Raises: `AccessError` when that needs a sign-in."""
        for base in bases_of(task.request):
            self._fetch_one(task, base)

    def _fetch_one(self, task: Task, base: BaseSource) -> None:
        token = self._lent.get(base.path) or machine_token()  # the latter at home only, and for closed models only
        self.chooser.fetch(base, Telling(task, f"Downloading {base.id}; this happens once").report, token)
        self._lent.pop(base.path, None)

    def _lend(self, base: BaseSource, grant: Grant | None) -> None:
        """Keep the token in memory for one download that needs it; the worker never sees it."""
        is_their_own = base.where == "hub" and base.path.startswith("..")
        if is_their_own and grant and grant.is_valid and not self._is_here(base):
            self._lent[base.path] = grant.token

    def _is_here(self, base: BaseSource) -> bool:
        return bool(self.hub.downloaded(base.id, self.chooser.place(base), base.revision))

    def forget(self, key: str = "") -> None:
        """Drop the tokens that wait for downloads of a person, or of everybody."""
        self._lent = {place: token for place, token in self._lent.items() if key and key not in place}

    # ---- runs
    def advise(
        self, person: Person, dataset_id: str, base_model: str, preset: Preset, grant: Grant | None, goal: Goal = "any"
    ) -> Advice:
        """Recommended settings with reasons."""
        check = self.check(person, base_model, grant)
        return advise(self._data_facts(person, dataset_id, check), _model_facts(check, base_model), preset, goal)

    def _data_facts(self, person: Person, dataset_id: str, check: ModelCheck) -> DataFacts:
        summary = self.shelf.card(person, dataset_id).summary
        train, validation = summary["splits"]["train"], summary["splits"]["validation"]
        method: Method = "cpt" if dataset_type(self.shelf.folder(person, dataset_id)) == "text" else "sft"
        if check.download_gb:
            return _estimated(summary["lengths"], train, validation, method)
        found = self.shelf.statistics(person, dataset_id, check.base.folder(self.workspace.models))
        tokens = round(found["trained"] * train / max(1, found["rows"])) if method == "cpt" else None
        return DataFacts(train, validation, found["longest"], found["p95"], True, method, tokens)

    def run(
        self,
        person: Person,
        dataset_id: str,
        base_model: str,
        recipe: TrainingRecipe,
        name: str,
        revision: str | None,
        grant: Grant | None,
        start_from: str | None,
        where: Callable[[BaseSource], Where],
        ask_first: bool = False,
        more: Mapping[str, Any] | None = None,
    ) -> str:
        """See `Studio.start`. `where` decides the place, once the model is known."""
        self._require_turn(person)
        if start_from:
            base_model, revision = self.runs.model_of(person, start_from)
        check = self.check(person, base_model, grant, revision)
        before, step = self.runs.place_of(person, start_from) if start_from else (None, None)
        if before:
            recipe = self.runs.beginning(before, check.base, step).fitted(recipe)
        check, more = self._written(check, recipe, before, dict(more or {}))
        if ask_first:
            self._ask_about_twins(person, dataset_id, check.base, recipe)
        self._require_lessons(person, dataset_id, check, recipe)
        self.require_fit(person, dataset_id, check, recipe, base_model)
        place = where(check.base)
        if self.foresee is not None:
            plan = self.foresee(person, dataset_id, check, recipe, place, grant, before is not None)
            self.chooser.require_room(check, plan)
            more = {"forecast": plan.as_forecast} | dict(more or {})
        self._lend(check.base, grant)
        data = self.shelf.folder(person, dataset_id)
        with self._one_by_one(person):
            self._require_turn(person)
            generation = check.facts.generation
            run_id = self.runs.create(person, data, check.base, recipe, name, generation, before, place, more, step)
        self.wake()
        return run_id

    def require_fit(
        self, person: Person, dataset_id: str, check: ModelCheck, recipe: TrainingRecipe, base_model: str
    ) -> None:
        """Raises: `SettingError` when the recipe asks for what this data, this model or this machine do not have."""
        require_bits(recipe)
        require_fit(recipe, self._data_facts(person, dataset_id, check), _model_facts(check, base_model))

    def _written(
        self, check: ModelCheck, recipe: TrainingRecipe, before: Path | None, more: dict[str, Any]
    ) -> tuple[ModelCheck, dict[str, Any]]:
        """The same model with the chat template this run is taught in, and that template in what the run is told.

        Raises: `SettingError` for a chosen one that cannot be used.
        """
        chosen = more.pop("template", None)
        earlier = BaseSource.of(Task(before).request["base"]).template if before else None
        if not chosen and not earlier and method_of(recipe) == "cpt" and check.base.template:
            earlier = templates.source_of(templates.recommended(check.facts.generation, "cpt"))
        template = templates.source_of(chosen) if chosen else earlier or check.base.template
        if template is None:
            return check, more
        base = replace(check.base, template=template)
        if chosen and not check.download_gb:
            self.try_template(check, chosen)
        return replace(check, base=base), more | {"template": template}

    def try_template(self, check: ModelCheck, template: str) -> templates.Tried:
        """What a model here would read. Raises: `SettingError` that says why it cannot be used."""
        folder = replace(check.base, template=None).folder(self.workspace.models)
        asked = {"model_folder": str(folder), "template": template}
        found = limited.call("try_template", asked, seconds=60, memory_gb=6.0)
        return templates.Tried([tuple(piece) for piece in found["pieces"]], found["ends_with"])

    def _require_lessons(self, person: Person, dataset_id: str, check: ModelCheck, recipe: TrainingRecipe) -> None:
        """The gate: something must be left to learn, in a form that this model reads. Passed once, it stays open.

        Raises: `DataError`. Of a model that is not here yet nothing but the type of data can be checked.
        """
        folder = self.shelf.folder(person, dataset_id)
        if check.download_gb:
            require_type(folder, method_of(recipe))
            return
        model = check.base.folder(self.workspace.models)
        asked = {"dataset_folder": str(folder), "model_folder": str(model), "max_length": recipe.max_length}
        if (passed := tuple(asked.values())) not in self._passed:
            limited.call("gate", asked | {"method": method_of(recipe)}, memory_gb=6.0)
            self._passed.add(passed)

    def _ask_about_twins(self, person: Person, dataset_id: str, base: BaseSource, recipe: TrainingRecipe) -> None:
        request = {"dataset_id": dataset_id, "base": base.as_dict(), "recipe": recipe.model_dump()}
        cards = self.runs.cards(person)
        self.twins.ask(person, request, ((card, self.runs.task(person, card.id)) for card in cards))

    def again(self, person: Person, run_id: str, grant: Grant | None) -> None:
        """Let a run go on, with a sign-in for what it may still have to download."""
        self._lend(BaseSource.of(self.runs.task(person, run_id).request["base"]), grant)
        with self._one_by_one(person):
            if not self.runs.progress(person, run_id).is_active:
                self._require_turn(person)
            self.runs.resume(person, run_id)
        self.wake()

    def _one_by_one(self, person: Person) -> FileLock:
        """Two presses at once, in two windows or two processes, are two questions for room."""
        return self.workspace.one_by_one(person, "starting")

    def _require_turn(self, person: Person) -> None:
        quota = quota_of(person)
        if quota and sum(run.progress.is_active for run in self.runs.cards(person)) >= quota.active_runs:
            raise too_busy(quota.active_runs, person)

    # ---- adapters from elsewhere
    def import_adapter(self, person: Person, source: str, name: str, grant: Grant | None, base_model: str) -> str:
        """See `Studio.import_adapter`."""
        if not source.startswith("hub:"):
            with imports.taken(self.workspace, person, Path(source)) as taken:
                return self._imported(person, taken, name, grant, base_model)
        token = grant.token if grant and grant.is_valid else None
        fetched = fetch_adapter(self.hub, *adapter_name(source), token)
        try:
            with imports.taken(self.workspace, person, fetched.folder, fetched.came_from) as taken:
                return self._imported(person, taken, name, grant, base_model)
        finally:
            fetched.discard()

    def _imported(self, person: Person, taken: Taken, name: str, grant: Grant | None, base_model: str) -> str:
        model, revision = (base_model, None) if base_model else taken.base()
        check = self.check(person, model, grant, revision)
        folder = None if check.download_gb else check.base.folder(self.workspace.models)
        self._lend(check.base, grant)
        with self._one_by_one(person):
            if check.download_gb:
                self._require_turn(person)
            run_id = imports.create(self.workspace, person, taken, check.base, check.facts.generation, folder, name)
        self.wake()
        return run_id


def _estimated(lengths: dict[str, int], train: int, validation: int, method: Method) -> DataFacts:
    """From the characters, for a model whose tokenizer is not here yet."""
    usual = lengths["median_prompt_characters"] + lengths["median_answer_characters"]
    median, longest = (int(size / CHARACTERS_PER_TOKEN) + 16 for size in (usual, lengths["longest_characters"]))
    tokens = train * median if method == "cpt" else None
    return DataFacts(train, validation, longest, longest, measured=False, method=method, tokens=tokens)


def _model_facts(check: ModelCheck, base_model: str) -> ModelFacts:
    facts = check.facts
    return ModelFacts(
        check.name,
        facts.parameters,
        facts.context_length,
        is_starter=base_model == STARTER,
        is_pretrained=not facts.has_template,
        layers=facts.layers,
        only_experts=layers_of(facts.model_type).feed_forward is None,
    )
