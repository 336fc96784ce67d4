"""Everybody's work apart: visitors, what they keep when they sign in, quotas, and what is deleted with whom."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from facet.compute.child import PACKAGE_ROOT
from facet.errors import CapacityError, NotFoundError
from facet.identity import LOCAL, Person, person_key
from facet.quota import QUOTAS, VISITOR_SECONDS
from facet.workspace import Workspace
from tests.journeys import a_studio, prepared_example

ANN, BOB = (Person(person_key("hf", sub), sub, "signed-in") for sub in ("ann", "bob"))
VISITOR = Person(person_key("visitor", "a secret"), "Visitor", "visitor")


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    return Workspace(tmp_path)


def test_a_visitor_who_signs_in_keeps_their_runs_and_nobody_else_gets_them(workspace):
    run = workspace.create(VISITOR, "runs", "mine")
    ann = workspace.claim(ANN, VISITOR.key)

    assert workspace.find(ann, "runs", run.name) == run
    assert [folder.name for folder in workspace.all(ann, "runs")] == [run.name]
    assert workspace.with_past(ANN) == ann
    bob = workspace.claim(BOB, VISITOR.key)
    assert bob.also == ()
    with pytest.raises(NotFoundError):
        workspace.find(bob, "runs", run.name)
    assert workspace.is_claimed(VISITOR.key)


def test_what_is_made_after_the_sign_in_lies_with_what_was_made_before(workspace):
    before = workspace.create(VISITOR, "runs", "before")
    ann = workspace.claim(ANN, VISITOR.key)
    after = workspace.create(ann, "runs", "after")
    assert {folder.name for folder in workspace.all(ann, "runs")} == {before.name, after.name}
    workspace.delete(ann, "runs", before.name)
    assert [folder.name for folder in workspace.all(ann, "runs")] == [after.name]


def test_two_people_at_once_cannot_both_have_a_visitors_work(workspace):
    workspace.create(VISITOR, "runs", "mine")
    people = [Person(person_key("hf", str(number)), str(number), "signed-in") for number in range(12)]
    start, claimed = threading.Barrier(12), []

    def claim(person: Person) -> None:
        start.wait()
        claimed.append(workspace.claim(person, VISITOR.key))

    threads = [threading.Thread(target=claim, args=[person]) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(bool(person.also) for person in claimed) == 1


def test_a_crash_between_the_two_halves_of_a_claim_is_mended_by_the_next_visit(workspace):
    workspace.create(VISITOR, "runs", "mine")
    workspace.claim(ANN, VISITOR.key)
    (workspace.tenant(ANN.key) / "about.json").unlink()
    assert workspace.claim(workspace.with_past(ANN), VISITOR.key).also == (VISITOR.key,)


@pytest.mark.parametrize("kind", ["datasets", "runs"])
@pytest.mark.parametrize("person", [VISITOR, ANN], ids=["visitor", "signed in"])
def test_one_more_than_the_quota_is_refused_with_its_number(workspace, person, kind):
    most = getattr(QUOTAS[person.kind], kind)
    for number in range(most):
        workspace.create(person, kind, f"n{number}")
    with pytest.raises(CapacityError) as refused:
        workspace.create(person, kind, "one more")
    assert str(most) in refused.value.why and "Delete" in refused.value.next
    assert ("signs in" in refused.value.next) == (person.kind == "visitor")


@pytest.mark.parametrize("kind", ["uploads", "exports"])
def test_of_what_has_no_list_to_delete_from_the_oldest_makes_room(workspace, kind):
    most = getattr(QUOTAS["visitor"], kind)
    made = [workspace.create(VISITOR, kind, f"n{number}").name for number in range(most + 2)]
    assert {folder.name for folder in workspace.all(VISITOR, kind)} == set(made[2:])


def test_two_at_once_do_not_get_past_the_quota(workspace):
    start, made = threading.Barrier(16), []

    def create() -> None:
        start.wait()
        with contextlib.suppress(CapacityError):
            made.append(workspace.create(VISITOR, "runs", "x"))

    threads = [threading.Thread(target=create) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == len(workspace.all(VISITOR, "runs")) == QUOTAS["visitor"].runs


def everywhere_at_once(code: str, *arguments: object) -> list[str]:
    """What each of four processes said that began at the same moment."""
    surroundings = os.environ | {"PYTHONPATH": PACKAGE_ROOT}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    how = {"env": surroundings, "stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **how) for _ in range(4)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    return [process.communicate(timeout=120)[0] for process in processes]


MAKE = """
import sys
from pathlib import Path
from facet.errors import CapacityError
from facet.identity import Person
from facet.workspace import Workspace
print("ready", flush=True), sys.stdin.readline()
for _ in range(3):
    try:
        Workspace(Path(sys.argv[1])).create(Person(sys.argv[2], "", "visitor"), "runs", "x")
        print("made")
    except CapacityError:
        print("refused")
