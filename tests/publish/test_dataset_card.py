import re
from dataclasses import replace

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from facet.publish.data_licences import CHOICES, card_licence, warnings
from facet.publish.dataset_card import DataFacts, dataset_card
from facet.publish.dataset_repo import recipe_file
from tests.publish.pages import html, structure
from tests.stand_in.card import complaints
from tests.stand_in.card import front_matter as front_of

SHA = "0123456789abcdef0123456789abcdef01234567"
SOURCE = {"kind": "hub", "where": "ben/sums:en/train", "revision": SHA, "original_name": "a.csv", "licence": "mit"}
MAPPING = {"kind": "columns", "user": "ask", "assistant": "reply", "user_more": ["hint"], "system": "Be kind, Ann."}
FACTS = DataFacts(
    name="Sums",
    dataset={
        "type": "conversation",
        "extras": ["weight"],
        "source": SOURCE,
        "rows_in": 1234,
        "used": 1200,
        "unusable": 34,
        "reasons": {"the answer is empty": 34},
        "seed": 7,
        "mapping": MAPPING,
        "fingerprint": "f" * 64,
        "cleaned": {"trim": 12},
        "mended": {"by_repair": [{"kind": "mask_emails", "changed": 3, "dropped": 0}]},
        "recipe": {
            "correction": {"encoding": "cp1252", "somewhere": "/home/ann/secret"},
            "mapping": MAPPING,
            "cleaning": {"trim": True, "min_characters": 10, "languages": ["en", "de"]},
            "split": {"test_size": 0.1, "seed": 7, "splits": "ours"},
            "repairs": [{"kind": "mask_emails"}],
        },
    },
    counts={"train": 1000, "validation": 100, "exam": 100},
    languages=("en", "no"),
    repo="ann/sums",
)


def test_a_card_says_what_it_is_where_it_came_from_and_how_it_was_made():
    text = dataset_card(FACTS)
    assert front_of(text) == {
        "license": "mit",
        "language": ["en", "no"],
        "size_categories": ["1K<n<10K"],
        "task_categories": ["text-generation"],
        "tags": ["facet", "conversation"],
        "source_datasets": ["ben/sums"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": split, "path": f"data/{split}.parquet"} for split in ("train", "validation", "test")
                ],
            }
        ],
    }
    for words in (
        "1,200 conversations to tune a language model with",
        'load_dataset("ann/sums")  # with train, validation, test',
        "| test | kept for the test at the end | 100 |",
        "`weight` 0 marks a turn",
        f"From [ben/sums](https://huggingface.co/datasets/ben/sums), the part `en/train` at version `{SHA}`.",
        "Columns used: `ask` (question), `reply` (answer), `hint` (part of the question).",
        "Each conversation begins with the same instruction.",
        "Trim outer white space: Spaces",
        "12 examples were changed.",
        "Shortest example (10 characters)",
        "Only these languages (`en`, `de`)",
        "Repaired: mask emails (3 changed, 0 dropped).",
        "drawn with the seed 7",
        "| … the answer is empty | 34 |",
        "[MIT License](https://opensource.org/license/mit)",
        "states the licence `mit`; what it asks holds here too",
    ):
        assert words in text, words
    assert "Be kind" not in text and "None" not in text


@pytest.mark.parametrize(
    ("changes", "tasks", "tag", "words"),
    [
        ({"type": "preference", "extras": ["chosen", "rejected"]}, ["text-generation"], "preference", "`rejected`"),
        ({"type": "unpaired_preference", "extras": ["label"]}, ["text-generation"], "unpaired-preference", "`label`"),
        ({"type": "prompt_only", "extras": ["reference"]}, ["text-generation"], "prompt-only", "`reference`"),
        ({"type": "text", "extras": ["text"]}, ["text-generation"], "text", "learned as it is"),
        ({"extras": ["images"]}, ["image-text-to-text"], "conversation", "pictures that belong"),
        ({"labels": {"good": 3}}, ["text-classification", "text-generation"], "conversation", "`messages`"),
    ],
)
def test_every_kind_of_data_is_named_as_the_hub_names_it(changes, tasks, tag, words):
    text = dataset_card(replace(FACTS, dataset=FACTS.dataset | changes))
    front = front_of(text)
    assert (front["task_categories"], front["tags"]) == (tasks, ["facet", tag])
    assert words in text and complaints(text, "dataset") == ([], [])


