"""The README.md of a tuned model: what it is, how it was made and how well it does, with its licence right.

A pure function of facts. Front matter is written by a YAML library, and every word of a person goes through `plain`.
"""

import math
import re
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

import facet
from facet.gemma.licences import licence_of
from facet.gemma.models import STARTER, Generation, find
from facet.publish.curve import Points
from facet.publish.judged_by import JudgedBy, judged_by
from facet.publish.plain import code, fenced, inline, table
from facet.publish.snippet import use
from facet.publish.tested import PART_WORDS, Tested, tested

HUB_ID: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9_][\w.-]{0,95}")
COMMIT: Final = re.compile(r"[0-9a-f]{40}")
ORIGIN: Final = re.compile(rf"hub:(?P<repo>{HUB_ID.pattern})@(?P<sha>{COMMIT.pattern})")


@dataclass(frozen=True)
class CardFacts:
    """Everything a card says. `dataset` is the run's dataset.json."""

    name: str
    base_model: str  # "starter", an id on the Hub, or the name of a local folder
    base_revision: str | None
    generation: Generation
    recipe: dict[str, Any]
    dataset: dict[str, Any]
    curves: dict[str, Points] = field(default_factory=dict)
    results: dict[str, dict[str, dict[str, Any]]] | None = None  # part → "base"/"tuned" → loss, perplexity, tokens
    tested: Tested | None = None
    judged: JudgedBy | None = None
    versions: dict[str, str] = field(default_factory=dict)
    run_file: str = ""
    device: str = ""
    minutes: float = 0.0
    imported: dict[str, Any] | None = None  # "from" and "sha256" of an adapter that was not trained in Facet
    continues: dict[str, Any] | None = None  # "adapter_sha256" and "from" of the adapter it was trained further from
    repo: str = ""  # where it is published, owner/name
    whole: bool = False  # all weights of a model, and not an adapter beside one
    method: str = "sft"  # or "cpt"

    @property
    def hub_base(self) -> str | None:
        """The base model's id, when it can be found on the Hub."""
        return self.base_model if HUB_ID.fullmatch(self.base_model) else None

    @property
    def revision(self) -> str | None:
        return self.base_revision if self.base_revision and COMMIT.fullmatch(self.base_revision) else None


