"""The chat process of one device: `python -m facet.model.voice`. JSON lines in, JSON lines out.

It holds one base model and one adapter at a time. Running out of memory here ends this process and no other.
"""

import contextlib
import json
import queue
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from facet.dataset.render import Renderer
from facet.errors import FacetError
from facet.model.load import decide, load_base, with_adapter
from facet.model.speak import Decoding, check_messages, reply
from facet.work.worker import is_out_of_memory, out_of_memory


class Voice:
    """Speaks for a base model and, where there is one, for it with an adapter."""

    def __init__(self) -> None:
        self.base: Path | None = None
        self.adapter: Path | None = None
        self.model: Any = None
        self.renderer: Any = None

    def load(self, base: Path, adapter: Path | None) -> None:
        """Keep what is already in memory; a new adapter on the same base costs only the adapter.

        After a failure nothing is kept: half a change would speak with another's voice.
        """
        try:
            self._load(base, adapter)
        except BaseException:
            self.forget()
            raise

    def forget(self) -> None:
        self.base = self.adapter = self.model = self.renderer = None

    def _load(self, base: Path, adapter: Path | None) -> None:
        import torch

        if self.base != base:
            self.model = self.renderer = self.base = None
            execution = decide(base, 1)
            torch.set_num_threads(execution.threads)
            self.renderer = Renderer.load(base)
            self.model = load_base(base, execution.dtype, execution.device)
            self.base, self.adapter = base, None
        if self.adapter != adapter:
            plain = self.model.unload() if self.adapter else self.model
            self.model = with_adapter(plain, adapter) if adapter else plain
            self.adapter = adapter

    def speak(self, request: dict[str, Any], stop: threading.Event) -> Any:
        """Yield every piece of every side asked for, untouched first."""
        adapter = Path(request["adapter"]) if request.get("adapter") else None
        yield {"loading": self.base != Path(request["base"]) or self.adapter != adapter}
        self.load(Path(request["base"]), adapter)
        decoding = Decoding(**request["decoding"])
        for side, messages in request["messages"].items():
            if stop.is_set():
                return
            history = check_messages(messages)
            untouched = self.model.disable_adapter() if side == "base" and self.adapter else contextlib.nullcontext()
            with untouched:
                for piece in reply(self.model, self.renderer, history, decoding, side, stop):
                    yield {
                        "side": piece.side,
                        "text": piece.text,
                        "done": piece.done,
                        "tokens": piece.tokens,
                        "seconds": round(piece.seconds, 3),
                        "ended": piece.ended,
                    }


    def answers(self, request: dict[str, Any], stop: threading.Event) -> Iterator[dict[str, Any]]:
        """What `speak` yields, and how it ended: `over`, or `error` as three sentences."""
        try:
            yield from self.speak(request, stop)
            yield {"over": True}
        except Exception as error:
            yield {"error": _as_error(error).as_dict()}


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
        return out_of_memory()
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
