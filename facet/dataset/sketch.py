"""Sketches of texts: two agree in about the share of pieces of four letters which the texts have in common (MinHash).

Source: Dahlgaard, Knudsen and Thorup, “Fast Similarity Sketching” (2017), https://arxiv.org/abs/1704.04370.
"""

from collections.abc import Sequence

import numpy as np

PLACES = 128  # bytes of one sketch
_PIECE = 4  # letters; in a long text nearly all pieces of four letters occur, whatever it says
_WIDE = 12  # letters more
_LONG = 2_000  # letters
_ROUNDS = 24
_MOST_LETTERS = 2**19  # of one text that its sketch is made of
_FULL = np.uint64(2**64 - 1)
_LOW = np.uint64(2**56 - 1)
_FACTORS = np.array([0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD6E8FEB86659FD93], dtype=np.uint64)
_SEEDS = np.array([0x5555555555555555 * (2 * n + 1) % 2**64 for n in range(_ROUNDS)], dtype=np.uint64)
_STEPS = (37, 11, 53, 5, 29, 101, 3, 71, 17, 89, 2, 61, 7, 43, 1) * 3


def sketch(texts: Sequence[bytes]) -> np.ndarray:
    """Sketches of texts in UTF-8. Two agree in about the share of pieces that two texts share. Shapes: uint8 (N, 128).

    A round deals the hash of every piece into one of the 128 places, where the smallest stays. Short texts, which
    leave places empty, are dealt again with other hashes until all are filled.
    """
    pieces, owner = _pieces(texts)
    best = np.full(len(texts) * PLACES, _FULL, dtype=np.uint64)
    for number in range(_ROUNDS):
        dealt = mixed(pieces ^ _SEEDS[number])
        where = (owner << 7) | (dealt >> np.uint64(57)).astype(np.int64)
        np.minimum.at(best, where, (dealt & _LOW) | np.uint64(number << 56))
        needed = (best.reshape(-1, PLACES).max(axis=1) == _FULL)[owner]
        if not needed.any():
            break
        if needed.mean() < 0.9:
            pieces, owner = pieces[needed], owner[needed]
    return (_filled(best.reshape(-1, PLACES)) & np.uint64(0xFF)).astype(np.uint8)


def _pieces(texts: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Hashes of every piece, of four letters in short texts and of sixteen in long ones, and the text each is from."""
    letters, lengths = _letters(texts)
    code = _FACTORS[0] * letters[:-3] + _FACTORS[1] * letters[1:-2] + _FACTORS[2] * letters[2:-1]
    code += _FACTORS[3] * letters[3:]
    owner = np.repeat(np.arange(len(texts)), lengths)
    is_long = lengths > _LONG
    wide = np.flatnonzero(is_long[owner])[: -_WIDE - 1] if is_long.any() else np.zeros(0, dtype=np.int64)
    if len(wide):  # one long text makes the batch long enough for every shift
        wide = wide[wide + _WIDE < len(code)]
        code = code.copy()
        code[wide] = mixed(code[wide]) + sum(_FACTORS[n] * code[wide + n * _PIECE] for n in (1, 2, 3))
    inside = np.ones(len(letters), dtype=bool)
    ends = np.cumsum(lengths)
    for back in range(1, _PIECE):
        inside[ends - back] = False
    for back in range(_PIECE, _WIDE + _PIECE):
        inside[ends[is_long] - back] = False
    inside = inside[: len(code)]
    return mixed(code[inside]), owner[: len(code)][inside]


def _letters(texts: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """All letters in a row, and how many each text has: at least four, at most as many as are looked at."""
    padded = [text[:_MOST_LETTERS].ljust(_PIECE, b"\0") for text in texts]
    joined = b"".join(padded)
    if joined.isascii():
        return np.frombuffer(joined, dtype=np.uint8).astype(np.uint64), np.array([len(text) for text in padded])
    decoded = [text.decode("utf-8", "ignore").ljust(_PIECE, "\0") for text in padded]
    letters = np.frombuffer("".join(decoded).encode("utf-32-le"), dtype="<u4").astype(np.uint64)
    return letters, np.array([len(text) for text in decoded])


def mixed(values: np.ndarray) -> np.ndarray:
    values = (values ^ (values >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    values = (values ^ (values >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    return values ^ (values >> np.uint64(32))


def _filled(best: np.ndarray) -> np.ndarray:
    """Places that stayed empty in very short texts get what lies in another one, the same for all texts."""
    empty = best == _FULL
    for step in _STEPS:
        if not empty.any():
            break
        taken = np.roll(best, step, axis=1)
        best = np.where(empty, taken, best)
        empty = best == _FULL
    return best
