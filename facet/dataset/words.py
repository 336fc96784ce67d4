"""Encoding by words: most words of a dataset come again and again, and need to be encoded only once.

This gives the tokenizer's own ids, several times faster, where no token reaches across the gap between two words.
Gemma's vocabulary has one that does (`>` and `</` with a space between), so gaps like that are never cut.
"""

import re
from itertools import chain

from tokenizers import AddedToken, Tokenizer

_SPACE = "▁"  # what such tokenizers write instead of a space
_GAP = re.compile(f"[^{_SPACE}]{_SPACE}")
_ONE_GAP = re.compile(f"[^{_SPACE}]*([^{_SPACE}]){_SPACE}([^{_SPACE}])[^{_SPACE}]*")
_MOST_WORDS = 300_000
_LONGEST_WORD = 48
_MOST_REACHING = 50


class _Memory(dict[str, tuple[int, ...]]):
    """The ids of words, with `before` in front of each; those of a word that is not known yet are asked for.

    Tuples, because Python need not look through these again and again for what can be thrown away.
    """

    def __init__(self, tokenizer: Tokenizer, before: str = "") -> None:
        super().__init__()
        self.tokenizer, self.before = tokenizer, before

    def __missing__(self, word: str) -> tuple[int, ...]:
        ids = tuple(self.tokenizer.encode(self.before + word, add_special_tokens=False).ids)
        if len(word) <= _LONGEST_WORD:
            if len(self) >= _MOST_WORDS:
                self.clear()
            self[word] = ids
        return ids


class Words:
    """A tokenizer with a memory for words."""

    def __init__(self, tokenizer: Tokenizer, kept: list[tuple[str, str]]) -> None:
        """`kept`: letters that may be one token together with a space between them."""
        self.tokenizer = tokenizer
        self.uncut = [f"{left} {right}" for left, right in kept]
        more = "|".join(rf"(?<={re.escape(left)}) {re.escape(right)}[^ \n]*" for left, right in kept)
        self.pattern = re.compile(rf" *[^ \n]+{f'(?:{more})*' if more else ''}|\n+| +")
        self.known, self.behind_space = _Memory(tokenizer), _Memory(tokenizer, " ")

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> "Words | None":
        """None unless it is certain that words can be encoded one by one."""
        if not _is_plain(tokenizer):
            return None
        vocabulary = tokenizer.get_vocab(with_added_tokens=False)
        reaching = [piece for piece in vocabulary if _SPACE in piece[1:] and _GAP.search(piece)]
        gaps = [_ONE_GAP.fullmatch(piece) for piece in reaching]
        if len(reaching) > _MOST_REACHING or not all(gaps):
            return None
        if any("\n" in piece and piece.strip("\n") for piece in vocabulary):
            return None
        return cls(tokenizer, [(gap[1], gap[2]) for gap in gaps if gap])

    def encode(self, text: str) -> list[int]:
        if _SPACE in text:  # written by a person, it would join with the spaces around it
            return self.tokenizer.encode(text, add_special_tokens=False).ids
        if "  " in text or any([uncut in text for uncut in self.uncut]):
            return [*chain.from_iterable(map(self.known.__getitem__, self.pattern.findall(text)))]
        return self._encode_evenly(text)

    def _encode_evenly(self, text: str) -> list[int]:
        """The same for a text that is cut at every space, much faster than by a pattern."""
        ids: list[int] = []
        known, behind_space = self.known, self.behind_space
        ends = -1  # of lines, before this one
        for line in text.split("\n"):
            ends += 1
            if line:
                if ends:
                    ids += known["\n" * ends]
                    ends = 0
                first, *others = line.split(" ")
                if first:
                    ids += known[first]
                for word in others:
                    ids += behind_space[word]
        if ends > 0:
            ids += known["\n" * ends]
        return ids


def _is_plain(tokenizer: Tokenizer) -> bool:
    """Byte-pair encoding that writes `▁` for a space, does nothing else to the text, and knows every byte."""
    model = tokenizer.model
    return (
        type(model).__name__ == "BPE"
        and model.byte_fallback
        and not model.dropout
        and not model.continuing_subword_prefix
        and not model.end_of_word_suffix
        and not model.ignore_merges
        and repr(tokenizer.normalizer) == f'Replace(pattern=String(" "), content="{_SPACE}")'
        and (tokenizer.pre_tokenizer is None or repr(tokenizer.pre_tokenizer).startswith('Split(pattern=String(" "), '))
        and not any(_reaches_out(added) for added in tokenizer.get_added_tokens_decoder().values())
    )


def _reaches_out(added: AddedToken) -> bool:
    """Whether finding this added token depends on what stands around it, or it spans a gap between words."""
    text = added.content
    return added.lstrip or added.rstrip or added.single_word or len(text.split()) > 1 or text != text.strip(" ")
