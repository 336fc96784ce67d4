"""The commands and their flags; what they do is in `the files beside this one`."""

import argparse
import json
import logging
import os
import secrets
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from facet.cli import after, chat, data, doctor, exam, history, judge, people, place, plan, runs, train
from facet.cli.controls import error_for_terminal
from facet.errors import CapacityError, FacetError, full_disk
from facet.workspace import Workspace

Command = Callable[[argparse.Namespace], dict[str, Any]]


def main(arguments: list[str] | None = None) -> int:
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    options = read_arguments(arguments)
    try:
        answer = options.command(options)
    except FacetError as error:
        return _refused(error, options.json)
    except KeyboardInterrupt:
        print("Stopped. What runs in the background goes on.", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 1
    except OSError as error:
        return _refused(_not_written(error), options.json)
    except Exception:
        return _refused(FacetError.unexpected(_noted()), options.json)
    words = answer.pop("words", "")
    if options.json:
        print(json.dumps(answer, ensure_ascii=False))
    elif words:
        print(words)
    return 0


def read_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Wrong usage ends here, with exit code 2."""
    known = parser()
    options = known.parse_args(arguments)
    asked = {train.train: train.wrong_usage, plan.plan: train.both_models}.get(options.command)
    if asked and (wrong := asked(options)):
        known.error(wrong)
    return options


def _not_written(error: OSError) -> CapacityError:
    return full_disk(error) or CapacityError(
        "A file could not be read or written.",
        f"The system says of {Path(error.filename or '?').name}: {error.strerror or type(error).__name__}.",
        "Check the place and its permissions, then try again.",
    )


def _noted() -> str:
    """Keep the traceback where a report can quote it, and never on the screen."""
    error_id = secrets.token_hex(4)
    with open(Workspace.from_environment().home / "faults.log", "a", encoding="utf-8") as log:
        kind, _, stack = sys.exc_info()
        log.write(f"{error_id} {kind.__name__}\n{''.join(traceback.format_tb(stack))}\n")
    return error_id


def _refused(error: FacetError, as_json: bool) -> int:
    error = error_for_terminal(error)
    for sentence in (error.what, error.why, error.next):
        print(sentence, file=sys.stderr)
    if as_json:
        print(json.dumps({"error": error.as_dict()}, ensure_ascii=False))
    return 1


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m facet", description="Everything the page does, from a terminal.")
    verbs = top.add_subparsers(required=True, metavar="COMMAND")
    _data(verbs)
    _doctor(verbs)
    _train(verbs)
    _planning(verbs)
    _running(verbs)
    _after(verbs)
    _people(verbs)
    return top


def _verb(verbs: Any, name: str, command: Command, words: str) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=words, description=words, allow_abbrev=False)
    verb.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    verb.set_defaults(command=command)
    return verb


def _data(verbs: Any) -> None:
    seen = _verb(verbs, "look", data.look, "Say what a file is and what could be made of it. Nothing is kept.")
    data.add_reading(seen)
    verb = _verb(verbs, "prepare", data.prepare, "Make a dataset of a file, a folder, hub:owner/name or example:name.")
    data.add_reading(verb)
    data.add_preparing(verb)
    _verb(verbs, "datasets", data.datasets, "List the prepared datasets.")
    _verb(verbs, "models", data.models, "List the starting models.")
    _verb(verbs, "place", place.place, "Say where it computes here, what is kept, and what is free.")


def _doctor(verbs: Any) -> None:
    verb = _verb(verbs, "doctor", doctor.doctor, "Look for what spoils a training in a dataset, and repair it.")
    verb.add_argument("dataset", metavar="DATASET")
    verb.add_argument("--model", default="starter", help="whose tokens lengths are counted in, default starter")
    verb.add_argument("--max-length", type=int, help="the longest example, in tokens")
    verb.add_argument(
        "--repair", action="append", default=[], metavar="KIND", help="do this repair, as a finding offers it"
    )
    verb.add_argument("--all", action="store_true", help="do the first repair of every finding")
    verb.add_argument("--undo", action="store_true", help="go back to the version before the last repair")
    known = _verb(verbs, "versions", doctor.versions, "List the versions of a dataset, oldest first.")
    known.add_argument("dataset", metavar="DATASET")
    take = _verb(verbs, "download-data", doctor.download, "Write a dataset to a file.")
    take.add_argument("dataset", metavar="DATASET")
    take.add_argument("--format", choices=["jsonl", "parquet"], default="jsonl")
    take.add_argument("--part", choices=["train", "validation", "exam"], help="only this part; without it a zip of all")
    take.add_argument("--to", default=".", metavar="FOLDER", help="where to write it, default here")
    share = _verb(verbs, "publish-data", doctor.publish, "Put a dataset into your own account on the Hugging Face Hub.")
    share.add_argument("dataset", metavar="DATASET")
    share.add_argument("repo", metavar="OWNER/NAME")
    share.add_argument("--public", action="store_true", help="let everyone see it; without this it is private")
    share.add_argument("--licence", help="how others may use it, for example cc-by-4.0")
    share.add_argument("--tag", help="name this version, for example v1")


def _train(verbs: Any) -> None:
    verb = _verb(verbs, "train", train.train, "Tune a starting model on a prepared dataset.")
    train.add_train(verb)
    _where(verb)
    train.add_settings(_verb(verbs, "settings", train.settings_of, "Print the reference of all settings."))


def _planning(verbs: Any) -> None:
    plan.add_plan(_verb(verbs, "plan", plan.plan, "Say what a run would need: memory, minutes, quota and price."))


def _where(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--where",
        choices=["local", "zerogpu"],
        help="compute on this machine, or on a ZeroGPU Space on a lent graphics card; default: what suits the model",
    )


def _running(verbs: Any) -> None:
    shown = _verb(verbs, "runs", runs.runs, "List the runs, or show one.")
    shown.add_argument("run", nargs="?", metavar="RUN")
    shown.add_argument("--compare", nargs="+", metavar="RUN", help="put two to six runs beside each other")
    history.add(lambda *named: _verb(verbs, *named))
    for name, words in (
        ("stop", "Finish a run now and keep what it has learned."),
        ("pause", "Pause a run."),
        ("resume", "Let a run go on."),
    ):
        verb = _verb(verbs, name, getattr(runs, name), words)
        verb.add_argument("run", metavar="RUN")
        verb.add_argument("--wait", action="store_true", help="stay until that is done")
        if name == "resume":
            _where(verb)
    brought = _verb(verbs, "import", runs.import_adapter, "Take in an adapter from the Hub, a zip or a folder.")
    brought.add_argument("source", metavar="hub:OWNER/NAME|ZIP|FOLDER")
    brought.add_argument("--name", default="", help="what to call it")
    brought.add_argument("--model", help="its starting model, where the adapter does not say")
    brought.add_argument("--wait", action="store_true", help="stay until its starting model is here")
    conduct = _verb(verbs, "conduct", runs.conduct, "Carry on whatever is queued or was interrupted, then end.")
    conduct.set_defaults(json=False)
    for name, kind in (("delete", runs.delete), ("rename", runs.rename)):
        verb = _verb(verbs, name, kind, f"{name.capitalize()} a run, a dataset, a test or a batch.")
        verb.add_argument("object", metavar="RUN|DATASET|TEST")
        if name == "rename":
            verb.add_argument("name")


def _after(verbs: Any) -> None:
    chat.add_talking(_verb(verbs, "chat", chat.chat, "Talk to a tuned model, a save point or a starting model."))
    judged = _verb(verbs, "feedback", chat.feedback, "List the answers you judged in a chat, or make data of them.")
    chat.add_feedback(judged)
    exam.add_exam(_verb(verbs, "exam", exam.exam, "Test a run beside its untouched model, on data kept aside."))
    exam.add_compare(_verb(verbs, "compare", exam.compare, "Test any number of models on the same questions."))
    words = "Try instructions and examples put before the question, in place of training."
    exam.add_prompts(_verb(verbs, "try-prompts", exam.try_prompts, words))
    exam.add_exams(_verb(verbs, "exams", exam.exams, "List the tests, or show one."))
    exam.add_batch(_verb(verbs, "batch", exam.batch, "Let models answer every row of a dataset or a file."))
    judge.add(_verb(verbs, "judge", judge.judge, "Let another model read the answers of a finished test."))
    words = "Write the tuned model to a folder with everything around it, or to one GGUF file."
    after.add_export(_verb(verbs, "export", after.export, words))


def _people(verbs: Any) -> None:
    _verb(verbs, "login", people.login, "Sign this computer in to Hugging Face, with a code in your browser.")
    _verb(verbs, "logout", people.logout, "Sign this computer out of Hugging Face.")
    _verb(verbs, "whoami", people.whoami, "Say which account this computer is signed in to.")
    verb = _verb(verbs, "publish", people.publish, "Put a tuned model into your own account on the Hugging Face Hub.")
    verb.add_argument("run", metavar="RUN")
    verb.add_argument("repo", metavar="OWNER/NAME")
    verb.add_argument("--public", action="store_true", help="let everyone see it; without this it is private")
    verb.add_argument("--tag", help="name this version, for example v1")
