"""Pictures beside a table, inside of Parquet, and in folders named by label: checked, bounded, kept by their hash."""

import hashlib
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from facet.dataset import budget
from facet.dataset.pictures import FIRST_OF_MANY, Pictures
from facet.dataset.read import open_rows
from facet.dataset.unpack import unpack
from facet.errors import DataError
from tests.dataset.packed import picture, vast_picture, zipped

RED, BLUE = picture("red"), picture("blue")


def named(content: bytes, ending: str = "png") -> dict[str, str]:
    """The value of a row that shows this picture."""
    return {"image": f"{hashlib.sha256(content).hexdigest()}.{ending}"}


@pytest.fixture
def opened(file, tmp_path):
    def run(content: bytes, name: str = "a.zip"):
        into = tmp_path / "into"
        into.mkdir()
        found = unpack(str(file(content, name)), name, str(into))
        made = []
        for each in found["files"]:
            _, rows = open_rows(into / each["path"], each["name"])
            made.append([row for _, row in rows.rows()])
        kept = {each.name: each.read_bytes() for each in (into / "images").glob("*")}
        assert all(name.startswith(hashlib.sha256(content).hexdigest()) for name, content in kept.items())
        assert found["has_images"] == bool(kept)
        return found, made, kept

    return run


@pytest.fixture
def pictures(tmp_path):
    return Pictures(tmp_path / "images", 10**9)


# ---- a table and its pictures
@pytest.mark.parametrize(
    ("table", "content"),
    [
        ("rows.csv", "image,text\nimg/red.png,A red one\nimg/blue.png,A blue one\n"),
        ("img/metadata.csv", "image,text\nred.png,A red one\nblue.png,A blue one\n"),
        ("rows.csv", "image,text\nred.png,A red one\n./img/blue.png,A blue one\n"),
        ("rows.csv", "image,text\nimg\\red.png,A red one\nimg\\blue.png,A blue one\n"),
        ("rows.json", json.dumps([{"image": f"img/{c}.png", "text": f"A {c} one"} for c in ("red", "blue")])),
    ],
)
def test_a_table_that_names_pictures_shows_them(opened, table, content):
    found, (rows,), kept = opened(zipped({table: content, "img/red.png": RED, "img/blue.png": BLUE}))
    assert rows == [{"image": named(RED), "text": "A red one"}, {"image": named(BLUE), "text": "A blue one"}]
    assert sorted(kept.values()) == sorted([RED, BLUE])
    assert found["notes"] == []


def test_lists_and_parts_of_messages_name_pictures_too(opened):
    parts = [{"type": "image", "image": "red.png"}, {"type": "text", "text": "What is it?"}]
    links = [{"type": "image_url", "image_url": {"url": "blue.png"}}]
    rows = [{"images": ["red.png", "blue.png"], "messages": [{"role": "user", "content": parts + links}]}]
    _, (made,), _ = opened(zipped({"rows.json": json.dumps(rows), "red.png": RED, "blue.png": BLUE}))
    assert made[0]["images"] == [named(RED), named(BLUE)]
    assert made[0]["messages"][0]["content"] == [
        {"type": "image", "image": named(RED)}, parts[1], {"type": "image", "image": named(BLUE)},
    ]  # fmt: skip


def test_words_that_only_look_like_names_stay_words(opened):
    rows = "image,text\nred.png,Open red.png and see\nblue.png,Nothing\n"
    _, (made,), _ = opened(zipped({"rows.csv": rows, "red.png": RED, "blue.png": BLUE}))
    assert made[0]["text"] == "Open red.png and see"


def test_pictures_that_are_missing_unused_or_broken_are_counted(opened):
    rows = "image,text\nred.png,a\ngone.png,b\nbroken.png,c\nhttps://example.org/x.png,d\n"
    found, (made,), kept = opened(zipped({"rows.csv": rows, "red.png": RED, "blue.png": BLUE, "broken.png": RED[:40]}))
    assert [row["image"] for row in made] == [named(RED), None, None, None]
    assert len(kept) == 1
    said = " ".join(found["notes"])
    assert "did not come with the table: 2" in said and "no row names, left out: 1" in said and "cut short" in said


def test_a_table_that_names_no_picture_stays_as_it_is(opened):
    found, (made,), kept = opened(zipped({"rows.csv": "question,answer\na,b\n", "logo.png": RED}))
    assert made == [{"question": "a", "answer": "b"}] and not kept
    assert found["files"][0]["name"] == "rows.csv"


def test_parts_keep_their_pictures(opened):
    files = {f"{part}/metadata.csv": "file_name,text\n1.png,x\n" for part in ("train", "test")}
    found, made, _ = opened(zipped(files | {"train/1.png": RED, "test/1.png": BLUE}))
    by_part = {each["part"]: rows for each, rows in zip(found["files"], made, strict=True)}
    assert by_part == {
        "train": [{"file_name": named(RED), "text": "x"}],
        "exam": [{"file_name": named(BLUE), "text": "x"}],
    }


def test_folders_named_by_label_become_rows(opened):
    _, (rows,), _ = opened(zipped({"pets/cat/1.png": RED, "pets/dog/1.png": BLUE}))
    assert rows == [{"image": named(RED), "label": "cat"}, {"image": named(BLUE), "label": "dog"}]


