"""What a tuned model's licence has to say, for each generation of Gemma and for models we do not know."""

from dataclasses import dataclass

from facet.gemma.models import APACHE, GEMMA_TERMS, LICENCE_URLS, Generation, LicenceId, copied


@dataclass(frozen=True)
class Licence:
    """`card_id` is the `license:` of a model card on the Hub; `notice` is a paragraph of Markdown."""

    card_id: LicenceId
    name: str
    link: str | None
    notice: str


GEMMA = Licence(
    "gemma",
    "Gemma Terms of Use",
    GEMMA_TERMS,
    f"This model was made by tuning a Gemma model, so it is a derivative of Gemma under the "
    f"[Gemma Terms of Use]({GEMMA_TERMS}). Whoever uses or passes it on is bound by those terms and by the "
    "[Prohibited Use Policy](https://ai.google.dev/gemma/prohibited_use_policy) they refer to. If you pass it on, "
    "pass on a copy of the terms, and say which files were changed: the adapter weights in this folder are new, "
    "made by tuning. Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms.",
)
APACHE_2 = Licence(
    "apache-2.0",
    "Apache License 2.0",
    APACHE,
    f"The model this one was tuned from is available under the [Apache License 2.0]({APACHE}). "
    "The adapter weights in this folder are a change made by tuning.",
)
LLAMA = Licence(
    "llama3.2",
    "Llama 3.2 Community License",
    LICENCE_URLS["llama3.2"],
    f"Built with Llama. This model was made by tuning a Llama 3.2 model under the [Llama 3.2 Community License]"
    f"({LICENCE_URLS['llama3.2']}), Copyright © Meta Platforms, Inc. All Rights Reserved. Whoever passes it on passes "
    "on a copy of that agreement, shows “Built with Llama”, and begins the name of the model with “Llama”. The "
    "adapter weights in this folder are new, made by tuning.",
)
UNKNOWN = Licence(
    "other",
    "The starting model's licence",
    None,
    "Facet does not know the licence of the model this one was tuned from. Look it up on the page of the starting "
    "model before you use or share this one: its terms hold for what is made from it.",
)


def of_generation(generation: Generation) -> Licence:
    """The licence that comes with a generation: Gemma 1 to 3 have terms of their own, Gemma 4 is Apache-2.0."""
    if generation in ("starter", "4"):
        return APACHE_2
    return GEMMA if generation in ("1", "2", "3", "3n") else UNKNOWN


def licence_of(base_model: str, generation: Generation, stated: str | None = None) -> Licence:
    """The licence of a base model: what we know of it by name, then by generation, then what its own page states."""
    offered = copied(base_model)
    known = _BY_ID.get(offered.licence, UNKNOWN) if offered else of_generation(generation)
    return known if known is not UNKNOWN or not stated else _BY_ID.get(stated, UNKNOWN)


_BY_ID = {licence.card_id: licence for licence in (APACHE_2, GEMMA, LLAMA)}
