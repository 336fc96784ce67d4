"""The chat: who speaks where, what is said beneath, and that nothing a model writes does anything."""

import shutil

import gradio as gr
import pytest
from PIL import Image

from facet.errors import CapacityError, DataError, SettingError
from facet.identity import LOCAL, Grant, Person
from facet.model.decoding import Decoding
from facet.model.speak import Piece
from facet.talk import Proof
from facet.ui import chat_pictures, chat_settings
from facet.ui.chat import replies, require_short
from facet.ui.chat_keep import Pressed, edited, pressed, thumbed
from facet.ui.chat_panes import (
    MOST_KEPT_CHARACTERS,
    PLACES,
    Pane,
    Voice,
    asked_again,
    asked_anew,
    cast,
    is_tuned,
    trimmed,
    without_answer,
)
from facet.ui.chat_show import as_typed, for_the_eye, harmless, parts_of, place_of, rewritten, thumbs
from facet.ui.chat_words import Told, context, pace
from facet.ui.served import served_at
from tests.journeys import a_studio

KNOWN = [
    ("Pirate (just now)", "run-1"),
    ("Pirate, step 40 (just now)", "run-1@40"),
    ("Poet (just now)", "run-2"),
    ("Facet starter, untouched", "starter"),
]


def user(text: str) -> dict:
    return {"role": "user", "content": text}


def model(text: str, **more) -> dict:
    return {"role": "assistant", "content": text} | more


# ---- who stands where
def test_two_stand_side_by_side_and_up_to_four_when_asked_for():
    usual = cast(KNOWN, "run-1", True, [])
    assert [(one.place, one.name, one.untouched) for one in usual] == [
        ("base", "Untouched", True),
        ("tuned", "Tuned", False),
    ]
    four = cast(KNOWN, "run-1", True, ["run-1@40", "starter", "run-2"])
    assert [one.name for one in four] == ["Untouched", "Tuned", "Pirate, step 40", "Untouched: Facet starter"]
    assert [one.look for one in four] == ["base", "tuned", "other", "base"]


def test_an_untouched_model_has_nothing_beside_it_and_no_name_that_is_not_its_own():
    assert [(one.place, one.name, one.untouched) for one in cast(KNOWN, "starter", True, [])] == [
        ("tuned", "Untouched", True)
    ]
    assert not is_tuned("starter", KNOWN) and is_tuned("run-1@40", KNOWN) and not is_tuned("", KNOWN)


def test_a_model_is_put_beside_itself_never_and_strangers_are_passed_by():
    assert len(cast(KNOWN, "run-1", False, ["run-1", "somebody-else", "run-2", "run-2"])) == 2


# ---- what was said
def test_a_question_that_was_never_answered_gives_way():
    turns = asked_anew([user("a")], "b")
    assert turns == [user("b")] and without_answer([*turns, model("c")]) == turns


def test_an_edited_question_takes_what_came_after_it_away():
    turns = [user("a"), model("b"), user("c"), model("d")]
    assert asked_again(turns, 2, "e") == [user("a"), model("b"), user("e")]
    assert asked_again(turns, 1, "e") == asked_again(turns, 9, "e") == turns


def test_a_thousand_turns_are_carried_and_what_is_too_much_goes_in_pairs():
    turns = [user("q") if at % 2 == 0 else model("a") for at in range(999)]
    assert trimmed({"base": turns}) == ({"base": turns}, 0)
    long = [user("q" * 20_000) if at % 2 == 0 else model("a") for at in range(31)]
    kept, gone = trimmed({"base": long, "tuned": [user("x")]})
    assert gone and gone % 2 == 0 and kept["base"][0]["role"] == "user" and kept["tuned"] == [user("x")]
    assert sum(len(turn["content"]) for turn in kept["base"]) <= MOST_KEPT_CHARACTERS


def test_a_message_that_is_too_long_is_refused_before_anything_is_lost():
    require_short("x" * 70_000, 2)
    with pytest.raises(DataError, match="37,500 is the most with 4 models"):
        require_short("x" * 70_000, 4)


