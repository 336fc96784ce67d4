"""What is said beneath the conversations: how fast, how much of its context is used, how it ended, what was proved."""

from dataclasses import dataclass, field

from markupsafe import Markup

from facet.errors import FacetError
from facet.model.decoding import TRANSFORMERS
from facet.model.speak import Piece
from facet.talk import Proof
from facet.ui.chat_panes import Voice
from facet.ui.markup import html, join, track, trouble

ENDINGS = {
    "length": "It had not come to an end at “Longest reply”. Raise that, or press “Retry”.",
    "stopped": "Stopped by you.",
    "repeating": "It began to repeat itself without end, so it was stopped. A higher “Repetition penalty” may help.",
}
NEARLY_FULL = 0.9


@dataclass
class Told:
    """What is known of each place while the answers grow."""

    voices: list[Voice]
    pieces: dict[str, Piece] = field(default_factory=dict)
    proofs: dict[str, Proof] = field(default_factory=dict)
    waiting: str = ""
    gone: int = 0  # turns the page itself had to leave out
    failure: FacetError | None = None

    def words(self) -> str:
        """Everything beneath the conversations, as markup."""
        notes = join(self._note(voice) for voice in self.voices if self._knows(voice))
        waits = html('<p class="f-wait" role="status">{}</p>', self.waiting) if self.waiting else ""
        grid = html('<div class="f-told n{}">{}</div>', len(self.voices), notes) if notes else ""
        return str(html("{}{}{}", waits, grid, trouble(self.failure) if self.failure else ""))

    def _knows(self, voice: Voice) -> bool:
        return voice.place in self.pieces or voice.place in self.proofs

    def _note(self, voice: Voice) -> Markup:
        piece = self.pieces.get(voice.place)
        return html(
            '<div class="f-tell {}"><h4>{}</h4>{}{}</div>',
            voice.look,
            voice.name,
            join([pace(piece), context(piece, self.gone)]) if piece else "",
            self._proved(voice),
        )

    def _proved(self, voice: Voice) -> Markup:
        """Said of the tuned side with its number, and of the untouched side beside it."""
        if proof := self.proofs.get(voice.place):
            look = "good" if proof.changes else "warn"
            return html('<p class="f-proof {}">{}</p>', look, proof.words)
        if voice.untouched and self.proofs:
            return html('<p class="f-proof">It answers without any adapter, exactly as it came.</p>')
        return Markup("")


def pace(piece: Piece) -> Markup:
    speed = f", {piece.tokens / piece.seconds:.0f} per second" if piece.seconds > 0.05 and piece.tokens else ""
    end = html("<p>{}</p>", ENDINGS[piece.ended]) if piece.done and piece.ended in ENDINGS else ""
    by = f", computed by {piece.engine}" if piece.engine not in ("", TRANSFORMERS) else ""
    why = html("<p>{}</p>", piece.why) if piece.done and piece.why else ""
    return html('<p class="f-number" role="status">{:,} tokens{}{}</p>{}{}', piece.tokens, speed, by, end, why)


def context(piece: Piece, gone: int = 0) -> Markup:
    """How much of what the model can read at once is used, and what no longer fits."""
    if not piece.context:
        return Markup("")
    used = piece.prompt_tokens + piece.tokens
    left_out = piece.left_out + gone
    lost = html("<p>The oldest {:,} turns no longer fit and are not read.</p>", left_out) if left_out else ""
    full = html("<p>Its context is nearly full.</p>") if used > NEARLY_FULL * piece.context and not left_out else ""
    return html(
        '{}<p class="f-number">{:,} of {:,} tokens of its context are used.</p>{}{}',
        track(100 * used / piece.context, "Context used", still=True),
        used,
        piece.context,
        lost,
        full,
    )
