"""Green, amber or red: did tuning cost the model what it could do before?

Red is said only where chance is ruled out, by the exact test on the questions that changed sides. Amber means: perhaps,
and the words say why. Losses in Format alone are never red, since another form may be just what the examples teach.
"""

from collections.abc import Collection

from facet.exam.outcome import General, Light
from facet.exam.verdict import mcnemar

FAMILY_WORDS = {
    "facts": "Facts",
    "arithmetic": "Arithmetic",
    "format": "Format",
    "refusal": "Refusal",
    "small_talk": "Small talk",
    "german": "German",
    "french": "French",
    "spanish": "Spanish",
    "chinese": "Chinese",
    "hindi": "Hindi",
}
SURE = 0.05  # p at which a loss is called one
PERHAPS = 0.25  # p up to which a loss is worth a warning: from three lost and none gained
FEWEST_RIGHT = 6  # of fewer right answers even losing all could be chance
# Nats per token from which right answers deserve a second look. On the starter model a new opening and ending of every
# answer comes to 2.9, since its short answers are mostly openings and endings; a spoiled adapter comes to 11.6.
FAR = 4.0
PRICE_OF_FORM = "Where the examples teach a form of their own, that is the price."
HINT_OF_LOOPS = 2  # answers that go round in circles and did not before


def light(before: General, after: General) -> Light:
    """`before` is the untouched model; both were asked the same questions."""
    return Change(before, after).light()