# ---- for the eye
@pytest.mark.parametrize(
    "text",
    ["a <b>bold</b> & <img src=x onerror=alert(1)>", "![x](http://tracker/a.png)", "`<b>` and <i>", "don't \"quote\"",
     "```\n<b>\n```\n<b>", "a ``` <img src=x>", r"\`<img src=x>\`", "`a\n<b>`", "~~~\n![x](y)\n~~~", "1 < 2 && 3"],
)  # fmt: skip
def test_what_is_shown_does_nothing_and_reads_the_same_when_it_is_edited(text):
    assert as_typed(harmless(text)) == text
    bare = "".join(part for part in harmless(text).split("```")[::2]) if text.startswith("```") else harmless(text)
    if "`<b>`" not in text and not text.startswith("~~~"):
        assert "<" not in bare.replace("\\<", "")
        assert "![" not in bare.replace("!\\[", "")


def test_thoughts_and_calls_of_tools_are_folded_and_lead_back_to_their_turn():
    call = 'I look.\n<tool_call>\n{"name": "weather", "arguments": {"city": "Lima"}}\n</tool_call>'
    turns = [user("Weather?"), model(call, thought="Lima is meant.", thumb="up")]
    shown = for_the_eye(turns)
    assert [one.get("metadata", {}).get("title") for one in shown] == [
        None,
        "What it thought first",
        None,
        "Calls the tool weather",
    ]
    assert '"city": "Lima"' in shown[3]["content"]
    assert thumbs(turns) == ["Like", "Like", "Like"]
    assert [place_of(turns, at)[1].kind for at in range(4)] == ["text", "thought", "text", "call"]
    assert place_of(turns, 4) is None and place_of(turns, -1) is None
    assert rewritten(turns[1], place_of(turns, 2)[1], "Let me see.\n").startswith("Let me see.\n<tool_call>")


def test_calls_in_gemmas_own_form_and_broken_ones_are_shown_too():
    (gemma,) = parts_of(model('<|tool_call>call:weather{city:<|"|>Lima<|"|>}<tool_call|>'))
    assert gemma.title == "Calls the tool weather" and 'city:"Lima"' in gemma.shown
    (broken,) = parts_of(model("<tool_call>{not json</tool_call>"))
    assert "cannot be read" in broken.title and "{not json" in broken.shown
    assert len(parts_of(model(""))) == 1


# ---- what is said beneath
def test_how_it_ended_and_how_much_context_is_used_are_said():
    piece = Piece("tuned", "x", True, 50, 2.0, "repeating", prompt_tokens=1_900, context=2_048)
    assert "repeat itself" in pace(piece) and "25 per second" in pace(piece)
    assert "1,950 of 2,048" in context(piece) and "nearly full" in context(piece)
    assert "oldest 6 turns" in context(Piece("tuned", "", context=10, left_out=4), gone=2)


def test_the_proof_is_said_of_both_sides():
    told = Told(cast(KNOWN, "run-1", True, []), pieces={place: Piece(place, "") for place in PLACES[:2]})
    assert "without any adapter" not in told.words()
    told.proofs["tuned"] = Proof("tuned", False, 0.0, "It changes <nothing>.")
    assert "It changes &lt;nothing&gt;." in told.words() and "without any adapter" in told.words()
    assert 'f-proof warn"' in told.words()


# ---- a conversation
class Speaking:
    """A studio whose models say what they are told to."""

    def __init__(self, *heard) -> None:
        self.heard, self.asked = heard, []

    def talk(self, person, speakers, decoding, grant, *, prove):
        self.asked.append((speakers, decoding, prove))
        for one in self.heard:
            if isinstance(one, Exception):
                raise one
            yield one


def run(studio, talk, system="", voices=None):
    voices = voices or cast(KNOWN, "run-1", True, [])
    return list(replies(studio, Grant(LOCAL), voices, talk, system, Decoding()))


def test_everybody_gets_the_same_settings_and_an_answer_each():
    studio = Speaking(
        "Loading", Piece("base", "Hi", True), Proof("tuned", True, 1.0, "It works."), Piece("tuned", "Arr", True)
    )
    *_, last = run(studio, {place: [user("Hello")] for place in PLACES}, system="Be kind.")
    ((speakers, _, prove),) = studio.asked
    assert [(one.key, one.target, one.untouched) for one in speakers] == [
        ("base", "run-1", True),
        ("tuned", "run-1", False),
    ]
    assert speakers[0].messages == [{"role": "system", "content": "Be kind."}, user("Hello")] and prove
    assert last[0]["base"][-1] == model("Hi") and last[0]["tuned"][-1] == model("Arr")
    assert "It works." in last[-1]


