"""`exam`, `compare`, `try-prompts`, `exams`, `batch`: measure models, and let them answer files."""

import argparse
import shutil
from pathlib import Path
from typing import Any

from facet.cli.exam_wait import say_forecast, wait
from facet.errors import NotFoundError, SettingError
from facet.exam.exams import ExamCard, Options
from facet.exam.outcome import PARTS, TYPE_NAMES, Outcome
from facet.exam_door import ExamDoor
from facet.identity import LOCAL
from facet.model.decoding import AUTOMATIC, ENGINES, Decoding
from facet.studio import Studio

Answer = dict[str, Any]


# ---- flags
def add_testing(verb: argparse.ArgumentParser) -> None:
    """Flags that every kind of test has."""
    verb.add_argument("--part", action="append", choices=PARTS, help="only this part; may be repeated")
    verb.add_argument("--most", type=int, default=300, help="questions of each part, default 300")
    verb.add_argument("--max-new-tokens", type=int, help="of an answer; default: twice the longest that is expected")
    verb.add_argument("--type", choices=TYPE_NAMES, help="what counts as right; default: as the data shows")
    verb.add_argument("--engine", choices=ENGINES, default=AUTOMATIC, help="what computes the answers")
    verb.add_argument("--no-general", action="store_true", help="leave out the check whether it got worse elsewhere")
    verb.add_argument("--to", metavar="FILE", help="also write every answer to this .csv or .jsonl file")


