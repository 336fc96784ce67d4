"""The card above “Start training”: what it says, and what its buttons carry."""

import json
import re
from dataclasses import replace
from html import unescape

from facet.errors import CapacityError
from facet.plan_door import Measuring
from facet.recipe.forecast import Measured, Pace
from facet.recipe.knobs import settings
from facet.recipe.recipes import SftRecipe
from facet.ui.plan import describe_plan, predicted_and_actual
from facet.work.log import Progress
from tests.recipe.test_plan import planned

PACE = Pace(0.01, 0.1)


def test_a_run_that_fits_says_how_long_and_how_that_is_known():
    card = str(describe_plan(planned()))
    assert "About " in card and "a rough estimate; nothing was measured yet" in card
    assert "Measure on this machine" in card and "Do this" not in card
    known = str(describe_plan(planned(measured=Measured("measured", PACE, PACE))))
    assert "measured on this machine" in known and "Measure on this machine" not in known


def test_each_button_of_the_ladder_carries_settings_of_the_form():
    card = str(describe_plan(planned(free_gb=2.9)))
    carried = [json.loads(unescape(found)) for found in re.findall(r"data-changes='([^']+)'", card)]
    names = {setting.name for setting in settings(SftRecipe)}
    assert "It does not fit here yet" in card and carried
    assert all(set(changes) <= names for changes in carried)
    assert {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 4} in carried


def test_of_long_examples_it_is_said_whether_they_are_cut_or_left_out():
    def told(too_long: str) -> str:
        return str(describe_plan(planned(SftRecipe(max_length=512, too_long=too_long), free_gb=1.2)))

    assert "more examples are cut" in told("cut") and "left out" not in told("cut")
    assert "more examples are left out" in told("leave_out") and "are cut" not in told("leave_out")


def test_where_nothing_helps_it_says_so():
    assert "Nothing is enough here. Close other programs" in str(describe_plan(planned(free_gb=0.1)))


def test_a_measurement_is_followed_and_its_failure_told():
    works = Measuring("m", Progress(stage="preparing", words="Loading the starting model"))
    assert "Measuring: Loading the starting model" in str(describe_plan(planned(), works))
    error = CapacityError("It was too much.", "There is too little memory.", "Lower “Longest example”.").as_dict()
    failed = str(describe_plan(planned(), Measuring("m", Progress(stage="failed", failure=error))))
    assert "It was too much." in failed and "Measure on this machine" in failed


def test_what_a_place_is_called_is_shown_as_text():
    card = str(describe_plan(planned(words="<script>alert(1)</script>")))
    assert "<script>" not in card and "&lt;script&gt;" in card


def test_minutes_of_a_lent_card_stand_beside_what_is_left():
    card = str(describe_plan(planned(where="zerogpu", device="cuda", quota_seconds=60.0, slice_seconds=30.0)))
    assert "Card minutes" in card and "1.0 of yours are left today" in card


def test_the_page_of_a_run_says_what_was_predicted_only_where_both_are_known():
    assert "took" in str(predicted_and_actual({"minutes": 1.0}, {"minutes": 2.0}))
    assert str(predicted_and_actual(None, {"minutes": 2.0})) == "" == str(predicted_and_actual({"minutes": 1.0}, {}))


def test_rented_machines_that_are_too_small_are_left_out():
    made = planned()
    tiny = replace(made.places[1], free_gb=0.1)
    assert "NVIDIA T4" not in str(describe_plan(replace(made, places=(made.places[0], tiny))))