def test_a_failure_in_the_middle_is_said_in_its_place_and_keeps_the_text():
    trouble = CapacityError("The model stopped speaking.", "Its process ended.", "Press “Retry”.")
    *_, last = run(Speaking(Piece("base", "Half an"), trouble), {place: [user("Hello")] for place in PLACES})
    assert last[0]["base"] == [user("Hello"), model("Half an")] and last[0]["tuned"] == [user("Hello")]
    assert "The model stopped speaking." in last[-1] and "f-wait" not in last[-1]


@pytest.mark.parametrize(("tuned", "kept"), [("", []), ("Arr", [("base", "…"), ("tuned", "Arr")])])
def test_after_a_stop_all_sides_go_on_from_the_same_messages(tuned, kept):
    """Where nobody said a word the question stays open; where one did, the others were cut short."""
    heard = (Piece("base", "", True, ended="stopped"), Piece("tuned", tuned, True, ended="stopped"))
    *_, last = run(Speaking(*heard[not tuned :]), {place: [user("Hello")] for place in ("base", "tuned")})
    said = {place: turns for place, turns in last[0].items() if place in ("base", "tuned")}
    assert {place: turns[0] for place, turns in said.items()} == dict.fromkeys(("base", "tuned"), user("Hello"))
    assert [(place, turns[1]["content"]) for place, turns in said.items() if len(turns) > 1] == kept


def test_an_empty_answer_that_a_model_ended_itself_is_an_answer():
    *_, last = run(Speaking(*(Piece(side, "", True, ended="finished") for side in ("base", "tuned"))), {
        place: [user("Hello")] for place in PLACES})  # fmt: skip
    assert last[0]["base"] == [user("Hello"), model("")]


def press(page, name: str, **given):
    """What the page's handler of this name answers; everything that is not `given` is as on an ordinary page."""
    handler = next(fn.fn for fn in page.fns.values() if fn.fn is not None and fn.fn.__name__ == name)
    values = {"target": "starter", "compare": False, "others": [], "text": "Hello", "pictures": [], "system": ""}
    talk = {place: [user("a"), model("b")] for place in PLACES}
    values |= {"run": None, "spoken_to": None, "busy": False, "talk": talk}
    values |= Decoding().as_dict() | {"stop": ""} | given
    events = [Event("", {})] if name in ("edit", "like") else []
    return handler(gr.Request(), *events, **{key: value for key, value in values.items() if key in handler.inputs})


@pytest.mark.parametrize("name", ["hear", "again", "edit"])
def test_a_setting_that_is_not_right_is_said_before_anything_moves(page, name):
    with pytest.raises(gr.Error, match="Seed"):
        press(page, name, seed=-5)


@pytest.mark.parametrize("name", ["hear", "again", "edit", "like"])
def test_while_an_answer_grows_nothing_is_changed_that_it_would_be_written_over(page, name):
    with pytest.raises(gr.Error, match="still being written"):
        press(page, name, busy=True)


def test_who_writes_right_after_choosing_another_model_begins_anew(page):
    def said(spoken_to):
        answer = press(page, "hear", spoken_to=spoken_to)
        return next(each for each in answer if isinstance(each, dict) and "tuned" in each)

    assert said("starter")["tuned"] == [user("a"), model("b"), user("Hello")]
    assert said("2026-01-01-another-abcd")["tuned"] == [user("Hello")]


def test_with_nothing_to_answer_nothing_changes():
    (only,) = run(Speaking(), {place: [user("a"), model("b")] for place in PLACES})
    assert only == [gr.skip()] * 6


# ---- settings
def test_dials_become_the_decoding_and_nonsense_is_refused():
    dials = {"temperature": 0.5, "top_k": 3.0, "seed": None, "stop": "END\n\nThe end"}
    assert chat_settings.decoding(dials) == Decoding(0.5, top_k=3, stop=("END", "The end"))
    for name, value in (("temperature", 1e9), ("top_p", 0), ("max_new_tokens", 1e9), ("min_p", 2), ("stop", "x" * 200)):
        with pytest.raises(SettingError):
            chat_settings.decoding({name: value})


