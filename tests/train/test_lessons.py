"""What of an example is learned: the answers, the last one, everything; texts packed, cut, or left out."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from facet.dataset.render import Renderer
from facet.dataset.tokens import tokens as shown_tokens
from facet.model.tokens import IGNORED, Lesson, TokenCounts, packed, write_tokens
from facet.recipe.recipes import PretrainRecipe, SftRecipe
from facet.starter import FOLDER
from facet.train.rows import _nothing_left, lesson_of

TURNS = [
    {"role": "user", "content": "What is red?"},
    {"role": "assistant", "content": "A rose."},
    {"role": "user", "content": "And blue?"},
    {"role": "assistant", "content": "The sea."},
]
TEXTS = ["The sea is blue.", "A rose is red, and it smells well in the summer.", "Lima."]


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer.load(FOLDER)


def learned(renderer: Renderer, train_on: str, turns=TURNS) -> list[str]:
    """The learned pieces of one conversation, as texts."""
    row = renderer.render_many([turns], None, None, train_on)[0]
    groups: list[list[int]] = [[]]
    for token, trained in zip(row.ids, row.trained, strict=True):
        if trained:
            groups[-1].append(token)
        elif groups[-1]:
            groups.append([])
    return [renderer.tokenizer.decode(group, skip_special_tokens=True).strip() for group in groups if group]


def test_of_a_conversation_the_answers_are_learned_or_the_last_or_all_of_it(renderer):
    assert learned(renderer, "answers") == ["A rose.", "The sea."]
    assert learned(renderer, "last_answer") == ["The sea."]
    (everything,) = learned(renderer, "everything")
    assert "What is red?" in everything and "And blue?" in everything and "The sea." in everything


def test_an_answer_of_weight_0_is_never_learned(renderer):
    turns = [*TURNS[:3], TURNS[3] | {"weight": 0}]
    assert learned(renderer, "last_answer", turns) == ["A rose."]
    assert "The sea." not in "".join(learned(renderer, "everything", turns))


def part(place: Path, **columns: list) -> Path:
    pq.write_table(pa.table(columns), place / "train.parquet")
    return place / "train.parquet"


def rows_of(file: Path) -> list[dict]:
    with pa.memory_map(str(file)) as source:
        return pa.ipc.open_stream(source).read_all().to_pylist()


def test_packed_texts_fill_every_block_but_the_last_and_nothing_is_lost(renderer, tmp_path):
    counts = write_tokens(part(tmp_path, text=TEXTS), tmp_path / "a", renderer, Lesson(8, packing=True))
    rows = [row["input_ids"] for row in rows_of(tmp_path / "a")]
    whole = [number for text in TEXTS for number in renderer.chunks(text)[0].ids]
    joined = [number for row in rows for number in row]
    assert joined == whole[: len(joined)] and len(whole) - len(joined) <= 1
    assert {len(row) for row in rows[:-1]} == {8} and counts.rows == len(rows) and counts.trained == len(joined)
    ends = set(renderer._closing)
    assert ends and sum(number in ends for number in whole) == len(TEXTS), "an end stands between two texts"
    assert all(row["labels"] == row["input_ids"] for row in rows_of(tmp_path / "a"))


def test_without_packing_every_text_begins_a_part_of_its_own(renderer, tmp_path):
    write_tokens(part(tmp_path, text=TEXTS), tmp_path / "a", renderer, Lesson(8))
    assert [row["input_ids"] for row in rows_of(tmp_path / "a")] == [
        one.ids for text in TEXTS for one in renderer.chunks(text, 8)
    ]


@pytest.mark.parametrize("packing", [True, False])
def test_whole_texts_are_too_short_and_not_their_pieces(renderer, tmp_path, packing):
    """Measured on pieces, short texts would stay, and long ones would lose their last words and their end."""
    whole = [renderer.chunks(text)[0].ids for text in TEXTS]
    fewest = min(map(len, whole)) + 1  # and no piece is as long as that
    lesson = Lesson(fewest - 1, packing=packing, min_length=fewest)

    counts = write_tokens(part(tmp_path, text=TEXTS), tmp_path / "a", renderer, lesson)

    kept = [number for ids in whole if len(ids) >= fewest for number in ids]
    found = [number for row in rows_of(tmp_path / "a") for number in row["input_ids"]]
    assert counts.left_out == sum(len(ids) < fewest for ids in whole) < len(TEXTS)
    assert found == kept[: len(found)] and len(kept) - len(found) <= packing, "a last token alone is no block"


def test_where_every_text_is_too_short_the_error_names_the_one_setting_that_helps():
    told = _nothing_left(TokenCounts(left_out=3), PretrainRecipe(min_length=500, max_length=64))
    assert "3 texts have fewer than 500 tokens" in told.why and told.next == "Lower “Fewest word pieces”."


def test_a_last_token_alone_is_no_block():
    assert [len(row.ids) for row in packed([[1] * 9], 4)] == [4, 4]
    assert [len(row.ids) for row in packed([[1] * 5, [2] * 5], 4)] == [4, 4, 2]
    assert list(packed([], 4)) == []


def conversations(place: Path) -> Path:
    kind = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    return part(place, row=[0, 1, 2], messages=pa.array([TURNS, TURNS[:2], TURNS], kind))


def test_long_and_short_examples_are_left_out_and_only_so_many_taken(renderer, tmp_path):
    file, lengths = conversations(tmp_path), [len(renderer.render(turns).ids) for turns in (TURNS, TURNS[:2])]
    long, short = lengths
    taken = write_tokens(file, tmp_path / "a", renderer, Lesson(long - 1, leave_out_long=True))
    assert (taken.rows, taken.left_out, taken.cut) == (1, 2, 0)
    taken = write_tokens(file, tmp_path / "a", renderer, Lesson(long, min_length=short + 1))
    assert (taken.rows, taken.left_out) == (2, 1)
    taken = write_tokens(file, tmp_path / "a", renderer, Lesson(long, most=2))
    assert taken.rows == len(rows_of(tmp_path / "a")) == 2 and taken.tokens == long + short


def test_the_last_answer_cut_off_leaves_nothing_to_learn(renderer, tmp_path):
    size = len(renderer.prompt(TURNS[:3]))
    counts = write_tokens(conversations(tmp_path), tmp_path / "a", renderer, Lesson(size, train_on="last_answer"))
    assert (counts.rows, counts.nothing_left, counts.cut) == (1, 2, 2)
    labels = rows_of(tmp_path / "a")[0]["labels"]
    assert any(label != IGNORED for label in labels)


def test_what_is_shown_is_what_is_learned(renderer, tmp_path):
    conversations(tmp_path)
    (tmp_path / "dataset.json").write_text(json.dumps({"type": "conversation"}))
    found = shown_tokens(str(tmp_path), str(FOLDER), count=1, train_on="last_answer")["examples"][0]["pieces"]
    assert "".join(text for text, is_learned, _ in found if is_learned).startswith("The sea.")


def test_every_setting_of_the_data_reaches_the_lesson():
    recipe = SftRecipe(max_length=64, train_on="last_answer", too_long="leave_out", min_length=3, max_examples=7)
    assert lesson_of(recipe) == Lesson(64, "last_answer", True, 3, False, 7)
    assert lesson_of(PretrainRecipe(max_length=64)) == Lesson(64, packing=True)
    assert lesson_of(PretrainRecipe(max_length=64, packing=False)) == Lesson(64)
