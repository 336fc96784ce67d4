"""Nothing of one person is reachable by another: every handler, every object, every way to spell its id.

Each attempt stands beside the owner's own call, which must get through; missing and foreign have to sound alike.
"""

import hashlib
import inspect
import itertools
import re
import shutil
import threading
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from facet.errors import FacetError
from facet.exam.assignment import assign
from facet.exam.outcome import read_outcome
from facet.hub.hub import Hub
from facet.identity import Grant, Person, person_key
from facet.model.source import BaseSource
from facet.recipe.recipes import SftRecipe
from facet.studio import Studio
from facet.ui.events import Gate, Query
from facet.ui.limits import Limits
from facet.ui.page import build
from facet.ui.people import OnSpace
from facet.ui.values import Id
from facet.ui.visitors import OPEN, Visitors
from facet.work import log
from facet.workspace import Workspace
from tests.outcomes import classified, plant
from tests.ui.test_people import Asked, signed_in

CANARY = "canary of ann"
NOBODYS = "2026-01-01-nothing-abcd"
FEWEST_ATTEMPTS = 10_000
UNIONS = (types.UnionType, typing.Union)


@dataclass
class House:
    """A Space with three people, of whom one has something of every kind."""

    studio: Studio
    page: gr.Blocks
    objects: dict[str, str]  # kind → id, all of them Ann's
    ann: Asked
    strangers: dict[str, Asked]
    tenant: Path
    pristine: Path
    threads: set[threading.Thread] = field(default_factory=lambda: set(threading.enumerate()))

    def restore(self) -> None:
        """What her own call set going in the background ends first, so that it writes nothing afterwards."""
        for thread in set(threading.enumerate()) - self.threads:
            if thread.is_alive():  # and not just about to begin
                thread.join(timeout=60)
        shutil.rmtree(self.tenant)
        shutil.copytree(self.pristine, self.tenant)

    def state(self) -> str:
        """A hash of everything Ann has."""
        mark = hashlib.sha256()
        for file in sorted(path for path in self.tenant.rglob("*") if path.is_file() and path.suffix != ".lock"):
            mark.update(str(file.relative_to(self.tenant)).encode() + file.read_bytes())
        return mark.hexdigest()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    workspace = Workspace(tmp_path_factory.mktemp("space"))
    studio = Studio(workspace, Hub(workspace.home / "hub", endpoint="http://127.0.0.1:9"))
    people = OnSpace(workspace, Visitors.of(workspace))
    page = build(studio, Gate(people, Limits(1e6, 10**6)))
    visitor = Asked(f"{OPEN}={people.visitors.issue()}")
    ann = people.identify(Asked(session=signed_in("ann"))).person
    objects = belongings(studio, ann)
    pristine = tmp_path_factory.mktemp("pristine") / "ann"
    shutil.copytree(workspace.tenant(ann.key), pristine)
    strangers = {"bob": Asked(session=signed_in("bob")), "visitor": visitor}
    yield House(studio, page, objects, Asked(session=signed_in("ann")), strangers, workspace.tenant(ann.key), pristine)
    studio.close()


def belongings(studio: Studio, ann: Person) -> dict[str, str]:
    """An upload, a dataset, a waiting run, a finished run, its test and what a judge is to read of it."""
    upload = studio.bring_example(ann, "pirate")
    dataset = studio.prepare(ann, studio.bring_example(ann, "pirate"), CANARY)
    waiting = studio.start(ann, dataset, "starter", SftRecipe(max_steps=3), CANARY)
    data = studio.shelf.folder(ann, dataset)
    done = studio.runs_shelf.create(ann, data, BaseSource("starter", "starter"), SftRecipe(), CANARY, "starter")
    task = studio.runs_shelf.task(ann, done)
    (task.folder / "adapter").mkdir()
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        (task.folder / "adapter" / name).write_text("{}")
    mark = hashlib.sha256(b"{}").hexdigest()
    log.append(task.events_file, log.Started(total_steps=1, step=0, where="here"))
    log.append(task.events_file, log.Finished(step=1, outputs={"adapter_sha256": mark}))
    exam = plant(studio, ann, done, classified())
    folder = studio.workspace.find(ann, "exams", exam)
    how = {"mode": "pairs", "most_rows": 3, "what_counts": "", "base_url": "", "own_run": ""}
    judging = studio.judgings.create(folder, assign(folder, read_outcome(folder), provider="local", model="x", **how))
    made = {"upload": upload, "dataset": dataset, "waiting": waiting, "done": done}
    return made | {"exam": exam, "judging": judging.name}


@pytest.fixture(autouse=True)
def nothing_heavy(monkeypatch):
    """The owner's own calls reach the point where a process would begin, and no further."""

    def refused(*_: object, **__: object) -> None:
        raise FacetError("No process here.", "This is a test.", "Go on.")

    monkeypatch.setattr("facet.compute.voices.spawn", refused)
    monkeypatch.setattr("facet.publish.publications.Publications.begin", refused)


def gated(page: gr.Blocks) -> list[Any]:
    """Every handler behind the gate, each once."""
    return list({id(fn.fn.handler): fn.fn for fn in page.fns.values() if fn.fn is not None}.values())


def wants(wrapped: Any) -> dict[str, Any]:
    """What the handler takes from outside: name → type."""
    hints = typing.get_type_hints(wrapped.handler, include_extras=True)
    given = {"person", "return", *(name for name, hint in hints.items() if hint in (Grant, Query, gr.Request))}
    kinds = inspect.signature(wrapped.handler).parameters
    rest = next((name for name, each in kinds.items() if each.kind is inspect.Parameter.VAR_KEYWORD), None)
    named = {name: hint for name, hint in hints.items() if name not in given and name != rest}
    return named | {name: hints[rest] for name in getattr(wrapped, "inputs", ()) if rest and name not in named}