"""
START = """
import sys
from pathlib import Path
from facet.errors import CapacityError
from facet.identity import Person
from facet.recipe.recipes import SftRecipe
from facet.studio import Studio
from facet.workspace import Workspace
studio = Studio(Workspace(Path(sys.argv[1])))
visitors = [Person(key, "", "visitor") for key in sys.argv[2].split()]
datasets = [studio.datasets(visitor)[0].id for visitor in visitors]
for visitor, dataset in zip(visitors, datasets):
    studio.tokens(visitor, dataset)  # what takes long is done
print("ready", flush=True), sys.stdin.readline()
for visitor, dataset in zip(visitors, datasets):
    try:
        studio.start(visitor, dataset, "starter", SftRecipe(max_steps=1))
    except CapacityError as error:
        print(error.what)
"""


def test_several_processes_at_once_do_not_get_past_the_quota_either(workspace):
    said = "".join(everywhere_at_once(MAKE, workspace.home, VISITOR.key)).split()
    assert said.count("made") == len(workspace.all(VISITOR, "runs")) == QUOTAS["visitor"].runs
    assert said.count("refused") == 12 - QUOTAS["visitor"].runs


def test_a_visitor_who_starts_in_four_processes_at_once_has_one_run(tmp_path):
    studio = a_studio(tmp_path / "home")
    visitors = [replace(VISITOR, key=person_key("visitor", str(number))) for number in range(6)]
    for visitor in visitors:
        prepared_example(studio, person=visitor)

    said = everywhere_at_once(START, tmp_path / "home", " ".join(visitor.key for visitor in visitors))

    assert "".join(said).splitlines() == ["Another training of yours is still going on."] * 3 * len(visitors)
    assert [len(studio.runs(visitor)) for visitor in visitors] == [QUOTAS["visitor"].active_runs] * len(visitors)


def test_too_many_bytes_are_refused_and_linked_files_count_once(workspace):
    run = workspace.create(VISITOR, "runs", "big")
    with open(run / "weights", "wb") as file:
        file.truncate(int(QUOTAS["visitor"].gigabytes * 1e9 * 0.6))
    os.link(run / "weights", run / "the same")
    workspace.create(VISITOR, "runs", "fits")
    with open(run / "more", "wb") as file:
        file.truncate(int(QUOTAS["visitor"].gigabytes * 1e9 * 0.6))
    with pytest.raises(CapacityError, match="GB"):
        workspace.create(VISITOR, "runs", "does not")


def test_at_home_there_is_no_quota(workspace):
    for number in range(QUOTAS["visitor"].runs * 3):
        workspace.create(LOCAL, "runs", f"n{number}")
    assert workspace.usage(LOCAL).quota is None


def test_visitors_go_after_a_day_unless_they_came_back_or_signed_in(workspace):
    gone, back, joined = (replace(VISITOR, key=person_key("visitor", name)) for name in ("gone", "back", "joined"))
    for person in (gone, back, joined):
        workspace.create(person, "runs", "x")
    workspace.claim(ANN, joined.key)
    long_ago = time.time() - VISITOR_SECONDS - 60
    for person in (gone, back, joined):
        os.utime(workspace.tenant(person.key), (long_ago, long_ago))
    workspace.note_visit(back)
    assert workspace.gone_visitors() == [gone.key]
    (workspace.tenant(gone.key) / "about.json").write_text("{half")
    os.utime(workspace.tenant(gone.key), (long_ago, long_ago))
    assert workspace.gone_visitors() == []  # it cannot be told whose that is


def test_deleting_a_person_takes_everything_and_nothing_of_others(workspace):
    mine, theirs = workspace.create(ANN, "runs", "mine"), workspace.create(BOB, "runs", "theirs")
    workspace.delete_tenant(ANN.key)
    assert not mine.exists() and theirs.is_dir()
    assert [path.name for path in (workspace.home / "tenants").iterdir()] == [BOB.key]
    assert workspace.everyones("runs") == [theirs]


def test_missing_foreign_and_misspelt_are_the_same_sentence(workspace):
    run = workspace.create(ANN, "runs", "mine")
    said = set()
    for asked in (run.name, "2026-01-01-nothing-abcd", "../" + run.name, "", "x" * 500, ANN.key):
        with pytest.raises(NotFoundError) as refused:
            workspace.find(BOB, "runs", asked)
        said.add(str(refused.value))
    assert len(said) == 1


def test_what_a_crash_left_of_a_private_download_is_swept_away(workspace):
    left, working = workspace.home / "hub" / "alone-abc", workspace.home / "hub" / "alone-now"
    for folder in (left, working):
        folder.mkdir(parents=True)
        (folder / "rows.csv").write_text("private")
    os.utime(left, (1, 1))
    workspace.sweep()
    assert (left.exists(), working.exists()) == (False, True)
