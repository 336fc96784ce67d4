"""Sketches of texts: two agree in about the share of pieces of four letters which the texts have in common (MinHash).

Source: Dahlgaard, Knudsen and Thorup, “Fast Similarity Sketching” (2017), https://arxiv.org/abs/1704.04370.
"""

from collections.abc import Iterator, Sequence

import numpy as np

PLACES = 128  # bytes of one sketch
_PIECE = 4  # letters; in a long text nearly all pieces of four letters occur, whatever it says
_WIDE = 12  # letters more
_LONG = 2_000  # letters
_ROUNDS = 24
_AT_ONCE = 2**15  # letters
_MOST_LETTERS = 2**19  # of one text that its sketch is made of
_FULL = np.uint64(2**64 - 1)
_LOW = np.uint64(2**56 - 1)
_HALF = np.uint64(32)
_FACTORS = np.array([0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD6E8FEB86659FD93], dtype=np.uint64)
_SEEDS = np.array([0x5555555555555555 * (2 * n + 1) % 2**64 for n in range(_ROUNDS)], dtype=np.uint64)
_STEPS = (37, 11, 53, 5, 29, 101, 3, 71, 17, 89, 2, 61, 7, 43, 1) * 3


def sketch(texts: Sequence[bytes]) -> np.ndarray:
    """Sketches of texts in UTF-8. Two agree in about the share of pieces that two texts share. Shapes: uint8 (N, 128).

    A round deals the hash of every piece into one of the 128 places, where the smallest stays. Short texts, which
    leave places empty, are dealt again with other hashes until all are filled.
    """
    made = np.empty((len(texts), PLACES), dtype=np.uint8)
    for some in _batches(texts):
        made[some] = _sketched([texts[number] for number in some])
    return made


def _batches(texts: Sequence[bytes]) -> Iterator[list[int]]:
    """The numbers of texts, the longest first, as many at once as stay close to the processor."""
    batch: list[int] = []
    letters = 0
    for number in sorted(range(len(texts)), key=lambda number: -len(texts[number])):
        if batch and letters + len(texts[number]) > _AT_ONCE:
            yield batch
            batch, letters = [], 0
        batch.append(number)
        letters += len(texts[number])
    if batch:
        yield batch


def _sketched(texts: list[bytes]) -> np.ndarray:
    pieces, lengths = _pieces(texts)
    starts = np.cumsum(lengths) - lengths
    places = np.repeat(np.arange(0, len(texts) * PLACES, PLACES, dtype=np.uint64), lengths)
    best = np.full((len(texts), PLACES), _FULL, dtype=np.uint64)
    dealt, room = np.empty_like(pieces), np.empty_like(pieces)
    first = 0  # text that is dealt again, with all that are shorter
    for number in range(_ROUNDS):
        at = starts[first]
        hashes, where = dealt[at:], room[at:]
        np.bitwise_xor(pieces[at:], _SEEDS[number], out=hashes)
        _mix(hashes, where)
        np.right_shift(hashes, np.uint64(57), out=where)
        where |= places[at:]
        hashes &= _LOW
        hashes |= np.uint64(number << 56)
        np.minimum.at(best.reshape(-1), where.view(np.int64), hashes)
        needed = best[first:].max(axis=1) == _FULL
        if not needed.any():
            break
        first += int(needed.argmax())
    return (_filled(best) & np.uint64(0xFF)).astype(np.uint8)


def _pieces(texts: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Hashes of every piece, of four letters in short texts and of sixteen in long ones, and how many each text has.

    Where a piece would reach beyond its text, the first piece of the text stands once more.
    """
    letters, lengths = _letters(texts)
    room, code = np.empty_like(letters), np.empty_like(letters)
    whole = len(letters) - _PIECE + 1
    np.multiply(letters[:whole], _FACTORS[0], out=code[:whole])
    for shift in range(1, _PIECE):
        np.multiply(letters[shift : whole + shift], _FACTORS[shift], out=room[:whole])
        code[:whole] += room[:whole]
    is_long = lengths > _LONG
    ends = np.cumsum(lengths)
    starts = ends - lengths
    for start, end in zip(starts[is_long].tolist(), ends[is_long].tolist(), strict=True):
        last = end - _PIECE - _WIDE + 1
        wide = sum(_FACTORS[n] * code[start + n * _PIECE : last + n * _PIECE] for n in (1, 2, 3))
        code[start:last] = mixed(code[start:last]) + wide
        code[last:end] = code[start]
    for back in range(1, _PIECE):
        code[ends - back] = code[starts]
    _mix(code, room)
    return code, lengths


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
    values = values.copy()
    _mix(values, np.empty_like(values))
    return values


def _mix(values: np.ndarray, room: np.ndarray) -> None:
    """Mixes in place; `room` is of the same shape, and what is in it gets lost."""
    for _ in range(2):
        np.right_shift(values, _HALF, out=room)
        values ^= room
        values *= _FACTORS[3]
    np.right_shift(values, _HALF, out=room)
    values ^= room


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
