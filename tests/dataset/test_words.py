"""Encoding by words gives the tokenizer's own ids, or is not done at all."""

import random

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from facet.dataset.words import Words
from tests.dataset import toy


def made_up_texts(count: int) -> list[str]:
    rng = random.Random(9)
    words = ["hello", " the", ">", "<", "</b>", " ", "  ", "\n", "\n\n", "▁", " ▁", "x> </", "é", "日本語", "👧", "\t"]
    pieces = [*words, "<end_of_turn>"]
    return ["".join(rng.choices(pieces, k=rng.randint(1, 14))) for _ in range(count)]


def encode(tokenizer: Tokenizer, text: str) -> list[int]:
    return tokenizer.encode(text, add_special_tokens=False).ids


def test_words_give_the_ids_of_the_whole_text():
    tokenizer = toy.tokenizer(toy.GEMMA3_TURNS)
    words = Words.of(tokenizer)
    assert words
    for text in made_up_texts(3_000):
        assert words.encode(text) == encode(tokenizer, text), text


def test_a_piece_that_reaches_across_a_gap_is_never_cut():
    vocabulary = {piece: number for number, piece in enumerate(["<unk>", "a", "b", "▁", "a▁", "a▁b", "▁b"])}
    tokenizer = Tokenizer(models.BPE(vocabulary, [("a", "▁"), ("a▁", "b")], unk_token="<unk>", byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    assert Words.of(tokenizer) is None  # "a▁" ends in a gap, so any word may follow it
    vocabulary = {piece: number for number, piece in enumerate(["<unk>", "a", "b", "▁", "▁b", "a▁b"])}
    tokenizer = Tokenizer(models.BPE(vocabulary, [("▁", "b"), ("a", "▁b")], unk_token="<unk>", byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    words = Words.of(tokenizer)
    assert words
    for text in ("a b", "a b a b", "b a", "a  b", "ab a bb"):
        assert words.encode(text) == encode(tokenizer, text), text


@pytest.mark.parametrize("change", ["normalizer", "pre_tokenizer", "model"])
def test_another_kind_of_tokenizer_is_left_alone(change):
    tokenizer = toy.tokenizer(toy.GEMMA3_TURNS)
    if change == "normalizer":
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    elif change == "pre_tokenizer":
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel()
    else:
        tokenizer.model = models.WordPiece({"[UNK]": 0}, unk_token="[UNK]")
    assert Words.of(tokenizer) is None


@pytest.mark.tiny
def test_real_gemma_3_words_give_the_ids_of_the_whole_text(gemma3, shared_data):
    tokenizer = Tokenizer.from_file(str(gemma3 / "tokenizer.json"))
    words = Words.of(tokenizer)
    assert words
    texts = made_up_texts(3_000) + [file.read_text("utf-8") for file in shared_data.glob("*_*")]
    for text in texts:
        assert words.encode(text) == encode(tokenizer, text), text[:200]
