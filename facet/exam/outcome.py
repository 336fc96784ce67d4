"""What a test asks, what was answered, and what came of it: values in memory, JSON on disk. No torch here.

A test's folder holds `questions.jsonl` (written once), `answers/<part>.<contestant>.jsonl` (grows as answers come),
and, once all is answered, `results.json` and `examples.jsonl`.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from facet.dataset.conversation import Conversation
from facet.workspace import read_json, write_json

TypeName = Literal["classification", "exact", "number", "json", "text", "translation", "preference"]
TYPE_NAMES: tuple[TypeName, ...] = get_args(TypeName)
Better = Literal["better", "worse", "cannot_tell"]
PARTS = ("validation", "exam")
UNTOUCHED = "Untouched"


@dataclass(frozen=True)
class Contestant:
    """One way to answer: a base model, perhaps with an adapter, with instructions, or with examples put before."""

    name: str  # as people see it: "Untouched", "Pirate", "Pirate, step 40", "Untouched with instructions"
    base: dict[str, Any]  # BaseSource.as_dict()
    adapter: str = ""  # sha256 of its adapter, or of its whole model, which lies in `adapters/<key>/`; "" for none
    run_id: str = ""
    step: int | None = None  # of a save point of that run; None for its finished model
    system: str = ""  # standing instructions, in place of those of the question
    shots: tuple[Conversation, ...] = ()  # examples shown before the question

    @property
    def key(self) -> str:
        """Digest of all that decides its answers: names its files, and lets the same answers be used again."""
        decides = [self.base, self.adapter, self.system, self.shots]
        return hashlib.sha256(json.dumps(decides, sort_keys=True, default=list).encode()).hexdigest()[:16]

    @property
    def is_untouched(self) -> bool:
        return not (self.adapter or self.system or self.shots)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Contestant":
        return cls(**{**data, "shots": tuple(data.get("shots", ()))})


@dataclass(frozen=True)
class ExamType:
    """What counts as right. `reason` says in a sentence why this type was chosen for the data."""

    name: TypeName
    labels: tuple[str, ...] = ()  # classification: the right answers there are
    reason: str = ""
    schema: str = ""  # json: the JSON schema that all right answers fit, as text
    metric: str = ""  # what the verdict rests on, where it is not the usual one of the type


@dataclass(frozen=True)
class Question:
    """One row of a part. `messages` ends with the person's turn; `expected` is the answer of the data."""

    part: str
    row: int
    messages: Conversation
    expected: str
    rejected: str = ""  # preference: the answer that should be less likely
    tools: str = ""


@dataclass(frozen=True)
class Answer:
    """What one contestant made of one question. Log-likelihoods are natural, summed over tokens."""

    row: int
    text: str
    tokens: int = 0
    ended: Literal["", "finished", "length"] = ""
    nats: float = 0.0  # summed negative log-likelihood of the expected answer
    scored_tokens: int = 0  # tokens that sum runs over
    labels: tuple[float, ...] = ()  # classification: log-likelihood of each label, in the order of ExamType.labels
    rejected_nats: float | None = None  # preference
    similarity: float | None = None  # cosine of the embeddings of answer and expected answer
    repeating: bool = False  # its end goes round in circles


@dataclass(frozen=True)
class Scored:
    """One contestant on one part. `metrics` by the names of `metrics.METRICS`; shares run from 0 to 1."""

    rows: int
    loss: float  # nats per scored token
    perplexity: float
    bits_per_token: float
    tokens: int
    metrics: dict[str, float] = field(default_factory=dict)
    confusion: list[list[int]] | None = (
        None  # rows: right label; columns: answered label, the last one "something else"
    )
    roc: dict[str, list[list[float]]] | None = None  # label → points, each [false positive rate, true positive rate]
    never_stopped: int = 0
    repeating: int = 0
    notes: dict[str, str] = field(default_factory=dict)  # metric → why it is missing, or what to know about it


@dataclass(frozen=True)
class Verdict:
    """Is `b` better than `a`? `low` and `high` bound the difference of the metric, b less a, at 95 %."""

    part: str
    a: str  # keys of contestants
    b: str
    metric: str
    better: Better
    wins: int  # questions on which b did better
    losses: int
    ties: int
    difference: float
    low: float
    high: float
    p: float
    comparisons: int  # how many were made at once; p is corrected for them
    words: str


@dataclass(frozen=True)
class General:
    """One contestant on the general check, which is the same for every model."""

    shares: dict[str, float]  # share right, by family of questions
    asked: dict[str, int]
    repeating: float  # share of its answers
    never_stopped: float
    kl: float | None = None  # nats per token between the untouched model and this one; None for the untouched
    right: dict[str, bool] = field(default_factory=dict)  # by id of the question
    repeated: list[str] = field(default_factory=list)  # ids of questions whose answer goes round in circles
    unfinished: list[str] = field(default_factory=list)  # ids of questions whose answer only ended at the limit


@dataclass(frozen=True)
class Light:
    colour: Literal["green", "amber", "red"]
    words: str  # the reason


@dataclass(frozen=True)
class Outcome:
    """Everything a test found. Keys of the inner dictionaries are those of contestants."""

    type: ExamType
    contestants: dict[str, Contestant]
    parts: dict[str, dict[str, Scored]]
    verdicts: list[Verdict] = field(default_factory=list)
    general: dict[str, General] = field(default_factory=dict)
    lights: dict[str, Light] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)  # sentences a person should read: what was left out and why
    chosen: str = ""  # where prompts were tried: the one that validation chose
    decoding: dict[str, Any] = field(default_factory=dict)
    engine: str = "transformers"  # what computed the answers


def write_outcome(folder: Path, outcome: Outcome) -> None:
    write_json(folder / "results.json", asdict(outcome))


def read_outcome(folder: Path) -> Outcome | None:
    """None while nothing was found yet, or by an earlier version of Facet."""
    try:
        saved = read_json(folder / "results.json")
        return Outcome(
            type=ExamType(**{**saved["type"], "labels": tuple(saved["type"]["labels"])}),
            contestants={key: Contestant.of(one) for key, one in saved["contestants"].items()},
            parts={part: {key: Scored(**one) for key, one in all_.items()} for part, all_ in saved["parts"].items()},
            verdicts=[Verdict(**one) for one in saved["verdicts"]],
            general={key: General(**one) for key, one in saved["general"].items()},
            lights={key: Light(**one) for key, one in saved["lights"].items()},
            notes=saved["notes"],
            chosen=saved["chosen"],
            decoding=saved["decoding"],
            engine=saved.get("engine", "transformers"),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


@dataclass(frozen=True)
class Example:
    """One line of the table people look through. `scores[key][metric]`, the higher the better."""

    part: str
    row: int
    question: str  # the last turn of the person
    expected: str
    answers: dict[str, str]
    scores: dict[str, dict[str, float]]
    disagreement: float = 0.0  # largest difference of the main score between two contestants


def write_examples(folder: Path, examples: Iterable[Example]) -> None:
    lines = "".join(json.dumps(asdict(example), ensure_ascii=False) + "\n" for example in examples)
    staged = folder / "examples.part"
    staged.write_text(lines, "utf-8")
    staged.replace(folder / "examples.jsonl")


def read_examples(folder: Path) -> Iterator[Example]:
    file = folder / "examples.jsonl"
    if file.exists():
        with open(file, encoding="utf-8") as lines:
            yield from (Example(**json.loads(line)) for line in lines)
