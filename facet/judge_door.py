"""Everything the page and the command line do with judges, through the studio's one door."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facet.errors import DataError, NotFoundError
from facet.exam import providers
from facet.exam.asking import Judge, Messages
from facet.exam.assignment import Assignment, Material, assign
from facet.exam.judge import Judgement, Judgements
from facet.exam.judged import Judged, summary
from facet.exam.outcome import Example, Outcome, read_outcome
from facet.exam.providers import Keys, Provider
from facet.identity import Grant, Person
from facet.judging import LONGEST_LOCAL_REPLY, HostedJudge, Judging, Judgings, LocalJudge
from facet.model.speak import Decoding
from facet.train.runs import Runs
from facet.workspace import Workspace, read_about, whole_or_gone

CHARACTERS_PER_TOKEN = 4.0  # an estimate for models whose tokenizer is not here


@dataclass(frozen=True)
class JudgeWish:
    """What a person wants judged, and by whom. Holds no key."""

    mode: str = "score"  # or "pairs"
    most_rows: int = 50
    what_counts: str = ""  # empty: our own words for it
    provider: str = "local"
    model: str = ""  # empty: the one that is suggested
    address: str = ""  # of a server at home


@dataclass(frozen=True)
class JudgePlan:
    """What it will take, said before it begins."""

    rows: int
    calls: int
    tokens: int  # to read; an estimate
    words: str


@dataclass(frozen=True)
class JudgedRow:
    """One question with every answer to it, and what the judge made of them."""

    example: Example
    judgements: list[Judgement]


class JudgeDoor:
    """A part of `Studio`. A key is kept in memory, for its person and the address it was given for."""

    workspace: Workspace
    runs_shelf: Runs
    keys: Keys
    judgings: Judgings
    router = providers.HUGGING_FACE.base_url

    def judges(self, person: Person) -> tuple[Provider, ...]:
        return providers.offered(_at_home(person))

    def judgeable(self, person: Person) -> list[tuple[str, str, float]]:
        """Tests with answers a judge can read, newest first: id, name, when."""
        folders = [one for one in self.workspace.all(person, "exams") if (one / "examples.jsonl").is_file()]
        about = [(one, read_about(one)) for one in folders if (one / "results.json").is_file()]
        return [(one.name, known.get("name", one.name), known.get("created", 0.0)) for one, known in about]

    def plan_judging(self, person: Person, exam_id: str, wish: JudgeWish) -> JudgePlan:
        """What the judge would be asked. Raises: see `start_judging`."""
        exam, outcome = self._finished(person, exam_id)
        assignment = self._assignment(person, exam, outcome, wish)
        calls = assignment.calls()
        tokens = round(Material.of(exam, assignment).characters(calls) / CHARACTERS_PER_TOKEN)
        return JudgePlan(len(assignment.rows), len(calls), tokens, _plan_words(assignment, len(calls), tokens))

    def start_judging(self, grant: Grant, exam_id: str, wish: JudgeWish, key: str = "") -> str:
        """Begin in the background; the id of the judging.

        Raises: `SettingError`, `DataError` about what is to be judged; `AccessError` where a key or a sign-in is
        missing; `CapacityError`. Nothing has begun then.
        """
        person = grant.person
        exam, outcome = self._finished(person, exam_id)
        assignment = self._assignment(person, exam, outcome, wish)
        judge, name = self._judge(grant, assignment, key)
        try:
            folder = self.judgings.create(exam, assignment)
        except BaseException:
            judge.close()
            raise
        with whole_or_gone(folder):
            self.judgings.start(person, exam, folder, judge, name)
        return folder.name

    def resume_judging(self, grant: Grant, exam_id: str, judging_id: str, key: str = "") -> None:
        """Go on where it stopped. Raises: see `start_judging`."""
        exam, folder = self._judging(grant.person, exam_id, judging_id)
        found = self.judgings.look(folder)
        if found.stage != "paused":
            return
        judge, name = self._judge(grant, found.assignment, key)
        self.judgings.start(grant.person, exam, folder, judge, name)

    def pause_judging(self, person: Person, exam_id: str, judging_id: str) -> None:
        self.judgings.pause(self._judging(person, exam_id, judging_id)[1])

    def wait_for_judging(self, person: Person, exam_id: str, judging_id: str, seconds: float | None = None) -> Judging:
        """For a terminal."""
        folder = self._judging(person, exam_id, judging_id)[1]
        self.judgings.wait(folder, seconds)
        return self.judgings.look(folder)

    def judging(self, person: Person, exam_id: str, judging_id: str) -> Judging:
        return self.judgings.look(self._judging(person, exam_id, judging_id)[1])

    def judgings_of(self, person: Person, exam_id: str) -> list[Judging]:
        """All of a test, newest first."""
        exam = self.workspace.find(person, "exams", exam_id)
        return [self.judgings.look(folder) for folder in self.judgings.all(exam)]

    def judged(self, person: Person, exam_id: str, judging_id: str) -> Judged:
        """What it found so far."""
        return summary(self._judging(person, exam_id, judging_id)[1])

    def judged_rows(
        self, person: Person, exam_id: str, judging_id: str, start: int = 0, count: int = 20
    ) -> tuple[list[JudgedRow], int]:
        """Questions with answers and judgements; and how many have one."""
        exam, folder = self._judging(person, exam_id, judging_id)
        by_row: dict[int, list[Judgement]] = {}
        for each in Judgements(folder).read():
            by_row.setdefault(each.row, []).append(each)
        material = Material.of(exam, Assignment.read(folder))
        rows = [row for row in sorted(by_row) if row in material.examples]
        return [JudgedRow(material.examples[row], by_row[row]) for row in rows[start : start + count]], len(rows)

    def has_judge_key(self, person: Person, provider: str, url: str = "") -> bool:
        known = providers.provider(provider, _at_home(person))
        return bool(self.keys.find(person, providers.address(known, url, False)))

    def forget_judge_keys(self, person: Person) -> None:
        """All keys of a person; judgings that hold one stop."""
        self.keys.forget(person)
        self.judgings.pause_all(person, seconds=0.0)

    # ---- inside
    def _finished(self, person: Person, exam_id: str) -> tuple[Path, Outcome]:
        exam = self.workspace.find(person, "exams", exam_id)
        outcome = read_outcome(exam)
        if outcome is None:
            raise DataError(
                "This test has nothing to judge yet.",
                "It is not finished, or an earlier version of Facet made it, which kept no answers.",
                "Wait until it is finished, or run the test again.",
            )
        return exam, outcome

    def _judging(self, person: Person, exam_id: str, judging_id: str) -> tuple[Path, Path]:
        exam = self.workspace.find(person, "exams", exam_id)
        return exam, self.judgings.find(exam, judging_id)

    def _assignment(self, person: Person, exam: Path, outcome: Outcome, wish: JudgeWish) -> Assignment:
        known = providers.provider(wish.provider, _at_home(person))
        return assign(
            exam,
            outcome,
            mode=wish.mode,
            most_rows=wish.most_rows,
            what_counts=wish.what_counts,
            provider=known.id,
            model=providers.model_name(wish.model or known.model),
            base_url=providers.address(known, wish.address, False) if known.needs == "address" else "",
            own_run=wish.model.partition("@")[0] if known is providers.LOCAL else "",
        )

    def _judge(self, grant: Grant, assignment: Assignment, key: str) -> tuple[Judge, str]:
        """Whoever is to be asked, and what people call it. What the file says is checked as if it were new."""
        from facet.exam.openai_server import OpenAiServer
        from facet.hub.inference import Hosted

        person, at_home = grant.person, _at_home(grant.person)
        known = providers.provider(assignment.provider, at_home)
        model = providers.model_name(assignment.model)
        if known is providers.LOCAL:
            return LocalJudge(self._talk(grant, model)), "A model on this machine"
        if known is providers.HUGGING_FACE:
            token = grant.need("inference-api", "to let a hosted model judge")
            return HostedJudge(Hosted(token, model, base_url=self.router)), "Hugging Face"
        url = providers.address(known, assignment.base_url, False)
        if key.strip():
            self.keys.keep(person, url, key.strip())
        held = self.keys.need(person, known, url)
        providers.address(known, assignment.base_url, bool(held))
        return OpenAiServer(url, model, held, shared=not at_home), known.name

    def _talk(self, grant: Grant, target: str) -> Any:
        """One question after another to a model of this machine, in the person's place in line."""
        try:
            self.runs_shelf.folder(grant.person, target.partition("@")[0])
            side = "tuned"
        except NotFoundError:
            side = "base"
        decoding = Decoding(temperature=0.0, max_new_tokens=LONGEST_LOCAL_REPLY)

        def talk(messages: Messages) -> Iterator[Any]:
            return self.chat(grant.person, target, {side: messages}, decoding, grant)  # type: ignore[attr-defined]

        return talk


