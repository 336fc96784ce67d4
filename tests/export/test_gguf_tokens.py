"""llama.cpp reads text out of a GGUF file's vocabulary as the tokenizers library reads it."""

import json
import os
import random
import shutil
from pathlib import Path

import pytest
from gguf import GGUFReader

from facet import starter
from facet.errors import DataError, SettingError
from facet.export.gguf import write_gguf
from facet.export.gguf_tokens import PRE, read_tokens
from tests.adapters import SIZES
from tests.export.gguf_models import edit
from tests.export.llama_cpp import LlamaCpp
from tests.gemma.folders import CONFIG, model_folder

pytestmark = pytest.mark.tiny

REAL = Path(os.environ.get("FACET_TOKENIZERS", "no such folder"))  # a folder for each model, its tokenizer in it
STRINGS = [
    "",
    " leading",
    "trailing ",
    "  two  and   three spaces",
    "a\tb\n c\r\n\n\nd",
    "naïve café Ünïcödé ﬁ ½",
    "日本語のテキスト。한국어 Русский العربية",
    "👩‍👩‍👧 🦊 emoji",
    "def f(x):\n    return x**2  # power\n",
    "12345 3.14 1,000,000",
    "I'm, you're, WE'LL don't",
    "<start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n",
    "<b>bold</b> <table><tr><eos>",
    "<0x41> [multimodal] <unused5> <mask>",
    *[f"a{space * count}b" for space in " \n\t" for count in (1, 2, 3, 4, 7, 16, 31, 32, 40)],
]
ALPHABET = "abcdefgh  \n\t<>éß日🦊.,0'"


def strings() -> list[str]:
    draw = random.Random(3)
    prose = (Path(starter.__file__).parent / "prose.txt").read_text("utf-8")
    starts = [draw.randrange(len(prose) - 200) for _ in range(60)]
    return [
        *STRINGS,
        *(prose[start : start + draw.randrange(1, 200)] for start in starts),
        *("".join(draw.choice(ALPHABET) for _ in range(draw.randrange(1, 60))) for _ in range(100)),
    ]


def differing(tokenizer_file: Path, file: Path) -> list[str]:
    from tokenizers import Tokenizer

    ours, theirs = Tokenizer.from_file(str(tokenizer_file)), LlamaCpp(file)
    return [text for text in strings() if ours.encode(text).ids != theirs.tokens(text)]


def test_the_starter_is_read_the_same(tmp_path):
    write_gguf(starter.FOLDER, None, tmp_path / "model.gguf", "q8_0")
    assert differing(starter.FOLDER / "tokenizer.json", tmp_path / "model.gguf") == []


@pytest.mark.parametrize("pre", ["llama-bpe", "qwen2"])
def test_byte_level_pieces_are_read_the_same(tmp_path, pre):
    base = byte_level(weightless(tmp_path / "base", 600, "llama" if pre == "llama-bpe" else "qwen2"), pre)
    write_gguf(base, None, tmp_path / "model.gguf", "f32")
    assert read_tokens(base, 600).pre == pre
    assert differing(base / "tokenizer.json", tmp_path / "model.gguf") == []


@pytest.mark.parametrize("folder", sorted(REAL.glob("*/")), ids=lambda folder: folder.name)
def test_the_tokenizers_of_real_models_are_read_the_same(tmp_path, folder):
    base = weightless(tmp_path / "base", 262_144)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(folder / name, base / name)
    write_gguf(base, None, tmp_path / "model.gguf", "f16")
    assert differing(base / "tokenizer.json", tmp_path / "model.gguf") == []


def test_what_the_file_says_of_its_tokens(tmp_path):
    write_gguf(starter.FOLDER, None, tmp_path / "model.gguf", "f16")
    fields = GGUFReader(tmp_path / "model.gguf").fields
    said = {name.removeprefix("tokenizer."): field.contents() for name, field in fields.items() if "token" in name}
    assert (said["ggml.bos_token_id"], said["ggml.eos_token_id"], said["ggml.eot_token_id"]) == (2, 1, 6)
    assert said["ggml.add_bos_token"] is True and said["ggml.add_space_prefix"] is False
    assert said["chat_template"] == (starter.FOLDER / "chat_template.jinja").read_text("utf-8")
    assert len(said["ggml.tokens"]) == len(said["ggml.scores"]) == len(said["ggml.token_type"]) == 4096


