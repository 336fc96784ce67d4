"""A hundred publications in bad weather: in the end everything is there once, or nothing public and a clear word."""

import logging
import random
from collections import Counter

import pytest
from huggingface_hub import close_session

from facet.errors import FacetError
from facet.publish.files import is_allowed
from tests.publish.publishing import EXPORTED

pytestmark = [pytest.mark.hub, pytest.mark.faults]
RUNS = 100
STEPS = [
    "/api/whoami",
    "/api/repos/create",
    "validate-yaml",
    "preupload",
    "objects/batch",
    "^/lfs/.*[0-9a-f]$",
    "verify",
]
STEPS += ["/commit/", "/api/models/ann/[^/]*$", "/revision/", "/tree/", "/refs", "/tag/", "settings", "/"]
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


def test_a_hundred_publications_in_bad_weather(ann, impatient, caplog):
    caplog.set_level(logging.INFO)
    first, ended = Counter(), []
    for seed in range(RUNS):
        dice, name = random.Random(seed), f"ann/run-{seed}"
        private, tag = dice.random() < 0.3, dice.choice([None, "next", "v1"])
        make_weather(ann.hub, dice)
        try:
            ann.press(name, private=private, tag=tag)
            first["published"] += 1
            assert_whole(ann, name, private, tag, seed)
        except FacetError as error:
            first[type(error).__name__] += 1
            assert all(sentence and len(sentence.split()) < 40 for sentence in error.args), seed
            assert ann.token not in str(error)
            assert_nothing_half_public(ann, name, seed)
        met = [fault for fault in ann.hub.planned if fault.met]
        ann.hub.planned.clear()
        ended.append(ann.press(name, private=private, tag=tag))
        assert_whole(ann, name, private, tag, seed, repaired=any(fault.status == "wrong-hash" for fault in met))
        first["troubles met"] += sum(fault.met for fault in met)
    print(dict(first))
    assert len(ended) == RUNS and first["published"] > 20 and first["troubles met"] > RUNS
    assert ann.token not in caplog.text


def assert_whole(ann, name, private, tag, seed, repaired=False):
    repo = ann.repo(name)
    assert ann.files(name) == EXPORTED, seed
    assert repo.private == private, seed
    assert repo.tags == ({"v1": repo.sha} if tag else {}) or (repaired and tag), seed
    assert_no_duplicates(ann, name, seed, most=2 if repaired else 1)


def assert_nothing_half_public(ann, name, seed):
    """What is public is whole, whatever the page was told."""
    if ("model", name) not in ann.hub.repos:
        return
    repo = ann.repo(name)
    assert repo.private or ann.files(name) == EXPORTED, seed
    assert_no_duplicates(ann, name, seed, most=2)


def assert_no_duplicates(ann, name, seed, most):
    versions = ann.versions(name)
    assert len(versions) <= most, (seed, len(versions))
    contents = [tuple(sorted(version.files.items())) for version in versions]
    assert len(set(contents)) == len(contents), seed
    for version in versions:
        assert all(is_allowed(path) or path == ".gitattributes" for path in version.files), seed
