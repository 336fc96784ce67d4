"""Sketches are what their definition says, whatever else is sketched at the same time."""

import random

import numpy as np
import pytest

from facet.dataset import sketch as module
from facet.dataset.sketch import PLACES, sketch

MOST = 2**64


def mixed(value: int) -> int:
    for _ in range(2):
        value = (value ^ (value >> 32)) * 0xD6E8FEB86659FD93 % MOST
    return value ^ (value >> 32)


def sketched(text: bytes) -> list[int]:
    """The definition, number by number."""
    letters = list(text.ljust(4, b"\0")) if text.isascii() else [ord(each) for each in text.decode().ljust(4, "\0")]
    factors = [int(each) for each in module._FACTORS]
    codes = [sum(f * each for f, each in zip(factors, letters[at:], strict=False)) % MOST for at in range(len(letters))]
    reach = 15 if len(letters) > 2_000 else 3
    pieces = []
    for at in range(len(letters) - reach):
        more = sum(factors[n] * codes[at + 4 * n] for n in (1, 2, 3)) if reach == 15 else 0
        pieces.append(mixed(((mixed(codes[at]) if reach == 15 else codes[at]) + more) % MOST))
    places: dict[int, int] = {}
    for number, seed in enumerate(module._SEEDS):
        for piece in pieces:
            dealt = mixed(piece ^ int(seed))
            value = dealt % 2**56 + (number << 56)
            places[dealt >> 57] = min(places.get(dealt >> 57, MOST), value)
        if len(places) == PLACES:
            break
    return [places[at] % 256 if at in places else -1 for at in range(PLACES)]


def made_up_texts() -> list[bytes]:
    rng = random.Random(4)
    plain = [bytes(rng.choices(b"abcdefgh ", k=k)) for k in (4, 5, 30, 200, 700, 1_999, 2_000, 2_001, 2_040)]
    other = ["日本語のテキスト" * 9, "é" * 3 + " and more", "👧🏽 girl", ""]
    return [*plain, *(text.encode() for text in other), bytes(rng.choices(b"xyz .", k=40_000))]


@pytest.mark.parametrize("text", made_up_texts(), ids=lambda text: str(len(text)))
def test_a_sketch_is_what_its_definition_says(text):
    found, expected = sketch([text])[0].tolist(), sketched(text)
    assert [a for a, b in zip(found, expected, strict=True) if b >= 0] == [each for each in expected if each >= 0]


def test_a_sketch_does_not_depend_on_the_texts_beside_it():
    texts = made_up_texts()
    alone = np.concatenate([sketch([text]) for text in texts])
    assert np.array_equal(sketch(texts), alone)
    assert np.array_equal(sketch(texts[::-1]), alone[::-1])
    assert sketch([]).shape == (0, PLACES)
