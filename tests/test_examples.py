"""The bundled examples: right in themselves, understood without a word, and made anew where a script made them."""

import csv
import io
import json
import re
import zipfile
from collections import Counter
from datetime import date
from typing import Any

import pytest
from PIL import Image, ImageChops

from examples.make import household, shapes, word_problems
from facet.dataset.conversation import DATASET_TYPES
from facet.dataset.doctor.examine import examine
from facet.dataset.examples import EXAMPLES, FOLDER, BundledExample, find
from facet.dataset.look import look
from facet.dataset.prepare import prepare
from facet.dataset.store import whole_examples
from facet.dataset.uploads import Uploads
from facet.identity import LOCAL
from facet.workspace import Workspace

LARGEST_BYTES = 600_000
GOALS = ["Style", "Format", "Sorting", "Facts", "Conversations", "Preference", "Reasoning", "Tools", "Pictures"]
GOALS += ["Raw text"]


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in find(name).path.read_text("utf-8").splitlines()]


@pytest.fixture
def readable(tmp_path):
    """What a bundled example is read from, once it was brought in."""
    uploads = Uploads(Workspace(tmp_path / "home"), hub=None)

    def bring(example: BundledExample) -> dict[str, Any]:
        return uploads.readable(LOCAL, uploads.bring_example(LOCAL, example.name))

    return bring


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_is_understood_and_prepared_without_a_warning(readable, tmp_path, example):
    brought = readable(example)
    seen = look(brought["file"], brought["original_name"], brought["correction"])
    assert [each for each in seen["warnings"] if not each.startswith("Each row is a section")] == []
    assert seen["shape"]["mapping"]["type"] == example.type

    into = tmp_path / "made"
    into.mkdir()
    summary = prepare(**brought, mapping=seen["shape"]["mapping"], into=str(into), name=example.title)

    assert summary["rows_in"] == summary["used"] == example.rows
    assert summary["duplicates"] == 0 and summary["type"] == example.type
    assert min(summary["splits"].values()) >= 2


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_the_doctor_finds_nothing_to_repair_in_an_example(readable, tmp_path, example):
    into = tmp_path / "made"
    into.mkdir()
    prepare(**readable(example), mapping=None, into=str(into), name=example.title)
    assert [finding["title"] for finding in examine(str(into))["findings"]] == []


def test_there_is_one_example_for_each_goal():
    assert [example.goal for example in EXAMPLES] == GOALS
    assert len({example.name for example in EXAMPLES}) == len(EXAMPLES)
    assert {example.type for example in EXAMPLES} <= set(DATASET_TYPES)


def test_cards_have_short_titles_and_one_sentence():
    for example in EXAMPLES:
        assert len(example.title) <= 40
        assert len(example.words) <= 100 and re.fullmatch(r"[^.]+\.", example.words)


def test_every_file_is_bundled_listed_and_small():
    files = {file.name for file in FOLDER.iterdir() if file.is_file()} - {"README.md", "__init__.py"}
    assert files == {example.file for example in EXAMPLES}
    listed = (FOLDER / "README.md").read_text("utf-8")
    for example in EXAMPLES:
        number = "3,100 words" if example.type == "text" else example.rows
        assert f"| `{example.file}` | {number} |" in listed
    assert sum(file.stat().st_size for file in FOLDER.rglob("*") if "__pycache__" not in file.parts) < LARGEST_BYTES


# --- what scripts made


def test_the_word_problems_are_what_their_script_writes():
    """To write them anew: python -m examples.make.word_problems"""
    assert find("word_problems").path.read_bytes() == word_problems.text().encode()


def test_the_household_talks_are_what_their_script_writes():
    """To write them anew: python -m examples.make.household"""
    assert find("household").path.read_bytes() == household.text().encode()


def test_the_pictures_are_what_their_script_draws():
    """To draw them anew: python -m examples.make.shapes. How PNG packs them may differ, every pixel must not."""
    with zipfile.ZipFile(find("shapes").path) as archive:
        assert archive.read("rows.csv").decode() == shapes.table()
        for number, (things, _, _) in enumerate(shapes.rows(), 1):
            content = archive.read(shapes.name(number))
            assert len(content) <= 2_000
            with Image.open(io.BytesIO(content)) as picture:
                drawn = shapes.draw(things).convert("RGB")
                assert ImageChops.difference(picture.convert("RGB"), drawn).getbbox() is None


