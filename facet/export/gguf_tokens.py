"""A tokenizer as GGUF keeps it: its pieces, their kinds, and which of them begin and end what is said.

Two forms of byte-pair encoding are known, and all others are refused: Gemma's (SentencePiece, spaces as “▁”), where
a piece's score takes the place of the merges, and the one over bytes that Llama 3 and Qwen use.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gguf import GGUFWriter, TokenType

from facet.errors import DataError, FacetError
from facet.export.gguf_model import refused
from facet.gemma.refuse import printable

SPACE: Final = "▁"
NO_SCORE: Final = -1e6  # a piece that no merge makes
_SPACES: Final = {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}
_SPLIT: Final = {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False}
_WORDS: Final = (  # how Llama 3 cuts text into words before merging; Qwen takes digits one by one
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s| ?[^\s\p{L}\p{N}]+[\r\n]*|"
    r"\s*[\r\n]+|\s+(?!\S)|\s+"
)
PRE: Final = {_WORDS % "{1,3}": "llama-bpe", _WORDS % "": "qwen2"}
# llama.cpp ends an answer at these whatever the file says; there is room for three others.
ENDS_ANYWAY: Final = frozenset(
    ["<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|endoftext|>", "<|eom_id|>", "<EOT>"]
)


@dataclass(frozen=True)
class Tokens:
    """A tokenizer taken apart. Lists are indexed by token."""

    kind: str  # "llama" or "gpt2", as GGUF calls the two forms
    pre: str
    pieces: list[bytes]
    types: list[TokenType]
    scores: list[float] | None
    merges: list[str] | None
    special: dict[str, int]  # bos, eos, unk, pad
    ends: list[int]  # tokens that end an answer
    add_bos: bool
    template: str | None


def read_tokens(base: Path, vocab_size: int) -> Tokens:
    """Raises: `DataError` for missing or damaged files, `SettingError` for a tokenizer that cannot be written."""
    try:
        return _tokens(base, vocab_size)
    except FacetError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise DataError(
            "This model's tokenizer cannot be read.",
            "Its tokenizer.json or a file beside it is missing or damaged.",
            "Download the model again, or choose another one.",
        ) from error


def describe(tokens: Tokens, into: GGUFWriter) -> None:
    """Write the vocabulary and all that belongs to it."""
    into.add_tokenizer_model(tokens.kind)
    into.add_tokenizer_pre(tokens.pre)
    into.add_token_list(tokens.pieces)
    into.add_token_types(tokens.types)
    if tokens.scores is not None:
        into.add_token_scores(tokens.scores)
        into.add_add_space_prefix(False)
    if tokens.merges is not None:
        into.add_token_merges(tokens.merges)
    add = {"bos": into.add_bos_token_id, "unk": into.add_unk_token_id, "pad": into.add_pad_token_id}
    for name, token in tokens.special.items():
        if name in add:
            add[name](token)
    for token, add_end in zip(
        tokens.ends, (into.add_eos_token_id, into.add_eot_token_id, into.add_eom_token_id), strict=False
    ):
        add_end(token)
    into.add_add_bos_token(tokens.add_bos)
    into.add_add_eos_token(False)
    if tokens.template:
        into.add_chat_template(tokens.template)


def _tokens(base: Path, vocab_size: int) -> Tokens:
    data = json.loads((base / "tokenizer.json").read_bytes())
    settings = _json(base / "tokenizer_config.json")
    kind, pre = _form(data)
    vocabulary, merges = data["model"]["vocab"], [_pair(merge) for merge in data["model"]["merges"]]
    if (highest := max(vocabulary.values())) >= vocab_size:
        raise refused(f"Its tokenizer has {highest + 1:,} word pieces and its embedding {vocab_size:,}.")
    # Gemma 3 without pictures still knows their token, which lies behind the end of its embedding.
    added = {token["id"]: token for token in data["added_tokens"] if token["id"] < vocab_size}
    pieces, types = _pieces(vocabulary, added, vocab_size, data["model"].get("unk_token"), kind)
    ids = vocabulary | {token["content"]: number for number, token in added.items()}
    special = _special(settings, ids)
    return Tokens(
        kind,
        pre,
        pieces,
        types,
        _scores(vocabulary, merges, vocab_size) if kind == "llama" else None,
        [" ".join(pair) for pair in merges] if kind == "gpt2" else None,
        special,
        _ends(base, special, pieces),
        _adds_bos(data, settings, special),
        _template(base, settings),
    )


def _form(data: dict[str, Any]) -> tuple[str, str]:
    """Which of GGUF's tokenizers this is, and how it cuts text before merging."""
    model, normalizer, pre = data["model"], data.get("normalizer"), data.get("pre_tokenizer")
    plain = model.get("type") == "BPE" and not any(
        model.get(name) for name in ("dropout", "continuing_subword_prefix", "end_of_word_suffix")
    )
    if plain and model.get("byte_fallback") and normalizer == _SPACES and pre in (None, _SPLIT):
        return "llama", "default"
    if plain and not model.get("byte_fallback") and normalizer in (None, {"type": "NFC"}):
        name = PRE.get(_words(pre))
        if name and bool(model.get("ignore_merges")) == (name == "llama-bpe"):
            return "gpt2", name
    raise refused("Its tokenizer works in a way we know no rule for yet.")


