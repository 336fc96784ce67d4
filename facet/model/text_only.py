"""The language model alone out of a model whose other parts Facet cannot load."""

from typing import Any

from facet.gemma.kinds import TEXT_ONLY


def text_only(config: dict[str, Any]) -> dict[str, Any]:
    """What `from_pretrained` is told for a model described like this: for most kinds nothing.

    Given the configuration of the language model, transformers takes its weights out of the whole model's files.
    """
    kind = TEXT_ONLY.get(str(config.get("model_type")))
    if kind is None:
        return {}
    from transformers import CONFIG_MAPPING

    squeezed = {name: config[name] for name in ("quantization_config",) if config.get(name)}
    return {"config": CONFIG_MAPPING[kind](**config["text_config"] | squeezed)}
