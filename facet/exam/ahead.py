"""What a test or a batch would ask, counted before it begins, without asking the Hub and without reading weights."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from facet.errors import NotFoundError
from facet.exam import general
from facet.exam.answers import GENERAL
from facet.exam.exams import Exams, Options
from facet.exam.forecast import Forecast, forecast, paces, parameters, rows_of, tokens_of
from facet.exam.outcome import PARTS, Contestant
from facet.exam.reuse import digests, known_answers
from facet.identity import Person
from facet.model.source import BaseSource
from facet.model.tuned import digest_said
from facet.train.runs import RunCard
from facet.work.task import Task, Where


def of_run(exams: Exams, person: Person, run_id: str, parts: Sequence[str], options: Options) -> Forecast | None:
    """See `ExamDoor.forecast_exam`."""
    card, task = exams.runs.card(person, run_id), Task(exams.runs.folder(person, run_id))
    if card.imported or not card.has_model:
        return None
    contestants = [Contestant("", task.request["base"]), _contestant(card, task)]
    return _of_test(exams, person, task.folder / "data", contestants, parts, options, task.where)


def of_targets(
    exams: Exams, person: Person, dataset_id: str, targets: Sequence[str], parts: Sequence[str], options: Options
) -> Forecast | None:
    """See `ExamDoor.forecast_compare`."""
    contestants = _contestants(exams, person, targets)
    data = exams.dataset(person, dataset_id)
    return _of_test(exams, person, data, contestants, parts, options, _where(exams, contestants))


def of_prompts(
    exams: Exams, person: Person, dataset_id: str, base: str, tuned: str | None, ways: int, options: Options
) -> Forecast | None:
    """See `ExamDoor.forecast_prompts`. All ways answer validation; the best then sits the exam with the plain one."""
    contestants, data = (
        _contestants(exams, person, [base, tuned] if tuned else [base]),
        exams.dataset(person, dataset_id),
    )
    validation, exam = (rows_of(data, part, options.most) for part in PARTS)
    general_too = len(general.questions()) if options.general else 0
    asked = Counter({contestants[0].base["id"]: ways * validation + 2 * exam + general_too})
    for one in contestants[1:]:
        asked[one.base["id"]] += validation + exam + general_too
    return _told(exams, person, contestants, asked, Counter(), tokens_of(data, PARTS[-1]), _where(exams, contestants))


def of_batch(
    exams: Exams, person: Person, dataset_id: str, part: str, targets: Sequence[str], max_new_tokens: int
) -> Forecast | None:
    """See `ExamDoor.forecast_batch`."""
    contestants, data = _contestants(exams, person, targets), exams.dataset(person, dataset_id)
    asked: Counter[str] = Counter()
    for one in contestants:
        asked[one.base["id"]] += rows_of(data, part)
    tokens = min(tokens_of(data, part) or max_new_tokens, max_new_tokens)
    return _told(exams, person, contestants, asked, Counter(), tokens, _where(exams, contestants))


def _of_test(
    exams: Exams,
    person: Person,
    data: Path,
    contestants: Sequence[Contestant],
    parts: Sequence[str],
    options: Options,
    where: Where,
) -> Forecast | None:
    """Answers that an earlier test has are not given again."""
    request = {"parts": list(parts), "contestants": [asdict(one) for one in contestants]} | options.as_request()
    best = known_answers(digests(data, request), exams.workspace.all(person, "exams"))
    counts = {part: rows_of(data, part, options.most) for part in parts}
    if options.general and any(counts.values()):
        counts[GENERAL] = len(general.questions())
    asked: Counter[str] = Counter()
    known: Counter[str] = Counter()
    for one in contestants:
        for part, count in counts.items():
            asked[one.base["id"]] += count
            known[one.base["id"]] += min(count, best.get((part, one.key), (0, data))[0])
    return _told(exams, person, contestants, asked, known, tokens_of(data, parts[-1]), where)


def _told(
    exams: Exams,
    person: Person,
    contestants: Sequence[Contestant],
    asked: Counter[str],
    known: Counter[str],
    tokens: float | None,
    where: Where,
) -> Forecast | None:
    if not asked.total():
        return None
    folders = exams.workspace.all(person, "exams")
    measured = paces(folders)
    sizes = {one.base["id"]: parameters(BaseSource.of(one.base), exams.workspace.models) for one in contestants}
    for pace in measured:
        sizes.setdefault(pace.base, parameters(BaseSource(pace.base, "hub", path="-"), exams.workspace.models))
    return forecast(asked, known, sizes, measured, tokens, where)


# ---- who is going to answer, as far as that is known without looking anything up
def _contestants(exams: Exams, person: Person, targets: Sequence[str]) -> list[Contestant]:
    found = []
    for target in dict.fromkeys(targets):
        run_id, at, _ = target.partition("@")
        try:
            card, task = exams.runs.card(person, run_id), Task(exams.runs.folder(person, run_id))
        except NotFoundError:
            found.append(Contestant("", _base(exams, person, target)))
            continue
        found.append(Contestant("", task.request["base"], f"save point {target}") if at else _contestant(card, task))
    return found


def _contestant(card: RunCard, task: Task) -> Contestant:
    return Contestant("", task.request["base"], digest_said(card.progress.outputs) or card.id)


def _base(exams: Exams, person: Person, name: str) -> dict:
    """As a run of theirs has it, so that answers of earlier tests are found again; else by its name alone."""
    for card in exams.runs.cards(person):
        if card.base_model == name:
            return Task(exams.runs.folder(person, card.id)).request["base"]
    return BaseSource(name, "starter" if name == "starter" else "hub", path="-").as_dict()


def _where(exams: Exams, contestants: Sequence[Contestant]) -> Where:
    return "zerogpu" if "zerogpu" in {exams.place(BaseSource.of(one.base)) for one in contestants} else "local"