def _words(pre: dict[str, Any] | None) -> str:
    """The pattern that cuts text into words, of a tokenizer that then goes on with bytes; otherwise nothing."""
    steps = (pre or {}).get("pretokenizers", [])
    if [step["type"] for step in steps] != ["Split", "ByteLevel"]:
        return ""
    split, level = steps
    is_plain = split["behavior"] == "Isolated" and not split["invert"]
    return (
        split["pattern"].get("Regex", "") if is_plain and not (level["use_regex"] or level["add_prefix_space"]) else ""
    )


def _pair(merge: str | list[str]) -> tuple[str, str]:
    left, right = merge.split(" ") if isinstance(merge, str) else merge
    return left, right


def _pieces(
    vocabulary: dict[str, int], added: dict[int, dict[str, Any]], size: int, unknown: str | None, kind: str
) -> tuple[list[bytes], list[TokenType]]:
    pieces, types = [f"[PAD{token}]".encode() for token in range(size)], [TokenType.UNUSED] * size
    for piece, token in vocabulary.items():
        is_byte = kind == "llama" and len(piece) == 6 and piece.startswith("<0x") and piece.endswith(">")
        pieces[token], types[token] = piece.encode(), TokenType.BYTE if is_byte else TokenType.NORMAL
    for token, about in added.items():
        text = about["content"]
        pieces[token] = text.encode()
        types[token] = TokenType.CONTROL if about["special"] else TokenType.USER_DEFINED
        if kind == "llama" and not text.strip(SPACE):  # it is merged from spaces, and must be written as spaces
            types[token] = TokenType.NORMAL
    for token, piece in enumerate(pieces):
        if unknown and piece == unknown.encode():
            types[token] = TokenType.UNKNOWN
    return pieces, types


def _scores(vocabulary: dict[str, int], merges: Iterable[tuple[str, str]], size: int) -> list[float]:
    """The earlier a piece is merged, the higher its score."""
    scores = [NO_SCORE] * size
    ranks: dict[str, int] = {}
    for rank, (left, right) in enumerate(merges):
        ranks.setdefault(left + right, rank)
    for piece, token in vocabulary.items():
        scores[token] = -float(ranks[piece]) if piece in ranks else NO_SCORE
    return scores


def _special(settings: dict[str, Any], ids: dict[str, int]) -> dict[str, int]:
    named = {name: settings.get(f"{name}_token") for name in ("bos", "eos", "unk", "pad")}
    texts = {name: text["content"] if isinstance(text, dict) else text for name, text in named.items()}
    return {name: ids[text] for name, text in texts.items() if text in ids}


def _ends(base: Path, special: dict[str, int], pieces: list[bytes]) -> list[int]:
    """What ends an answer in transformers: the list in `generation_config.json`, else the one in `config.json`."""
    stated = _json(base / "generation_config.json").get("eos_token_id")
    if stated is None:
        stated = json.loads((base / "config.json").read_bytes()).get("eos_token_id")
    ends = list(dict.fromkeys(stated if isinstance(stated, list) else [] if stated is None else [stated]))
    if not ends and "eos" in special:
        ends = [special["eos"]]
    if not ends or not all(isinstance(token, int) and 0 <= token < len(pieces) for token in ends):
        raise refused("It does not say which word piece ends an answer.")
    ends.sort(key=lambda token: pieces[token].decode() in ENDS_ANYWAY)
    beyond = [pieces[token].decode() for token in ends[3:]]
    if not set(beyond) <= ENDS_ANYWAY:
        raise refused(f"{len(ends)} of its word pieces end an answer, and GGUF has room for three.")
    return ends


def _adds_bos(data: dict[str, Any], settings: dict[str, Any], special: dict[str, int]) -> bool:
    """Does every text begin with the token for beginnings? An explicit word in the settings decides."""
    if isinstance(settings.get("add_bos_token"), bool):
        return settings["add_bos_token"]
    after = data.get("post_processor") or {}
    for step in after.get("processors", [after]):
        if step.get("type") != "TemplateProcessing":
            continue
        first, *rest = step["single"]
        if [next(iter(part)) for part in rest] not in ([], ["Sequence"]):
            raise refused("Its tokenizer puts something behind every text.")
        begins = first.get("SpecialToken", {}).get("id")
        if begins is not None and step["special_tokens"][begins]["ids"] != [special.get("bos")]:
            raise refused(f"Its tokenizer begins every text with “{printable(begins)}”.")
        return begins is not None
    return False


def _template(base: Path, settings: dict[str, Any]) -> str | None:
    file = base / "chat_template.jinja"
    said = file.read_text("utf-8") if file.is_file() else settings.get("chat_template")
    if isinstance(said, list):
        said = next((one["template"] for one in said if one["name"] == "default"), None)
    return said or None


def _json(file: Path) -> dict[str, Any]:
    return json.loads(file.read_bytes()) if file.is_file() else {}
