import re
from dataclasses import replace

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from facet.publish.card import CardFacts, card
from facet.publish.plain import code, fenced, inline
from facet.publish.snippet import snippet
from tests.publish.pages import html, structure

SHA = "0123456789abcdef0123456789abcdef01234567"
FACTS = CardFacts(
    name="Pirate poems",
    base_model="google/gemma-3-270m-it",
    base_revision=SHA,
    generation="3",
    recipe={"learning_rate": 2e-4, "lora_rank": 16, "max_steps": None, "lr_scheduler_type": "cosine"},
    dataset={
        "name": "poems",
        "source": {"kind": "hub", "where": "ann/poems:en", "revision": SHA, "original_name": "train.parquet"},
        "rows_in": 1234,
        "used": 1200,
        "unusable": 34,
        "reasons": {"The answer is empty.": 34},
        "splits": {"train": 1000, "validation": 100, "exam": 100},
    },
    curves={"training": [(1, 2.0), (2, 1.5)], "validation": [(2, 1.7)]},
    results={
        "exam": {"base": {"loss": 2.5, "perplexity": 12.18}, "tuned": {"loss": 1.5, "perplexity": 4.48, "tokens": 9876}}
    },
    versions={"torch": "2.13.0"},
    run_file="facet_run: 1\nname: Pirate poems\n",
    device="a processor with 2 cores, float32",
    minutes=12.4,
)


def front_matter(text):
    return yaml.safe_load(re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)[1])


def test_a_card_says_what_was_made_of_what_and_how_well_it_does():
    text = card(FACTS)
    assert front_matter(text) == {
        "license": "gemma",
        "base_model": "google/gemma-3-270m-it",
        "base_model_relation": "adapter",
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "tags": ["gemma", "lora", "sft", "conversational", "facet"],
        "datasets": ["ann/poems"],
    }
    for words in (
        "# Pirate poems",
        "by 1,200 example conversations",
        "| could not be used | 34 |",
        "| … The answer is empty. | 34 |",
        "| train part | 1,000 |",
        "| `learning_rate` | 0.0002 |",
        "| `max_steps` | not set |",
        "| exam (never looked at before) | 2.500 | **1.500** | 12.18 | **4.48** | 9,876 |",
        "![Loss by training step](curve.svg)",
        "in 12 minutes",
        "torch 2.13.0",
        "ai.google.dev/gemma/terms",
        f'revision="{SHA}"',
        "facet_run: 1",
    ):
        assert words in text, words


@pytest.mark.parametrize(
    ("base_model", "generation", "licence", "named"),
    [
        ("google/gemma-2-2b-it", "2", "gemma", True),
        ("google/gemma-4-E2B-it", "4", "apache-2.0", True),
        ("unsloth/gemma-3-1b-it", "3", "gemma", True),
        ("starter", "3", "apache-2.0", False),
        ("Qwen/Qwen3-0.6B", "other", "apache-2.0", True),
        ("somebody/a-model", "other", "other", True),
        ("my own model", "other", "other", False),
    ],
)
def test_the_licence_is_the_one_of_the_generation(base_model, generation, licence, named):
    text = card(replace(FACTS, base_model=base_model, generation=generation))
    front = front_matter(text)
    assert front["license"] == licence
    assert front.get("base_model") == (base_model if named else None)
    assert ("Gemma Terms of Use" in text) == (licence == "gemma")
    assert ("gemma" in front["tags"]) == (generation in "234" and base_model != "starter")


def test_a_mirror_says_whose_copy_it_is():
    assert "a copy of `google/gemma-3-1b-it`" in card(replace(FACTS, base_model="unsloth/gemma-3-1b-it"))


def test_a_card_of_very_little_is_still_a_card():
    bare = CardFacts("", "starter", None, "starter", {}, {})
    text = card(bare)
    assert "has not been tested" in text and "curve.svg" not in text and "None" not in text
    assert front_matter(text)["library_name"] == "peft"


def test_numbers_that_are_none_are_said_in_words():
    results = {"exam": {"base": {"loss": float("nan"), "perplexity": float("inf")}, "tuned": {"loss": None}}}
    assert "| not a number | **–** | not a number | **–** | – |" in card(replace(FACTS, results=results))


def test_the_folder_of_a_file_is_not_told():
    source = {"kind": "file", "where": "/home/ann/secret/poems.csv", "original_name": "poems.csv"}
    text = card(replace(FACTS, dataset=FACTS.dataset | {"source": source}))
    assert "`poems.csv`" in text and "secret" not in text
    assert "datasets" not in front_matter(text)


HOSTILE = [
    'a"\nlicense: mit',
    "x\n---\nlicense: mit\n---\n# Owned",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](http://evil.example/track.png)",
    "[click](javascript:alert(1))",
    "http://evil.example www.evil.example a@evil.example @everyone",
    "`code` ``` ```\n# Heading\n",
    "a | b | c",
    "**bold** _it_ ~~s~~ $x$",
    "\u202e\u0000\x1b[31m",
    "&lt;b&gt; &#60;b>",
    "!!python/object/apply:os.system [id]",
    "- list\n1. one\n> quote",
    "x" * 5000,
]


@pytest.mark.parametrize("words", HOSTILE)
def test_a_persons_words_cannot_change_the_card(words):
    facts = hostile_facts(words)
    text = card(facts)
    assert front_matter(text) == front_matter(card(replace(FACTS, base_model="x", generation="other", dataset={})))
    assert structure(text) == structure(card(hostile_facts("plain words")))
    page = html(text)
    assert not re.search(r"<(script|img src=\"?x|b>|iframe)", page)
    assert "evil.example" not in "".join(re.findall(r'(?:href|src)="([^"]*)"', page))
    compile(snippet(facts), "snippet", "exec")


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=120))
def test_no_text_at_all_changes_the_card(words):
    text = card(hostile_facts(words))
    assert front_matter(text)["license"] == "other"
    assert structure(text) == structure(card(hostile_facts("plain words")))


@given(st.text(alphabet=st.sampled_from("`*_[]()<>&#!|~$\\@:/w.http\n x"), max_size=60))
def test_inline_words_make_no_element_of_their_own(words):
    page = html(f"before {inline(words)} after")
    assert page.startswith("<p>") and page.count("<") == 2
    assert html(f"before {code(words)} after").count("<") == (4 if words.strip() else 2)
    fence = html(fenced(words, "yaml"))
    assert fence.startswith('<pre><code class="language-yaml">') and fence.count("<") == 4


def hostile_facts(words):
    return replace(
        FACTS,
        name=words,
        base_model=words if "/" not in words else "x" + words,
        base_revision=words,
        generation="other",
        recipe={"seed": words},
        dataset={
            "source": {"kind": "file", "original_name": words, "revision": words},
            "reasons": {words: 3},
            "splits": {words: 2},
            "language": words + " ",
        },
        results={words: {"base": {"loss": words}, "tuned": {"perplexity": words}}},
        versions={words: words},
        run_file=f"name: {words!r}\n```\n# Owned\n````\n<b>\n",
        device=f"x{words}",
    )