def card(facts: CardFacts) -> str:
    """The whole README.md."""
    sections = [
        _front_matter(facts),
        f"# {inline(facts.name, 80) or 'A tuned model'}",
        _introduction(facts),
        "## How to use it",
        use(facts),
        "## How well it does",
        _results(facts),
        "## How it was made",
        _making(facts),
        "## What it cannot do",
        _limits(facts),
        "## How to make it again",
        _again(facts),
        "## Licence",
        licence_of(facts.base_model, facts.generation).notice,
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _front_matter(facts: CardFacts) -> str:
    licence = licence_of(facts.base_model, facts.generation)
    front: dict[str, Any] = {"license": licence.card_id}
    if licence.card_id == "other":
        front["license_name"] = "license-of-the-base-model"
    if facts.hub_base:
        front |= {"base_model": facts.hub_base, "base_model_relation": "finetune" if facts.whole else "adapter"}
    library = "transformers" if facts.whole else "peft"
    front |= {"library_name": library, "pipeline_tag": "text-generation", "tags": _tags(facts)}
    source = facts.dataset.get("source") or {}
    name = str(source.get("where", "")).partition(":")[0].partition("@")[0]
    if source.get("kind") == "hub" and HUB_ID.fullmatch(name):
        front["datasets"] = [name]
    language = facts.dataset.get("language")
    if isinstance(language, str) and re.fullmatch(r"[a-z]{2,3}", language):
        front["language"] = [language]
    return f"---\n{yaml.safe_dump(front, sort_keys=False, allow_unicode=True).strip()}\n---"


def _tags(facts: CardFacts) -> list[str]:
    family = [] if facts.generation in ("starter", "other") or facts.base_model == STARTER else ["gemma"]
    kind = [] if facts.whole else ["dora" if facts.recipe.get("use_dora") else "lora"]
    learned = ["continued-pretraining"] if facts.method == "cpt" else ["sft", "conversational"]
    return [*family, *kind, *learned, "facet"]


def _introduction(facts: CardFacts) -> str:
    if facts.imported:
        return (
            f"This is a LoRA adapter: a small file that changes how {_base_link(facts)} answers. It was brought into "
            f"Facet from {_origin(facts.imported)}, as it was, and it needs its starting model to work."
        )
    used, what = facts.dataset.get("used"), "texts" if facts.method == "cpt" else "example conversations"
    taught = f"It was taught{f' by {used:,} {what}' if isinstance(used, int) else ''}, in Facet"
    if facts.whole:
        return f"This is {_base_link(facts)} with all weights of its language model tuned. {taught}."
    kind = "DoRA" if facts.recipe.get("use_dora") else "LoRA"
    return (
        f"This is a {kind} adapter: a small file that changes how {_base_link(facts)} answers. "
        f"{taught}, and it needs its starting model to work."
    )


def _origin(named: dict[str, Any]) -> str:
    """Where an adapter came from, as far as anybody else can follow."""
    found = ORIGIN.fullmatch(str(named.get("from") or ""))
    if found is None:
        return "a file"
    return f"[{found['repo']}](https://huggingface.co/{found['repo']}) at version {code(found['sha'], 40)}"


def _base_link(facts: CardFacts) -> str:
    if facts.base_model == STARTER:
        return "Facet's own starter model"
    if facts.hub_base is None:
        return f"a model that lies in a folder called {code(facts.base_model, 80)}"
    offered = find(facts.hub_base)
    copy_of = f", a copy of {code(offered.id)}," if offered and offered.id != facts.hub_base else ""
    return f"[{facts.hub_base}](https://huggingface.co/{facts.hub_base}){copy_of}"


def _results(facts: CardFacts) -> str:
    if not facts.results:
        return "It has not been tested on conversations that were kept apart from its training."
    rows = []
    for part, sides in facts.results.items():
        base, tuned = sides.get("base", {}), sides.get("tuned", {})
        rows.append(
            [
                inline(PART_WORDS.get(part, part), 60),
                _number(base.get("loss"), 3),
                f"**{_number(tuned.get('loss'), 3)}**",
                _number(base.get("perplexity"), 2),
                f"**{_number(tuned.get('perplexity'), 2)}**",
                _number(tuned.get("tokens"), 0),
            ]
        )
    said = f"{tested(facts.tested)}\n\n" if facts.tested else ""
    said += f"{judged_by(facts.judged)}\n\n" if facts.judged else ""
    heads = ["conversations", "loss before", "loss after", "perplexity before", "perplexity after", "answer tokens"]
    return (
        said
        + table(heads, rows)
        + "\n\nHere lower is better. Loss is in nats per token of the answers; perplexity is e to the power of the "
        "loss. They say how well the model foresees answers like those in its data, not whether an answer is true."
    )


def _making(facts: CardFacts) -> str:
    if facts.imported:
        return _brought_in(facts)
    minutes = f" in {_duration(facts.minutes)}" if facts.minutes > 0 else ""
    device = inline(facts.device, 120)
    where = f"It was trained on {device}{minutes}." if device else ""
    recipe = [[code(name, 60), inline(_value(value), 60)] for name, value in facts.recipe.items()]
    curve = "![Loss by training step](curve.svg)" if any(facts.curves.values()) else ""
    versions = ", ".join(f"{inline(name, 40)} {inline(number, 40)}" for name, number in facts.versions.items())
    pieces = [
        where,
        _squeezed(facts),
        _beginning(facts.continues),
        _data(facts.dataset),
        curve,
        "Settings, by the names that TRL and PEFT use:",
        table(["setting", "value"], recipe) if recipe else "",
        f"Made with Facet {facet.__version__}{', ' if versions else ''}{versions}.",
    ]
    return "\n\n".join(piece for piece in pieces if piece)


def _squeezed(facts: CardFacts) -> str:
    bits = {"4bit": "4 bits (QLoRA)", "8bit": "8 bits (LLM.int8)"}.get(str(facts.recipe.get("base_precision")))
    if bits is None:
        return ""
    return (
        f"While it learned, its starting model was held in {bits} by bitsandbytes. On the whole starting model, as in "
        "the program above, it may answer a little otherwise."
    )


def _beginning(continues: dict[str, Any] | None) -> str:
    if not continues:
        return ""
    source = f" It came from {_origin(continues)}." if continues.get("from") else ""
    return (
        "Training did not begin with the untouched model but with another adapter, whose weights have the SHA-256 "
        f"{code(continues.get('adapter_sha256'), 64)}.{source} What follows is about the last training only."
    )


def _brought_in(facts: CardFacts) -> str:
    known = ("lora_rank", "lora_scale", "lora_dropout")
    rows = [[code(name, 60), inline(_value(facts.recipe[name]), 60)] for name in known if name in facts.recipe]
    return (
        "How it was trained, and on what, is not known here. Its own description tells this much, and its weights had "
        f"the SHA-256 {code((facts.imported or {}).get('sha256'), 64)} when they came:\n\n"
        + table(["setting", "value"], rows)
        + "\n\nIts makers may ask for more than the licence below: look at its own page before you pass it on."
    )


def _data(dataset: dict[str, Any]) -> str:
    splits = dataset.get("splits") or {}
    counts = [
        ["rows in the source", _number(dataset.get("rows_in"), 0)],
        ["used", _number(dataset.get("used"), 0)],
        ["could not be used", _number(dataset.get("unusable"), 0)],
        *([f"… {inline(why, 120)}", _number(count, 0)] for why, count in (dataset.get("reasons") or {}).items()),
        *([f"{inline(part, 40)} part", _number(count, 0)] for part, count in splits.items()),
    ]
    source = dataset.get("source") or {}
    revision = f" at version {code(source['revision'], 40)}" if source.get("revision") else ""
    where = code(
        source.get("where") if source.get("kind") in ("hub", "example") else source.get("original_name", "?"), 120
    )
    return f"Its data came from {where}{revision}.\n\n" + table(["conversations", "count"], counts)


def _limits(facts: CardFacts) -> str:
    examples = "It was trained elsewhere" if facts.imported else "It learned from the examples it was shown"
    points = [
        f"{examples}. Outside of its examples it answers as its starting model would, or worse.",
        "Tuning changes style and habits more reliably than knowledge. Check facts before you rely on them.",
        "It has not been tested for safety, fairness or misuse.",
    ]
    if facts.base_model == STARTER:
        points.insert(0, "Facet's starter model is tiny and knows a few hundred facts. It is made to learn with.")
    return "\n".join(f"- {point}" for point in points)


def _again(facts: CardFacts) -> str:
    if facts.imported:
        return "It was brought in and not trained here, so there is nothing here that would make it again."
    if not facts.run_file.strip():
        return "The run file of this model was not kept."
    adapter = "the adapter it began with, " if facts.continues else ""
    return (
        f"Facet makes it again from this file, `facet-run.yaml`, {adapter}and the same data. With the same versions "
        "on the same kind of processor the result is the same to the last bit; on a graphics card it is close.\n\n"
        + fenced(facts.run_file, "yaml")
    )


def _number(value: Any, digits: int) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "–"
    return f"{value:,.{digits}f}" if math.isfinite(value) else "not a number"


def _value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else "not set" if value is None else str(value)


def _duration(minutes: float) -> str:
    if minutes < 2:
        return f"{minutes * 60:.0f} seconds"
    return f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:.1f} hours"
