"""Which weights of the model learn, and what lies frozen below them."""

from pathlib import Path
from typing import Any, Final, Literal

from facet.errors import SettingError
from facet.gemma.inspect import read_config
from facet.gemma.packed import packed_in
from facet.model.load import TOWERS, Squeeze, load_base, load_tuned
from facet.model.tuned import is_whole
from facet.recipe.recipes import TrainingRecipe
from facet.train import continued
from facet.train.job import Job

BITS: Final[dict[str, Literal[4, 8]]] = {"4bit": 4, "8bit": 8}


def learner(job: Job, lora: dict[str, Any]) -> tuple[Any, Any]:
    """The model as the trainer takes it, and the adapter to put on it (None where it is on it, or there is none).

    `lora` are the arguments of `peft.LoraConfig`.
    """
    from peft import LoraConfig, get_peft_model

    if job.recipe.tuning == "full":
        return _whole(job), None
    model = load_base(job.folder, job.execution.dtype, job.execution.device, _squeeze(job.recipe))
    is_squeezed = bool(getattr(model, "is_quantized", False))  # by us, or before it was published
    model.config.use_cache = False
    if job.piece.task.request.get("start_from"):
        model = continued.started(model, job.piece.task, job.recipe.lora_dropout, fresh=job.start is None)
    elif is_squeezed:
        model = get_peft_model(model, LoraConfig(**lora))
    else:
        return model, LoraConfig(**lora)
    if is_squeezed:
        _ready_to_learn(model)
    return model, None


def _squeeze(recipe: TrainingRecipe) -> Squeeze | None:
    bits = BITS.get(recipe.base_precision)
    return Squeeze(bits, recipe.bnb_4bit_quant_type, recipe.bnb_4bit_use_double_quant) if bits else None


def _whole(job: Job) -> Any:
    """All weights of the language model learn, in float32; towers beside it stay frozen. Tied weights stay tied.

    Read from the save point where there is one: the trainer's own way there skips names that differ between a file
    and a model.
    """
    device = job.execution.device
    if job.start:
        model = load_tuned(job.start.folder, "float32", device)
    elif job.piece.task.request.get("start_from"):
        model = load_tuned(continued.whole_start(job.piece.task), "float32", device)
    elif packed_in(read_config(job.folder / "config.json")):
        raise _packed()
    else:
        model = load_base(job.folder, "float32", device)
    model.config.use_cache = False
    for name, weight in model.named_parameters():
        weight.requires_grad = not set(name.split(".")) & set(TOWERS)
    return model


def _packed() -> SettingError:
    return SettingError(
        "This model cannot be tuned as a whole.",
        "Its weights were squeezed to few bits before it was published, and such weights cannot learn.",
        "Set “What learns” to a small adapter, or choose the model it was made from under “Starting model”.",
    )


def _ready_to_learn(model: Any) -> None:
    """The adapter on a quantised base learns in float32, as every adapter here: TRL would round it to bfloat16.

    It asks the model by these two names, and nobody else does once the adapter is on it. Of what PEFT's
    `prepare_model_for_kbit_training` does nothing is needed: no weight of the base learns, and checkpointing is a
    setting.

    On processors with bfloat16 instructions, bitsandbytes 0.50 packs 4-bit weights anew when it first reads without
    a gradient, and from then on passes no gradient through them. We look at the validation part before the first step.
    """
    base = model.get_base_model()
    base.is_loaded_in_4bit = base.is_loaded_in_8bit = False
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
    for weight in model.parameters():
        if weight.requires_grad:
            weight.data = weight.data.float()


def put_back(model: Any, folder: Path) -> None:
    """Give the model that `learner` made the trained weights of the save point it goes on from.

    A whole model was read from there.
    """
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file

    if not is_whole(folder):
        set_peft_model_state_dict(model, load_file(folder / "adapter_model.safetensors"))
