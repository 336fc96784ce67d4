"""Small tokenizers made on the spot, in the shape of Gemma's, and conversations made up by the thousand."""

import importlib.util
import json
import random
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from facet.dataset.trusted import starter_template

GEMMA3_TURNS = ("<start_of_turn>", "<end_of_turn>")
GEMMA4_TURNS = ("<|turn>", "<turn|>", "<|channel>", "<channel|>", "<|think|>", "<|image|>")
_CORPUS = """user model the capital of Peru is Lima what a good day it was to see the sea and to think of nothing else
hello thanks bye yes no one two three four five who are you I am a small model made for trying things out"""


def save_model(folder: Path, turns: tuple[str, ...] = GEMMA3_TURNS, template: str | None = None) -> Path:
    """A model's folder without a model: tokenizer, settings and template."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer(turns).save(str(folder / "tokenizer.json"))
    end = next(turn for turn in turns if turn in ("<end_of_turn>", "<turn|>"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<bos>",
        "eos_token": end,
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "chat_template": template or starter_template(),
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), "utf-8")
    return folder


def tokenizer(turns: tuple[str, ...]) -> Tokenizer:
    """Byte-pair encoding with `▁` for spaces and bytes for what it does not know."""
    specials = ["<pad>", "<eos>", "<bos>", "<unk>", *turns]
    byte_pieces = [f"<0x{value:02X}>" for value in range(256)]
    made = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    made.normalizer = normalizers.Replace(" ", "▁")
    made.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    words = [f" {word}" for word in _CORPUS.split()] + _CORPUS.split()
    trainer = trainers.BpeTrainer(
        vocab_size=900, special_tokens=[*specials, *byte_pieces, "\n", "\n\n"], show_progress=False
    )
    made.train_from_iterator(words * 3, trainer)
    data = json.loads(made.to_str())
    data["added_tokens"] = []  # bytes and line ends are plain pieces, only the specials are special
    made = Tokenizer.from_str(json.dumps(data))
    made.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in specials])
    made.add_tokens([AddedToken(token, special=False, normalized=False) for token in ("\n", "\n\n")])
    made.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return made


def trl_template(name: str) -> str | None:
    """A chat template as TRL keeps it, found without importing TRL; None where TRL is not installed."""
    found = importlib.util.find_spec("trl")
    if not found or not found.origin:
        return None
    file = Path(found.origin).parent / "chat_templates" / name
    return file.read_text("utf-8") if file.is_file() else None


def with_empty_thought(template: str) -> str:
    """The template of the larger Gemma 4 models: what they read before an answer ends in an empty thought."""
    prompt = "{{- '<|turn>model\\n' -}}"
    assert prompt in template
    return template.replace(prompt, "{{- '<|turn>model\\n<|channel>thought\\n<channel|>' -}}")


_PIECES = [
    "hello", " the", " sea", "\n", "\n\n", "é", "日本語", "👩‍👩‍👧", "🏴‍☠️", "\t", "<b>", "</table>", "> </", "  ", "   ",
    "0123", "'s", "a<b", "{{ x }}", "{% raw %}", "\u2028", "\u200b", "ﷺ", " user", " model", "<unused3>", "ß", "&lt;",
    "\\n", "%s",
]  # fmt: skip


def text(rng: random.Random, pieces: list[str]) -> str:
    while True:
        made = "".join(rng.choice(pieces) for _ in range(rng.randint(1, 12))).strip()
        if made:
            return made


def conversations(count: int, seed: int, controls: tuple[str, ...] = ()) -> list[list[dict[str, str]]]:
    """Made-up conversations; with `controls`, people and models also write control tokens."""
    rng = random.Random(seed)
    pieces = [*_PIECES, *controls * 3, *(control[1:] for control in controls), *(control[:-1] for control in controls)]
    made = []
    for _ in range(count):
        messages = [{"role": "system", "content": text(rng, pieces)}] if rng.random() < 0.3 else []
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            messages.append({"role": "user", "content": text(rng, pieces)})
            messages.append({"role": "assistant", "content": text(rng, pieces)})
        made.append(messages)
    return made
