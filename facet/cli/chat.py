"""`chat`, `feedback`: talk to models from a terminal, and make examples of what you think of their answers."""

import argparse
import os
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from facet.cli.data import describe_dataset
from facet.dataset.from_chat import FITTING, Feedback, examples_of
from facet.errors import NotFoundError, SettingError
from facet.identity import LOCAL
from facet.model.decoding import AUTOMATIC, ENGINES, Decoding
from facet.model.speak import Piece
from facet.showing import MOST_AT_ONCE
from facet.studio import Studio
from facet.talk import MOST_SPEAKERS, Proof, Speaker

Answer = dict[str, Any]
Turns = list[dict[str, Any]]
ENDINGS = {
    "length": " (not at its end; raise --max-new-tokens)",
    "stopped": " (stopped)",
    "repeating": " (it repeated itself without end; raise --repetition-penalty)",
}
HELP = "/up or /down: what you think of the answer · /better WORDS: a better one · /retry · /clear · an empty line ends"


@dataclass
class Talking:
    """One conversation with one or several models."""

    studio: Studio
    options: argparse.Namespace
    speakers: list[Speaker]
    decoding: Decoding
    images: list[str] = field(default_factory=list)  # for the next message
    turns: dict[str, Turns] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    proofs: list[Answer] = field(default_factory=list)
    judged: Feedback | None = None  # what was said last, of the same question: a thumb and a better answer go together

    def __post_init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        opening = [{"role": "system", "content": self.options.system}] if self.options.system.strip() else []
        self.turns = {speaker.key: list(opening) for speaker in self.speakers}

    def say(self, text: str) -> None:
        """Ask everybody; what was asked in vain before gives way. Pictures go with the first message."""
        images, self.images = self.images, []
        shown = {"images": images} if images else {}
        for turns in self.turns.values():
            if turns and turns[-1]["role"] == "user":
                turns.pop()
            turns.append({"role": "user", "content": text} | shown)
        self.ask()

    def ask(self) -> None:
        speakers = [replace(speaker, messages=self.turns[speaker.key]) for speaker in self.speakers]
        first = all(sum(turn["role"] == "user" for turn in turns) == 1 for turns in self.turns.values())
        for heard in self.studio.talk(LOCAL, speakers, self.decoding, prove=first):
            if isinstance(heard, str):
                print(heard, file=sys.stderr)
            elif isinstance(heard, Proof):
                self.proofs.append({"changes": heard.changes, "largest": heard.largest, "words": heard.words})
                print(heard.words, file=sys.stderr)
            elif heard.done:
                self._heard(heard)

    def _heard(self, piece: Piece) -> None:
        self.turns[piece.side].append({"role": "assistant", "content": piece.text})
        self.answers[piece.side] = _told(piece)
        if piece.why:
            print(piece.why, file=sys.stderr)
        if self.options.json:
            return
        name = {"base": "Untouched", "tuned": "Tuned"}.get(piece.side, piece.side)
        thought = f"(thought) {piece.thought}\n" if piece.thought else ""
        print(f"{name}: {thought}{piece.text}{ENDINGS.get(piece.ended, '')}")
        if piece.left_out:
            print(f"The oldest {piece.left_out} turns no longer fit and were not read.", file=sys.stderr)

    def retry(self) -> None:
        """The same question again; with dice, the next ones."""
        for turns in self.turns.values():
            if turns and turns[-1]["role"] == "assistant":
                turns.pop()
        self.judged = None
        if not all(turns and turns[-1]["role"] == "user" for turns in self.turns.values()):
            return
        if self.decoding.temperature > 0:
            self.decoding = replace(self.decoding, seed=self.decoding.seed + 1)
        self.ask()

    def judge(self, good: bool | None, better: str = "") -> str:
        """Keep what is thought of the last answer of the model that was chosen."""
        turns = self.turns[self.speakers[-1].key]
        if not turns or turns[-1]["role"] != "assistant":
            return "There is no answer to judge yet."
        if any(turn.get("images") for turn in turns):
            return "Answers about pictures cannot be kept yet: only words become examples."
        last = self.judged if self.judged and self.judged.messages == turns[:-1] else None
        answer, thumb, written = (last.answer, last.good, last.better) if last else (turns[-1]["content"], None, "")
        self.judged = Feedback(
            turns[:-1], answer, thumb if good is None else good, better.strip() or written, self.options.target
        )
        self.studio.judge_answer(LOCAL, self.judged)
        if better.strip():
            turns[-1] = {"role": "assistant", "content": better.strip()}
        return "Kept. `python -m facet feedback` makes examples of it."


