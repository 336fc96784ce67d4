"""Datasets published in bad weather: in the end everything is there once, or nothing public and a clear word."""

import logging
import os
import random
from collections import Counter

import pytest
from huggingface_hub import close_session

from facet.errors import FacetError
from facet.publish.dataset_repo import ALLOWED
from tests.publish.preparing import public_files

pytestmark = [pytest.mark.hub, pytest.mark.faults]
SEEDS = 400 if os.environ.get("FACET_SOAK") else 40
STEPS = ["/api/whoami", "/api/repos/create", "validate-yaml", "preupload", "objects/batch", "^/lfs/.*[0-9a-f]$"]
STEPS += ["verify", "/commit/", "/api/datasets/ann/[^/]*$", "/revision/", "/tree/", "/refs", "/tag/", "settings", "/"]
TROUBLES = [401, 403, 409, 412, 413, 429, 500, 502, 503, 504, "slow", "cut", "lost", "lost", "truncate", "wrong-hash"]


@pytest.fixture
def impatient(monkeypatch):
    """A client that gives up on an answer after half a second."""
    with monkeypatch.context() as patch:
        patch.setattr("facet.hub.client.SECONDS", 0.5)
        close_session()
        yield
    close_session()


def make_weather(hub, dice):
    """One to four troubles, most of them passing, some for good."""
    hub.planned.clear()
    for _ in range(dice.randint(1, 4)):
        trouble, times = dice.choice(TROUBLES), dice.choice([1, 1, 1, 2, 3, 99])
        about = {"times": times, "after": dice.choice([0, 0, 0, 1, 2])}
        about |= {"seconds": 0.7, "times": 1} if trouble == "slow" else {}
        about |= {"retry_after": dice.choice([0, 2, 30, 900])} if trouble == 429 else {}
        hub.plan(dice.choice(STEPS), trouble, **about)


def test_datasets_published_in_bad_weather(data_ann, impatient, caplog):
    caplog.set_level(logging.INFO)
    first, files = Counter(), public_files(data_ann.written)
    for seed in range(SEEDS):
        dice, name = random.Random(seed), f"ann/run-{seed}"
        private, tag = dice.random() < 0.3, dice.choice([None, "next", "v1"])
        make_weather(data_ann.hub, dice)
        try:
            data_ann.press(name, private=private, tag=tag)
            first["published"] += 1
            assert data_ann.files(name) == files, seed
        except FacetError as error:
            first[type(error).__name__] += 1
            assert all(sentence and len(sentence.split()) < 40 for sentence in error.args), seed
            assert data_ann.token not in str(error) and "model" not in str(error), seed
            assert_nothing_half_public(data_ann, name, files, seed)
        met = [fault for fault in data_ann.hub.planned if fault.met]
        first["troubles met"] += sum(fault.met for fault in met)
        data_ann.hub.planned.clear()
        data_ann.press(name, private=private, tag=tag)
        assert data_ann.files(name) == files and data_ann.repo(name).private == private, seed
        repaired = any(fault.status == "wrong-hash" for fault in met)
        assert_no_duplicates(data_ann, name, seed, most=2 if repaired else 1)
    assert first["published"] > SEEDS // 5 and first["troubles met"] > SEEDS
    assert not [name for thing, name in data_ann.hub.repos if thing == "model"]
    assert data_ann.token not in caplog.text


def assert_nothing_half_public(ann, name, files, seed):
    """What is public is whole, whatever the page was told."""
    if ("dataset", name) in ann.hub.repos:
        assert ann.repo(name).private or ann.files(name) == files, seed
        assert_no_duplicates(ann, name, seed, most=2)


def assert_no_duplicates(ann, name, seed, most):
    versions = ann.versions(name)
    contents = {tuple(sorted(version.files.items())) for version in versions}
    assert len(contents) == len(versions) <= most, (seed, len(versions))
    for version in versions:
        assert version.files.keys() <= ALLOWED | {".gitattributes"}, seed
