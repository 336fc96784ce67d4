"""Make the starter model again, from nothing: `python -m facet.starter.make --to FOLDER`.

Needs no download. The data, their order and the first weights follow from the seed. The one that ships was made with
`--fast` in 30 CPU-minutes of one core (5.7 million tokens) and answered 284 of 300 exam questions exactly.
"""

import argparse
import copy
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy
from transformers import Gemma3ForCausalLM, Gemma3TextConfig, GemmaTokenizer
from transformers.modeling_outputs import BaseModelOutputWithPast
from transformers.utils import logging

from facet.starter import exam
from facet.starter.dialogues import dialogues
from facet.starter.tokenizer import MAX_LENGTH, build

LEARNING_RATE = 3e-3
WARM_UP_STEPS = 30
ROWS, ROW_LENGTH = 32, 256  # 8,192 tokens per step
QUESTION_SHARE = 0.1  # of the tokens of questions that count in the loss: they are mostly chance
_DIALOGUES_AT_ONCE = 2000
_FIRST_DATA_SEED = 1000  # the tokenizer and the exam use other seeds


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the starter model from nothing.")
    parser.add_argument("--to", type=Path, required=True, help="folder for the finished model")
    parser.add_argument("--steps", type=int, default=700, help="training steps of 8,192 tokens")
    parser.add_argument("--minutes", type=float, help="stop after so many minutes instead (depends on the machine)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fast", action="store_true", help="bfloat16 and torch.compile: needs AVX-512 BF16 and g++")
    parser.add_argument("--snapshots", type=Path, help="folder for an unfinished model every few minutes")
    asked = parser.parse_args()
    logging.disable_progress_bar()
    torch.set_num_threads(asked.threads)
    torch.manual_seed(asked.seed)
    tokenizer = build()
    model = Gemma3ForCausalLM(shape(tokenizer))
    print(f"{sum(weight.numel() for weight in model.parameters()):,} parameters", flush=True)
    train(model, tokenizer, asked)
    save(model, tokenizer, asked.to)
    print(exam.sit(asked.to), flush=True)


def shape(tokenizer: GemmaTokenizer) -> Gemma3TextConfig:
    """Gemma 3, made very small: 5.6 million parameters."""
    return Gemma3TextConfig(
        vocab_size=len(tokenizer),
        hidden_size=256,
        intermediate_size=768,
        num_hidden_layers=6,
        num_attention_heads=4,
        num_key_value_heads=1,
        head_dim=64,
        query_pre_attn_scalar=64,
        sliding_window=512,
        max_position_embeddings=MAX_LENGTH,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=endings(tokenizer),
    )


def endings(tokenizer: GemmaTokenizer) -> list[int]:
    """The tokens that end an answer: `<eos>` and, after every turn, `<end_of_turn>`."""
    return [tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids("<end_of_turn>")]


# --- data

Row = tuple[list[int], list[float]]  # token ids, and for each the chance that it counts in the loss


def chances_to_count(ids: list[int], turn: int, end: int, model_word: int) -> list[float]:
    """1 for every token that the model says, its `<end_of_turn>` included; `QUESTION_SHARE` for the rest."""
    chances, speaking = [], False
    for position, token in enumerate(ids):
        chances.append(1.0 if speaking else QUESTION_SHARE)
        # Said is what follows the newline after "<start_of_turn>model".
        opens_answer = position >= 2 and ids[position - 2] == turn and ids[position - 1] == model_word
        speaking = opens_answer or (speaking and token != end)
    return chances


def rows(tokenizer: GemmaTokenizer, seed: int) -> Iterator[Row]:
    """Endless rows of `ROW_LENGTH` + 1 tokens.

    Each row begins with a whole dialogue, as in real use; what does not fit at its end is dropped.
    """
    marks = tokenizer.convert_tokens_to_ids(["<start_of_turn>", "<end_of_turn>", "model"])
    ids: list[int] = []
    chances: list[float] = []
    while True:
        batch = dialogues(seed, _DIALOGUES_AT_ONCE)
        seed += 1
        texts = [tokenizer.apply_chat_template(dialogue, tokenize=False) for dialogue in batch]
        for dialogue_ids in tokenizer(texts, add_special_tokens=False)["input_ids"]:
            ids += dialogue_ids
            chances += chances_to_count(dialogue_ids, *marks)
            if len(ids) > ROW_LENGTH:
                yield ids[: ROW_LENGTH + 1], chances[: ROW_LENGTH + 1]
                ids, chances = [], []


