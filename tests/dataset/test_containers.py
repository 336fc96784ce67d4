"""What is packed is opened once, with distrust: archives, folders, and what is meant by the names inside of them."""

import bz2
import gzip
import io
import lzma
import stat
import struct
import zipfile

import pytest

from facet.dataset import budget
from facet.dataset.archive import Member
from facet.dataset.collection import part_of, plan
from facet.dataset.read import open_rows
from facet.dataset.unpack import unpack
from facet.errors import DataError
from tests.dataset.packed import QUESTIONS, open_document, picture, workbook, zipped

ROWS = [{"question": "Who?", "answer": "Me."}, {"question": "Where?", "answer": "Here."}]


@pytest.fixture
def opened(file, tmp_path):
    """Unpack what was brought; `rows` reads one of the files it became."""

    class Opened:
        def __init__(self, content: bytes, name: str, **how):
            self.into = tmp_path / "opened"
            self.into.mkdir()
            self.result = unpack(str(file(content, name)), name, str(self.into), **how)
            self.files = self.result["files"]

        def rows(self, number: int = 0):
            made = self.files[number]
            _, rows = open_rows(self.into / made["path"], made["name"])
            return [row for _, row in rows.rows()]

    return Opened


def test_a_file_without_a_name_in_an_archive_is_passed_by(opened):
    packed = io.BytesIO(zipped({"a.csv": "question,answer\nWho?,Me.\nWhere?,Here.\n"}))
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr(zipfile.ZipInfo(""), b"x")
    assert opened(packed.getvalue(), "a.zip").rows() == ROWS


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv.gz", gzip.compress(QUESTIONS)),
        ("a.csv.bz2", bz2.compress(QUESTIONS)),
        ("a.csv.xz", lzma.compress(QUESTIONS)),
        ("a.csv", gzip.compress(QUESTIONS)),
        ("a.gz", gzip.compress(QUESTIONS[:20]) + gzip.compress(QUESTIONS[20:])),
        ("a.zip", zipped({"a.csv": QUESTIONS})),
        ("a.zip", zipped({"deep/down/a.csv": QUESTIONS})),
        ("a.zip", zipped({"a.csv": QUESTIONS}, zipfile.ZIP_STORED)),
        ("a.zip", zipped({"a.csv": QUESTIONS}, zipfile.ZIP_LZMA)),
        ("a.zip", zipped({"a": QUESTIONS, "README": "about"})),
        (
            "a.zip",
            zipped({"a.csv": QUESTIONS, "__MACOSX/._a.csv": "x", ".DS_Store": "x", ".git/b.csv": "x", "b/.c.csv": "x"}),
        ),
        (
            "a.zip",
            zipped({"a.csv": QUESTIONS, "README.md": "# about", "LICENSE.txt": "free", "dataset_infos.json": "{}"}),
        ),
    ],
)
def test_one_file_in_a_wrapping_is_that_file(opened, name, content):
    found = opened(content, name)
    assert found.rows() == ROWS
    assert len(found.files) == 1 and not found.result["choose"] and not found.result["has_images"]


def test_the_name_inside_is_kept_so_that_its_ending_still_counts(opened):
    assert opened(gzip.compress(QUESTIONS), "My Rows.CSV.GZ").files[0]["name"] == "My Rows.CSV"


@pytest.mark.parametrize("content", [QUESTIONS, workbook({"One": [["a"], ["b"]]}), open_document("")])
def test_what_is_not_packed_stays_as_it_is(opened, content):
    assert opened(content, "a.csv").files == []


def test_of_several_files_one_is_chosen_and_the_usual_one_comes_first(opened):
    found = opened(zipped({"a.csv": QUESTIONS, "b.csv": b"q,a\n" + b"x,y\n" * 99, "c.csv": b"f,g,h\n1,2,3\n"}), "a.zip")
    assert found.result["choose"]
    assert [each["name"] for each in found.files] == ["b.csv", "a.csv", "c.csv"]


def test_the_file_named_after_training_goes_before_the_largest(opened):
    found = opened(zipped({"train.csv": QUESTIONS, "everything.csv": QUESTIONS * 9}), "a.zip")
    assert found.files[0]["name"] == "train.csv"


def test_files_named_after_parts_become_the_parts(opened):
    names = {"data/test.csv": QUESTIONS, "data/train.csv": QUESTIONS, "data/val.csv": QUESTIONS, "data/extra.csv": "x"}
    found = opened(zipped(names), "a.zip")
    assert {each["name"]: each["part"] for each in found.files} == {
        "data/test.csv": "exam", "data/train.csv": "train", "data/val.csv": "validation",
    }  # fmt: skip
    assert not found.result["choose"]
    assert any("extra.csv" in note for note in found.result["notes"])


def test_numbered_pieces_of_one_table_belong_together(opened):
    names = {f"data-0000{number}-of-00003.csv": QUESTIONS for number in range(3)}
    found = opened(zipped(names), "a.zip")
    assert len(found.files) == 3 and not found.result["choose"]


