"""The chat process of one device: `python -m facet.model.voice`. JSON lines in, JSON lines out.

It holds base models, each with the adapters that spoke lately. Running out of memory here ends this process and no
other.

A request names one to four speakers, who answer one after another with the same decoding:
`{"id", "speakers": [{"key", "base", "adapter", "messages"}], "decoding", "prove"}`. Answers: `loading`, pieces with the
speaker's key as `side`, `proof`, and at the end `over` or `error`. `{"release": true}` forgets all models.

All speakers of a request answer through the same engine (`facet.model.engine`), the others' models stay for proofs.
"""

import contextlib
import json
import queue
import sys
import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final, TextIO

from facet.errors import CapacityError, FacetError
from facet.gemma.inspect import inspect
from facet.gemma.memory import LIBRARIES_GB, free_memory_gb, inference_gb
from facet.gemma.sight import require_sight
from facet.model.company import Company
from facet.model.decoding import AUTOMATIC, LLAMA_CPP, TRANSFORMERS
from facet.model.engine import Engine, Refused, obstacle
from facet.model.engines import Engines
from facet.model.history import check_messages
from facet.model.load import device_here, dtype_bytes, give_memory_back
from facet.model.proof import Proof, prove
from facet.model.sight import seen, shows_pictures
from facet.model.speak import Decoding, Piece, answer, reply
from facet.model.speakers import Speaker, speakers_of
from facet.work.worker import is_out_of_memory
from facet.workspace import Workspace

SHOWN_EVERY: Final = 0.03  # seconds between two pieces: a fast model would only fill the pipe
# Preparing llama.cpp takes as long as some hundred tokens by transformers, and halves what the next ones take.
PAYS_FROM_PARAMETERS, PAYS_FROM_TOKENS = 100_000_000, 300


class Voice:
    """Speaks for base models and, where there are some, for them with adapters."""

    def __init__(self) -> None:
        self.companies: dict[Path, Company] = {}
        self.proofs: dict[tuple[Path, str], Proof] = {}
        self.engines = Engines(lambda: Workspace.from_environment().home / "engines")
        self.said = 0  # tokens since the memory was last empty

    def forget(self) -> None:
        """Drop every model and give the memory back."""
        for company in self.companies.values():
            company.close()
        self.companies.clear()
        self.proofs.clear()
        self.engines.close()
        self.said = 0
        give_memory_back()

    def speak(self, request: Mapping[str, Any], stop: threading.Event) -> Iterator[dict[str, Any]]:
        """Yield every piece of every speaker, in their order.

        Raises: `FacetError`. Nothing is kept of a model that could not be loaded: half a change would speak with
        another's voice.
        """
        if request.get("release"):
            self.forget()
            return
        speakers, decoding = speakers_of(request), Decoding(**request["decoding"])
        speakers = [replace(speaker, messages=check_messages(speaker.messages)) for speaker in speakers]
        for speaker in speakers:
            if shows_pictures(speaker.messages):
                require_sight(speaker.base)  # before anything is loaded: an answer about what it never saw is made up
        yield {"loading": not all(map(self._is_here, speakers))}
        engines, why = yield from self._engines(speakers, decoding)
        for number, speaker in enumerate(speakers):
            if stop.is_set():
                return
            if number and not self._is_here(speaker):
                yield {"loading": True}
            company = self._company(speaker, {each.base for each in speakers})
            with company.speaking_as(speaker.member) as model:
                for piece in _paced(_reply(company, model, speaker, decoding, stop, engines.get(speaker.key))):
                    self.said += piece["tokens"] if piece["done"] else 0
                    yield piece | {"why": why}
            if request.get("prove") and speaker.adapter and not stop.is_set():
                yield {"proof": {"key": speaker.key} | asdict(self._proof(company, speaker))}

    def answers(self, request: Mapping[str, Any], stop: threading.Event) -> Iterator[dict[str, Any]]:
        """What `speak` yields, and how it ended: `over`, or `error` as three sentences."""
        try:
            yield from self.speak(request, stop)
            yield {"over": True}
        except Exception as error:
            if is_out_of_memory(error):
                self.forget()
            yield {"error": _as_error(error).as_dict()}

    def _engines(
        self, speakers: Sequence[Speaker], decoding: Decoding
    ) -> Generator[dict[str, Any], None, tuple[dict[str, Engine], str]]:
        """Who computes each speaker's words, by key: all the same engine, or for nobody another than transformers.

        With it a sentence, where another engine was wanted and is not used.
        """
        name = self._wanted(speakers, decoding)
        found: dict[str, Engine] = {}
        try:
            for speaker in speakers if name != TRANSFORMERS else ():
                company = self._company(speaker, {each.base for each in speakers})
                if not (self.engines.has(name, speaker.base, speaker.adapter) or obstacle(name, company.device)):
                    yield {"loading": True, "words": f"Preparing {name}; this happens once"}
                found[speaker.key] = self.engines.get(name, company, speaker.member, speaker.adapter)
        except Refused as refused:
            return {}, str(refused)
        return found, ""

    def _wanted(self, speakers: Sequence[Speaker], decoding: Decoding) -> str:
        """The engine that was chosen, or the one that pays. With dice, the same seed should go on as it began."""
        if any(shows_pictures(speaker.messages) for speaker in speakers):
            return TRANSFORMERS
        if decoding.engine != AUTOMATIC:
            return decoding.engine
        pays = decoding.temperature == 0 and self.said >= PAYS_FROM_TOKENS
        if not pays or obstacle(LLAMA_CPP, device_here()):
            return TRANSFORMERS
        is_large = all(inspect(speaker.base).parameters >= PAYS_FROM_PARAMETERS for speaker in speakers)
        return LLAMA_CPP if is_large else TRANSFORMERS

    def _is_here(self, speaker: Speaker) -> bool:
        company = self.companies.get(speaker.base)
        return company is not None and (speaker.member is None or company.has(speaker.member, speaker.adapter))

    def _company(self, speaker: Speaker, wanted: set[Path]) -> Company:
        """The base of a speaker, loaded, with the adapter beside it."""
        company = self.companies.get(speaker.base)
        try:
            if company is None:
                self._make_room(speaker.base, wanted)
                company = self.companies[speaker.base] = Company.load(speaker.base)
            if speaker.member and not company.has(speaker.member, speaker.adapter):
                self.proofs.pop((speaker.base, speaker.member), None)
                company.add(speaker.member, speaker.adapter)
            return company
        except FacetError:
            raise  # refused before anything was changed
        except BaseException:
            self._drop(speaker.base)
            raise

    def _make_room(self, base: Path, wanted: set[Path]) -> None:
        """Forget bases that nobody asked for now, and the others too where both would not fit."""
        for other in [place for place in self.companies if place not in wanted]:
            self._drop(other)
        if self.companies and not _fits_beside(base):
            self.forget()

    def _drop(self, base: Path) -> None:
        self.engines.drop(base)
        if company := self.companies.pop(base, None):
            company.close()
        self.proofs = {place: proof for place, proof in self.proofs.items() if place[0] != base}

    def _proof(self, company: Company, speaker: Speaker) -> Proof:
        """Measured once for an adapter that stays in memory."""
        place = (speaker.base, speaker.member or "")
        if place not in self.proofs:
            turns = [turn for turn in speaker.messages if turn["role"] == "system"] + speaker.messages[-1:]
            words = [{"role": turn["role"], "content": turn["content"]} for turn in turns]  # without pictures
            self.proofs[place] = prove(company, speaker.member, company.renderer.prompt(words))
        return self.proofs[place]