# --- training

Body = Callable[..., BaseModelOutputWithPast]  # the model without its head, perhaps compiled


def train(model: Gemma3ForCausalLM, tokenizer: GemmaTokenizer, asked: argparse.Namespace) -> None:
    """AdamW with a short warm-up, then down to almost nothing in a straight line."""
    optimizer = torch.optim.AdamW(_groups(model), lr=LEARNING_RATE, betas=(0.9, 0.95), fused=True)
    body = torch.compile(model.model) if asked.fast else model.model
    source = rows(tokenizer, _FIRST_DATA_SEED * (asked.seed + 1))
    start, cpu, saved, step = time.time(), time.process_time(), time.time(), 0
    while (done := _share_done(asked, step, start)) < 1:
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * min(1, (step + 1) / WARM_UP_STEPS) * (1 - 0.97 * done)
        with torch.autocast("cpu", torch.bfloat16, enabled=asked.fast):
            loss = _loss(model, body, source)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        if step in (1, 10, 20) or step % 50 == 0:
            pace = step * ROWS * ROW_LENGTH / (time.process_time() - cpu)
            print(f"step {step} loss {loss.item():.3f} {time.time() - start:.0f} s {pace:.0f} tokens/CPU-s", flush=True)
        if asked.snapshots and time.time() - saved > (120 if step < 200 else 300):
            save(model, tokenizer, asked.snapshots)
            saved = time.time()


def _share_done(asked: argparse.Namespace, step: int, start: float) -> float:
    return (time.time() - start) / (60 * asked.minutes) if asked.minutes else step / asked.steps


def _groups(model: Gemma3ForCausalLM) -> list[dict]:
    """Weight decay for matrices only; the scales of the norms are left alone."""
    weights = list(model.parameters())
    return [
        {"params": [weight for weight in weights if weight.ndim > 1], "weight_decay": 0.05},
        {"params": [weight for weight in weights if weight.ndim == 1], "weight_decay": 0.0},
    ]


def _loss(model: Gemma3ForCausalLM, body: Body, source: Iterator[Row]) -> torch.Tensor:
    """Nats per token, over all tokens of answers and a sample of those of questions.

    Leaving the other tokens out before the vocabulary is scored saves a third of the time.
    """
    batch = [next(source) for _ in range(ROWS)]
    ids = torch.tensor([row for row, _ in batch])  # (B, T + 1)
    chances = torch.tensor([chances for _, chances in batch])[:, 1:]  # (B, T)
    chosen = torch.rand(chances.shape) < chances
    hidden = body(input_ids=ids[:, :-1], use_cache=False).last_hidden_state[chosen]  # (N, D)
    return cross_entropy(model.lm_head(hidden).float(), ids[:, 1:][chosen])


# --- saving


def save(model: Gemma3ForCausalLM, tokenizer: GemmaTokenizer, folder: Path) -> None:
    """Weights in bfloat16, cut into files that a plain git host accepts, with everything needed to chat."""
    small = copy.deepcopy(model).to(torch.bfloat16)
    small.generation_config.update(
        do_sample=False, eos_token_id=endings(tokenizer), pad_token_id=tokenizer.pad_token_id, max_new_tokens=96
    )
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.safetensors*"):
        old.unlink()
    small.save_pretrained(folder, max_shard_size="9MB")
    tokenizer.save_pretrained(folder)
    for file in folder.glob("*.safetensors"):
        file.chmod(0o644)  # the library lets only the owner read them
    _leave_out_bookkeeping(folder)


def _leave_out_bookkeeping(folder: Path) -> None:
    """The library's own notes change with its version and say nothing about the model."""
    for file in (folder / "config.json", folder / "generation_config.json"):
        settings = json.loads(file.read_text())
        for note in ("transformers_version", "_from_model_config"):
            settings.pop(note, None)
        file.write_text(json.dumps(settings, indent=2) + "\n")


if __name__ == "__main__":
    main()
