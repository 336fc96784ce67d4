"""What one does with runs that were, from a terminal: every command reads its flags, and clone knows every setting."""

import pytest

from facet.cli.main import read_arguments
from facet.recipe.knobs import settings
from facet.recipe.methods import RECIPES


def test_every_setting_of_every_way_of_training_can_be_changed_in_a_clone():
    for recipe in RECIPES.values():
        for setting in settings(recipe):
            value = [] if setting.type is bool else ["1"]
            assert getattr(read_arguments(["clone", "RUN", setting.flag, *value]), setting.name) is not None


@pytest.mark.parametrize(
    "line",
    ["runs --compare A B --json", "note A words", "script A --to train.py", "track A --to trackio --wait"],
)
def test_the_commands_are_there(line):
    assert callable(read_arguments(line.split()).command)


def test_a_tracker_nobody_knows_is_wrong_usage():
    with pytest.raises(SystemExit) as ended:
        read_arguments(["track", "A", "--to", "comet"])
    assert ended.value.code == 2
