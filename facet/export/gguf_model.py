"""A model's description as GGUF says it: which kinds can be written, and the numbers llama.cpp computes with.

Whatever llama.cpp would compute in another way is refused in words. What it takes for granted without a key in the
file is checked here against the model's own numbers.
Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gguf import MODEL_ARCH, GGUFWriter, RopeScalingType

from facet.errors import DataError, SettingError
from facet.gemma.defaults import language_part
from facet.gemma.inspect import read_config, tied_in
from facet.gemma.refuse import printable

GELU: Final = ("gelu_pytorch_tanh", "gelu")  # llama.cpp has the tanh form, and so has every Gemma whatever it says
SILU: Final = ("silu",)


@dataclass(frozen=True)
class Kind:
    """What one kind of model is to llama.cpp."""

    arch: MODEL_ARCH
    activations: tuple[str, ...] = SILU
    shifted_norms: bool = False  # the file holds w, the model computes with 1 + w
    window_period: int = 0  # every n-th layer sees everything, the others a sliding window; 0: all see everything
    separate_output: bool = True  # may have an output layer of its own
    turned: bool = False  # rotary pairs lie beside each other, in transformers half a head apart
    scaled: str = ""  # the weight that takes up another scale of attention than llama.cpp's own
    softcaps: tuple[str, ...] = ()  # that its configuration must have; llama.cpp takes numbers of its own otherwise
    largest_layers: int = 0  # with so many layers llama.cpp takes the width per head for its scale


KINDS: Final[dict[str, Kind]] = {
    "gemma": Kind(MODEL_ARCH.GEMMA, GELU, shifted_norms=True, separate_output=False),
    "gemma2": Kind(
        MODEL_ARCH.GEMMA2,
        GELU,
        shifted_norms=True,
        window_period=2,
        softcaps=("attn_logit_softcapping", "final_logit_softcapping"),
        separate_output=False,
        scaled="self_attn.q_proj.weight",
        largest_layers=46,
    ),
    "gemma3_text": Kind(
        MODEL_ARCH.GEMMA3,
        GELU,
        shifted_norms=True,
        window_period=6,
        scaled="self_attn.q_norm.weight",
        largest_layers=62,
    ),
    "llama": Kind(MODEL_ARCH.LLAMA, turned=True),
    "mistral": Kind(MODEL_ARCH.LLAMA, turned=True),
    "qwen2": Kind(MODEL_ARCH.QWEN2),
    "qwen3": Kind(MODEL_ARCH.QWEN3),
}
# What Gemma 3's own class takes where config.json is silent, as it is for the models with pictures.
GEMMA_3: Final[dict[str, Any]] = {
    "hidden_activation": "gelu_pytorch_tanh",
    "rms_norm_eps": 1e-6,
    "query_pre_attn_scalar": 256,
    "sliding_window": 4096,
    "rope_theta": 1_000_000.0,
}
PLAIN_ROPE: Final = frozenset(["rope_theta", "rope_type", "type", "factor", "partial_rotary_factor"])
LLAMA_3_ROPE: Final = frozenset(["low_freq_factor", "high_freq_factor", "original_max_position_embeddings"])


@dataclass(frozen=True)
class Model:
    """The language part of a model, its numbers checked."""

    kind: Kind
    config: dict[str, Any]
    tied: bool

    @property
    def layers(self) -> int:
        return self.number("num_hidden_layers")

    @property
    def heads(self) -> int:
        return self.number("num_attention_heads")

    @property
    def head_dim(self) -> int:
        return self.number("head_dim", self.number("hidden_size") // self.heads)

    @property
    def vocab_size(self) -> int:
        return self.number("vocab_size")

    @property
    def scale(self) -> float:
        """What attention is multiplied by here, in units of what llama.cpp multiplies it by."""
        wanted = self.config.get("query_pre_attn_scalar") if self.kind.scaled else None
        is_largest = self.kind.largest_layers == self.layers
        theirs = self.number("hidden_size") // self.heads if is_largest else self.head_dim
        return math.sqrt(theirs / wanted) if wanted else 1.0

    def number(self, name: str, otherwise: int | None = None) -> int:
        value = self.config.get(name)
        value = otherwise if value is None else value
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 10**8:
            raise DataError(
                "This model's description is not complete.",
                f"In its config.json, {name} is “{printable(value)}”.",
                "Choose another model, or download this one again.",
            )
        return value

    def rope(self, part: str = "full_attention") -> dict[str, Any]:
        """Rotary settings of one kind of attention, as transformers 5 or an older one wrote them."""
        said = self.config.get("rope_parameters") or {}
        if part in said:
            return said[part]
        if said and part == "full_attention":
            return said
        if part == "sliding_attention":
            return {"rope_theta": self.config.get("rope_local_base_freq", 10_000.0)}
        scaling = self.config.get("rope_scaling") or {}
        return {"rope_theta": self.config.get("rope_theta", 10_000.0)} | scaling


def read_model(base: Path) -> Model:
    """Raises: `DataError` for a damaged description, `SettingError` for a model that cannot be written."""
    config = read_config(base / "config.json")
    name = str(config["model_type"])
    kind = KINDS.get("gemma3_text" if name == "gemma3" else name)
    if kind is None:
        raise refused(f"We know no rule yet for models of the kind “{printable(name)}”.")
    defaults = GEMMA_3 if kind.arch is MODEL_ARCH.GEMMA3 else {}
    model = Model(kind, defaults | language_part(config), tied_in(config))
    _require_known(model)
    return model


def describe(model: Model, into: GGUFWriter) -> None:
    """Write the numbers llama.cpp needs."""
    config = model.config
    into.add_context_length(model.number("max_position_embeddings"))
    into.add_embedding_length(model.number("hidden_size"))
    into.add_block_count(model.layers)
    into.add_feed_forward_length(model.number("intermediate_size"))
    into.add_head_count(model.heads)
    into.add_head_count_kv(model.number("num_key_value_heads", model.heads))
    into.add_key_length(model.head_dim)
    into.add_value_length(model.head_dim)
    into.add_vocab_size(model.vocab_size)
    into.add_layer_norm_rms_eps(config["rms_norm_eps"])
    into.add_rope_dimension_count(model.head_dim)
    into.add_rope_freq_base(model.rope()["rope_theta"])
    if rope_kind(model.rope()) == "linear":
        into.add_rope_scaling_type(RopeScalingType.LINEAR)
        into.add_rope_scaling_factor(model.rope()["factor"])
    if model.kind.window_period:
        into.add_sliding_window(model.number("sliding_window"))
    if model.kind.window_period == 6:
        into.add_rope_freq_base_swa(model.rope("sliding_attention")["rope_theta"])
    if model.kind.softcaps:
        into.add_attn_logit_softcapping(config["attn_logit_softcapping"])
        into.add_final_logit_softcapping(config["final_logit_softcapping"])


def rope_kind(rope: dict[str, Any]) -> str:
    return rope.get("rope_type") or rope.get("type") or "default"


def refused(why: str) -> SettingError:
    return SettingError(
        "This model cannot be written as GGUF.", why, "Choose another model, or keep the adapter as it is."
    )


def _require_known(model: Model) -> None:
    """Raises: `SettingError` for the first number that llama.cpp would not compute with."""
    config, kind = model.config, model.kind
    activation = config.get("hidden_activation") or config.get("hidden_act")
    if activation not in kind.activations:
        raise refused(f"Its activation is “{printable(activation)}”.")
    for name in ("attention_bias", "mlp_bias", "use_bidirectional_attention", "use_sliding_window"):
        if config.get(name):
            raise refused(f"In its config.json, {name} is switched on.")
    for name in ("attn_logit_softcapping", "final_logit_softcapping"):
        if bool(config.get(name)) != (name in kind.softcaps):
            raise refused(f"In its config.json, {name} is “{printable(config.get(name))}”.")
    if not model.tied and not kind.separate_output:
        raise refused("Its output layer is not its embedding, as it is in every model of this kind.")
    if model.heads % model.number("num_key_value_heads", model.heads) or model.head_dim % 2:
        raise refused("Its attention heads cannot be divided among its keys.")
    _require_known_windows(model)
    _require_known_rope(model)


def _require_known_windows(model: Model) -> None:
    period, config = model.kind.window_period, model.config
    default = ["full_attention"] * model.layers
    if period:
        default = ["sliding_attention" if (layer + 1) % period else "full_attention" for layer in range(model.layers)]
        stated = config.get("sliding_window_pattern") or config.get("_sliding_window_pattern")
        if "layer_types" not in config and stated not in (None, period):
            raise refused(f"Every {stated}th of its layers sees everything, and llama.cpp takes {period}.")
    if (config.get("layer_types") or default) != default:
        raise refused("Its layers with and without a sliding window come in an order llama.cpp does not know.")
    if not period and config.get("model_type") == "mistral" and config.get("sliding_window"):
        raise refused("Its attention has a sliding window, and llama.cpp would leave that out.")


def _require_known_rope(model: Model) -> None:
    rope = model.rope()
    known = ("default", "linear", "llama3") if model.kind.turned else ("default", "linear")
    extra = LLAMA_3_ROPE if rope_kind(rope) == "llama3" else frozenset()
    if rope_kind(rope) not in known or {name for name, value in rope.items() if value} - PLAIN_ROPE - extra:
        raise refused(f"Its positions are encoded in the way “{printable(rope_kind(rope))}”.")
    if rope.get("partial_rotary_factor", 1.0) not in (None, 1, 1.0):
        raise refused("Only part of each attention head knows its position.")
    if model.kind.window_period == 6 and rope_kind(model.rope("sliding_attention")) != "default":
        raise refused("The positions of its sliding window are scaled.")
    if model.kind.window_period == 2 and rope_kind(rope) != "default":
        raise refused("Its positions are scaled.")
