"""`chat`, `exam`, `export`: what a tuned model is for."""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from facet.errors import NotFoundError, TrainingError
from facet.identity import LOCAL
from facet.model.speak import Decoding
from facet.studio import Studio

Answer = dict[str, Any]
LOOK_EVERY_SECONDS = 0.5


def chat(options: argparse.Namespace) -> Answer:
    studio = Studio.from_environment()
    decoding = Decoding(options.temperature, options.top_p, options.top_k, options.max_new_tokens, options.seed)
    sides = _sides(studio, options)
    if sides == ["base"]:
        studio.fetch_model(LOCAL, options.target, lambda: print("Downloading the model", file=sys.stderr))
    histories: dict[str, list[dict[str, str]]] = {side: _system(options.system) for side in sides}
    replies: dict[str, str] = {}
    try:
        while (prompt := options.prompt or _ask_person()) is not None:
            for history in histories.values():
                history.append({"role": "user", "content": prompt})
            replies = _speak(studio, options, histories, decoding)
            for side, history in histories.items():
                history.append({"role": "assistant", "content": replies[side]})
            if options.prompt:
                break
    finally:
        studio.voices.close()
    answer = {"reply": replies.get("tuned", replies.get("base", ""))}
    return answer | ({"base_reply": replies["base"]} if options.compare and "base" in replies else {})


def _sides(studio: Studio, options: argparse.Namespace) -> list[str]:
    try:
        studio.runs_shelf.folder(LOCAL, options.target)
    except NotFoundError:
        return ["base"]
    return ["base", "tuned"] if options.compare else ["tuned"]


def _system(text: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": text}] if text.strip() else []


def _ask_person() -> str | None:
    try:
        return input("You: ").strip() or None
    except EOFError:
        return None


def _speak(studio: Studio, options: argparse.Namespace, histories: Any, decoding: Decoding) -> dict[str, str]:
    replies: dict[str, str] = {}
    for piece in studio.chat(LOCAL, options.target, histories, decoding):
        if isinstance(piece, str):
            print(piece, file=sys.stderr)
        elif piece.done:
            replies[piece.side] = piece.text
            if not options.json:
                print(f"{'Untouched' if piece.side == 'base' else 'Tuned'}: {piece.text}")
    return replies


def exam(options: argparse.Namespace) -> Answer:
    studio = Studio.from_environment()
    studio.start_exam(LOCAL, options.run)
    studio.open()
    try:
        while not (card := studio.exam(LOCAL, options.run)).progress.is_over:
            time.sleep(LOOK_EVERY_SECONDS)
    finally:
        studio.close()
    if card.progress.failure:
        raise TrainingError.from_dict(card.progress.failure)
    results = {
        part: {
            side: {"loss": score.loss, "perplexity": score.perplexity, "tokens": score.tokens}
            for side, score in sides.items()
        }
        for part, sides in card.results.items()
    }
    return {"exam_id": card.id, "run_id": options.run, "results": results, "words": card.words}


def export(options: argparse.Namespace) -> Answer:
    folder = Studio.from_environment().export(LOCAL, options.run, Path(options.to).expanduser().resolve())
    return {"folder": str(folder), "words": f"{folder}\nIts README.md says how to use it."}
