"""The starter model's tokenizer: byte-pair encoding of 4,096 pieces in the shape of Gemma 3's.

Spaces become `▁`, digits stand alone, newlines and tabs have pieces of their own, and whatever is left falls back to
bytes, so every text survives the round trip.
"""

import json
import string
from collections.abc import Iterator
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import GemmaTokenizer

from facet.starter.dialogues import dialogues

HERE = Path(__file__).parent
VOCABULARY_SIZE = 4096
MAX_LENGTH = 2048  # tokens; the model's own limit

SPECIALS = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<start_of_turn>", "<end_of_turn>"]  # ids 0 to 6
BREAKS = ["\n", "\n\n", "\t"]
BYTES = [f"<0x{value:02X}>" for value in range(256)]
ALPHABET = [*string.printable[:94], "▁"]  # printable ASCII without white space

# Used only while merges are learned: no piece may span two words, hold two digits or mix letters and punctuation.
_WORDS = Regex(r"▁?[A-Za-z]+|▁|\d|[^\sA-Za-z0-9▁]|\s")
# Prose is repeated so that its common words outweigh the made-up names in the dialogues.
_PROSE_REPEATS = 20
_DIALOGUES_READ = 5000

# Common words that the prose lacks; their endings (-ing, -ed, -ly) are learned from it.
_STEMS = """act add agree allow appear apply arrange ask attach avoid base begin believe belong bring build buy call
care carry catch cause change charge check choose claim clean clear close collect compare complete connect consider
contain continue control cook copy correct count cover create cross cut dance deal decide deliver depend describe
design develop discover discuss divide doubt draw dream dress drink drive drop earn eat encourage enjoy enter examine
exist expect experience explain express face fail fall feed feel fight fill find finish fit fix fly follow force form
found gain general gentle give govern grow guess guide handle happen hate head hear help hide hold hope hurt imagine
improve include increase inform intend introduce invent invite join judge jump keep kick kill know land laugh lead
learn leave lend let lift like limit link listen live look lose love manage mark match matter mean measure meet
mention mind miss mix move need note notice obtain offer open operate order own paint pass pay perform permit pick
place plan plant play point prefer prepare present press prevent produce promise protect prove provide publish pull
push question raise reach read receive recognize record reduce refer refuse relate release remain remember remove
repair repeat replace reply report represent require respond rest return ride ring rise roll rule run save say search
seem select sell send separate serve set settle shake share shine shoot show shut sign sing sit sleep smile sound
speak spend stand start state stay stop study succeed suffer suggest suit supply support suppose surprise take talk
teach tell thank think throw touch train travel treat trust try turn understand use value visit vote wait walk want
warn wash watch wear win wish wonder work worry write""".split()


def _corpus() -> Iterator[str]:
    for dialogue in dialogues(seed=11, count=_DIALOGUES_READ):
        for message in dialogue:
            yield message["content"]
    prose = (HERE / "prose.txt").read_text(encoding="utf-8")
    for _ in range(_PROSE_REPEATS):
        yield prose
        yield from (f" {word}" for word in prose.lower().split())
        yield " ".join(word.capitalize() for word in prose.split())
        yield from (f" {stem}" for stem in _STEMS)
    for _ in range(500):
        yield from ("user", "model")  # one piece each: they open every turn


def _learn_merges() -> tuple[list[str], list[tuple[str, str]]]:
    """Merged pieces in the order they were learned, and the merges that make them."""
    bpe = Tokenizer(models.BPE())
    bpe.normalizer = normalizers.Replace(" ", "▁")
    bpe.pre_tokenizer = pre_tokenizers.Split(_WORDS, "isolated")
    room = VOCABULARY_SIZE - len(SPECIALS) - len(BREAKS) - len(BYTES)
    trainer = trainers.BpeTrainer(
        vocab_size=room, initial_alphabet=ALPHABET, limit_alphabet=len(ALPHABET), show_progress=False
    )
    bpe.train_from_iterator(_corpus(), trainer)
    learned = json.loads(bpe.to_str())["model"]
    pieces = sorted((piece for piece in learned["vocab"] if len(piece) > 1), key=learned["vocab"].__getitem__)
    return pieces, [tuple(pair) for pair in learned["merges"]]


def build() -> GemmaTokenizer:
    """Learn the tokenizer; the result depends on nothing but our own files."""
    pieces, merges = _learn_merges()
    ordered = [*SPECIALS, *BREAKS, *BYTES, *pieces, *ALPHABET]  # Gemma's order: specials, bytes, merges, characters
    tokenizer = GemmaTokenizer(
        vocab={piece: number for number, piece in enumerate(ordered)},
        merges=merges,
        model_max_length=MAX_LENGTH,
        # A GemmaTokenizer built from a vocabulary adds no <bos> unless told to.
        add_bos_token=True,
        padding_side="right",
    )
    turns = [AddedToken(token, special=True, normalized=False) for token in ("<start_of_turn>", "<end_of_turn>")]
    tokenizer.add_tokens(turns, special_tokens=True)
    tokenizer.add_tokens([AddedToken(token, special=False, normalized=False) for token in BREAKS])
    tokenizer.chat_template = (HERE / "chat_template.jinja").read_text(encoding="utf-8")
    return tokenizer
