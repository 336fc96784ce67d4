"""How the starter model is made: what it reads, what counts, and what is written to disk."""

import argparse

import pytest

pytestmark = pytest.mark.tiny


@pytest.fixture(scope="module")
def make():
    from facet.starter import make

    return make


@pytest.fixture(scope="module")
def tokenizer():
    from facet.starter.tokenizer import build

    return build()


def test_the_tokenizer_is_built_the_same_every_time(tokenizer):
    from facet.starter.tokenizer import build

    assert build().get_vocab() == tokenizer.get_vocab()


def test_the_shipped_tokenizer_is_the_one_that_this_code_builds(tokenizer):
    from transformers import AutoTokenizer

    from facet.starter import FOLDER

    if not FOLDER.exists():
        pytest.skip("facet/starter/model is missing: run `python -m facet.starter.make --to ...`")
    shipped = AutoTokenizer.from_pretrained(FOLDER)
    assert shipped.get_vocab() == tokenizer.get_vocab()
    assert shipped.chat_template == tokenizer.chat_template


def test_every_row_begins_with_a_whole_dialogue(make, tokenizer):
    source = make.rows(tokenizer, seed=1)
    for ids, chances in (next(source) for _ in range(5)):
        assert ids[0] == tokenizer.bos_token_id
        assert len(ids) == len(chances) == make.ROW_LENGTH + 1


def test_what_the_model_says_always_counts_and_the_rest_seldom(make, tokenizer):
    talk = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]
    ids = tokenizer.apply_chat_template(talk)["input_ids"]
    marks = tokenizer.convert_tokens_to_ids(["<start_of_turn>", "<end_of_turn>", "model"])
    chances = make.chances_to_count(ids, *marks)
    counted = [token for token, chance in zip(ids, chances, strict=True) if chance == 1]
    assert tokenizer.decode(counted) == "Hello!<end_of_turn>"
    assert set(chances) == {1.0, make.QUESTION_SHARE}


def test_one_step_changes_every_weight_and_the_result_can_be_loaded(make, tokenizer, tmp_path, monkeypatch):
    import torch

    from facet.starter.exam import Speaker

    monkeypatch.setattr(make, "ROWS", 2)
    torch.manual_seed(0)
    model = make.Gemma3ForCausalLM(make.shape(tokenizer))
    before = [weight.detach().clone() for weight in model.parameters()]
    make.train(model, tokenizer, argparse.Namespace(steps=1, minutes=None, seed=0, fast=False, snapshots=None))
    assert all(not torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True))
    make.save(model, tokenizer, tmp_path)
    assert Speaker(tmp_path).model.num_parameters() == model.num_parameters()
