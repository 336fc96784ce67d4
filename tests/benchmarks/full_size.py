"""One LoRA run of the full Gemma 3 270M architecture (random weights, real tokenizer) on this machine.

    python -m tests.benchmarks.full_size [--steps 6] [--tokenizer FOLDER] [--data FILE]

Goes through the studio like a person's run: prepare, advise, start, train, chat. Prints time and peak memory.
"""

import argparse
import os
import resource
import shutil
import tempfile
import time
from pathlib import Path

from facet.identity import LOCAL
from facet.model.speak import Decoding
from facet.recipe.knobs import read_recipe
from facet.recipe.recipes import SftRecipe
from tests.journeys import a_studio, progress

SHARED = Path(__file__).resolve().parents[3] / "shared"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--tokenizer", type=Path, default=SHARED / "tokenizers" / "gemma3")
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "gsm8k_train_1500.jsonl")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        model = random_gemma3_270m(Path(place) / "gemma-3-270m-random", options.tokenizer)
        studio = a_studio(Path(place) / "home")
        run(studio, model, options)


def run(studio, model: Path, options: argparse.Namespace) -> None:
    upload_id = studio.bring_file(LOCAL, options.data, options.data.name)
    dataset_id = studio.prepare(LOCAL, upload_id, "full size", studio.look(LOCAL, upload_id)["shape"]["mapping"])
    began = time.monotonic()
    advice = studio.advise(LOCAL, dataset_id, str(model))
    for reason in advice.reasons:
        print(f"advice, {reason.setting} = {reason.value}: {reason.words}")
    print(f"advice took {time.monotonic() - began:.1f} s")
    wanted = {"max_steps": options.steps, "evaluations": 1}
    print(f"recipe: {advice.recipe}")
    recipe = read_recipe(SftRecipe, advice.recipe.model_dump() | wanted)
    task = studio.runs_shelf.task(LOCAL, studio.start(LOCAL, dataset_id, str(model), recipe, "full size"))
    list(studio.backend.advance(task))
    done = progress(task)
    assert done.stage == "finished", done.failure
    # so far the only large child of this process is the worker
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    losses = ", ".join(f"{loss:.3f}" for _, loss in done.curves["loss"])
    print(f"losses: {losses}; validation {done.curves.get('validation_loss')}")
    print(f"{done.step} steps in {done.working_seconds:.0f} s, {done.where}; peak memory of the worker {peak:.2f} GiB")
    message = [{"role": "user", "content": "How many apples?"}]
    pieces = list(studio.chat(LOCAL, task.id, {"base": message, "tuned": message}, Decoding(max_new_tokens=8)))
    print(f"chat: {[(piece.side, piece.tokens) for piece in pieces if not isinstance(piece, str) and piece.done]}")
    studio.voices.close()


def random_gemma3_270m(folder: Path, tokenizer: Path) -> Path:
    """The architecture as its own configuration states it, with weights nobody trained."""
    import torch
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig

    torch.manual_seed(0)
    config = Gemma3TextConfig(
        vocab_size=262_144, hidden_size=640, intermediate_size=2048, num_hidden_layers=18, num_attention_heads=4,
        num_key_value_heads=1, head_dim=256, query_pre_attn_scalar=256, sliding_window=512,
        max_position_embeddings=32_768, tie_word_embeddings=True, bos_token_id=2, eos_token_id=1, pad_token_id=0,
    )  # fmt: skip
    Gemma3ForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(tokenizer / name, folder / name)
    print(f"{sum(os.path.getsize(file) for file in folder.glob('*.safetensors')) / 1e9:.2f} GB of weights")
    return folder


if __name__ == "__main__":
    main()
