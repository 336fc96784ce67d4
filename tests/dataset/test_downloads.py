"""What is taken home can be brought back, and is called what others call it."""

import json
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from facet.dataset.download import as_row, download
from facet.dataset.examples import EXAMPLES
from facet.dataset.prepare import prepare
from facet.dataset.shelf import Shelf
from facet.dataset.store import whole_examples
from facet.errors import SettingError
from facet.hub.hub import Hub
from facet.identity import LOCAL
from facet.workspace import Workspace

USER, ANSWER = {"role": "user", "content": "Hi 👋\n<x>"}, {"role": "assistant", "content": "Hello"}
ONE_OF_EACH = [each for each in EXAMPLES if each.name in ("household", "kind_and_clear", "shapes", "repair_handbook")]
QA = {"kind": "question_answer", "user": "question", "assistant": "answer"}


def csv(count: int) -> str:
    return "question,answer\n" + "".join(f'"What ""is"" {n}?","It is\n{n}."\n' for n in range(count))


def lines(file: Path | str) -> list[dict]:
    return [json.loads(line) for line in Path(file).read_text("utf-8").splitlines()]


@pytest.mark.parametrize(
    ("kind", "example", "row"),
    [
        ("conversation", {"messages": [USER, ANSWER]}, {"messages": [USER, ANSWER]}),
        (
            "preference",
            {"messages": [USER], "chosen": [ANSWER], "rejected": [{**ANSWER, "content": "Bah"}]},
            {"prompt": [USER], "chosen": [ANSWER], "rejected": [{**ANSWER, "content": "Bah"}]},
        ),
        (
            "unpaired_preference",
            {"messages": [USER, ANSWER], "label": False},
            {"prompt": [USER], "completion": [ANSWER], "label": False},
        ),
        ("prompt_only", {"messages": [USER], "reference": "42"}, {"prompt": [USER], "reference": "42"}),
        ("text", {"messages": [], "text": "Once"}, {"text": "Once"}),
        (
            "conversation",
            {"messages": [USER, ANSWER], "tools": '[{"name": "f"}]', "images": ["a.png"]},
            {"messages": [USER, ANSWER], "tools": [{"name": "f"}], "images": ["a.png"]},
        ),
    ],
)
def test_every_type_has_the_fields_that_trl_and_openai_give_it(kind, example, row):
    assert as_row(example, kind) == row


def test_one_part_is_one_file_with_one_object_on_each_line(make, tmp_path):
    made = make(csv(30), mapping=QA)
    written = download(str(made.folder), "jsonl", "exam", str(tmp_path))
    assert Path(written).name == "exam.jsonl"
    assert [row["messages"] for row in lines(written)] == list(made.parts["exam"].values())


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_everything_is_one_archive_whose_names_say_the_parts(make, tmp_path, format):
    made = make(csv(30), mapping=QA)
    with zipfile.ZipFile(download(str(made.folder), format, None, str(tmp_path))) as archive:
        assert set(archive.namelist()) == {f"train.{format}", f"validation.{format}", f"exam.{format}"}
        archive.extractall(tmp_path / "out")
    for part, rows in made.parts.items():
        file = tmp_path / "out" / f"{part}.{format}"
        found = lines(file) if format == "jsonl" else pq.read_table(file).to_pylist()
        assert [row["messages"] for row in found] == list(rows.values())
    assert {file.name for file in tmp_path.iterdir() if file.suffix in (".jsonl", ".parquet", ".rows")} == set()


def test_parts_without_rows_are_left_out_of_the_archive(make, tmp_path):
    made = make(csv(30), mapping=QA, splits="none")
    with zipfile.ZipFile(download(str(made.folder), "jsonl", None, str(tmp_path))) as archive:
        assert archive.namelist() == ["train.jsonl"]


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_what_was_taken_home_can_be_brought_back_unchanged(make, tmp_path, format):
    made = make(csv(40), mapping=QA)
    written = download(str(made.folder), format, "train", str(tmp_path))
    into = tmp_path / "again"
    into.mkdir()
    summary = prepare(written, Path(written).name, None, None, str(into), "again", splits="none")
    assert summary["used"] == made.summary["splits"]["train"]
    before = [example for _, example in whole_examples(made.folder / "train.parquet")]
    assert [example for _, example in whole_examples(into / "train.parquet")] == before


@pytest.mark.parametrize("example", ONE_OF_EACH, ids=lambda example: example.name)
def test_every_example_taken_home_and_brought_back_is_the_same_dataset(tmp_path, example):
    shelf = Shelf(Workspace(tmp_path), Hub(tmp_path / "hub"))
    first = shelf.prepare(LOCAL, shelf.bring_example(LOCAL, example.name), "", None, {})
    taken = shelf.download(LOCAL, first)
    again = shelf.prepare(LOCAL, shelf.bring_file(LOCAL, taken, taken.name), "", None, {"splits": "given"})
    one, other = (shelf.card(LOCAL, each).summary for each in (first, again))
    for entry in ("fingerprint", "splits", "type", "extras"):
        assert one[entry] == other[entry]


def test_calls_of_tools_survive_in_both_formats(make, tmp_path):
    call = {"type": "function", "function": {"name": "look_up", "arguments": {"n": 1}}}
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"Number {n}?"},
                {"role": "assistant", "content": "", "tool_calls": [call]},
                {"role": "tool", "content": str(n)},
                {"role": "assistant", "content": f"It is {n}."},
            ]
        }
        for n in range(20)
    ]
    made = make("".join(json.dumps(row) + "\n" for row in rows), "a.jsonl")
    first = lines(download(str(made.folder), "jsonl", "train", str(tmp_path)))[0]
    assert first["messages"][1]["tool_calls"][0]["function"]["name"] == "look_up"
    table = pq.read_table(download(str(made.folder), "parquet", "train", str(tmp_path))).to_pylist()
    assert json.loads(table[0]["messages"][1]["tool_calls"]) == first["messages"][1]["tool_calls"]


def test_pictures_come_along(make, tmp_path):
    made = make(csv(30), mapping=QA)
    (made.folder / "images").mkdir()
    (made.folder / "images" / "a.png").write_bytes(b"picture")
    with zipfile.ZipFile(download(str(made.folder), "jsonl", "train", str(tmp_path))) as archive:
        assert archive.read("images/a.png") == b"picture"


@pytest.mark.parametrize(("format", "part"), [("xml", None), ("jsonl", "../train"), ("jsonl", "usable"), (None, None)])
def test_another_format_or_part_is_refused(make, tmp_path, format, part):
    made = make(csv(12), mapping=QA)
    with pytest.raises(SettingError, match="Choose one of these under “Download”"):
        download(str(made.folder), format, part, str(tmp_path))
