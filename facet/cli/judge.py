"""`judge`: let another model read the answers of a finished test, and say which are better."""

import argparse
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from facet.cli.people import machine_grant
from facet.errors import NotFoundError, SettingError
from facet.exam import providers
from facet.exam.judged import Judged, agreement_words
from facet.identity import LOCAL
from facet.judge_door import JudgeWish
from facet.judging import Judging
from facet.studio import Studio

Answer = dict[str, Any]
LOOK_EVERY_SECONDS = 0.2


def add(verb: argparse.ArgumentParser) -> None:
    """The flags. A key is never among them: what is typed here stands in the history of the terminal."""
    ids = ", ".join(known.id for known in providers.offered(at_home=True))
    verb.add_argument("exam", metavar="TEST", help="a finished test, as `exams` lists them")
    verb.add_argument("--by", metavar="JUDGE[:MODEL]", help=f"who judges: {ids}; without it, show what was judged")
    verb.add_argument("--address", default="", help="of a server of your own, like http://localhost:11434/v1")
    verb.add_argument(
        "--key-variable", metavar="NAME", help="the environment variable that holds the key, default as usual there"
    )
    verb.add_argument(
        "--mode", choices=["score", "pairs"], default="score", help="a mark for each answer, or which of two is better"
    )
    verb.add_argument("--rows", type=int, default=50, help="how many questions, default 50")
    verb.add_argument("--what-counts", metavar="FILE", help="a text file that says what makes an answer good")
    verb.add_argument("--plan", action="store_true", help="say how many calls it takes, and ask nothing")
    verb.add_argument("--go-on", metavar="JUDGING", help="go on with one that was interrupted")


def judge(options: argparse.Namespace) -> Answer:
    studio = Studio.from_environment()
    if options.go_on:
        return _go_on(studio, options)
    if not options.by:
        return _list(studio, options.exam)
    wish = _wish(options)
    plan = studio.plan_judging(LOCAL, options.exam, wish)
    if options.plan:
        return {"rows": plan.rows, "calls": plan.calls, "tokens_about": plan.tokens, "words": plan.words}
    print(plan.words, file=sys.stderr)
    key = _key(wish.provider, options.key_variable)
    return _follow(studio, options.exam, studio.start_judging(machine_grant(), options.exam, wish, key))


def _go_on(studio: Studio, options: argparse.Namespace) -> Answer:
    found = studio.judging(LOCAL, options.exam, options.go_on)
    key = _key(found.assignment.provider, options.key_variable)
    studio.resume_judging(machine_grant(), options.exam, found.id, key)
    return _follow(studio, options.exam, found.id)


def _wish(options: argparse.Namespace) -> JudgeWish:
    by, _, model = options.by.partition(":")
    return JudgeWish(options.mode, options.rows, _text(options.what_counts), by, model, options.address)


def _text(file: str | None) -> str:
    if not file:
        return ""
    try:
        return Path(file).expanduser().read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise NotFoundError(
            "What counts could not be read.", f"{Path(file).name} is not a text file.", "Name a file with plain text."
        ) from None


def _key(provider: str, variable: str | None) -> str:
    """From the environment. Raises: `SettingError` when the variable that was named is not set."""
    known = providers.provider(provider, at_home=True)
    name = variable or known.variable
    key = os.environ.get(name, "").strip() if name else ""
    if not key and (variable or known.needs == "key"):
        raise SettingError(
            "There is no key for this judge.",
            f"The environment variable {name[:60]} is not set.",
            f"Set it, for example with: read -rs {name[:60]} && export {name[:60]}.",
        )
    return key


def _follow(studio: Studio, exam_id: str, judging_id: str) -> Answer:
    """Stay until it is over, and say how far it is. Stopping the command pauses it."""
    try:
        while (found := studio.judging(LOCAL, exam_id, judging_id)).stage == "working":
            if sys.stderr.isatty():
                print(f"\r{found.done:,} of {found.of:,} judged", end="", file=sys.stderr)
            time.sleep(LOOK_EVERY_SECONDS)
    finally:
        studio.judgings.pause_all()
        studio.voices.close()
    if found.failure:
        print(f"Go on later with: python -m facet judge {exam_id} --go-on {judging_id}", file=sys.stderr)
        raise found.failure
    return _told(found, studio.judged(LOCAL, exam_id, judging_id))


def _list(studio: Studio, exam_id: str) -> Answer:
    all_ = [(one, studio.judged(LOCAL, exam_id, one.id)) for one in studio.judgings_of(LOCAL, exam_id)]
    told = [_told(one, found) for one, found in all_]
    words = "\n\n".join(each.pop("words") for each in told)
    return {"judgings": told, "words": words or "Nothing was judged in this test yet. Name a judge with --by."}


def _told(one: Judging, found: Judged) -> Answer:
    about = found.assignment
    return {
        "judging_id": one.id,
        "stage": one.stage,
        "mode": about.mode,
        "by": f"{about.provider}:{about.model}",
        "judged": found.done,
        "of": found.of,
        "unparsable": found.unparsable,
        "refused": found.refused,
        "tokens": {"in": found.tokens_in, "out": found.tokens_out},
        "agreement": {**asdict(found.agreement), "share": found.agreement.share},
        "scores": {marks.name: marks.mean for marks in found.marks.values()},
        "verdicts": [asdict(each) for each in found.verdicts],
        "words": "\n".join(_lines(one, found)),
    }


def _lines(one: Judging, found: Judged) -> list[str]:
    head = f"{one.id}  {found.assignment.provider}:{found.assignment.model}  {found.done:,} of {found.of:,} judged"
    marks = [
        f"  {each.name}: {each.mean:.2f} of 10 on average, {each.judged:,} answers"
        for each in found.marks.values()
        if each.mean is not None
    ]
    verdicts = [f"  {each.words}" for each in found.verdicts]
    return [head, *verdicts, *marks, f"  {agreement_words(found)}", *(f"  {note}" for note in found.notes)]