def test_every_token_that_ends_an_answer_does_so_in_the_file(tmp_path):
    base = a_copy(tmp_path)
    edit(base / "generation_config.json", eos_token_id=[6, 1, 40, 50])  # 6 is “<end_of_turn>”, which needs no place
    assert read_tokens(base, 4096).ends == [1, 40, 50, 6]
    edit(base / "generation_config.json", eos_token_id=[1, 6, 40, 50, 60])
    with pytest.raises(SettingError, match="5 of its word pieces end an answer"):
        read_tokens(base, 4096)


def test_a_piece_without_a_row_in_the_embedding_is_refused_and_an_added_one_left_out(tmp_path):
    base = a_copy(tmp_path)
    data = json.loads((base / "tokenizer.json").read_text("utf-8"))
    data["added_tokens"].append(data["added_tokens"][-1] | {"id": 4096, "content": "<image_soft_token>"})
    (base / "tokenizer.json").write_text(json.dumps(data))
    assert len(read_tokens(base, 4096).pieces) == 4096
    data["model"]["vocab"]["too many"] = 4096
    (base / "tokenizer.json").write_text(json.dumps(data))
    with pytest.raises(SettingError, match="4,097 word pieces"):
        read_tokens(base, 4096)


@pytest.mark.parametrize(
    "changes",
    [
        {"normalizer": {"type": "Lowercase"}},
        {"normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}]}},
        {"pre_tokenizer": {"type": "Whitespace"}},
        {"pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}},
    ],
    ids=["lower case", "space put before", "words", "metaspace"],
)
def test_a_tokenizer_of_another_form_is_refused_in_words(tmp_path, changes):
    base = a_copy(tmp_path)
    edit(base / "tokenizer.json", **changes)
    with pytest.raises(SettingError, match="Its tokenizer works in a way we know no rule for yet"):
        read_tokens(base, 4096)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"model": 3, "added_tokens": []}', "{" * 9000])
def test_a_damaged_tokenizer_is_said_in_words(tmp_path, text):
    base = a_copy(tmp_path)
    (base / "tokenizer.json").write_text(text)
    with pytest.raises((DataError, SettingError)) as caught:
        read_tokens(base, 4096)
    assert "tokenizer" in caught.value.what + caught.value.why


def a_copy(folder: Path) -> Path:
    return shutil.copytree(starter.FOLDER, folder / "base")


def byte_level(base: Path, pre: str) -> Path:
    """A tiny model whose tokenizer works on bytes, in the shape of Llama 3's or Qwen's."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    pattern = next(pattern for pattern, name in PRE.items() if name == pre)
    tokenizer = Tokenizer(models.BPE(ignore_merges=pre == "llama-bpe"))
    tokenizer.normalizer = normalizers.NFC() if pre == "qwen2" else None
    steps = [
        pre_tokenizers.Split(Regex(pattern), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ]
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Sequence(steps), decoders.ByteLevel()
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        show_progress=False,
        special_tokens=[AddedToken(token, special=True, normalized=False) for token in special],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator([text for text in strings() if len(text) > 40], trainer)
    tokenizer.save(str(base / "tokenizer.json"))
    (base / "tokenizer_config.json").write_text(json.dumps({"bos_token": "<bos>", "eos_token": "<eos>"}))
    return base


def weightless(base: Path, vocabulary: int, kind: str = "gemma3_text") -> Path:
    """A model of zeros, without a tokenizer."""
    config = CONFIG | {
        "model_type": kind,
        "num_hidden_layers": 1,
        "vocab_size": vocabulary,
        "eos_token_id": [1],
        "hidden_act": "silu",
        "hidden_activation": None if kind != "gemma3_text" else "gelu_pytorch_tanh",
        "tie_word_embeddings": True,
        "rms_norm_eps": 1e-6,
    }
    shapes = {"model.embed_tokens.weight": [vocabulary, 16], "model.norm.weight": [16]}
    shapes |= {f"model.layers.0.{name}.weight": [16] for name in ("input_layernorm", "post_attention_layernorm")}
    shapes |= {f"model.layers.0.{name}.weight": [out, into] for name, (into, out) in SIZES.items()}
    if kind == "gemma3_text":
        around = ("pre_feedforward_layernorm", "post_feedforward_layernorm")
        shapes |= {f"model.layers.0.{name}.weight": [16] for name in around}
        shapes |= {f"model.layers.0.self_attn.{name}.weight": [8] for name in ("q_norm", "k_norm")}
    if kind == "qwen2":
        sizes = {"q": 16, "k": 8, "v": 8}
        shapes |= {f"model.layers.0.self_attn.{part}_proj.bias": [size] for part, size in sizes.items()}
    return model_folder(base, config, shapes)
