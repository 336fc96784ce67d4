"""`exam`, `compare`, `try-prompts`, `exams`, `batch`: measure models, and let them answer files."""

import argparse
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from facet.errors import NotFoundError, SettingError, TrainingError
from facet.exam.exams import ExamCard, Options
from facet.exam.outcome import PARTS, TYPE_NAMES, Outcome
from facet.exam_door import ExamDoor
from facet.identity import LOCAL
from facet.model.decoding import Decoding
from facet.studio import Studio
from facet.work.log import Progress

Answer = dict[str, Any]
LOOK_EVERY_SECONDS = 0.5


# ---- flags
def add_testing(verb: argparse.ArgumentParser) -> None:
    """Flags that every kind of test has."""
    verb.add_argument("--part", action="append", choices=PARTS, help="only this part; may be repeated")
    verb.add_argument("--most", type=int, default=300, help="questions of each part, default 300")
    verb.add_argument("--max-new-tokens", type=int, help="of an answer; default: twice the longest that is expected")
    verb.add_argument("--type", choices=TYPE_NAMES, help="what counts as right; default: as the data shows")
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
    verb.add_argument("exam", metavar="TEST", nargs="?", help="show this one")
    verb.add_argument("--run", help="only tests in which this run took part")
    verb.add_argument("--dataset", help="only tests on this dataset")


def add_batch(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("source", metavar="DATASET|FILE", help="a dataset id, a file, hub:owner/name or example:name")
    verb.add_argument("targets", metavar="RUN|RUN@STEP|MODEL", nargs="+")
    verb.add_argument("--part", choices=["train", *PARTS], default="exam", help="of a dataset, default exam")
    verb.add_argument("--max-new-tokens", type=int, default=256, help="default 256")
    verb.add_argument("--temperature", type=float, default=0.0, help="default 0: always the likeliest word")
    verb.add_argument("--seed", type=int, default=0, help="default 0")
    verb.add_argument("--to", metavar="FILE", required=True, help="write the answers to this .csv or .jsonl file")


def _options(options: argparse.Namespace) -> Options:
    return Options(not options.no_general, options.most, options.max_new_tokens, options.type)


def _parts(options: argparse.Namespace) -> tuple[str, ...]:
    return tuple(dict.fromkeys(options.part or PARTS))


# ---- what they do
def exam(options: argparse.Namespace) -> Answer:
    studio = Studio.from_environment()
    _form(options.to)
    return _tested(studio, studio.start_exam(LOCAL, options.run, _parts(options), _options(options)), options.to)


def compare(options: argparse.Namespace) -> Answer:
    studio = Studio.from_environment()
    _form(options.to)
    exam_id = studio.compare(LOCAL, options.dataset, options.targets, _parts(options), _options(options))
    return _tested(studio, exam_id, options.to)


def try_prompts(options: argparse.Namespace) -> Answer:
    studio = Studio.from_environment()
    _form(options.to)
    system, shots = options.system, options.shots
    if not system and not shots:
        system, shots = [proposal.text for proposal in studio.proposed_prompts(LOCAL, options.dataset)], [4]
    exam_id = studio.try_prompts(LOCAL, options.dataset, options.model, system, shots, options.run, _options(options))
    return _tested(studio, exam_id, options.to)


def exams(options: argparse.Namespace) -> Answer:
    studio = Studio.from_environment()
    if options.exam:
        return _shown(studio, studio.exam_card(LOCAL, options.exam))
    cards = studio.exams(LOCAL, options.run, options.dataset)
    lines = [f"{card.id}  {card.progress.stage:9}  {' · '.join(card.contestants)}\n    {card.words}" for card in cards]
    listed = [_plain(card) for card in cards]
    return {"exams": listed, "words": "\n".join(lines) or "No tests yet. `python -m facet exam RUN` makes one."}


def batch(options: argparse.Namespace) -> Answer:
    studio = Studio.from_environment()
    form = _form(options.to)
    decoding = Decoding(options.temperature, max_new_tokens=options.max_new_tokens, seed=options.seed)
    try:
        studio.dataset(LOCAL, options.source)
        source = {"dataset_id": options.source, "part": options.part}
    except NotFoundError:
        source = {"upload_id": studio.bring(LOCAL, options.source)}
    batch_id = studio.start_batch(LOCAL, options.targets, decoding=decoding, **source)
    _wait(studio, lambda: studio.batch(LOCAL, batch_id).progress)
    written = _moved(studio.download_batch(LOCAL, batch_id, form), options.to)
    _, rows = studio.batch_rows(LOCAL, batch_id, count=0)
    return {"batch_id": batch_id, "rows": rows, "file": str(written), "words": f"{rows:,} rows answered.\n{written}"}


# ---- waiting and showing
def _wait(studio: Studio, progress: Callable[[], Progress]) -> None:
    """Until it is over. Raises: `TrainingError` with what went wrong."""
    studio.open()
    said = 0.0
    try:
        while not (now := progress()).is_over:
            time.sleep(LOOK_EVERY_SECONDS)
            if now.total_steps and time.monotonic() - said > 10:
                said = time.monotonic()
                print(f"{now.step:,} of {now.total_steps:,}", file=sys.stderr)
    finally:
        studio.close()
    if now.failure:
        raise TrainingError.from_dict(now.failure)


def _tested(studio: Studio, exam_id: str, to: str | None) -> Answer:
    _wait(studio, lambda: studio.exam_card(LOCAL, exam_id).progress)
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
