"""What a model is given of a conversation, and how its tokens become text: no torch."""

import pytest

from facet.dataset.render import Renderer
from facet.errors import DataError, SettingError
from facet.model.decoding import Decoding
from facet.model.history import MOST_TURNS, check_messages, window
from facet.model.reading import Reading, apart, is_cycle, text_of
from facet.starter import FOLDER


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer.load(FOLDER)


def talk(turns: int, text: str = "What is the capital of Peru?") -> list[dict]:
    return [{"role": "user" if number % 2 == 0 else "assistant", "content": text} for number in range(turns)]


@pytest.mark.parametrize(
    "stop", [[""], ["a" * 101], ["a"] * 9, "abc", [1], None, {"a": 1}], ids=lambda value: str(value)[:12]
)
def test_stop_texts_out_of_bounds_are_refused(stop):
    with pytest.raises(SettingError, match="Stop at"):
        Decoding(stop=stop)


def test_decoding_comes_back_from_json_as_it_was():
    decoding = Decoding(0.5, stop=("\n", "###"), repetition_penalty=1.1, min_p=0.05, top_k=3.0)
    assert Decoding(**(decoding.as_dict() | {"stop": ["\n", "###"]})) == decoding and decoding.top_k == 3
    with pytest.raises(SettingError, match="whole number"):
        Decoding(top_k=2.5)


def test_half_a_letter_and_what_the_page_keeps_with_a_turn_do_not_reach_the_model(renderer):
    cleaned = check_messages([{"role": "user", "content": "a\ud800b\udfff 👍", "thought": "secret", "id": 3}])
    assert cleaned == [{"role": "user", "content": "a\ufffdb\ufffd 👍"}]
    assert renderer.prompt(cleaned)


@pytest.mark.parametrize("messages", [None, "hi", [None], [{"role": "user"}], [{"role": "user", "content": 3}]])
def test_a_history_that_is_none_is_refused(messages):
    with pytest.raises(DataError, match="out of order"):
        check_messages(messages)


def test_of_a_thousand_turns_the_newest_are_read_and_the_rest_is_counted(renderer):
    messages = [{"role": "system", "content": "Be kind."}, *talk(1001)]
    prompt, left_out = window(renderer, check_messages(messages), context=2048, wanted=256)
    kept = [messages[0], *messages[1 + left_out :]]

    assert left_out % 2 == 0 and 0 < 1001 - left_out <= MOST_TURNS
    assert prompt == renderer.prompt(kept) and len(prompt) <= 2048 - 256
    assert len(renderer.prompt([messages[0], *messages[1 + left_out - 2 :]])) > 2048 - 256


def test_a_conversation_that_fits_is_read_whole(renderer):
    assert window(renderer, talk(9), context=2048, wanted=8192)[1] == 0


def test_characters_beyond_all_measure_are_left_out_before_they_are_tokenised(renderer):
    messages = [*talk(4, "a" * 90_000), {"role": "user", "content": "And now?"}]
    prompt, left_out = window(renderer, check_messages(messages), context=2048, wanted=10)
    assert left_out == 4 and prompt == renderer.prompt(messages[-1:])


def test_a_message_that_alone_is_too_long_is_said(renderer):
    with pytest.raises(DataError, match="longer than this model can read"):
        window(renderer, talk(1, "one two three " * 2000), context=2048, wanted=10)


@pytest.mark.parametrize("text", ["plain words", "zwölf Größe 👍🏽 שלום", "a\n\n  b\t", "x" * 300, "नमस्ते दुनिया", ""])
def test_text_read_token_by_token_is_the_text_read_at_once(renderer, text):
    ids = renderer.chunks(text)[0].ids[1:-1]
    reading = Reading(renderer)
    shown = ""
    for token in ids:
        reading.add(token)
        assert reading.so_far().startswith(shown) and "\ufffd" not in reading.so_far()
        shown = reading.so_far()
    assert reading.whole() == text_of(renderer, ids) == text
    assert shown == text


def test_a_stop_text_ends_the_reply_and_never_flashes_up(renderer):
    ids = renderer.chunks("One line.\n### And another")[0].ids[1:-1]
    reading, shown = Reading(renderer, ("###", "never")), []
    for token in ids:
        reading.add(token)
        shown.append(reading.so_far())
        if reading.is_over:
            break
    assert reading.is_over and reading.whole() == "One line.\n" and len(reading.ids) < len(ids)
    assert not any("#" in text for text in shown)
    assert shown[-1] == "One line.\n"


@pytest.mark.parametrize(
    ("text", "thought", "said"),
    [
        ("Lima.", "", "Lima."),
        ("<think>\nPeru?\n</think>\n\nLima.", "Peru?", "Lima."),
        ("Peru?\n</think>\nLima.", "Peru?", "Lima."),
        ("<|channel>thought\nPeru?<channel|>Lima.", "Peru?", "Lima."),
        ("<|channel>thought\n<channel|>Lima.", "", "Lima."),
        ("<think>Peru", "Peru", ""),
        ("<think>a</think>b<think>c</think>d", "a\nc", "bd"),
        ("2 < 3 and 3 > 2", "", "2 < 3 and 3 > 2"),
    ],
)
def test_thoughts_are_kept_apart(text, thought, said):
    assert apart(text) == (thought, said)


def test_circles_are_seen_and_long_lists_are_not():
    assert is_cycle([9] * 24, 24) and is_cycle([1, 2, 3] * 8, 24) and not is_cycle([1, 2, 3] * 7, 24)
    assert not is_cycle([number % 70 for number in range(500)], 24)  # longer than any cycle we call one
    assert not is_cycle([*[9] * 200, 1, 2, 3], 24)
    assert is_cycle([*range(100), *[4, 5] * 128], 256) and not is_cycle([*range(100), *[4, 5] * 127], 256)
