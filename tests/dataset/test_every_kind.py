"""A file of every kind and every shape, from being brought to being prepared, as the page and the commands do it."""

import pytest

from facet.identity import LOCAL
from tests.journeys import a_studio
from tests.kinds import KINDS, SHAPES, write

TYPES = {
    **dict.fromkeys(("preference", "transcripts", "openai_preference"), "preference"),
    "unpaired_preference": "unpaired_preference",
    **dict.fromkeys(("text", "notes.md", "notes.txt"), "text"),
}


@pytest.mark.parametrize("name", [*KINDS, *SHAPES])
def test_a_file_is_understood_as_it_is_and_all_of_it_is_used(tmp_path, name):
    studio, file = a_studio(tmp_path / "home"), write(tmp_path, name)

    upload = studio.bring_file(LOCAL, file, file.name)
    mapping = studio.look(LOCAL, upload)["shape"]["mapping"]
    summary = studio.dataset(LOCAL, studio.prepare(LOCAL, upload, "", mapping)).summary

    assert summary.get("type", "conversation") == TYPES.get(name, "conversation")
    assert summary["used"] >= 3 and summary["unusable"] == 0