def is_id(hint: Any) -> bool:
    return hint == Id or (typing.get_origin(hint) in UNIONS and Id in typing.get_args(hint))


def usual(name: str, hint: Any) -> Any:
    """Something a handler would accept there."""
    if name in ("model", "base"):
        return "starter"
    base = typing.get_args(hint)[0] if typing.get_origin(hint) is typing.Annotated else hint
    origin = typing.get_origin(base)
    if origin is typing.Literal:
        return typing.get_args(base)[0]
    if origin in UNIONS:
        return None if type(None) in typing.get_args(base) else usual(name, typing.get_args(base)[0])
    return {str: "x", float: 10.0, int: 1, bool: False, list: [], dict: {}}.get(origin or base)


def call(wrapped: Any, asked: Asked, *ids: str) -> tuple[str, str]:
    """("refused", the sentence) or ("answered", what came back); the last id fills every further place for one."""
    left = [*ids]
    values = {
        name: (left.pop(0) if len(left) > 1 else left[0]) if is_id(hint) else usual(name, hint)
        for name, hint in wants(wrapped).items()
    }
    try:
        answer = wrapped(asked, **values)
        said = list(answer) if inspect.isgenerator(answer) else answer
    except gr.Error as error:
        return "refused", str(error)
    return "answered", repr([getattr(each, "_constructor_args", each) for each in _flat(said)])


def _flat(value: Any) -> Iterator[Any]:
    for each in value if isinstance(value, list | tuple) else [value]:
        yield from _flat(each) if isinstance(each, list | tuple) else [each]


def plain(words: str, object_id: str) -> str:
    """Without what differs from one moment to the next: the id itself, and how much memory is free."""
    return re.sub(r"\d+\.\d+ GB", "some GB", words.replace(object_id, "ID"))


def spellings(object_id: str, owner: str) -> list[str]:
    """The id, and what somebody tries who knows it and how files are named."""
    return [
        object_id,
        f"../{object_id}",
        f"../../{owner}/runs/{object_id}",
        f"../../{owner}/datasets/{object_id}",
        f"/{object_id}",
        f"{object_id}/",
        f"{object_id}/.",
        f"./{object_id}",
        f"{object_id}\x00",
        f"{object_id} ",
        f" {object_id}",
        object_id.upper(),
        f"%2e%2e%2f{object_id}",
        f"..\\{object_id}",
        f"{owner}/{object_id}",
        f"hub:{object_id}",
    ]


def test_no_handler_gives_or_changes_anything_of_somebody_else(house):
    owner, attempts, unreached = person_key("hf", "ann"), 0, []
    before = house.state()
    with_ids = [wrapped for wrapped in gated(house.page) if any(map(is_id, wants(wrapped).values()))]
    assert len(with_ids) > 25
    for wrapped in with_ids:
        missing = {name: call(wrapped, asked, NOBODYS) for name, asked in house.strangers.items()}
        for (name, stranger), (_, object_id) in itertools.product(house.strangers.items(), house.objects.items()):
            for spelling in spellings(object_id, owner):
                got = call(wrapped, stranger, spelling)
                attempts += 1
                assert CANARY not in got[1], (wrapped.__name__, name, spelling)
                if spelling == object_id:
                    assert got == missing[name] or got[0] == "answered", (wrapped.__name__, name, got, missing[name])
                    assert plain(got[1], object_id) == plain(missing[name][1], NOBODYS), wrapped.__name__
        assert house.state() == before, wrapped.__name__
        pairs = itertools.product(house.objects.values(), repeat=min(2, sum(map(is_id, wants(wrapped).values()))))
        answers = [call(wrapped, house.ann, *ids) for ids in pairs]
        if all(how == "refused" and "could not find" in words for how, words in answers):
            unreached.append(wrapped.__name__)
        house.restore()
    while attempts < FEWEST_ATTEMPTS:
        for wrapped, (_, stranger) in itertools.product(with_ids, house.strangers.items()):
            assert CANARY not in call(wrapped, stranger, house.objects["done"][:-4] + f"{attempts:04d}"[-4:])[1]
            attempts += 1
    print(f"{attempts:,} attempts on {len(with_ids)} handlers, 0 of them got through")
    assert unreached == []


def test_no_list_shows_what_belongs_to_somebody_else(house):
    for wrapped, stranger in itertools.product(gated(house.page), house.strangers.values()):
        if not any(map(is_id, wants(wrapped).values())):
            assert CANARY not in call(wrapped, stranger, "")[1], wrapped.__name__
    house.restore()


def test_what_one_makes_is_seen_by_the_one_alone(house):
    bob = house.studio.workspace.with_past(Person(person_key("hf", "bob"), "Bob", "signed-in"))
    assert house.studio.runs(bob) == [] and house.studio.datasets(bob) == []


def test_an_open_page_of_ann_answers_nobody_else(house):
    anns = Asked(session=signed_in("ann"), page="the page of ann")
    wrapped = next(each for each in gated(house.page) if is_id(wants(each).get("run")))
    call(wrapped, anns, house.objects["done"])
    stranger = Asked(session=signed_in("bob"), page="the page of ann")
    said = call(wrapped, stranger, house.objects["done"])
    assert CANARY not in said[1]
