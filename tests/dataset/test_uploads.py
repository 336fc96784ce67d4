"""What a person brings is kept in a folder of their own, opened once, and handed on as arguments for the readers."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from facet.dataset import limited
from facet.dataset.examples import EXAMPLES
from facet.dataset.typed_rows import as_file, markdown_table
from facet.dataset.uploads import Uploads
from facet.errors import DataError, SettingError
from facet.hub.hub import Hub
from facet.identity import LOCAL
from facet.workspace import Workspace
from tests.dataset.packed import QUESTIONS, picture, zipped


@pytest.fixture
def uploads(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    return Uploads(Workspace(home), Hub(home))


@pytest.fixture
def bring(uploads, file):
    def run(content: bytes, name: str) -> str:
        return uploads.bring_file(LOCAL, file(content, "brought"), name)

    return run


def look(uploads: Uploads, upload_id: str, correction: dict | None = None) -> dict:
    readable = uploads.readable(LOCAL, upload_id, correction)
    return limited.call("look", {name: readable[name] for name in ("file", "original_name", "correction")})


def files_of(uploads: Uploads, upload_id: str) -> set[str]:
    folder = uploads.workspace.find(LOCAL, "uploads", upload_id)
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_plain_file_is_kept_as_it_is(uploads, bring):
    upload = bring(QUESTIONS, "My rows.csv")
    readable = uploads.readable(LOCAL, upload, {"delimiter": ","})
    assert Path(readable.pop("file")).read_bytes() == QUESTIONS
    assert readable == {
        "original_name": "My rows.csv", "correction": {"delimiter": ","}, "others": [], "part": None, "images": None,
    }  # fmt: skip
    assert uploads.source(LOCAL, upload)["sha256"]
    assert {"file", "source.json", "about.json"} <= files_of(uploads, upload)


def test_a_packed_file_is_unpacked_and_the_wrapping_not_kept(uploads, bring):
    upload = bring(gzip.compress(QUESTIONS), "rows.csv.gz")
    assert look(uploads, upload)["rows"][0] == {"question": "Who?", "answer": "Me."}
    assert "file" not in files_of(uploads, upload)
    assert uploads.source(LOCAL, upload)["original_name"] == "rows.csv.gz"


def test_a_member_is_chosen_by_its_name(uploads, bring):
    upload = bring(zipped({"a.csv": QUESTIONS * 3, "b.csv": "q,a\nx,y\n"}), "a.zip")
    assert uploads.members(LOCAL, upload) == ["a.csv", "b.csv"]
    assert look(uploads, upload)["columns"][0]["name"] == "question"
    assert look(uploads, upload, {"member": "b.csv"})["columns"][0]["name"] == "q"
    assert uploads.readable(LOCAL, upload)["others"] == []
    with pytest.raises(SettingError, match=r"It holds a\.csv, b\.csv\. Choose another one under “File inside”"):
        uploads.readable(LOCAL, upload, {"member": "../../about.json"})


def test_parts_and_pictures_are_handed_on(uploads, bring):
    rows = "image,text\n1.png,x\n"
    files = {f"{part}/rows.csv": rows for part in ("train", "test")} | {
        "train/1.png": picture(),
        "test/1.png": picture(),
    }
    readable = uploads.readable(LOCAL, bring(zipped(files), "a.zip"))
    assert readable["part"] == "train"
    assert [each["part"] for each in readable["others"]] == ["exam"]
    assert len(list(Path(readable["images"]).iterdir())) == 1


def test_nothing_stays_of_what_was_refused(uploads, bring):
    with pytest.raises(DataError):
        bring(zipped({"../a.csv": QUESTIONS}), "a.zip")
    assert uploads.workspace.all(LOCAL, "uploads") == []


def test_an_upload_of_an_earlier_version_can_still_be_read(uploads, bring):
    upload = bring(QUESTIONS, "a.csv")
    place = uploads.workspace.find(LOCAL, "uploads", upload) / "source.json"
    old = json.loads(place.read_text())
    place.write_text(json.dumps({name: old[name] for name in ("kind", "where", "revision", "original_name", "sha256")}))
    assert uploads.readable(LOCAL, upload)["original_name"] == "a.csv"


def test_every_example_can_be_brought(uploads):
    for example in EXAMPLES:
        upload = uploads.bring(LOCAL, f"example:{example.name}")
        assert Path(uploads.readable(LOCAL, upload)["file"]).stat().st_size > 0


# ---- the Hub
class Brought:
    """What `from_hub.bring` gives: files of two parts, one with pictures."""

    def __init__(self, folder: Path) -> None:
        images = pa.table({"image": [{"bytes": picture(), "path": None}], "text": ["x"]})
        pq.write_table(images, folder / "train.parquet")
        (folder / "test.jsonl").write_text('{"image": null, "text": "y"}\n')
        names = {"train.parquet": "train", "test.jsonl": "exam"}
        self.files = [{"path": folder / name, "name": name, "part": part} for name, part in names.items()]
        self.is_discarded = False

    def source(self) -> dict:
        return {"kind": "hub", "where": "ann/cats:default", "revision": "a" * 40, "original_name": "train.parquet"}

    def discard(self) -> None:
        self.is_discarded = True


def test_all_parts_of_a_dataset_of_the_hub_are_taken_with_their_pictures(uploads, tmp_path, monkeypatch):
    brought = Brought(tmp_path)
    monkeypatch.setattr("facet.dataset.from_hub.bring", lambda *asked, **how: brought)
    upload = uploads.bring(LOCAL, "hub:ann/cats")
    readable = uploads.readable(LOCAL, upload)
    assert readable["part"] == "train" and [each["part"] for each in readable["others"]] == ["exam"]
    (shown,) = Path(readable["images"]).iterdir()
    assert look(uploads, upload)["rows"] == [{"image": {"image": shown.name}, "text": "x"}]
    assert brought.is_discarded and uploads.source(LOCAL, upload)["revision"] == "a" * 40


# ---- folders
def test_a_folder_with_one_table_is_that_table(uploads, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "rows.csv").write_bytes(QUESTIONS)
    upload = uploads.bring(LOCAL, str(tmp_path / "mine"))
    assert look(uploads, upload)["row_count"] == 2
    assert uploads.source(LOCAL, upload)["kind"] == "folder"
    assert (tmp_path / "mine" / "rows.csv").exists()


def test_a_folder_with_several_tables_offers_them(uploads, tmp_path):
    for name, content in (("a", QUESTIONS), ("b", b"x,y,z\n1,2,3\n")):
        (tmp_path / f"{name}.csv").write_bytes(content)
    assert sorted(uploads.members(LOCAL, uploads.bring_folder(LOCAL, tmp_path))) == ["a.csv", "b.csv"]


def test_a_folder_without_rows_is_refused(uploads, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="nothing in what you brought"):
        uploads.bring_folder(LOCAL, tmp_path / "empty")
    with pytest.raises(DataError, match="is not there"):
        uploads.bring_folder(LOCAL, tmp_path / "gone")


# ---- typed and pasted rows
def test_a_grid_becomes_rows_without_its_empty_lines(uploads):
    table = [["question", "answer", ""], ["Who, you?", 'I said "me"', ""], ["", " ", ""], ["two\nlines", "", ""]]
    seen = look(uploads, uploads.bring_rows(LOCAL, table, "mine"))
    assert seen["rows"] == [
        {"question": "Who, you?", "answer": 'I said "me"'},
        {"question": "two\nlines", "answer": ""},
    ]


PASTED = {
    "from a spreadsheet": 'question\tanswer\nWho?\t"a ""b"""\nWhere?\tHere, now.\n',
    "CSV": 'question,answer\nWho?,"a ""b"""\nWhere?,"Here, now."',
    "JSONL": '{"question": "Who?", "answer": "a \\"b\\""}\n{"question": "Where?", "answer": "Here, now."}',
    "JSON": '[{"question": "Who?", "answer": "a \\"b\\""},\n{"question": "Where?", "answer": "Here, now."}]',
    "Markdown": '| question | answer |\n|:---|---:|\n| Who? | a "b" |\n| Where? | Here, now. |\n',
}


@pytest.mark.parametrize("text", PASTED.values(), ids=PASTED)
def test_a_pasted_block_is_understood(uploads, text):
    seen = look(uploads, uploads.bring_rows(LOCAL, text))
    assert seen["rows"] == [
        {"question": "Who?", "answer": 'a "b"'}, {"question": "Where?", "answer": "Here, now."},
    ]  # fmt: skip


def test_pasted_examples_without_names_of_columns_get_them():
    assert as_file("Who?\tMe.\nWhere?\tHere.")[0].startswith("question\tanswer\nWho?\tMe.")


def test_a_cell_of_a_markdown_table_may_hold_the_sign_itself():
    assert markdown_table("|a|b|\n|--|--|\n|x \\| y|z<br>w|") == [["a", "b"], ["x | y", "z\nw"]]
    assert markdown_table("a | b\nc | d\ne | f") is None


@pytest.mark.parametrize("table", ["", " \n", [], [["question"]], [["question", "answer"], ["", " "]]])
def test_an_empty_table_is_refused(uploads, table):
    with pytest.raises(DataError, match="no examples yet"):
        uploads.bring_rows(LOCAL, table)