def add_exam(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("run", metavar="RUN")
    add_testing(verb)


def add_compare(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("dataset", metavar="DATASET")
    verb.add_argument(
        "targets", metavar="RUN|RUN@STEP|MODEL", nargs="+", help="the first is what the others are held to"
    )
    add_testing(verb)


def add_prompts(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("dataset", metavar="DATASET")
    verb.add_argument("--model", default="starter", help="the untouched model to try them with, default starter")
    verb.add_argument(
        "--system", action="append", default=[], metavar="TEXT", help="instructions to try; may be repeated"
    )
    verb.add_argument("--shots", action="append", type=int, default=[], metavar="K", help="put K examples before it")
    verb.add_argument("--run", help="also let this tuned run sit the exam")
    add_testing(verb)


def add_exams(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("exam", metavar="TEST", nargs="?", help="show this one, or this batch")
    verb.add_argument("--resume", action="store_true", help="let it go on, stay until it is over, and show it")
    verb.add_argument("--to", metavar="FILE", help="also write every answer to this .csv or .jsonl file")
    verb.add_argument("--run", help="only tests in which this run took part")
    verb.add_argument("--dataset", help="only tests on this dataset")


def add_batch(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("source", metavar="DATASET|FILE", help="a dataset id, a file, hub:owner/name or example:name")
    verb.add_argument("targets", metavar="RUN|RUN@STEP|MODEL", nargs="+")
    verb.add_argument("--part", choices=["train", *PARTS], default="exam", help="of a dataset, default exam")
    verb.add_argument("--max-new-tokens", type=int, default=256, help="default 256")
    verb.add_argument("--temperature", type=float, default=0.0, help="default 0: always the likeliest word")
    verb.add_argument("--seed", type=int, default=0, help="default 0")
    verb.add_argument("--engine", choices=ENGINES, default=AUTOMATIC, help="what computes the answers")
    verb.add_argument("--to", metavar="FILE", required=True, help="write the answers to this .csv or .jsonl file")


def _options(options: argparse.Namespace) -> Options:
    return Options(not options.no_general, options.most, options.max_new_tokens, options.type, engine=options.engine)


def _parts(options: argparse.Namespace) -> tuple[str, ...]:
    return tuple(dict.fromkeys(options.part or PARTS))


# ---- what they do
def exam(options: argparse.Namespace) -> Answer:
    studio = Studio.from_environment()
    _form(options.to)
    asked = (options.run, _parts(options), _options(options))
    ahead = studio.forecast_exam(LOCAL, *asked)
    exam_id = studio.start_exam(LOCAL, *asked)
    say_forecast(ahead)
    return _tested(studio, exam_id, options.to)


def compare(options: argparse.Namespace) -> Answer:
    studio = Studio.from_environment()
    _form(options.to)
    asked = (options.dataset, options.targets, _parts(options), _options(options))
    ahead = studio.forecast_compare(LOCAL, *asked)
    exam_id = studio.compare(LOCAL, *asked)
    say_forecast(ahead)
    return _tested(studio, exam_id, options.to)


def try_prompts(options: argparse.Namespace) -> Answer:
    studio = Studio.from_environment()
    _form(options.to)
    system, shots = options.system, options.shots
    if not system and not shots:
        system, shots = [proposal.text for proposal in studio.proposed_prompts(LOCAL, options.dataset)], [3]
    ways = (1 + len(set(system))) * (1 + len(set(shots)))
    ahead = studio.forecast_prompts(LOCAL, options.dataset, options.model, options.run, ways, _options(options))
    exam_id = studio.try_prompts(LOCAL, options.dataset, options.model, system, shots, options.run, _options(options))
    say_forecast(ahead)
    return _tested(studio, exam_id, options.to)


def exams(options: argparse.Namespace) -> Answer:
    studio = Studio.from_environment()
    if options.exam:
        return _one(studio, options.exam, options.resume, options.to)
    if options.resume or options.to:
        raise SettingError("No test was named.", "One at a time goes on or is written.", "Name it: exams TEST.")
    cards = studio.exams(LOCAL, options.run, options.dataset)
    lines = [f"{card.id}  {card.progress.stage:9}  {' · '.join(card.contestants)}\n    {card.words}" for card in cards]
    listed = [_plain(card) for card in cards]
    return {"exams": listed, "words": "\n".join(lines) or "No tests yet. `python -m facet exam RUN` makes one."}


def batch(options: argparse.Namespace) -> Answer:
    studio = Studio.from_environment()
    form = _form(options.to)
    how = {"max_new_tokens": options.max_new_tokens, "seed": options.seed, "engine": options.engine}
    decoding = Decoding(options.temperature, **how)
    try:
        studio.dataset(LOCAL, options.source)
        source = {"dataset_id": options.source, "part": options.part}
    except NotFoundError:
        source = {"upload_id": studio.bring(LOCAL, options.source)}
    ahead = None
    if "dataset_id" in source:
        ahead = studio.forecast_batch(LOCAL, *source.values(), options.targets, decoding.max_new_tokens)
    batch_id = studio.start_batch(LOCAL, options.targets, decoding=decoding, **source)
    say_forecast(ahead)
    wait(studio, batch_id, lambda: studio.batch(LOCAL, batch_id).progress)
    return _answered(studio, batch_id, options.to, form)


def _answered(studio: Studio, batch_id: str, to: str | None, form: Any) -> Answer:
    _, rows = studio.batch_rows(LOCAL, batch_id, count=0)
    stage = studio.batch(LOCAL, batch_id).progress.stage
    answer = {"batch_id": batch_id, "stage": stage, "rows": rows}
    if not to:
        return answer | {"words": f"{batch_id} is {stage}, with {rows:,} rows."}
    written = _moved(studio.download_batch(LOCAL, batch_id, form), to)
    return answer | {"file": str(written), "words": f"{rows:,} rows answered.\n{written}"}


def _one(studio: Studio, object_id: str, resume: bool, to: str | None) -> Answer:
    """A test or a batch, after it went on where that is wanted."""
    form = _form(to)
    is_batch = object_id in [card.id for card in studio.batches(LOCAL)]
    if resume:
        studio.resume_exam(LOCAL, object_id)
        wait(studio, object_id, lambda: studio.exam_card(LOCAL, object_id).progress)
    if is_batch:
        return _answered(studio, object_id, to, form)
    answer = _shown(studio, studio.exam_card(LOCAL, object_id))
    if to:
        answer["file"] = str(_moved(studio.download_exam(LOCAL, object_id, form), to))
    return answer


# ---- showing
def _tested(studio: Studio, exam_id: str, to: str | None) -> Answer:
    if studio.exam_card(LOCAL, exam_id).progress.stage == "paused":  # the same test was begun before
        studio.resume_exam(LOCAL, exam_id)
    wait(studio, exam_id, lambda: studio.exam_card(LOCAL, exam_id).progress)
    answer = _shown(studio, studio.exam_card(LOCAL, exam_id))
    if to:
        answer["file"] = str(_moved(studio.download_exam(LOCAL, exam_id, _form(to)), to))
    return answer


def _form(to: str | None) -> Any:
    """By the ending of the file's name, before anything is begun. Raises: `SettingError` for another one."""
    ending = Path(to).suffix.lower() if to else ".csv"
    if ending not in (".csv", ".jsonl"):
        raise SettingError(
            "Answers cannot be written to this file.",
            "Its name must end in .csv or .jsonl, which says what to write.",
            "Give --to another name.",
        )
    return ending[1:]


def _moved(file: Path, to: str) -> Path:
    target = Path(to).expanduser().resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    return Path(shutil.move(file, target))


def _plain(card: ExamCard) -> Answer:
    return {
        "exam_id": card.id,
        "name": card.name,
        "kind": card.kind,
        "run_id": card.run_id,
        "dataset_id": card.dataset_id,
        "contestants": list(card.contestants),
        "stage": card.progress.stage,
        "verdict": card.words,
    }


def _shown(studio: ExamDoor, card: ExamCard) -> Answer:
    found = studio.outcome(LOCAL, card.id)
    answer = _plain(card) | {"results": {}, "verdicts": [], "lights": {}, "notes": []}
    if found:
        answer |= _found(found)
    return answer | {"words": describe(card, found)}


def _found(found: Outcome) -> Answer:
    """Under names in place of keys. `results` also has the sides of a run as "base" and "tuned"."""
    names = {key: one.name for key, one in found.contestants.items()}
    results = {
        part: {
            names[key]: {
                "rows": one.rows,
                "tokens": one.tokens,
                "loss": one.loss,
                "perplexity": one.perplexity,
                **one.metrics,
            }
            for key, one in scored.items()
        }
        for part, scored in found.parts.items()
    }
    return {
        "type": found.type.name,
        "results": results,
        "verdicts": [
            {"part": one.part, "a": names[one.a], "b": names[one.b], "metric": one.metric, "better": one.better}
            | {"difference": one.difference, "low": one.low, "high": one.high, "p": one.p, "words": one.words}
            for one in found.verdicts
        ],
        "lights": {names[key]: {"colour": light.colour, "words": light.words} for key, light in found.lights.items()},
        "notes": found.notes,
        "chosen": names.get(found.chosen, ""),
    }


def describe(card: ExamCard, found: Outcome | None) -> str:
    if found is None:
        return f"{card.words}\n{card.id} is {card.progress.stage}."
    lines = [card.words, found.type.reason]
    for part, scored in found.parts.items():
        lines.append(f"\n{part}, {next((one.rows for one in scored.values()), 0):,} questions")
        lines += [_line(found, key) + _numbers(one) for key, one in scored.items()]
    lines += ["", *(one.words for one in found.verdicts if one.words != card.words)]
    names = {key: one.name for key, one in found.contestants.items()}
    lines += [f"Elsewhere, {names[key]}: {light.colour}. {light.words}" for key, light in found.lights.items()]
    return "\n".join([*lines, *found.notes, card.id])


def _line(found: Outcome, key: str) -> str:
    width = max(len(one.name) for one in found.contestants.values())
    return f"  {found.contestants[key].name:{width}}"


def _numbers(scored: Any) -> str:
    from facet.exam.metrics import METRICS, written

    told = [
        f"{METRICS[name].label} {written(name, value)}" for name, value in scored.metrics.items() if name in METRICS
    ]
    return "".join(f"  {words}" for words in (*told[:5], f"perplexity {scored.perplexity:.1f}"))