class Change:
    """What differs between two models on the questions both were asked."""

    def __init__(self, before: General, after: General) -> None:
        self.before, self.after = before, after
        self.ids = [id for id in before.right if id in after.right]

    def light(self) -> Light:
        if not self.ids:
            return Light("amber", "It cannot be told: the two models were not asked the same questions.")
        reasons = [self._red_answers(), self._red_loops()]
        if found := [reason for reason in reasons if reason]:
            return Light("red", " ".join([*found, *self._asides()]))
        if found := [reason for reason in self._doubts() if reason]:
            return Light("amber", " ".join([*found, *self._asides()]))
        better = self._p(self.ids) <= SURE and not self._falls(self.ids)
        head = "Better than before:" if better else "No worse than before:"
        return Light("green", " ".join([f"{head} {self._counts()}.", *self._form_aside(), *self._asides()]))

    # ---- what was lost and gained
    def _lost(self, ids: Collection[str]) -> list[str]:
        return [id for id in ids if self.before.right[id] and not self.after.right[id]]

    def _gained(self, ids: Collection[str]) -> list[str]:
        return [id for id in ids if self.after.right[id] and not self.before.right[id]]

    def _falls(self, ids: Collection[str]) -> bool:
        return len(self._lost(ids)) > len(self._gained(ids))

    def _p(self, ids: Collection[str]) -> float:
        return float(mcnemar(len(self._gained(ids)), len(self._lost(ids))))

    def _of(self, family: str) -> list[str]:
        return [id for id in self.ids if _family(id) == family]

    def _content(self) -> list[str]:
        """All but Format."""
        return [id for id in self.ids if _family(id) != "format"]

    def _able(self) -> set[str]:
        """Questions of families in which the untouched model gets something right: elsewhere it only stammers too."""
        able = {_family(id) for id in self.ids if self.before.right[id]}
        return {id for id in self.ids if _family(id) in able} or set(self.ids)

    # ---- red
    def _red_answers(self) -> str:
        """Beyond chance also where Format is left aside."""
        content = self._content()
        if not (self._falls(content) and (p := self._p(content)) <= SURE):
            return ""
        return f"{self._counts(p)}.{self._where()}"

    def _red_loops(self) -> str:
        found, heard = [], self._able()
        for flagged, words in ((_repeated, "go round in circles"), (_unfinished, "do not come to an end")):
            was, now = flagged(self.before) & heard, flagged(self.after) & heard
            if len(now) > len(was) and float(mcnemar(len(now - was), len(was - now))) <= SURE:
                found.append(f"{len(now)} of {len(heard)} answers {words}, before tuning {len(was) or 'none'}.")
        return " ".join(found)

    # ---- amber
    def _doubts(self) -> list[str]:
        return [self._doubtful_answers(), self._few_loops(), self._far_off(), self._too_little()]

    def _doubtful_answers(self) -> str:
        content, form = self._content(), self._of("format")
        if self._falls(content) and (p := self._p(content)) <= PERHAPS:
            return f"Perhaps a little worse, but it may be chance: {self._counts(p)}.{self._where()}"
        if self._falls(form) and self._p(form) <= SURE:
            return f"It keeps less to a form that is asked for: {self._fall('format')}. {PRICE_OF_FORM}"
        return ""

    def _few_loops(self) -> str:
        new = (_repeated(self.after) - _repeated(self.before)) & self._able()
        return f"{len(new)} answers go round in circles that did not before." if len(new) >= HINT_OF_LOOPS else ""

    def _far_off(self) -> str:
        if self.after.kl is None or self.after.kl < FAR:
            return ""
        return (
            f"It gives about as many right answers as before, {self._counts()}, but in very different words: it "
            "has moved far from the untouched model. Talk to it about other things on the Chat tab."
        )

    def _too_little(self) -> str:
        right = sum(self.before.right[id] for id in self.ids)
        if right >= FEWEST_RIGHT:
            return ""
        return (
            f"It cannot be told: the untouched model itself gets only {right} of {len(self.ids)} questions right, "
            "so there is too little to lose."
        )

    # ---- words
    def _counts(self, p: float | None = None) -> str:
        """`p` is that of what was lost outside of Format."""
        was, now = sum(self.before.right[id] for id in self.ids), sum(self.after.right[id] for id in self.ids)
        counts = f"{was} of {len(self.ids)} right before, {now} after"
        if p is None:
            return f"{counts} ({len(self._lost(self.ids))} lost, {len(self._gained(self.ids))} gained)"
        content = self._content()
        lost, gained = len(self._lost(content)), len(self._gained(content))
        return f"{counts} (without Format {lost} lost, {gained} gained; exact McNemar test, p {_p_words(p)})"

    def _where(self) -> str:
        """The families that lost most."""
        falls = {}
        for family in FAMILY_WORDS:
            if net := len(self._lost(self._of(family))) - len(self._gained(self._of(family))):
                falls[family] = net
        worst = sorted((family for family in falls if falls[family] > 0), key=lambda family: -falls[family])[:2]
        if not worst:
            return ""
        return f" Most was lost in {' and '.join(self._fall(family) for family in worst)}."

    def _fall(self, family: str) -> str:
        ids = self._of(family)
        was, now = sum(self.before.right[id] for id in ids), sum(self.after.right[id] for id in ids)
        return f"{FAMILY_WORDS[family]} ({was} → {now} of {len(ids)})"

    def _form_aside(self) -> list[str]:
        form = self._of("format")
        lost = len(self._lost(form)) - len(self._gained(form))
        return [f"Less was right in {self._fall('format')}. {PRICE_OF_FORM}"] if lost >= 2 else []

    def _asides(self) -> list[str]:
        return [words for words in (self._drift(), self._blind()) if words]

    def _drift(self) -> str:
        if self.after.kl is None:
            return ""
        return f"Distance from the untouched model: {self.after.kl:.2f} nats per word piece (KL divergence)."

    def _blind(self) -> str:
        """Where the untouched model got nothing right, a loss cannot show."""
        names = [
            words
            for family, words in FAMILY_WORDS.items()
            if (ids := self._of(family)) and not any(self.before.right[id] for id in ids)
        ]
        if not names or len(names) == len({_family(id) for id in self.ids}):
            return ""
        listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
        return f"It says nothing about {listed}: the untouched model gets none of those right."


def _family(id: str) -> str:
    return id.rpartition("-")[0]


def _repeated(general: General) -> set[str]:
    return set(general.repeated)


def _unfinished(general: General) -> set[str]:
    return set(general.unfinished)


def _p_words(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.2g}"
