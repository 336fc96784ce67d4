"""A random Gemma 3 of a few thousand weights that sees pictures, and pictures to show it."""

import json
from pathlib import Path

from tests.tiny_models import GEMMA_3_TOKENS, SIZES, VISION, save_tokenizer, trl_template

SOFT = "<image_soft_token>"
SIDE, SOFT_TOKENS = 16, 4


def tiny_seeing_gemma3(folder: Path, seed: int = 0) -> Path:
    """With towers that look at 16 × 16 pixels, four tokens for each picture, and the template of the real ones."""
    import torch
    from transformers import AutoModelForCausalLM, Gemma3Config

    folder.mkdir(parents=True, exist_ok=True)
    tokens = [*GEMMA_3_TOKENS, SOFT]
    vocabulary = save_tokenizer(folder, tokens, trl_template("gemma3"))
    config = Gemma3Config(
        text_config={"model_type": "gemma3_text"} | SIZES | {"vocab_size": vocabulary},
        vision_config=VISION | {"image_size": SIDE},
        mm_tokens_per_image=SOFT_TOKENS,
        boi_token_index=tokens.index("<start_of_image>"),
        eoi_token_index=tokens.index("<end_of_image>"),
        image_token_index=tokens.index(SOFT),
    )
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "norm" not in name:
                weight.normal_(0, 0.2 if "embed_tokens" in name else 1.0)  # so that what is seen decides what is said
    model.generation_config.update(eos_token_id=[1, 5], pad_token_id=0, bos_token_id=2)
    model.save_pretrained(folder)
    settings = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "size": {"height": SIDE, "width": SIDE}}
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    return folder


def picture(file: Path, colour: tuple[int, int, int], size: tuple[int, int] = (40, 24)) -> Path:
    """A square of one colour in the corner of a black field."""
    from PIL import Image

    made = Image.new("RGB", size)
    made.paste(colour, (0, 0, size[0] // 2, size[1] // 2))
    made.save(file)
    return file
