"""The methods of training and the recipe of each."""

from typing import Any, Literal, get_args

from facet.recipe.recipes import PretrainRecipe, SftRecipe, TrainingRecipe

Method = Literal["sft", "cpt"]
METHODS: tuple[Method, ...] = get_args(Method)
RECIPES: dict[Method, type[TrainingRecipe]] = {"sft": SftRecipe, "cpt": PretrainRecipe}


def recipe_of(request: dict[str, Any]) -> TrainingRecipe:
    """The recipe in the request of a run. One without a method was made by an earlier Facet, which knew one."""
    return RECIPES[request.get("method", "sft")](**request["recipe"])


def method_of(recipe: TrainingRecipe) -> Method:
    return next(method for method, kind in RECIPES.items() if type(recipe) is kind)
