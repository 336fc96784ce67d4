"""Encoding by words: most words of a dataset come again and again, and need to be encoded only once.

This gives the tokenizer's own ids, several times faster, where no token reaches across the gap between two words.
Gemma's vocabulary has one that does (`>` and `</` with a space between), so gaps like that are never cut.
"""

import re

from tokenizers import AddedToken, Tokenizer

_SPACE = "▁"  # what such tokenizers write instead of a space
_GAP = re.compile(f"[^{_SPACE}]{_SPACE}")
_ONE_GAP = re.compile(f"[^{_SPACE}]*([^{_SPACE}]){_SPACE}([^{_SPACE}])[^{_SPACE}]*")
_MOST_WORDS = 300_000
_LONGEST_WORD = 48
_MOST_REACHING = 50


class Words:
    """A tokenizer with a memory for words."""

    def __init__(self, tokenizer: Tokenizer, pattern: re.Pattern[str]) -> None:
        self.tokenizer, self.pattern = tokenizer, pattern
        self.known: dict[str, list[int]] = {}

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
        kept = "".join(rf"|(?<={re.escape(gap[1])}) {re.escape(gap[2])}[^ \n]*" for gap in gaps if gap)
        more = f"(?:{kept.removeprefix('|')})*" if kept else ""
        return cls(tokenizer, re.compile(rf" *[^ \n]+{more}|\n+| +"))

    def encode(self, text: str) -> list[int]:
        if _SPACE in text:  # written by a person, it would join with the spaces around it
            return self.tokenizer.encode(text, add_special_tokens=False).ids
        ids: list[int] = []
        known = self.known
        for word in self.pattern.findall(text):
            found = known.get(word)
            ids += found if found is not None else self._learn(word)
        return ids

    def _learn(self, word: str) -> list[int]:
        ids = self.tokenizer.encode(word, add_special_tokens=False).ids
        if len(word) <= _LONGEST_WORD:
            if len(self.known) >= _MOST_WORDS:
                self.known.clear()
            self.known[word] = ids
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