def test_texts_in_an_archive_are_put_together_but_not_mixed(opened):
    found = opened(zipped({"b.txt": "Second.", "a.txt": "First, é.".encode("cp1252"), "c.txt": "Third.\r\n"}), "x.zip")
    assert found.rows() == [{"text": "First, é."}, {"text": "Second."}, {"text": "Third."}]


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("train.csv", "train"), ("data/train-00000-of-00002.parquet", "train"), ("my_test_set.csv", "exam"),
        ("validation/rows.jsonl", "validation"), ("dev.tsv", "validation"), ("latest.csv", None),
        ("train_test.csv", None), ("training.csv", "train"), ("contest.csv", None), ("a.train.csv", "train"),
    ],
)  # fmt: skip
def test_a_part_is_read_from_whole_words_of_a_name(name, part):
    assert part_of(name) == part


def _locked() -> bytes:
    content = bytearray(zipped({"a.csv": QUESTIONS}))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.find(mark) + at] |= 1
    return bytes(content)


def _link() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        info = zipfile.ZipInfo("a.csv")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    return made.getvalue()


def _many() -> bytes:
    return zipped({f"{n}.csv": b"" for n in range(100_000)}, 0)


def _lying_about_its_count() -> bytes:
    content = bytearray(zipped({"a.csv": QUESTIONS}))
    end = content.rfind(b"PK\x05\x06")
    struct.pack_into("<HH", content, end + 8, 65_534, 65_534)
    return bytes(content)


REFUSED = {
    "69 a way out": (zipped({"../../a.csv": QUESTIONS}), "outside of its folder"),
    "69 a way out, in the manner of Windows": (zipped({"..\\a.csv": QUESTIONS}), "outside of its folder"),
    "69 from the root": (zipped({"/etc/a.csv": QUESTIONS}), "outside of its folder"),
    "69 from a drive": (zipped({"C:/a.csv": QUESTIONS}), "outside of its folder"),
    "69 a link": (_link(), "a link to another place"),
    "69 locked": (_locked(), "locked with a password"),
    "69 an archive inside": (zipped({"a.zip": zipped({"a.csv": QUESTIONS})}), "other archives: a.zip"),
    "69 more files than it has": (_lying_about_its_count(), "holds too many files"),
    "69 a hundred thousand files": (_many, "holds too many files"),
    "69 cut short": (zipped({"a.csv": QUESTIONS * 9})[:-30], "zip archive is damaged"),
    "69 damaged inside": (zipped({"a.csv": QUESTIONS}, 0).replace(b"Who?", b"Why?", 1), "damaged or unusual"),
    "69 far larger than it is": (lambda: zipped({"a.csv": bytes(400 * 2**20)}), "unpacks to far more"),
    "empty folders": (zipped({"a/": b""}), "It is empty"),
    "nothing with rows": (zipped({"a.pdf": b"%PDF", "b.docx": b"x"}), "It holds 2 files, such as a.pdf, b.docx"),
    "drawings alone": (zipped({"a.svg": b"<svg/>"}), "a kind that is not read: a.svg"),
    "pictures alone": (zipped({"a.png": picture(), "b.png": picture("blue")}), "come without words"),
    "too many tables": (zipped({f"{n}.csv": QUESTIONS for n in range(201)}), "201 of them"),
    "gzip of nothing but zeros": (lambda: gzip.compress(bytes(400 * 2**20), 1), "unpacks to far more"),
    "gzip cut short": (gzip.compress(QUESTIONS * 99)[:-12], "gzip file is damaged or cut short"),
    "gzip with a fault": (gzip.compress(QUESTIONS)[:-8] + bytes(8), "gzip file is damaged or cut short"),
    "xz cut short": (lzma.compress(QUESTIONS)[:-12], "xz file is damaged or cut short"),
    "bzip2 cut short": (bz2.compress(QUESTIONS)[:-12], "bzip2 file is damaged or cut short"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "words"), REFUSED.values(), ids=REFUSED)
def test_an_archive_that_cannot_be_used_is_refused_in_three_sentences(opened, content, words):
    with pytest.raises(DataError) as refused:
        opened(content() if callable(content) else content, "a.zip")
    assert words in str(refused.value)
    assert all(sentence.endswith(".") for sentence in refused.value.args)


@pytest.mark.parametrize("inner", [gzip.compress(QUESTIONS), zipped({"a.csv": QUESTIONS})])
def test_what_is_packed_twice_is_refused_when_it_is_read(opened, inner):
    found = opened(gzip.compress(inner), "a.gz")
    with pytest.raises(DataError, match="inside of another packed file"):
        found.rows()


def test_no_more_is_written_than_is_allowed(opened):
    with pytest.raises(DataError, match="unpacks to far more"):
        opened(gzip.compress(QUESTIONS * 1_000), "a.gz", most_bytes=10_000)


def test_a_folder_is_read_like_an_archive(tmp_path):
    folder, into = tmp_path / "mine", tmp_path / "into"
    (folder / "sub").mkdir(parents=True)
    into.mkdir()
    (folder / "sub" / "rows.csv").write_bytes(QUESTIONS)
    (folder / ".hidden.csv").write_bytes(b"x")
    (folder / "link.csv").symlink_to("/etc/passwd")
    found = unpack(str(folder), "mine", str(into))
    assert [each["name"] for each in found["files"]] == ["sub/rows.csv"]


def test_a_plan_refuses_what_has_nothing_in_it():
    with pytest.raises(DataError, match="It is empty"):
        plan([])
    assert plan([Member("a.csv", 1), Member("a.csv.gz", 1)]).files == [(Member("a.csv", 1), None)]


def test_the_budget_of_an_archive_is_stricter_than_that_of_a_file():
    assert budget.most_unpacked_bytes(1000) < budget.most_decoded_bytes(1000)
