"""Likelihoods equal a direct computation, row by row, whatever stands beside a row."""

import math

import pytest

from facet import starter
from facet.model import likelihood
from facet.model.company import Company
from facet.model.embed import cosines, embeddings
from facet.model.tokens import IGNORED
from tests.tiny_models import KINDS, build

pytestmark = pytest.mark.tiny
TALKS = [
    ("What is the capital of Peru?", "Lima."),
    ("Write a short line about the sea, please.", "The sea is wide, and the ships are small, and the wind is old."),
    ("yes", "no"),
    ("Count to nine.", "1 2 3 4 5 6 7 8 9"),
]


def rows(renderer) -> list[likelihood.Row]:
    talks = [[{"role": "user", "content": ask}, {"role": "assistant", "content": say}] for ask, say in TALKS]
    talks.append(talks[0] + talks[1] + talks[2])  # answers at several places
    return [likelihood.row_of(rendered) for rendered in renderer.render_many(talks)]


def direct(model, row) -> tuple[float, int]:
    """The loss that transformers computes itself, one row at a time and without padding."""
    import torch

    count = sum(label != IGNORED for label in row["labels"][1:])
    with torch.inference_mode():
        loss = model(input_ids=torch.tensor([row["input_ids"]]), labels=torch.tensor([row["labels"]])).loss
    return float(loss) * count, count


@pytest.mark.parametrize("kind", ["starter", *KINDS])
def test_nats_are_the_loss_of_transformers(kind, tmp_path):
    folder = starter.FOLDER if kind == "starter" else build(kind, tmp_path / kind)
    company = Company.load(folder)
    asked = rows(company.renderer)
    found = likelihood.nats(company.model, asked, "cpu")

    for row, (nats, tokens) in zip(asked, found, strict=True):
        wanted, count = direct(company.model, row)
        assert tokens == count and nats == pytest.approx(wanted, rel=2e-6)


def test_a_batch_that_is_cut_small_gives_the_same(company, monkeypatch):
    asked = rows(company.renderer)
    together = likelihood.nats(company.model, asked, "cpu")
    monkeypatch.setattr(likelihood, "SCORE_BYTES", 1.0)
    for (nats, tokens), (wanted, count) in zip(likelihood.nats(company.model, asked, "cpu"), together, strict=True):
        assert tokens == count and nats == pytest.approx(wanted, rel=2e-6)


def test_a_row_without_a_label_scores_nothing(company):
    silent = {"input_ids": [2, 5, 6, 7], "labels": [IGNORED] * 4}
    first = {"input_ids": [2, 5], "labels": [2, IGNORED]}  # nothing comes before its only label
    asked = rows(company.renderer)
    found = likelihood.nats(company.model, [silent, asked[0], first], "cpu")
    assert found[0] == (0.0, 0) and found[2] == (0.0, 0)
    assert found[1][0] == pytest.approx(direct(company.model, asked[0])[0], rel=2e-6)


@pytest.mark.parametrize("kind", ["starter", "gemma2", "gemma4", "gemma4_text", "qwen3"])
def test_the_likelihood_of_labels_behind_a_prompt_is_that_of_the_whole_row(kind, tmp_path, monkeypatch):
    company = Company.load(starter.FOLDER if kind == "starter" else build(kind, tmp_path / kind))
    prompt = company.renderer.prompt([{"role": "user", "content": "Is the sea old? " * 12}])
    ends = company.renderer.stop_ids[-1:]
    labels = [company.renderer.chunks(text)[0].ids[1:-1] + ends for text in ("yes", "no", "The quick brown fox", "4")]
    whole = [{"input_ids": prompt + label, "labels": [IGNORED] * len(prompt) + label} for label in labels]
    wanted = [-direct(company.model, row)[0] for row in whole]

    assert likelihood.labels(company.model, prompt, labels, "cpu") == pytest.approx(wanted, rel=1e-5)
    monkeypatch.setattr(likelihood, "SCORE_BYTES", 1.0)
    assert likelihood.labels(company.model, prompt, labels, "cpu") == pytest.approx(wanted, rel=1e-5)


def test_kl_is_the_sum_over_all_next_words_averaged_over_what_was_answered(company, adapter):
    import torch

    company.add("a", adapter)
    asked = rows(company.renderer)
    total, count = 0.0, 0
    for row in asked:
        ids = torch.tensor([row["input_ids"]])
        with torch.inference_mode():
            with company.speaking_as(None) as model:
                untouched = model(input_ids=ids).logits[0].double().log_softmax(-1)
            with company.speaking_as("a") as model:
                tuned = model(input_ids=ids).logits[0].double().log_softmax(-1)
        for place, label in enumerate(row["labels"][1:]):
            if label != IGNORED:
                total += float((tuned[place].exp() * (tuned[place] - untouched[place])).sum())
                count += 1

    assert total > 0
    assert likelihood.kl(company, "a", asked) == pytest.approx(total / count, rel=1e-4)


def test_an_adapter_that_does_nothing_is_no_distance_away(company, tmp_path):
    from tests.model.conftest import save_adapter

    company.add("idle", save_adapter(tmp_path / "idle", size=0.0))
    assert likelihood.kl(company, "idle", rows(company.renderer)) == pytest.approx(0.0, abs=1e-9)
    assert likelihood.kl(company, "idle", []) == 0.0


def test_embeddings_have_unit_length_and_like_texts_lie_closer(company):
    texts = [
        "The capital of Peru is Lima.",
        "Lima is the capital of Peru.",
        "7 times 8 is 56.",
        "",
        "The capital of Peru is Lima.",
    ]
    found = embeddings(company.model, company.renderer, texts)
    alone = embeddings(company.model, company.renderer, texts[2:3])

    assert found.shape == (5, 256) and not found[3].any()
    assert all(math.isclose(float((found[place] ** 2).sum()), 1, rel_tol=1e-5) for place in (0, 1, 2, 4))
    near, far = cosines(found[:1], found[1:2])[0], cosines(found[:1], found[2:3])[0]
    assert near > far and cosines(found[:1], found[4:])[0] == pytest.approx(1, abs=1e-5)
    assert found[2] == pytest.approx(alone[0], abs=1e-5)
