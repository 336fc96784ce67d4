"""How alike two texts are: chrF by sacrebleu, ROUGE by rouge-score, METEOR by NLTK. All from 0 to 1, any language."""

import functools
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

WORDNET = Path("/usr/share/wordnet")  # where Debian's package `wordnet-base` puts it
MOST_WORDS = 1_000  # of one answer, for what takes time by the square of its words
_ARTICLES = {"a", "an", "the"}
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")
_WORD = re.compile(r"[^\W_]+")


@functools.lru_cache(maxsize=8_192)
def closeness(answer: str, right: str) -> Mapping[str, float]:
    """All that can be said of one answer, by the names of `metrics.METRICS`. Kept, since it takes some milliseconds."""
    found = {"chrf": chrf(answer, right), **rouge(answer, right), "meteor": meteor(answer, right)}
    return MappingProxyType(found | {"token_f1": token_f1(answer, right)})


def chrf(answer: str, right: str) -> float:
    return _chrf().sentence_score(answer, [right]).score / 100


def rouge(answer: str, right: str) -> dict[str, float]:
    """F1 of shared words, shared pairs of words and the longest common sequence of words."""
    found = _rouge().score(_cut(right), _cut(answer))
    return {name: float(score.fmeasure) for name, score in found.items()}


def meteor(answer: str, right: str) -> float:
    from nltk.translate.meteor_score import single_meteor_score

    return float(single_meteor_score(words(right)[:MOST_WORDS], words(answer)[:MOST_WORDS], wordnet=_wordnet()))


def token_f1(answer: str, right: str) -> float:
    """F1 of shared words, whatever their order and without English articles, as SQuAD counts them."""
    given, wanted = (Counter(word for word in words(text) if word not in _ARTICLES) for text in (answer, right))
    if not given or not wanted:
        return float(given == wanted)
    return 2 * sum((given & wanted).values()) / (sum(given.values()) + sum(wanted.values()))


def words(text: str) -> list[str]:
    """Words in small letters; every sign of a script without spaces is one. In ASCII the same as rouge-score's own."""
    found = []
    for word in _WORD.findall(unicodedata.normalize("NFC", text).lower()):
        found += [word] if word.isascii() else _split(word)
    return found


def _split(word: str) -> list[str]:
    spaced = "".join(f" {each} " if is_unspaced(each) else each for each in word)
    return spaced.split()


@functools.lru_cache(maxsize=65_536)
def is_unspaced(character: str) -> bool:
    """Whether it belongs to a script that writes no spaces between words."""
    return not character.isascii() and unicodedata.name(character, "").startswith(_UNSPACED)


def bleu(answers: Sequence[str], rights: Sequence[str]) -> float:
    """Of all answers together. Scripts without spaces are counted by sign, as sacrebleu's `tokenize="char"` does."""
    from sacrebleu.metrics import BLEU

    sample = "".join(rights)[:20_000]
    unspaced = sum(map(is_unspaced, sample)) > 0.3 * max(1, sum(map(str.isalpha, sample)))
    return BLEU(tokenize="char" if unspaced else "13a").corpus_score(list(answers), [list(rights)]).score / 100


def chrf_corpus(answers: Sequence[str], rights: Sequence[str]) -> float:
    return _chrf().corpus_score(list(answers), [list(rights)]).score / 100


@functools.cache
def _chrf() -> Any:
    from sacrebleu.metrics import CHRF

    return CHRF()


@functools.cache
def _rouge() -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rouge1", "rouge2", "rougeL"], tokenizer=_Words())


class _Words:
    """rouge-score's own tokenizer drops every letter that is not one of a to z."""

    def tokenize(self, text: str) -> list[str]:
        return words(text)


def _cut(text: str) -> str:
    """The longest common sequence takes time by the product of both lengths."""
    found = words(text)
    return text if len(found) <= MOST_WORDS else " ".join(found[:MOST_WORDS])


def knows_synonyms() -> bool:
    return (WORDNET / "data.noun").is_file()


class _NoSynonyms:
    def synsets(self, word: str) -> list[Any]:
        return []


@functools.cache
def _wordnet() -> Any:
    """WordNet as Debian packages it: without the list of lexicographers' files, of which METEOR needs none."""
    if not knows_synonyms():
        return _NoSynonyms()
    import warnings

    import nltk.data
    from nltk.corpus.reader.wordnet import WordNetCorpusReader

    class DebianWordNet(WordNetCorpusReader):
        def open(self, file: str) -> Any:
            if file == "lexnames":
                return io.StringIO("".join(f"{number:02} unnamed 0\n" for number in range(45)))
            return super().open(file)

        def map_wn(self, version: str = "wordnet") -> None:
            return None  # to another version of WordNet, for other languages

    nltk.data.path.append(str(WORDNET))  # NLTK reads nowhere else
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that other languages are missing
        return DebianWordNet(str(WORDNET), None)