def _reply(
    company: Company,
    model: Any,
    speaker: Speaker,
    decoding: Decoding,
    stop: threading.Event,
    engine: Engine | None,
) -> Iterator[Piece]:
    if not shows_pictures(speaker.messages):
        return reply(model, company.renderer, speaker.messages, decoding, speaker.key, stop, engine)
    wanted = decoding.max_new_tokens
    prompt = seen(speaker.base, model, company.renderer, speaker.messages, company.context, wanted)
    return answer(model, company.renderer, prompt, decoding, speaker.key, stop)


def _fits_beside(base: Path) -> bool:
    """May another base be loaded beside those that are in memory?"""
    if device_here() == "cuda":
        import torch

        facts, free = inspect(base), torch.cuda.mem_get_info()[0] / 1e9
        return inference_gb(facts) - LIBRARIES_GB < 0.9 * free
    facts = inspect(base)
    return inference_gb(facts, dtype_bytes=dtype_bytes(facts)) - LIBRARIES_GB < 0.8 * free_memory_gb()


def _paced(pieces: Iterator[Piece]) -> Iterator[dict[str, Any]]:
    """The first, the last, and in between as many as an eye can follow."""
    said_at = 0.0
    with contextlib.closing(pieces):
        for piece in pieces:
            if piece.done or time.monotonic() - said_at > SHOWN_EVERY:
                said_at = time.monotonic()
                times = {"seconds": round(piece.seconds, 3), "first_seconds": round(piece.first_seconds, 3)}
                yield asdict(piece) | times


def serve(lines: TextIO, out: TextIO) -> None:
    """Answer requests one after another; a `stop` line ends the one that is speaking."""
    requests: queue.Queue[dict[str, Any] | None] = queue.Queue()
    stops: dict[str, threading.Event] = {}  # one for each request: a stop may arrive before its turn
    threading.Thread(target=_listen, args=(lines, requests, stops), daemon=True).start()
    voice = Voice()
    while (request := requests.get()) is not None:
        try:
            for answer in voice.answers(request, stops[request["id"]]):
                _say(out, request["id"], answer)
        finally:
            stops.pop(request["id"], None)


def _listen(lines: TextIO, requests: "queue.Queue[dict[str, Any] | None]", stops: dict[str, threading.Event]) -> None:
    for line in lines:
        request = json.loads(line)
        if "stop" in request:
            if event := stops.get(request["stop"]):
                event.set()
        else:
            stops[request["id"]] = threading.Event()
            requests.put(request)
    for event in list(stops.values()):
        event.set()
    requests.put(None)  # the page has gone


def _say(out: TextIO, request_id: str, answer: dict[str, Any]) -> None:
    out.write(json.dumps({"id": request_id} | answer) + "\n")
    out.flush()


def _as_error(error: Exception) -> FacetError:
    if isinstance(error, FacetError):
        return error
    if is_out_of_memory(error):
        return CapacityError(
            "The memory of this machine was not enough.",
            "The model and this conversation did not fit into it together.",
            "Choose a smaller model, or press “Clear” and send again.",
        )
    print(f"unexpected {type(error).__name__}", file=sys.stderr)  # never the message: it may quote the prompt
    return FacetError(
        "The model stopped speaking.",
        f"An unexpected fault of the kind {type(error).__name__} ended the reply.",
        "Press “Retry”; if it comes back, choose another model.",
    )


if __name__ == "__main__":
    spoken = sys.stdout
    sys.stdout = sys.stderr  # libraries that print must not break the lines
    serve(sys.stdin, spoken)
