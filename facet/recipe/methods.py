"""The methods of training and the recipe of each."""

from typing import Any, Literal, get_args

from facet.recipe.recipes import PretrainRecipe, SftRecipe, TrainingRecipe

Method = Literal["sft", "cpt"]
METHODS: tuple[Method, ...] = get_args(Method)
RECIPES: dict[Method, type[TrainingRecipe]] = {"sft": SftRecipe, "cpt": PretrainRecipe}

# What Facet 0.5 did, which had no names for it. Its recipes hold these three, and not `keep_best`.
EARLIER: dict[str, Any] = {"train_sampling_strategy": "random", "early_stopping_patience": None, "keep_best": False}
OF_OLD = frozenset({"seed", "evaluations", "lora_scale"})


def recipe_of(request: dict[str, Any]) -> TrainingRecipe:
    """The recipe in the request of a run. One without a method was made by an earlier Facet, which knew one."""
    return RECIPES[request.get("method", "sft")](**as_meant(request["recipe"]))


def as_meant(values: dict[str, Any]) -> dict[str, Any]:
    """The settings of a whole recipe. One by an earlier Facet goes on as it was meant: in its order, to its end."""
    return EARLIER | values if values.keys() >= OF_OLD and "keep_best" not in values else values


def method_of(recipe: TrainingRecipe) -> Method:
    return next(method for method, kind in RECIPES.items() if type(recipe) is kind)
