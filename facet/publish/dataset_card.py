"""The README.md of a prepared dataset: what it is, where it came from, how it was prepared, how to load it.

A pure function of its dataset.json. No example and no text of a person stands in it but names of files and columns,
and those go through `plain`.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

import facet
from facet.publish.card import HUB_ID
from facet.publish.data_licences import card_licence, licence_words
from facet.publish.plain import code, fenced, inline, table

RECIPE_FILE: Final = "facet-data.yaml"
PARTS: Final = {"train": "train", "validation": "validation", "exam": "test"}  # ours → the Hub's
PART_WORDS: Final = {
    "train": "to learn from",
    "validation": "looked at while learning",
    "exam": "kept for the test at the end",
}
TYPES: Final = {
    "conversation": (
        "conversations",
        "Each row is a conversation; a model learns the turns of the assistant.",
    ),
    "preference": ("preferences", "Each row is a question with a preferred and a rejected answer."),
    "unpaired_preference": ("rated answers", "Each row is a question with one answer, and whether people liked it."),
    "prompt_only": ("questions", "Each row is a question without an answer; a reward judges what a model writes."),
    "text": ("texts", "Each row is one text, to be learned as it is."),
}
FIELDS: Final = {
    "row": "number of the row in the source, from 1",
    "messages": "the turns, each with a `role` (system, user, assistant or tool) and its `content`",
    "chosen": "the preferred answer, as turns",
    "rejected": "the rejected answer, as turns",
    "label": "whether the answer was liked",
    "reference": "the right answer, for a reward to compare with",
    "text": "the text",
    "tools": "the tools a model may call, in JSON",
    "images": "pictures that belong to the row, in the order of the marks `<image>`",
    "group": "rows of one group stand in the same part",
}
TURN_FIELDS: Final = {
    "weight": "`weight` 0 marks a turn that is read but not learned",
    "tool_calls": "`tool_calls` holds what an assistant calls, in JSON",
    "name": "`name` is the tool that a turn comes from",
}
ROLES: Final = {
    "user": "question", "user_extra": "added to the question", "assistant": "answer", "messages": "conversation",
    "system_column": "instruction", "chosen": "preferred answer", "rejected": "rejected answer", "label": "rating",
    "reference": "right answer", "text": "text", "tools": "tools", "images": "pictures", "group": "group",
}  # fmt: skip
SIZES: Final = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
LARGER: Final = ((10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M"), (1_000_000_000, "100M<n<1B"))
LANGUAGE: Final = re.compile(r"[a-z]{2,3}")


@dataclass(frozen=True)
class DataFacts:
    """Everything a card says. `dataset` is the dataset.json; `counts` the rows of each part that is published."""

    name: str
    dataset: dict[str, Any]
    counts: dict[str, int]
    licence: str | None = None  # as the person chose it
    languages: tuple[str, ...] = field(default=())
    repo: str = ""  # where it is published, owner/name

    @property
    def source(self) -> dict[str, Any]:
        return self.dataset.get("source") or {}

    @property
    def type(self) -> str:
        return str(self.dataset.get("type") or "conversation")

    @property
    def extras(self) -> list[str]:
        return list(self.dataset.get("extras") or [])


def dataset_card(facts: DataFacts) -> str:
    """The whole README.md."""
    sections = [
        _front_matter(facts),
        f"# {inline(facts.name, 80) or 'A dataset'}",
        _introduction(facts),
        "## How to load it",
        _load(facts),
        "## What is in it",
        _contents(facts),
        "## Where it came from",
        _origin(facts.source),
        "## How it was prepared",
        _preparation(facts),
        "## Licence",
        licence_words(facts.licence, facts.source) + _licence_of_source(facts.source),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _front_matter(facts: DataFacts) -> str:
    front: dict[str, Any] = {**card_licence(facts.licence, facts.source)}
    if languages := _languages(facts):
        front["language"] = languages
    front["size_categories"] = [_size(sum(facts.counts.values()))]
    front["task_categories"] = _tasks(facts)
    front["tags"] = ["facet", facts.type.replace("_", "-") if facts.type in TYPES else "conversation"]
    if repo := hub_source(facts.source):
        front["source_datasets"] = [repo]
    files = [{"split": PARTS[part], "path": f"data/{PARTS[part]}.parquet"} for part in PARTS if part in facts.counts]
    front["configs"] = [{"config_name": "default", "data_files": files}]
    return f"---\n{yaml.safe_dump(front, sort_keys=False, allow_unicode=True).strip()}\n---"


def hub_source(source: dict[str, Any]) -> str | None:
    """The dataset on the Hub it came from, if it did."""
    name = str(source.get("where", "")).partition(":")[0].partition("@")[0]
    return name if source.get("kind") == "hub" and HUB_ID.fullmatch(name) else None


def _languages(facts: DataFacts) -> list[str]:
    known = facts.languages or facts.dataset.get("languages") or facts.dataset.get("language") or ()
    known = [known] if isinstance(known, str) else list(known)
    return [each for each in known if isinstance(each, str) and LANGUAGE.fullmatch(each)][:20]


def _size(count: int) -> str:
    return next((words for most, words in (*SIZES, *LARGER) if count < most), "n>1T")


def _tasks(facts: DataFacts) -> list[str]:
    first = ["text-classification"] if facts.dataset.get("labels") else []
    return ["image-text-to-text"] if "images" in facts.extras else [*first, "text-generation"]


def _introduction(facts: DataFacts) -> str:
    what, words = TYPES.get(facts.type, TYPES["conversation"])
    return f"{sum(facts.counts.values()):,} {what} to tune a language model with, made ready in Facet. {words}"


def _load(facts: DataFacts) -> str:
    where = facts.repo or "owner/name"
    splits = [PARTS[part] for part in PARTS if part in facts.counts] or ["train"]
    return fenced(
        "from datasets import load_dataset\n\n"
        f'dataset = load_dataset("{where}")  # with {", ".join(splits)}\n'
        f'print(dataset["{splits[0]}"][0])',
        "python",
    )


def _contents(facts: DataFacts) -> str:
    rows = [[PARTS[part], PART_WORDS[part], f"{facts.counts[part]:,}"] for part in PARTS if part in facts.counts]
    turns = [words for name, words in TURN_FIELDS.items() if name in facts.extras]
    fields = [
        [code(name, 40), "; ".join([words, *turns]) if name == "messages" else words]
        for name, words in FIELDS.items()
        if name in ("row", "messages") or name in facts.extras
    ]
    return "\n\n".join([table(["split", "meant", "rows"], rows), table(["field", "what it holds"], fields)])


def _origin(source: dict[str, Any]) -> str:
    if repo := hub_source(source):
        which = _which(str(source.get("where", "")).partition(":")[2])
        revision = f" at version {code(source['revision'], 40)}" if source.get("revision") else ""
        return f"From [{repo}](https://huggingface.co/datasets/{repo}){which}{revision}."
    if source.get("kind") == "example":
        return f"From the example {code(source.get('where', '?'), 60)} that comes with Facet."
    if source.get("kind") in ("typed", "rows", "grid"):
        return "It was typed in by hand."
    return f"From a file called {code(source.get('original_name', '?'), 120)}."


def _which(part: str) -> str:
    """The part of a source, written as `config/split`."""
    config, _, split = part.partition("/")
    if config in ("", "default"):
        return ", every split" if split == "all" else f", the split {code(split, 60)}" if split else ""
    return f", every split of the part {code(config, 60)}" if split == "all" else f", the part {code(part, 120)}"


def _licence_of_source(source: dict[str, Any]) -> str:
    repo, stated = hub_source(source), source.get("licence")
    if repo is None:
        return ""
    terms = f"states the licence {code(stated, 60)}" if stated else "states no licence"
    gate = " and asks everyone to accept its terms" if source.get("closed") == "gated" else ""
    return f" Its source, [{repo}](https://huggingface.co/datasets/{repo}), {terms}{gate}; what it asks holds here too."


def _preparation(facts: DataFacts) -> str:
    recipe = facts.dataset.get("recipe") or {}
    points = [
        *_mapping_points(recipe.get("mapping") or facts.dataset.get("mapping") or {}),
        *_cleaning_points(recipe.get("cleaning") or {}, facts.dataset.get("cleaned") or {}),
        *_mended_points(facts.dataset),
        *_split_points(facts.dataset, recipe.get("split") or {}),
    ]
    again = f"Facet does the same to new data by the file `{RECIPE_FILE}`. Made with Facet {facet.__version__}."
    return "\n\n".join(filter(None, ["\n".join(f"- {point}" for point in points), _count_table(facts.dataset), again]))


def _mapping_points(mapping: dict[str, Any]) -> list[str]:
    named = [(words, mapping.get(role)) for role, words in ROLES.items()]
    columns = [f"{code(column, 60)} ({words})" for words, column in named if isinstance(column, str) and column]
    columns += [f"{code(column, 60)} (part of the question)" for column in list(mapping.get("user_more") or ())[:20]]
    points = [f"Columns used: {', '.join(columns)}."] if columns else []
    if any(mapping.get(name) for name in ("user_template", "assistant_template", "system_template")):
        points.append("Texts were put together from columns by a template, which is in the recipe file.")
    if mapping.get("system"):
        points.append("Each conversation begins with the same instruction.")
    return points


def _cleaning_points(cleaning: dict[str, Any], changed: dict[str, Any]) -> list[str]:
    from facet.dataset.clean import CHOICES

    points = []
    for choice in CHOICES:
        name, value = choice["name"], cleaning.get(choice["name"])
        if value in (None, False, (), []):
            continue
        number = f" ({value:,} characters)" if isinstance(value, int) and value is not True else ""
        listed = f" ({', '.join(code(each, 8) for each in value[:20])})" if isinstance(value, list | tuple) else ""
        count = changed.get(name)
        times = f" {count:,} examples were changed." if isinstance(count, int) and count else ""
        points.append(f"{choice['label']}{number}{listed}: {choice['words']}{times}")
    return points


def _mended_points(dataset: dict[str, Any]) -> list[str]:
    points = []
    for done in (dataset.get("mended") or {}).get("by_repair") or []:
        words = done.get("label") or str(done.get("kind", "a repair")).replace("_", " ")
        counts = [f"{done[name]:,} {name}" for name in ("changed", "dropped") if isinstance(done.get(name), int)]
        told = f" ({', '.join(counts)})" if counts else ""
        points.append(f"Repaired: {inline(words, 80)}{told}.")
    return points


def _split_points(dataset: dict[str, Any], split: dict[str, Any]) -> list[str]:
    if split.get("splits") == "given":
        return ["The parts are those of the source."]
    seed = dataset.get("seed")
    if not isinstance(seed, int) or split.get("splits") == "none":
        return []
    return [f"Equal examples stand in the same part; the parts were drawn with the seed {seed}."]


def _count_table(dataset: dict[str, Any]) -> str:
    rows = [
        ["rows in the source", dataset.get("rows_in")],
        ["used", dataset.get("used")],
        ["left out by a draw", dataset.get("not_sampled") or None],
        ["could not be used", dataset.get("unusable")],
        *((f"… {inline(why, 120)}", count) for why, count in (dataset.get("reasons") or {}).items()),
    ]
    counted = [[str(words), f"{count:,}"] for words, count in rows if isinstance(count, int)]
    return table(["examples", "count"], counted) if counted else ""