def _told(piece: Piece) -> Answer:
    return {
        "reply": piece.text,
        "thought": piece.thought,
        "tokens": piece.tokens,
        "seconds": round(piece.seconds, 3),
        "ended": piece.ended,
        "prompt_tokens": piece.prompt_tokens,
        "context": piece.context,
        "engine": piece.engine,
    }


def add_talking(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("target", metavar="RUN|RUN@STEP|MODEL")
    verb.add_argument("--prompt", help="ask this once; without it a conversation begins")
    verb.add_argument("--compare", action="store_true", help="let the untouched model answer too")
    verb.add_argument(
        "--beside",
        action="append",
        default=[],
        metavar="RUN|RUN@STEP|MODEL",
        help="let this one answer too, with the same settings; up to four in all",
    )
    verb.add_argument(
        "--image",
        action="append",
        default=[],
        metavar="FILE",
        help=f"show this picture with the first message; up to {MOST_AT_ONCE}, to a model that sees",
    )
    verb.add_argument("--system", default="", help="instructions that hold for the whole conversation")
    verb.add_argument("--stop", action="append", default=[], metavar="TEXT", help="end a reply where this appears")
    verb.add_argument("--engine", choices=ENGINES, default=AUTOMATIC, help="what computes the answers")
    for flag, kind, default in (
        ("temperature", float, 0.0),
        ("top-p", float, 0.95),
        ("top-k", int, 64),
        ("min-p", float, 0.0),
        ("repetition-penalty", float, 1.0),
        ("max-new-tokens", int, 256),
        ("seed", int, 0),
    ):
        verb.add_argument(f"--{flag}", type=kind, default=default, help=f"default {default}")


def add_feedback(verb: argparse.ArgumentParser) -> None:
    where = verb.add_mutually_exclusive_group()
    where.add_argument("--to", metavar="DATASET", help="make the next version of this dataset with them")
    where.add_argument("--new", choices=list(FITTING), help="make a dataset of its own of them")
    where.add_argument("--forget", action="store_true", help="drop them")
    verb.add_argument("--name", default="", help="what to call the new dataset")


def chat(options: argparse.Namespace) -> Answer:
    studio = Studio.from_environment()
    speakers = _speakers(studio, options)
    for target in {speaker.target for speaker in speakers if not _is_run(studio, speaker.target)}:
        studio.fetch_model(LOCAL, target, lambda: print("Downloading the model", file=sys.stderr))
    page, shown = f"terminal {os.getpid()}", [Path(file) for file in options.image]
    try:
        images = studio.take_pictures(LOCAL, page, shown, {each.target: each.target for each in speakers})
        talking = Talking(studio, options, speakers, _decoding(options), images)
        if options.prompt or (images and options.prompt is not None):
            talking.say(options.prompt)
        else:
            print(HELP, file=sys.stderr)
            while (line := _ask_person()) is not None:
                _do(talking, line)
    finally:
        studio.voices.close()
        studio.forget_pictures(LOCAL, page)
    return _answer(talking)


def _answer(talking: Talking) -> Answer:
    said = talking.answers
    answer: Answer = {"reply": said.get("tuned", said.get("base", {})).get("reply", "")}
    if "base" in said and len(said) > 1:
        answer["base_reply"] = said["base"]["reply"]
    return answer | {"answers": said, "proofs": talking.proofs}


def _decoding(options: argparse.Namespace) -> Decoding:
    names = ("temperature", "top_p", "top_k", "max_new_tokens", "seed", "repetition_penalty", "min_p", "engine")
    return Decoding(**{name: getattr(options, name) for name in names}, stop=tuple(options.stop))


def _speakers(studio: Studio, options: argparse.Namespace) -> list[Speaker]:
    """Others first, so that the chosen model speaks last."""
    if not _is_run(studio, options.target):
        first = [Speaker("base", options.target, [], untouched=True)]
    else:
        first = [Speaker("tuned", options.target, [])]
        if options.compare:
            first.insert(0, Speaker("base", options.target, [], untouched=True))
    beside = [Speaker(name, name, []) for name in dict.fromkeys(options.beside) if name != options.target]
    if len(first) + len(beside) > MOST_SPEAKERS:
        raise SettingError(
            "That many models cannot answer at once.",
            f"You named {len(first) + len(beside)}, and up to {MOST_SPEAKERS} fit.",
            "Leave a --beside away, and try again.",
        )
    return [*first[:-1], *beside, first[-1]]


def _is_run(studio: Studio, target: str) -> bool:
    try:
        studio.runs_shelf.folder(LOCAL, target.partition("@")[0])
    except NotFoundError:
        return False
    return True


def _ask_person() -> str | None:
    try:
        return input("You: ").strip() or None
    except EOFError:
        return None


def _do(talking: Talking, line: str) -> None:
    word, _, rest = line.partition(" ")
    match word:
        case "/up" | "/down":
            print(talking.judge(word == "/up"), file=sys.stderr)
        case "/better" if rest.strip():
            print(talking.judge(None, rest), file=sys.stderr)
        case "/retry":
            talking.retry()
        case "/clear":
            talking.clear()
        case "/help" | "/better":
            print(HELP, file=sys.stderr)
        case _:
            talking.say(line)


def feedback(options: argparse.Namespace) -> Answer:
    """List the judged answers, or make data of them."""
    studio = Studio.from_environment()
    if options.forget:
        studio.forget_feedback(LOCAL)
        return {"judged": [], "words": "Forgotten."}
    if options.to or options.new:
        made = (
            studio.add_feedback(LOCAL, options.to)
            if options.to
            else studio.dataset_of_feedback(LOCAL, options.new, options.name)
        )
        summary = studio.dataset(LOCAL, made).summary
        facts = {name: summary[name] for name in ("used", "splits", "fingerprint", "version")}
        return {"dataset_id": made, **facts, "words": f"{describe_dataset(summary)}\n{made}"}
    judged = studio.feedback(LOCAL)
    makes = {kind: len(examples_of(kind, judged)) for kind in FITTING}
    return {"judged": [_row(one) for one in judged], "examples": makes, "words": _listed(judged, makes)}


def _row(one: Feedback) -> Answer:
    return {
        "question": one.messages[-1]["content"],
        "answer": one.answer,
        "good": one.good,
        "better": one.better,
        "model": one.model,
    }


def _listed(judged: list[Feedback], makes: dict[str, int]) -> str:
    if not judged:
        return "No answer was judged yet. In `python -m facet chat`, /up, /down and /better do that."
    lines = [
        f"{_sign(one)}  {one.messages[-1]['content'][:60]}  →  {(one.better or one.answer)[:60]}" for one in judged
    ]
    kinds = ", ".join(f"{number} for --new {kind}" for kind, number in makes.items())
    return "\n".join([*lines, f"Examples they make: {kinds}. `--to DATASET` adds them to data that is there."])


def _sign(one: Feedback) -> str:
    return "better" if one.better.strip() else "up    " if one.good else "down  "
