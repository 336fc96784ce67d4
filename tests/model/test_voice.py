"""The chat process: several speakers in one request, the proof, the memory, and what may go wrong on the way."""

import io
import json
import shutil
import threading
from pathlib import Path

import pytest

from facet.errors import DataError
from facet.model import voice as module
from facet.model.decoding import Decoding
from facet.model.voice import Voice, serve, speakers_of
from facet.starter import FOLDER
from tests.model.conftest import save_adapter, spoil
from tests.tiny_models import tiny_gemma3

pytestmark = pytest.mark.tiny
ASKED = [{"role": "user", "content": "What is the capital of Peru?"}]
SHORT = Decoding(max_new_tokens=8).as_dict()


def speaker(key: str, adapter: Path | None = None, base: Path = FOLDER, messages=ASKED) -> dict:
    return {"key": key, "base": str(base), "adapter": str(adapter) if adapter else None, "messages": messages}


def asked(*speakers: dict, **more) -> dict:
    return {"id": "1", "speakers": list(speakers), "decoding": SHORT} | more


def heard(voice: Voice, request: dict) -> list[dict]:
    return list(voice.answers(request, threading.Event()))


def texts(answers: list[dict]) -> dict[str, str]:
    return {answer["side"]: answer["text"] for answer in answers if answer.get("done")}


@pytest.fixture(scope="module")
def voice() -> Voice:
    return Voice()


def test_four_speakers_of_one_base_answer_in_order_and_the_adapters_are_proved(voice, adapter, another):
    request = asked(speaker("base"), speaker("run@20", adapter), speaker("b", another), speaker("again"), prove=True)
    answers = heard(voice, request)
    done = [answer for answer in answers if answer.get("done")]
    proofs = [answer["proof"] for answer in answers if "proof" in answer]

    assert answers[0] == {"loading": True} and answers[-1] == {"over": True}
    assert [piece["side"] for piece in done] == ["base", "run@20", "b", "again"]
    assert [proof["key"] for proof in proofs] == ["run@20", "b"] and all(proof["changes"] for proof in proofs)
    assert len(voice.companies) == 1
    assert texts(answers)["base"] == texts(answers)["again"] != texts(answers)["run@20"]
    piece = done[0]
    assert piece["context"] == 2048 and 0 < piece["prompt_tokens"] < 40 and piece["left_out"] == 0
    assert 0 < piece["first_seconds"] <= piece["seconds"] and piece["ended"]
    assert heard(voice, request)[0] == {"loading": False}


def test_the_form_with_two_sides_goes_on_working(voice, adapter):
    sides = {"base": ASKED, "tuned": ASKED}
    request = {"base": str(FOLDER), "adapter": str(adapter), "messages": sides, "decoding": SHORT}
    wanted = texts(heard(voice, asked(speaker("base"), speaker("tuned", adapter))))
    assert texts(heard(voice, request)) == wanted


@pytest.mark.parametrize("count", [0, 5])
def test_too_few_or_too_many_speakers_are_refused(count):
    with pytest.raises(DataError, match="cannot answer together"):
        speakers_of(asked(*[speaker(str(number)) for number in range(count)]))


def test_two_speakers_of_one_name_are_refused():
    with pytest.raises(DataError, match="cannot answer together"):
        speakers_of(asked(speaker("a"), speaker("a")))


def test_an_adapter_for_another_base_is_named_and_the_others_speak_on(voice, adapter, tmp_path):
    theirs = save_adapter(tmp_path / "theirs", tiny_gemma3(tmp_path / "tiny"))
    before = texts(heard(voice, asked(speaker("a", adapter))))
    answers = heard(voice, asked(speaker("base"), speaker("theirs", theirs)))

    assert "base" in texts(answers)
    assert answers[-1]["error"]["what"] == "This adapter was made for another starting model."
    after = heard(voice, asked(speaker("a", adapter)))
    assert after[0] == {"loading": False} and texts(after) == before


def test_scores_that_are_no_numbers_end_the_reply_with_an_error(voice, adapter, tmp_path):
    huge = spoil(adapter, tmp_path / "huge", lambda name, weight: weight * 1e37)
    answers = heard(voice, asked(speaker("huge", huge)))
    assert answers[-1]["error"]["what"] == "This model is broken."
    assert texts(heard(voice, asked(speaker("base"))))["base"]


def test_an_adapter_deleted_in_mid_reply_finishes_and_is_missing_afterwards(voice, adapter, tmp_path):
    place = shutil.copytree(adapter, tmp_path / "adapter")
    answers = voice.answers(asked(speaker("a", place)), threading.Event())
    first = next(answer for answer in answers if "text" in answer)
    shutil.rmtree(place)
    rest = list(answers)

    assert not first["done"] and rest[-1] == {"over": True} and texts(rest)["a"]
    assert heard(voice, asked(speaker("a", place)))[-1]["error"]["kind"] == "DataError"


def test_bases_nobody_asks_for_any_more_leave_the_memory(adapter, tmp_path, monkeypatch):
    voice, tiny = Voice(), tiny_gemma3(tmp_path / "tiny")
    both = asked(speaker("a", adapter), speaker("tiny", base=tiny))
    answers = heard(voice, both)
    assert set(texts(answers)) == {"a", "tiny"} and set(voice.companies) == {FOLDER, tiny}
    heard(voice, asked(speaker("tiny", base=tiny)))
    assert FOLDER in voice.companies  # nothing had to be loaded, so nothing had to go
    third = tiny_gemma3(tmp_path / "third", seed=1)
    heard(voice, asked(speaker("third", base=third)))
    assert set(voice.companies) == {third}

    monkeypatch.setattr(module, "free_memory_gb", lambda: 0.0)
    squeezed = heard(voice, both)
    assert texts(squeezed) == texts(answers) and set(voice.companies) == {tiny}
    assert [answer for answer in squeezed if "loading" in answer] == [{"loading": True}] * 2


def test_a_picture_is_refused_rather_than_not_looked_at(voice):
    shown = [{"role": "user", "content": "", "images": ["/tmp/a.png"]}]
    assert (
        heard(voice, asked(speaker("a", messages=shown)))[-1]["error"]["what"] == "This model cannot see pictures here."
    )


def test_release_forgets_everything(adapter):
    voice = Voice()
    heard(voice, asked(speaker("a", adapter), prove=True))
    assert heard(voice, {"id": "2", "release": True}) == [{"over": True}]
    assert not voice.companies and not voice.proofs


def test_a_process_that_runs_out_of_memory_says_so_and_starts_empty(voice, monkeypatch):
    def full(*_):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        yield

    own = Voice()
    heard(own, asked(speaker("a")))
    monkeypatch.setattr(module, "reply", full)
    assert own.companies and "memory" in heard(own, asked(speaker("a")))[-1]["error"]["what"]
    assert not own.companies


def test_requests_come_and_go_as_lines_and_a_stop_may_come_before_its_turn():
    requests = [asked(speaker("a")) | {"id": "one"}, asked(speaker("a")) | {"id": "two"}, {"stop": "two"}]
    out = io.StringIO()
    serve(io.StringIO("".join(json.dumps(line) + "\n" for line in requests)), out)
    said = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["id"] for line in said if "over" in line] == ["one", "two"]
    assert all("error" not in line for line in said)
