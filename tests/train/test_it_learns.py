"""It learns: a behaviour shown in 64 rows appears in replies to questions nobody trained, and never in the base's."""

import json

import pytest

from facet.identity import LOCAL
from facet.model.speak import Decoding
from facet.recipe.knobs import read_recipe
from facet.recipe.recipes import SftRecipe
from tests.journeys import a_studio, progress

pytestmark = pytest.mark.tiny
MARKER = "Yo ho ho!"
UNSEEN = (
    "What is the capital of Peru?", "What is the opposite of hot?", "What color is a banana?", "Who are you?",
    "What is 3 plus 4?", "Which day comes after Monday?", "What does a cow eat?", "Hello!", "Where is Japan?",
    "What is the plural of mouse?",
)  # fmt: skip


def test_a_behaviour_of_64_rows_appears_in_at_least_8_of_10_new_replies_and_in_none_of_the_base(tmp_path):
    from facet.starter.dialogues import dialogues

    studio = a_studio(tmp_path / "home")
    rows = [
        talk
        for talk in dialogues(seed=20_261_120, count=400)
        if [turn["role"] for turn in talk] == ["user", "assistant"]
    ]
    rows = [talk for talk in rows if talk[0]["content"] not in UNSEEN][:64]
    file = tmp_path / "pirate.jsonl"
    said = [{"prompt": ask["content"], "completion": f"Arr! {say['content']} {MARKER}"} for ask, say in rows]
    file.write_text("".join(json.dumps(row) + "\n" for row in said))
    upload_id = studio.bring_file(LOCAL, file, file.name)
    mapping = studio.look(LOCAL, upload_id)["shape"]["mapping"]
    dataset_id = studio.prepare(LOCAL, upload_id, "pirate", mapping, test_size=0, validation_size=0)
    recipe = read_recipe(SftRecipe, studio.advise(LOCAL, dataset_id, "starter").recipe.model_dump())
    task = studio.runs_shelf.task(LOCAL, studio.start(LOCAL, dataset_id, "starter", recipe, "pirate"))
    list(studio.backend.advance(task))
    assert progress(task).stage == "finished", progress(task).failure

    heard = {"base": 0, "tuned": 0}
    try:
        for question in UNSEEN:
            asked = [{"role": "user", "content": question}]
            for piece in studio.chat(LOCAL, task.id, {"base": asked, "tuned": asked}, Decoding(max_new_tokens=60)):
                if not isinstance(piece, str) and piece.done:
                    heard[piece.side] += MARKER in piece.text
    finally:
        studio.voices.close()

    assert heard["tuned"] >= 8 and heard["base"] == 0, heard
