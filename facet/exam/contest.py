"""Every contestant answers every question of its parts, and those of the general check."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from facet.exam import general
from facet.exam.answers import (
    GENERAL,
    Measured,
    Said,
    all_answers,
    answers_file,
    read_answers,
    reused_file,
    said_file,
)
from facet.exam.outcome import Answer, Contestant, Question
from facet.exam.plan import Plan, questions_by_part
from facet.exam.reading import Read, Row, label_tokens, marked, read_all
from facet.exam.similar import distances, similarities, similarity_file, write_distances
from facet.exam.sitting import Sitting
from facet.model.decoding import Decoding
from facet.workspace import write_json

MEASURED_TOGETHER = 16  # rows; a cut costs one such group


@dataclass
class Contest:
    """What it finds is kept in the task's folder as it comes. Every method may raise `Cut`."""

    sitting: Sitting
    plan: Plan
    max_length: int | None
    _questions: dict[str, list[Question]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._questions = questions_by_part(self.folder)

    @property
    def folder(self) -> Path:
        return self.sitting.folder

    def answer(self, parts: Sequence[str], contestants: Sequence[Contestant], with_general: bool) -> None:
        """Everything these contestants are asked, one starting model after the other."""
        for group in by_base(contestants):
            for part in parts:
                for contestant in group:
                    self._part(part, contestant)
            if with_general:
                self._general([one for one in group if not (one.system or one.shots)])

    # ---- a part of the dataset
    def _part(self, part: str, contestant: Contestant) -> None:
        """First what the contestant says, then how likely it finds what it should have said."""
        questions = self._questions.get(part, [])
        rows = [question.row for question in sorted(questions, key=_length)]  # those read together are of like length
        known = read_answers(reused_file(self.folder, part, contestant.key))
        said = Said(said_file(self.folder, part, contestant.key), rows if self.plan.asks else [], known)
        measured = Measured(answers_file(self.folder, part, contestant.key), rows, known, MEASURED_TOGETHER)
        self.sitting.done += measured.known + measured.given
        if not said.open_rows and not measured.open_groups:
            self.sitting.done += len(said.answers)
            return
        company = self.sitting.company(contestant)
        length = min(self.max_length, company.context) if self.max_length else company.context
        reads = {read.row: read for read in read_all(company.renderer, contestant, questions, length)}
        prompts = {row: read.prompt for row, read in reads.items()}
        self.sitting.ask(contestant, said, prompts, Decoding(**self.plan.decoding))
        candidates = label_tokens(company.renderer, self.plan.type, questions[0])
        for group in measured.open_groups:
            self.sitting.breathe()
            replies = [said.answers.get(row, Answer(row, "")) for row in group]
            measured.add(self._measured(contestant, [reads[row] for row in group], replies, candidates))
            self.sitting.step(len(group))

    def _measured(
        self, contestant: Contestant, reads: list[Read], replies: list[Answer], candidates: list[list[int]]
    ) -> list[Answer]:
        """The replies with how likely the contestant finds the right answer, the wrong one, and each label."""
        from facet.model import likelihood

        company = self.sitting.company(contestant)
        with company.speaking_as(contestant.key if contestant.adapter else None) as model:

            def nats(pieces: list[Row]) -> list[tuple[float, int]]:
                return likelihood.nats(model, pieces, company.device) if pieces else []

            expected = _summed(nats([row for read in reads for row in read.expected]), [r.expected for r in reads])
            rejected = _summed(nats([row for read in reads for row in read.rejected]), [r.rejected for r in reads])
            labels = [
                tuple(likelihood.labels(model, read.prompt, candidates, company.device)) if candidates else ()
                for read in reads
            ]
        return [
            replace(
                reply,
                nats=expected[at][0],
                scored_tokens=expected[at][1],
                labels=labels[at],
                rejected_nats=rejected[at][0] if read.rejected else None,
            )
            for at, (read, reply) in enumerate(zip(reads, replies, strict=True))
        ]

    # ---- the general check
    def _general(self, group: Sequence[Contestant]) -> None:
        asked = general.questions()
        for contestant in group:
            known = read_answers(reused_file(self.folder, GENERAL, contestant.key))
            said = Said(answers_file(self.folder, GENERAL, contestant.key), range(len(asked)), known)
            prompts = {}
            if said.open_rows:
                company = self.sitting.company(contestant)
                prompts = dict(enumerate(company.renderer.prompts([question.messages for question in asked])))
            self.sitting.ask(contestant, said, prompts, Decoding(max_new_tokens=general.LONGEST))
        untouched = next((one for one in group if one.is_untouched), None)
        for contestant in group if untouched else ():
            if contestant.adapter and contestant.key not in distances(self.folder):
                self._measure_distance(untouched, contestant)  # type: ignore[arg-type]

    def _measure_distance(self, untouched: Contestant, contestant: Contestant) -> None:
        """How far the tuned model has moved, measured on what the untouched one says: kept in `kl.json`."""
        from facet.model import likelihood

        self.sitting.breathe()
        said = all_answers(self.folder, GENERAL, untouched.key)
        company = self.sitting.company(contestant)
        turns: list[Any] = [
            [*general.questions()[row].messages, {"role": "assistant", "content": answer.text}]
            for row, answer in sorted(said.items())
            if answer.text.strip()
        ]
        rows = [marked(one) for one in company.renderer.render_many(turns, company.context)]
        found = likelihood.kl(company, contestant.key, rows) if rows else 0.0
        write_distances(self.folder, distances(self.folder) | {contestant.key: found})

    # ---- how alike answers are
    def compare_meaning(self, parts: Sequence[str], contestants: Sequence[Contestant]) -> None:
        """Cosine of answer and expected answer, for all by the untouched model of the first contestant."""
        for part in parts:
            questions = self._questions.get(part, []) if self.plan.asks else []
            expected = {question.row: question.expected for question in questions}
            for contestant in contestants if expected else ():
                file = similarity_file(self.folder, part, contestant.key)
                if file.exists():
                    continue
                self.sitting.breathe()
                given = all_answers(self.folder, part, contestant.key)
                company = self.sitting.company(replace(contestants[0], adapter=""))
                with company.speaking_as(None) as model:
                    found = similarities(model, company.renderer, given, expected)
                file.parent.mkdir(exist_ok=True)
                write_json(file, found)


def by_base(contestants: Sequence[Contestant]) -> Iterator[list[Contestant]]:
    groups: dict[str, list[Contestant]] = {}
    for contestant in contestants:
        groups.setdefault(str(sorted(contestant.base.items(), key=str)), []).append(contestant)
    yield from groups.values()


def _length(question: Question) -> int:
    return sum(len(turn["content"]) for turn in question.messages) + len(question.expected)


def _summed(measured: Sequence[tuple[float, int]], pieces: Sequence[Sequence[Row]]) -> list[tuple[float, int]]:
    """The pieces of each question together."""
    given = iter(measured)
    mine = [[next(given) for _ in one] for one in pieces]
    return [(sum(nats for nats, _ in one), sum(tokens for _, tokens in one)) for one in mine]