# ---- presses
class Event:
    def __init__(self, elem_id, data) -> None:
        self.target, self._data = type("Box", (), {"elem_id": elem_id}), data


PANES = [Pane(place, None, type("Box", (), {"elem_id": f"voice-{place}"})) for place in PLACES]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "event",
    [None, Event("voice-base", None), Event("voice-base", {}), Event("elsewhere", {"index": 0}),
     Event("voice-base", {"index": "0"}), Event("voice-base", {"index": [1, 2]})],
)  # fmt: skip
def test_a_press_that_the_page_does_not_send_is_refused(event):
    with pytest.raises(SettingError, match="could not be understood"):
        pressed(PANES, event)


def test_a_press_names_its_place_and_the_text_of_an_edit():
    place, press = pressed(PANES, Event("voice-third", {"index": 1, "value": [{"type": "text", "text": "New"}]}))
    assert (place, press.index, press.text) == ("third", 1, "New")


def test_a_thumb_is_given_changed_and_taken_back():
    liked = thumbed(model("Hi"), True)
    assert liked == model("Hi", thumb="up") and thumbed(liked, False) == model("Hi", thumb="down")
    for taken_back in ("", None, True):  # Gradio's page says "" where the same thumb was pressed once more
        assert thumbed(liked, taken_back) == model("Hi")


class Judging:
    def __init__(self) -> None:
        self.kept = []

    def judge_answer(self, person, feedback) -> None:
        self.kept.append(feedback)


def edit(talk: dict, place: str, index: int, text: str):
    studio, voices = Judging(), cast(KNOWN, "run-1", True, [])
    said, words = edited(studio, LOCAL, voices, (place, Pressed(index=index, value=text)), talk, "Be kind.")
    return said, words, studio.kept


def test_an_edited_answer_is_kept_with_what_the_model_said_first():
    talk = {place: [user("Hello"), model("Hi")] for place in PLACES}
    said, words, kept = edit(talk, "tuned", 1, "Ahoy \\< & !")
    assert said["tuned"][1] == model("Ahoy < & !", original="Hi") and said["base"] == talk["base"]
    (one,) = kept
    assert (one.answer, one.better, one.model) == ("Hi", "Ahoy < & !", "Tuned")
    assert [turn["role"] for turn in one.messages] == ["system", "user"] and "Kept" in words
    _, _, again = edit(said, "tuned", 1, "Ahoy!")
    assert (again[0].answer, again[0].better) == ("Hi", "Ahoy!")


def test_an_edited_question_is_asked_again_on_every_side_and_an_empty_edit_changes_nothing():
    talk = {place: [user("Hello"), model("Hi")] for place in PLACES}
    said, _, kept = edit(talk, "base", 0, "Good day")
    assert said == {place: [user("Good day")] for place in PLACES} and kept == []
    assert edit(talk, "base", 1, "  ")[0] == edit(talk, "base", 7, "x")[0] == edit(talk, "base", 1, "Hi")[0] == talk


def test_answers_about_pictures_are_not_kept_as_words():
    talk = {place: [user("What is this?") | {"images": ["a.png"]}, model("A cat")] for place in PLACES}
    with pytest.raises(DataError, match="pictures"):
        edit(talk, "base", 2, "A dog")


def test_who_deletes_everything_takes_all_their_pictures_out_of_every_browsers_reach(workspace, tmp_path):
    studio, ben = a_studio(workspace.home), Person("ben", "Ben", "signed-in")
    Image.new("RGB", (8, 8), "red").save(tmp_path / "red.png")
    voices = [Voice("tuned", "google/gemma-3-4b-it", True, "Gemma")]
    shown = {}
    for page, person in (("one", LOCAL), ("two", LOCAL), ("three", ben)):
        shutil.copy(tmp_path / "red.png", tmp_path / page)
        (shown[page],) = chat_pictures.taken(studio, person, page, [str(tmp_path / page)], voices)
    assert all(served_at(name).is_file() for name in shown.values())
    chat_pictures.forget(studio, LOCAL)
    assert [page for page, name in shown.items() if served_at(name).is_file()] == ["three"]
    with pytest.raises(DataError, match="not there any more"):
        studio.shown_picture(LOCAL, shown["two"])
    chat_pictures.forget(studio, ben)
