"""A test as a task: any number of models answer the questions of the parts kept aside, and are compared."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from facet.exam import assess, engine, general, without
from facet.exam.contest import Contest
from facet.exam.outcome import Contestant, Outcome, write_examples, write_outcome
from facet.exam.plan import Plan, contestants_of, planned
from facet.exam.sitting import Cut, Sitting
from facet.work import log
from facet.work.worker import Slice

MEANT = ("text", "translation")  # types whose answers are also compared by meaning
Sat = dict[str, list[Contestant]]  # part → who answers it


def prepare(piece: Slice) -> None:
    """What needs no device, done ahead of the first slice: the questions."""
    _plan(piece)


def advance(piece: Slice) -> None:
    """One slice of a test. Every group of answers is kept as it comes, and what was found in the end."""
    request = piece.task.request
    plan, contestants = _plan(piece), contestants_of(request)
    sitting = Sitting(piece, _total(plan, request, contestants))
    contest = Contest(sitting, plan, request.get("max_length"))
    try:
        sitting.choose_engine(contestants)
        sat, chosen = _sit(contest, request, contestants)
        if plan.type.name in MEANT:
            contest.compare_meaning(list(sat), contestants)
    except Cut:
        sitting.paused()
        return
    finally:
        sitting.close()
    piece.emit(log.Staged(words="Marking the answers"))
    found = assess.outcome(piece.task.folder, plan, sat, chosen)
    if decided := engine.known(piece.task.folder):
        found = replace(found, engine=decided.name, notes=[*found.notes, decided.words])
    write_examples(piece.task.folder, assess.examples(piece.task.folder, plan, sat))
    write_outcome(piece.task.folder, found)
    piece.emit(log.Finished(step=sitting.done, outputs=_outputs(found, sitting)))


def _plan(piece: Slice) -> Plan:
    return planned(
        piece.task.folder, piece.task.request, piece.models, lambda words: piece.emit(log.Staged(words=words))
    )


def _sit(contest: Contest, request: Mapping, contestants: Sequence[Contestant]) -> tuple[Sat, str]:
    """All answers; who gave them for which part, and whom validation chose. Raises: `Cut`."""
    parts, choose_on = list(contest.plan.rows), request.get("choose_on")
    if choose_on not in parts:
        contest.answer(parts, contestants, bool(request.get("general")))
        return {part: list(contestants) for part in parts}, ""
    contest.answer([choose_on], contestants, False)
    sat: Sat = {choose_on: list(contestants)}
    chosen = without.choose(assess.outcome(contest.sitting.folder, contest.plan, sat))
    finalists = [one for one in contestants if one.is_untouched or one.adapter or one.key == chosen]
    others = [part for part in parts if part != choose_on]
    contest.answer(others, finalists, bool(request.get("general")))
    return sat | {part: finalists for part in others}, chosen


def _total(plan: Plan, request: Mapping, contestants: Sequence[Contestant]) -> int:
    """Steps of the work, as far as they can be known: answers to be given, and to be measured."""
    finalists = [one for one in contestants if one.is_untouched or one.adapter]
    total = 0
    for part, rows in plan.rows.items():
        everybody = request.get("choose_on") not in plan.rows or part == request.get("choose_on")
        steps = 2 if plan.asks else 1  # said, and measured
        total += steps * len(rows) * (len(contestants) if everybody else len(finalists) + 1)
    asked = [one for one in contestants if not (one.system or one.shots)]
    return total + (len(asked) * len(general.questions()) if request.get("general") else 0)


def _outputs(found: Outcome, sitting: Sitting) -> dict[str, str | int | float]:
    return {"words": assess.headline(found), "given_last": sitting.given}