def _at_home(person: Person) -> bool:
    return person.kind == "local" and not os.environ.get("SPACE_ID")


def _plan_words(assignment: Assignment, calls: int, tokens: int) -> str:
    rows, tokens = len(assignment.rows), int(float(f"{tokens:.2g}"))
    if assignment.mode == "pairs":
        pairs = len(assignment.pairs)
        several = f" × {pairs} pairs" if pairs > 1 else ""
        how = f"{rows:,} questions{several} × 2 orders = {calls:,} calls"
    else:
        models = len(assignment.names)
        again = calls - rows * models
        how = f"{rows:,} questions × {models} models + {again} asked twice = {calls:,} calls"
    known = next((each for each in (*providers.SERVICES, providers.HUGGING_FACE, providers.OWN)
                  if each.id == assignment.provider), None)  # fmt: skip
    if known is None:
        return (
            f"{how}, about {tokens:,} word pieces to read. Nothing leaves this machine. Small models are poor judges."
        )
    cost = (
        "What that costs is unknown to Facet: look at its price list."
        if known.needs != "address"
        else "What it costs is known to whoever runs it."
    )
    reads = f"The questions, the expected answers and the models' answers go to {known.company}."
    return f"{how}, about {tokens:,} word pieces to read. {cost} {reads} A call that fails is tried up to 5 times."
