"""The answers of a chat as they grow, and how much may be asked at once."""

import time
from collections.abc import Iterator
from typing import Any

import gradio as gr

from facet.errors import CapacityError, DataError, FacetError
from facet.identity import Grant
from facet.model.decoding import Decoding
from facet.model.speak import Piece
from facet.studio import Studio
from facet.talk import Proof
from facet.ui.chat_panes import MOST_KEPT_CHARACTERS, PLACES, Voice, is_question, shown, trimmed
from facet.ui.chat_show import Talk
from facet.ui.chat_words import Told

REPAINT_SECONDS = 0.1  # a fast model says more in a second than a page can draw
CUT_SHORT = {"role": "assistant", "content": "…"}  # the answer of one that was stopped before its first word


def require_short(text: str, voices: int) -> None:
    """Raises: `DataError` for a message that, said to everybody, is more than the page carries."""
    if len(text) * voices > MOST_KEPT_CHARACTERS:
        most = MOST_KEPT_CHARACTERS // voices
        raise DataError(
            "Your message is too long for the chat.",
            f"It has {len(text):,} characters, and {most:,} is the most with {voices} models side by side.",
            "Shorten it, or talk to fewer models at once.",
        )


def require_quiet(busy: bool) -> None:
    """Raises: `CapacityError` while an answer grows: it would be written over what is changed meanwhile."""
    if busy:
        raise CapacityError(
            "An answer is still being written.",
            "One is finished before the next begins.",
            "Wait for it, or press “Stop”, then try again.",
        )


def replies(
    studio: Studio, grant: Grant, voices: list[Voice], talk: Talk, system: str, decoding: Decoding
) -> Iterator[list[Any]]:
    """Values of `ChatTab.spoken`, again and again as the replies grow. A failure is said in its place."""
    wanted = [voice for voice in voices if is_question(talk.get(voice.place, []))]
    if not wanted:
        yield [gr.skip()] * (2 + len(PLACES))
        return
    told = Told(voices, waiting="Waking the model" if len(wanted) == 1 else "Waking the models")
    growing, told.gone = trimmed(talk)
    yield [*[gr.skip()] * (1 + len(PLACES)), told.words()]
    speakers = [voice.speaker(growing[voice.place], system) for voice in wanted]
    shown_at = 0.0
    try:
        for heard in studio.talk(grant.person, speakers, decoding, grant, prove=True):
            if isinstance(heard, Piece):
                answer = {"role": "assistant", "content": heard.text}
                answer |= {"thought": heard.thought} if heard.thought else {}
                growing[heard.side] = [*_asked(growing[heard.side]), answer]
                told.pieces[heard.side], told.waiting = heard, ""
                if not heard.done and time.monotonic() - shown_at < REPAINT_SECONDS:
                    continue
                shown_at = time.monotonic()
                yield [*shown(growing, only=heard.side), told.words()]
                continue
            if isinstance(heard, Proof):
                told.proofs[heard.key] = heard
            else:
                told.waiting = heard
            yield [*[gr.skip()] * (1 + len(PLACES)), told.words()]
        told.waiting = ""
        asked = [voice.place for voice in wanted]
        silent = {place for place in asked if _is_silent(told.pieces.get(place))}
        yield [*shown(settled(growing, asked, silent)), told.words()]
    except FacetError as error:
        told.failure, told.waiting = error, ""
        yield [*shown(growing), told.words()]


def settled(talk: Talk, asked: list[str], silent: set[str]) -> Talk:
    """After a stop, all sides go on from the same messages. Where nobody said a word, the question stays open."""
    if silent >= set(asked):
        return talk | {place: _asked(talk[place]) for place in asked}
    return talk | {place: [*_asked(talk[place]), dict(CUT_SHORT)] for place in silent}


def _is_silent(piece: Piece | None) -> bool:
    """Stopped before its first word. An empty answer that a model ended itself is an answer."""
    return piece is None or (piece.ended == "stopped" and not (piece.text.strip() or piece.thought))


def _asked(turns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Up to the question: what was answered so far is replaced by more of it."""
    return turns if is_question(turns) else turns[:-1]