def test_folders_of_parts_above_folders_of_labels_become_parts(opened):
    names = {"train/cat/1.png": RED, "train/dog/2.png": BLUE, "test/cat/3.png": picture("green")}
    found, made, _ = opened(zipped(names))
    assert [each["part"] for each in found["files"]] == ["train", "exam"]
    assert [len(rows) for rows in made] == [2, 1]


# ---- Parquet
def parquet(**columns) -> bytes:
    made = io.BytesIO()
    pq.write_table(pa.table(columns), made)
    return made.getvalue()


def test_picture_columns_of_parquet_are_taken_out(opened):
    images = [{"bytes": RED, "path": "x.png"}, {"bytes": None, "path": "https://example.org/x.png"}, None]
    lists = [[{"bytes": RED, "path": None}, {"bytes": BLUE, "path": None}], [], None]
    content = parquet(image=images, images=lists, plain=pa.array([BLUE, None, RED]), n=[1, 2, 3])
    _, (rows,), kept = opened(content, "a.parquet")
    assert (
        rows
        == [
            {"image": named(RED), "images": [named(RED), named(BLUE)], "plain": named(BLUE), "n": 1},
            {"image": None, "images": [], "plain": None, "n": 2},
            {"image": None, "images": [], "plain": named(RED), "n": 3},
        ]
        or rows[2]["images"] is None
    )
    assert len(kept) == 2


def test_a_picture_whose_path_is_no_text_is_kept(opened):
    path = pa.array([b"\xc9\x41"]).view(pa.string())
    image = pa.StructArray.from_arrays([pa.array([RED]), path], ["bytes", "path"])
    lists = pa.ListArray.from_arrays([0, 1], image)
    _, (rows,), _ = opened(parquet(image=image, images=lists, n=[1]), "a.parquet")
    assert rows == [{"image": named(RED), "images": [named(RED)], "n": 1}]


def test_binary_values_that_are_no_pictures_are_left_alone(opened):
    found, _, _ = opened(parquet(x=pa.array([b"abc"])), "a.parquet")
    assert found["files"] == []


# ---- single pictures
@pytest.mark.parametrize(
    ("kind", "ending"), [("JPEG", "jpg"), ("WEBP", "webp"), ("BMP", "bmp"), ("TIFF", "tif"), ("GIF", "gif")]
)
def test_the_ending_follows_the_content_and_not_the_name(pictures, kind, ending):
    content = picture(kind=kind)
    assert pictures.value(content) == named(content, ending)
    assert (pictures.folder / named(content, ending)["image"]).read_bytes() == content


def test_the_same_picture_is_kept_once(pictures):
    assert pictures.keep(RED) == pictures.keep(RED)
    assert pictures.kept == 1


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_a_moving_picture_the_first_one_is_kept(pictures, kind):
    moving = io.BytesIO()
    frames = [Image.new("RGB", (8, 6), color) for color in ("red", "blue", "green")]
    frames[0].save(moving, kind, save_all=True, append_images=frames[1:], duration=100)
    name = pictures.keep(moving.getvalue())
    still = Image.open(pictures.folder / name)
    assert name.endswith(".png") and getattr(still, "n_frames", 1) == 1
    red, green, blue = still.convert("RGB").getpixel((1, 1))
    assert red > 200 and green < 60 and blue < 60
    assert FIRST_OF_MANY in pictures.notes


PROBLEMS = {
    "71 cut short": (picture(size=(90, 90), kind="JPEG")[:-300], "damaged or cut short"),
    "71 cut after its head": (RED[:30], "damaged or cut short"),
    "71 far too many pixels": (vast_picture(), "more than 40 million pixels"),
    "71 more pixels than Pillow doubts": (vast_picture(8_000, 8_000), "more than 40 million pixels"),
    "71 a drawing with a program": (b"<svg xmlns='x'><script>alert(1)</script></svg>", "drawings (SVG)"),
    "71 a drawing after a declaration": (b'<?xml version="1.0"?><svg/>', "drawings (SVG)"),
    "words": (b"this is no picture at all", "no PNG, JPEG"),
    "a program for printers": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n", "no PNG, JPEG"),
    "nothing": (b"\x89PNG", "no PNG, JPEG"),
}


@pytest.mark.parametrize(("content", "words"), PROBLEMS.values(), ids=PROBLEMS)
def test_a_picture_that_cannot_be_used_is_left_out_with_the_reason(pictures, content, words):
    assert pictures.value(content) is None
    assert words in " ".join(pictures.words())
    with pytest.raises(DataError) as refused:
        pictures.require_some()
    assert words in str(refused.value) and all(each.endswith(".") for each in refused.value.args)


def test_a_picture_in_a_wrong_wrapping_is_read_by_its_content(opened):
    photo = picture(kind="JPEG")
    _, (rows,), _ = opened(zipped({"rows.csv": "image,text\nx.png,a\n", "x.png": photo}))
    assert rows == [{"image": named(photo, "jpg"), "text": "a"}]


def test_all_pictures_together_have_a_limit(tmp_path, monkeypatch):
    pictures = Pictures(tmp_path / "images", 2 * len(RED))
    pictures.keep(RED)
    with pytest.raises(DataError, match="unpacks to far more"):
        for color in ("blue", "green", "black"):
            pictures.keep(picture(color))
    monkeypatch.setattr(budget, "MOST_PICTURE_BYTES", 10)
    small = Pictures(tmp_path / "small", 10**6)
    assert small.keep(RED) is None and "larger than" in small.words()[0]