def test_the_zip_of_pictures_is_the_same_each_time(tmp_path):
    for name in ("one.zip", "two.zip"):
        shapes.write(tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


# --- whether they are right


def test_every_step_of_a_word_problem_is_calculated_right():
    signs = str.maketrans("×÷−", "*/-")
    equations = 0
    for row in lines("word_problems"):
        for left, right in re.findall(r"([\d ×÷+−()]+) = (\d+)", row["solution"]):
            assert calculated(left.translate(signs)) == int(right), row
            equations += 1
        assert row["solution"].splitlines()[-1] == f"Answer: {row['final_answer']}"
        assert int(row["final_answer"]) > 0
    assert equations >= 2 * find("word_problems").rows - 20


def calculated(text: str) -> float:
    """Sums, products and one pair of brackets, without asking Python to run the text."""
    text = re.sub(r"\(([^()]+)\)", lambda found: f"{calculated(found[1]):g}", text)
    total = 0.0
    for sign, term in re.findall(r"([+-]?)\s*([\d.]+(?:\s*[*/]\s*[\d.]+)*)", text):
        first, *more = re.split(r"\s*([*/])\s*", term)
        value = float(first)
        for operator, number in zip(more[::2], more[1::2], strict=True):
            value = value * float(number) if operator == "*" else value / float(number)
        total += -value if sign == "-" else value
    return total


def test_no_word_problem_is_told_twice():
    without_numbers = [re.sub(r"\d+", "#", row["problem"]) for row in lines("word_problems")]
    assert max(Counter(without_numbers).values()) <= 2


def test_every_museum_fact_is_asked_in_four_ways_and_answered_in_different_words():
    rows = list(csv.DictReader(find("museum_facts").path.read_text("utf-8").splitlines()))
    facts = Counter(row["fact"] for row in rows)
    assert set(facts.values()) == {4} and len(facts) == 34
    assert len({row["question"] for row in rows}) == len({row["answer"] for row in rows}) == len(rows)


def test_grouped_by_fact_the_exam_asks_about_facts_that_were_not_learned(readable, tmp_path):
    into = tmp_path / "made"
    into.mkdir()
    prepare(**readable(find("museum_facts")), mapping=None, into=str(into), name="Facts", group="fact")
    parts = ("train", "validation", "exam")
    facts = [{example["group"] for _, example in whole_examples(into / f"{part}.parquet")} for part in parts]
    assert all(facts) and sum(map(len, facts)) == len(set.union(*facts)) == 34


def test_numbers_of_the_museum_agree_with_each_other():
    text = find("museum_facts").path.read_text("utf-8")
    assert 1957 - 1809 == 148 and "after 148 years" in text
    assert 1957 - 1919 == 38 and "For 38 years, from 1919 until the last crossing in 1957" in text
    assert set(re.findall(r"last entry is at (\S+?)[.,]", text, re.I)) == {"16:15"}


def test_the_preferred_answers_are_not_simply_the_longer_or_the_shorter_ones():
    rows = lines("kind_and_clear")
    longer = sum(len(row["chosen"]) > len(row["rejected"]) for row in rows) / len(rows)
    assert 0.3 <= longer <= 0.8
    assert len({row["prompt"] for row in rows}) == len(rows)
    assert all(row["chosen"] != row["rejected"] for row in rows)


def test_garden_talks_have_an_instruction_several_turns_and_short_answers():
    for row in lines("garden_talks"):
        first, *turns = row["messages"]
        assert first["role"] == "system"
        assert [turn["role"] for turn in turns] == ["user", "assistant"] * (len(turns) // 2)
        assert len(turns) >= 4
        for turn in turns[1::2]:
            assert len(re.findall(r"[.?!](?:\s|$)", turn["content"])) <= 4, turn


def test_tools_are_called_as_they_are_declared():
    for row in lines("household"):
        declared = {tool["function"]["name"]: tool["function"]["parameters"] for tool in row["tools"]}
        asked = [call for turn in row["messages"] for call in turn.get("tool_calls", ())]
        answered = [turn["tool_call_id"] for turn in row["messages"] if turn["role"] == "tool"]
        assert [call["id"] for call in asked] == answered
        for call in asked:
            arguments = json.loads(call["function"]["arguments"])
            assert set(arguments) == set(declared[call["function"]["name"]]["required"])
        assert row["messages"][-1]["role"] == "assistant" and row["messages"][-1]["content"]


def test_days_of_the_week_that_are_named_are_the_days_that_are_called_with():
    days = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
    checked = 0
    for row in lines("household"):
        said = next(turn["content"] for turn in row["messages"] if turn["role"] == "user")
        named = [day for day in days if day in said]
        calls = [call["function"] for turn in row["messages"] for call in turn.get("tool_calls", ())]
        dated = [day for call in calls if (day := json.loads(call["arguments"]).get("day"))]
        if len(named) == len(dated) == 1:
            assert f"{date.fromisoformat(dated[0]):%A}" == named[0], row
            checked += 1
    assert checked >= 10


def test_a_third_of_the_household_talks_need_no_tool():
    without = [row for row in lines("household") if not any("tool_calls" in turn for turn in row["messages"])]
    assert 0.2 <= len(without) / find("household").rows <= 0.4


def test_the_answers_about_shapes_are_true_of_the_pictures():
    numbers = {word: number for number, word in enumerate(shapes.NUMBERS)}
    for things, question, answer in shapes.rows():
        counted = re.fullmatch(r"There (?:is|are) (\w+)(?: (\w+))? (\w+?)s?\.", answer)
        if counted:
            number, colour, shape = counted.groups()
            meant = [thing for thing in things if thing.shape == shape and colour in (None, thing.colour)]
            assert len(meant) == numbers[number], (question, answer)
        if question.startswith("Is there"):
            asked = question.removeprefix("Is there ").split(" ", 1)[1].rstrip("?")
            assert (asked in [thing.words for thing in things]) == answer.startswith("Yes")


def test_things_in_a_picture_stay_inside_and_apart():
    for things, _, _ in shapes.rows():
        for thing in things:
            assert all(thing.radius <= at < shapes.SIDE - thing.radius for at in thing.centre)
        centres = [thing.centre for thing in things]
        assert len(set(centres)) == len(centres)


def test_the_handbook_is_a_book_with_headings():
    text = find("repair_handbook").path.read_text("utf-8")
    assert 3_000 <= len(text.split()) <= 3_400
    assert len(re.findall(r"^##+ ", text, re.M)) >= 20


def test_pictures_stay_with_their_questions(readable, tmp_path):
    into = tmp_path / "made"
    into.mkdir()
    prepare(**readable(find("shapes")), mapping=None, into=str(into), name="Shapes")
    seen = [example for part in into.glob("*.parquet") for _, example in whole_examples(part)]
    assert len(seen) == find("shapes").rows
    assert all(len(example["images"]) == 1 for example in seen)
    assert all((into / "images" / example["images"][0]).is_file() for example in seen)
