"""Pictures of a conversation: written anew, each person's own, and gone when it is over."""

import io
import json
import struct
import zlib

import gradio as gr
import pytest
from PIL import Image

from facet import showing
from facet.dataset.shown import LONGEST_SIDE, take_pictures
from facet.errors import CapacityError, DataError
from facet.gemma.sight import sees_pictures, sight_of, will_see_pictures
from facet.identity import LOCAL, Person
from facet.model.decoding import Decoding
from facet.showing import MOST_AT_ONCE
from facet.studio import Studio
from facet.talk import Speaker
from facet.ui import chat_pictures
from facet.workspace import Workspace

ANN, BOB = Person("ann", "Ann", "signed-in"), Person("bob", "Bob", "signed-in")
SEER = {
    "model_type": "gemma3",
    "text_config": {"vocab_size": 262_208},
    "vision_config": {"image_size": 896},
}


@pytest.fixture
def studio(tmp_path) -> Studio:
    (tmp_path / "home").mkdir()
    return Studio(Workspace(tmp_path / "home"))


@pytest.fixture
def photo(tmp_path):
    """A photo held upright, with the place where it was taken."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Secret camera"
    exif.get_ifd(0x8825)[1] = "N"
    file = tmp_path / "photo.jpg"
    Image.new("RGB", (300, 200), "red").save(file, exif=exif, comment=b"Secret words")
    return file


def png_bomb() -> bytes:
    """A few hundred bytes that say they are 900 million pixels."""
    made = b"\x89PNG\r\n\x1a\n"
    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    for kind, data in ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(10_000))), (b"IEND", b"")):
        made += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return made


def files_in(studio: Studio) -> list:
    return [path for path in studio.workspace.home.rglob("pictures/*/*") if path.is_file()]


# ---- which models see
def test_a_gemma_3_with_eyes_sees_and_others_do_not(tmp_path):
    assert sight_of(SEER).side == 896 and sight_of(SEER).tokens == 256
    assert will_see_pictures("google/gemma-3-4b-it") and will_see_pictures("unsloth/gemma-3-4b-it")
    assert not will_see_pictures("google/gemma-3-1b-it") and not will_see_pictures("google/gemma-4-E2B-it")
    assert not sees_pictures(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"model_type": "gemma3_text"},
        {"model_type": "gemma4"},
        {"vision_config": None},
        {"vision_config": {"image_size": 10**9}},
        {"vision_config": {"image_size": "896"}},
        {"mm_tokens_per_image": 0},
        {"mm_tokens_per_image": 10**6},
        {"image_token_index": 262_208},
        {"image_token_id": -1},
        {"boi_token_index": True},
    ],
    ids=json.dumps,
)
def test_a_config_that_is_blind_or_absurd_is_not_trusted_to_see(change):
    assert sight_of(SEER | change) is None


# ---- what is kept of a picture
def test_a_photo_is_turned_upright_and_carries_nothing_along(studio, photo):
    (name,) = studio.showing.take(ANN, "page", [photo])
    kept = studio.shown_picture(ANN, name)
    with Image.open(kept) as picture:
        assert picture.size == (200, 300) and not picture.getexif()
    assert b"Secret" not in kept.read_bytes() and name != photo.name


def test_a_large_or_see_through_picture_becomes_a_bounded_plain_one(studio, tmp_path):
    Image.new("RGBA", (4_000, 500), (255, 0, 0, 0)).save(tmp_path / "wide.png")
    (name,) = studio.showing.take(ANN, "page", [tmp_path / "wide.png"])
    with Image.open(studio.shown_picture(ANN, name)) as picture:
        assert picture.size == (LONGEST_SIDE, LONGEST_SIDE // 8) and picture.getpixel((5, 5)) == (255, 255, 255)


def broken_pictures() -> dict[str, bytes]:
    whole = io.BytesIO()
    Image.effect_noise((300, 300), 50).save(whole, "PNG")
    texts = {"empty": b"", "text": b"no picture", "begun": b"\x89PNG cut", "drawing": b"<svg onload=alert(1)>"}
    return texts | {"bomb": png_bomb(), "cut": whole.getvalue()[:20_000]}


@pytest.mark.parametrize("bad", broken_pictures())
def test_a_broken_picture_is_named_and_nothing_of_the_message_is_kept(tmp_path, photo, bad):
    (tmp_path / "bad").write_bytes(broken_pictures()[bad])
    with pytest.raises(DataError, match=r"“my\.png” cannot be shown"):
        take_pictures([str(photo), str(tmp_path / "bad")], ["a", "my.png"], str(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {"photo.jpg", "bad"}


def test_a_broken_a_huge_and_a_missing_file_are_refused_in_words(studio, photo, tmp_path):
    broken, huge = tmp_path / "broken.png", tmp_path / "huge.png"
    broken.write_bytes(b"no picture")
    with open(huge, "wb") as file:
        file.truncate(60 * 2**20)
    for bad, why in ((broken, "Pictures like this one"), (huge, "60 MB, and 50"), (tmp_path / "gone", "no such file")):
        with pytest.raises(DataError, match=why):
            studio.showing.take(ANN, "page", [photo, bad])
    assert files_in(studio) == []


def test_too_many_at_once_and_too_many_in_all_are_refused(studio, photo, monkeypatch):
    with pytest.raises(DataError, match="do not fit into one message"):
        studio.showing.take(ANN, "page", [photo] * (MOST_AT_ONCE + 1))
    monkeypatch.setattr(showing, "MOST_KEPT", 1)
    studio.showing.take(ANN, "page", [photo])
    with pytest.raises(CapacityError, match="no room for more pictures"):
        studio.showing.take(ANN, "another", [photo])
    studio.showing.take(BOB, "page", [photo])


# ---- whose they are
def test_a_picture_is_its_owners_alone_and_only_by_its_own_name(studio, photo):
    (name,) = studio.showing.take(ANN, "page", [photo])
    assert studio.shown_picture(ANN, name).is_file()
    for person, wanted in ((BOB, name), (ANN, f"../{name}"), (ANN, "*"), (ANN, str(photo)), (ANN, "a" * 32 + ".png")):
        with pytest.raises(DataError, match="not there any more"):
            studio.shown_picture(person, wanted)


def test_pictures_go_with_their_conversation_and_with_no_other(studio, photo):
    (first,) = studio.showing.take(ANN, "one", [photo])
    (second,) = studio.showing.take(ANN, "two", [photo])
    assert studio.forget_pictures(BOB, "one") == [] and studio.forget_pictures(ANN, "one") == [first]
    assert [path.name for path in files_in(studio)] == [second]
    assert studio.forget_pictures(ANN, "one") == []


def test_what_a_crash_left_behind_is_swept_and_is_in_no_copy(studio, photo):
    from facet.bucket.snapshot import everything_here

    studio.showing.take(ANN, "page", [photo])
    assert not any("pictures" in str(folder) for folder in everything_here(studio.workspace.home).values())
    studio.workspace.sweep(older_than_seconds=-1)
    assert files_in(studio) == []


# ---- who is asked about them
def test_a_model_that_sees_nothing_is_refused_by_its_name_before_anything_is_kept(studio, photo):
    with pytest.raises(DataError, match="“Tuned” cannot see pictures here"):
        studio.take_pictures(LOCAL, "page", [photo], {"starter": "Tuned"})
    assert files_in(studio) == [] and studio.take_pictures(LOCAL, "page", [], {"starter": "Tuned"}) == []


@pytest.mark.parametrize("name", ["/etc/passwd", "../../a.png"])
def test_a_conversation_that_names_a_picture_itself_reads_no_file(studio, name):
    turn = {"role": "user", "content": "?", "images": [name]}
    with pytest.raises(DataError, match="cannot see pictures"):
        list(studio.talk(LOCAL, [Speaker("a", "starter", [turn])], Decoding()))


@pytest.mark.tiny
def test_a_model_that_sees_is_given_the_persons_own_files_and_strangers_files_to_nobody(studio, photo, tmp_path):
    from tests.model.seeing import tiny_seeing_gemma3

    seer = str(tiny_seeing_gemma3(tmp_path / "seer"))
    assert studio.sees_pictures(LOCAL, seer) and not studio.sees_pictures(LOCAL, "starter")
    there, elsewhere = (chat_pictures.fitting(studio, LOCAL, model) for model in (seer, "starter"))
    assert "value" not in there[0].constructor_args and there[1:] == [gr.skip(), gr.skip()], "what waits goes to it"
    assert "value" in elsewhere[0].constructor_args and not elsewhere[0].visible
    (name,) = studio.take_pictures(LOCAL, "page", [photo], {seer: "Seer"})
    asked: list[dict] = []
    studio.voices.speak = lambda request, listener: iter([asked.append(request) or {"over": True}])
    turn = {"role": "user", "content": "?", "images": [name]}
    list(studio.talk(LOCAL, [Speaker("a", seer, [turn])], Decoding()))
    assert asked[0]["speakers"][0]["messages"] == [turn | {"images": [str(studio.shown_picture(LOCAL, name))]}]

    with pytest.raises(DataError, match="not there any more"):
        list(studio.talk(LOCAL, [Speaker("a", seer, [turn | {"images": [str(photo)]}])], Decoding()))