@pytest.mark.parametrize(
    ("count", "size"), [(1, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (250_000, "100K<n<1M"), (5_000_000, "1M<n<10M")]
)
def test_the_size_is_told_in_the_words_of_the_hub(count, size):
    assert front_of(dataset_card(replace(FACTS, counts={"train": count})))["size_categories"] == [size]


@pytest.mark.parametrize("licence", [*CHOICES, "unknown"])
def test_every_licence_that_can_be_chosen_is_known_to_the_hub(licence):
    text = dataset_card(replace(FACTS, licence=licence))
    assert front_of(text)["license"] == licence and complaints(text, "dataset") == ([], [])


@pytest.mark.parametrize(
    ("chosen", "stated", "front"),
    [
        (None, None, {"license": "unknown"}),
        (None, "MIT", {"license": "mit"}),
        ("cc-by-4.0", "mit", {"license": "cc-by-4.0"}),
        (None, "my very own: x\n- y", {"license": "other", "license_name": "my-very-own-x-y"}),
        (None, "other", {"license": "other", "license_name": "license-of-the-source"}),
        (None, "///", {"license": "other", "license_name": "license-of-the-source"}),
    ],
)
def test_a_licence_nobody_knows_keeps_its_name(chosen, stated, front):
    assert card_licence(chosen, {"licence": stated}) == front


def test_what_a_source_asks_is_told_before_anything_is_published():
    assert warnings("mit", {"licence": "mit"}, public=True) == []
    assert "you chose mit" in warnings("mit", {"licence": "cc-by-nc-4.0"}, public=False)[0]
    assert "not open to everyone" in warnings(None, {"licence": "mit", "closed": "gated"}, public=True)[0]
    assert "private" in warnings(None, {"licence": "mit", "closed": "private"}, public=True)[0]
    assert "changed copy" in warnings(None, {"licence": "cc-by-nd-4.0"}, public=True)[0]
    assert "Choose one" in warnings(None, {}, public=True)[0] and warnings(None, {}, public=False) == []


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("", "sums) at version"),
        (":default/train", "sums), the split `train` at version"),
        (":default/all", "sums), every split at version"),
        (":en/all", "sums), every split of the part `en` at version"),
        (":en", "sums), the part `en` at version"),
    ],
)
def test_the_part_of_a_source_is_said_in_words(part, words):
    source = SOURCE | {"where": f"ben/sums{part}"}
    assert words in dataset_card(replace(FACTS, dataset=FACTS.dataset | {"source": source}))


def test_a_gated_source_is_named_with_its_terms():
    text = dataset_card(replace(FACTS, dataset=FACTS.dataset | {"source": SOURCE | {"closed": "gated"}}))
    assert "states the licence `mit` and asks everyone to accept its terms" in text


def test_no_place_on_this_machine_stands_in_what_is_published():
    source = {"kind": "file", "where": "/home/ann/secret/sums.csv", "original_name": "sums.csv", "sha256": "ab" * 32}
    facts = replace(FACTS, dataset=FACTS.dataset | {"source": source})
    card, recipe = dataset_card(facts), recipe_file(facts)
    assert "From a file called `sums.csv`." in card and "source_datasets" not in front_of(card)
    assert "secret" not in card + recipe
    kept = yaml.safe_load(recipe)
    assert kept["correction"] == {"encoding": "cp1252"} and kept["mapping"]["assistant"] == "reply"
    assert kept["source"] == {"kind": "file", "original_name": "sums.csv", "sha256": "ab" * 32}
    assert kept["rows"] == {"train": 1000, "validation": 100, "test": 100}
    link = {"kind": "link", "where": "https://ann:pw@x.example/a.csv?key=secret", "original_name": "a.csv"}
    facts = replace(FACTS, dataset=FACTS.dataset | {"source": link})
    assert "x.example" not in dataset_card(facts) + recipe_file(facts)


def test_a_card_of_very_little_is_still_a_card():
    text = dataset_card(DataFacts("", {}, {"train": 1}))
    assert complaints(text, "dataset") == ([], []) and "None" not in text and 'load_dataset("owner/name")' in text


HOSTILE = [
    'a"\nlicense: mit',
    "x\n---\nlicense: mit\n---\n# Owned",
    "<script>alert(1)</script>",
    "![x](http://evil.example/track.png)",
    "[click](javascript:alert(1))",
    "http://evil.example www.evil.example @everyone",
    "`code` ``` ```\n# Heading\n",
    "a | b | c",
    "\u202e\u0000\x1b[31m \ud800",
    "!!python/object/apply:os.system [id]",
    "- list\n1. one\n> quote",
    "x" * 5000,
]


def hostile_facts(words):
    mapping = {"user": words, "assistant": words, "user_more": [words], "system": words, "user_template": words}
    source = {"kind": "hub", "where": words, "revision": words, "original_name": words, "licence": words or "x"}
    dataset = FACTS.dataset | {
        "source": source,
        "reasons": {words: 3},
        "seed": words,
        "recipe": {"mapping": mapping, "cleaning": {"languages": [words]}, "repairs": [{"kind": words}]},
        "mended": {"by_repair": [{"kind": words, "label": words}]},
    }
    return replace(FACTS, name=words, dataset=dataset, languages=(words,))


@pytest.mark.parametrize("words", HOSTILE)
def test_a_strangers_words_cannot_change_the_card(words):
    text = dataset_card(hostile_facts(words))
    assert complaints(text, "dataset") == ([], [])
    assert structure(text) == structure(dataset_card(hostile_facts("plain words")))
    page = html(text)
    assert not re.search(r"<(script|img|b>|iframe)", page)
    assert "evil.example" not in "".join(re.findall(r'(?:href|src)="([^"]*)"', page))
    assert yaml.safe_load(recipe_file(hostile_facts(words)))["name"] == words


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80))
def test_no_text_at_all_changes_the_card(words):
    text = dataset_card(hostile_facts(words))
    assert complaints(text, "dataset") == ([], [])
    assert front_of(text)["license"] in (*CHOICES, "other", "unknown")
    assert yaml.safe_load(recipe_file(hostile_facts(words)))["name"] == words
