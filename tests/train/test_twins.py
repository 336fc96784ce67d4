"""The same training started twice, from two tabs: it is asked about once, and an answer is an answer."""

import pytest

from facet.errors import SettingError
from facet.identity import LOCAL
from facet.recipe.knobs import read_recipe
from facet.recipe.recipes import SftRecipe
from tests.journeys import TASTE, a_studio, prepared_example

pytestmark = pytest.mark.tiny


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    studio = a_studio(tmp_path_factory.mktemp("twins") / "home")  # nothing conducts it, so runs wait
    return studio, prepared_example(studio)


def press(lab, **settings) -> str:
    studio, dataset_id = lab
    return studio.start(LOCAL, dataset_id, "starter", read_recipe(SftRecipe, TASTE | settings), "mine", ask_first=True)


def test_the_second_start_of_the_same_is_asked_about_and_the_third_press_starts_it(lab):
    studio, _ = lab
    first = press(lab, seed=1)
    with pytest.raises(SettingError, match="going on already") as asked:
        press(lab, seed=1)
    assert "“mine”" in asked.value.why and "once more" in asked.value.next
    second = press(lab, seed=1)
    assert second != first
    assert {first, second} <= {card.id for card in studio.runs(LOCAL)}


def test_another_setting_is_another_training(lab):
    press(lab, seed=2)
    assert press(lab, seed=3)


def test_one_that_is_over_is_not_asked_about(lab):
    studio, _ = lab
    first = press(lab, seed=4)
    studio.pause(LOCAL, first)
    assert press(lab, seed=4)
