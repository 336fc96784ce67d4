"""Two people and one slot, with real workers: both get their turn, and neither's model shows that it was shared."""

import pytest

from facet.identity import LOCAL, Person, person_key
from facet.work import log
from tests.journeys import a_studio, curve, prepared_example, progress, queued_run, until

pytestmark = [pytest.mark.faults, pytest.mark.tiny]
ANN, BOB = (Person(person_key("hf", name), name, "signed-in") for name in ("ann", "bob"))
STEPS = 40


@pytest.mark.long  # in a browser, and in short: tests/browser/test_shared_machine.py
def test_a_second_person_starts_within_a_turn_and_both_models_are_as_if_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("facet.work.slots.WORTH_LOADING", 0.0)  # short turns, for a short test
    studio = a_studio(tmp_path / "home")
    studio.queue.turn_seconds = 0.5
    alone = queued_run(studio, prepared_example(studio), max_steps=STEPS)
    list(studio.backend.advance(alone))
    anns = queued_run(studio, prepared_example(studio, person=ANN), ANN, max_steps=STEPS)
    bobs_data = prepared_example(studio, person=BOB)
    assert studio.open()
    try:
        until(anns, lambda now: now.step >= 1)
        bobs = queued_run(studio, bobs_data, BOB, max_steps=STEPS)
        until(bobs, lambda now: now.stage == "running")
        studio.queue.turn_seconds = 600.0  # enough of it: each start of a worker costs many seconds
        between = progress(anns)
        assert between.stage == "waiting" and between.out_of_time and 0 < between.step < STEPS
        assert studio.turn(ANN, anns.id).position == 1
        assert studio.turn(BOB, bobs.id) is None, "it is at work"
        for task in (anns, bobs):
            until(task, lambda now: now.is_over)
    finally:
        studio.close()

    pauses = [event for event, _ in log.read(anns.events_file) if isinstance(event, log.Paused)]
    first_of_bob = next(event.at for event, _ in log.read(bobs.events_file) if isinstance(event, log.Started))
    assert sum(event.at < first_of_bob for event in pauses) == 1, "one turn of the first, and no more"
    for task in (anns, bobs):
        assert curve(task) == curve(alone)
        assert progress(task).outputs["adapter_sha256"] == progress(alone).outputs["adapter_sha256"]
    assert studio.queue.used(ANN.key, "local", 0) > 0 and studio.queue.used(LOCAL.key, "local", 0) == 0
