"""Engines beside transformers: the same words, refused where they are others, one for all who are compared."""

import sys
import threading
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from facet.errors import SettingError
from facet.model import batch, engine_vllm, engines
from facet.model import voice as voice_module
from facet.model.company import Company
from facet.model.decoding import LLAMA_CPP, TRANSFORMERS, VLLM, Decoding
from facet.model.engine import Refused, Said, obstacle, one_reply
from facet.model.engines import Engines
from facet.model.speak import Prompt, tokens
from facet.model.voice import Voice
from facet.starter import FOLDER
from tests.tiny_models import build

pytestmark = pytest.mark.tiny
needs_llama = pytest.mark.skipif(find_spec("xllamacpp") is None, reason="llama.cpp is not installed")
ASKED = [
    "What is the capital of Peru?",
    "What is 7 times 8?",
    "Tell me a story about the sea and a lamp.",
    "Hi!",
    "Write the word snow in capital letters.",
]
GREEDY = Decoding(max_new_tokens=24)


class Wrong:
    """An engine whose words are its own."""

    name, context = LLAMA_CPP, 512

    def __init__(self) -> None:
        self.closed = False

    def speak(self, prompts, decoding, wanted=lambda place: True):
        yield from (Said(place, [370, 370], True) for place in range(len(prompts)))

    def close(self) -> None:
        self.closed = True


def prompts(company: Company) -> list[list[int]]:
    return [company.renderer.prompt([{"role": "user", "content": text}]) for text in ASKED]


def answered(generate, by, company: Company, decoding: Decoding) -> dict[int, batch.Reply]:
    found: dict[int, batch.Reply] = {}
    generate(by, company.renderer, prompts(company), decoding, on_done=found.__setitem__)
    return found


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """The starter with llama.cpp beside it: (company, engines, the folder that models stood in)."""
    scratch = tmp_path_factory.mktemp("engines")
    found = Engines(lambda: scratch, at_once=3)
    yield Company.load(FOLDER), found, scratch
    found.close()


# ---- the same words
@needs_llama
def test_llama_cpp_says_what_transformers_says_with_an_adapter_and_without(opened, adapter):
    company, open_engines, scratch = opened
    company.add("a", adapter)
    said = []
    for member, folder in ((None, None), ("a", adapter)):
        engine = open_engines.get(LLAMA_CPP, company, member, folder)
        with company.speaking_as(member) as model:
            theirs = answered(batch.generate, model, company, GREEDY)
        assert answered(batch.generate_with, engine, company, GREEDY) == theirs
        assert {reply.ended for reply in theirs.values()} <= {"finished", "length"}
        said.append(theirs)
    assert said[0] != said[1]
    assert list(scratch.iterdir()) == []  # the file went when it was read
    company.drop("a")


@needs_llama
@pytest.mark.parametrize("kind", ["gemma3_text", "llama", "qwen3"])
def test_every_token_comes_also_where_one_is_only_a_part_of_a_letter(kind, tmp_path):
    company = Company.load(build(kind, tmp_path / kind))
    found = Engines(lambda: tmp_path / "scratch")
    engine = found.get(LLAMA_CPP, company, None, None)
    prompt = company.renderer.prompt([{"role": "user", "content": "the sea, yes"}])
    own = tokens(company.model, Prompt(prompt), GREEDY, threading.Event())
    wanted = []
    while len(wanted) < 24 and (not wanted or wanted[-1] not in company.renderer.stop_ids):
        wanted.append(next(own))
    assert list(one_reply(engine, prompt, GREEDY, threading.Event())) == wanted
    found.close()


@needs_llama
def test_stop_texts_penalties_and_dice_reach_llama_cpp(opened):
    company, open_engines, _ = opened
    engine = open_engines.get(LLAMA_CPP, company, None, None)
    for decoding in (
        Decoding(max_new_tokens=24, stop=("of",)),
        Decoding(max_new_tokens=3),
        Decoding(max_new_tokens=16, repetition_penalty=1.8),
    ):
        assert answered(batch.generate_with, engine, company, decoding) == answered(
            batch.generate, company.model, company, decoding
        )
    dice = Decoding(temperature=2.0, top_p=1.0, top_k=0, max_new_tokens=12, seed=5)
    first = answered(batch.generate_with, engine, company, dice)
    assert answered(batch.generate_with, engine, company, dice) == first
    other = answered(batch.generate_with, engine, company, Decoding(**dice.as_dict() | {"seed": 6}))
    assert other != first


@needs_llama
def test_a_reply_that_nobody_wants_any_more_ends(opened):
    company, open_engines, _ = opened
    engine = open_engines.get(LLAMA_CPP, company, None, None)
    stop = threading.Event()
    reply = one_reply(engine, prompts(company)[2], Decoding(max_new_tokens=400), stop)
    next(reply)
    stop.set()
    assert list(reply) == []
    done: list[int] = []
    batch.generate_with(
        engine, company.renderer, prompts(company), GREEDY, on_done=lambda at, _: done.append(at), should_stop=done.copy
    )
    assert 1 <= len(done) < len(ASKED)


# ---- refused
def test_an_engine_with_other_words_is_refused_once_and_for_all(opened, monkeypatch, tmp_path):
    company, _, _ = opened
    wrong, tried = Wrong(), []
    monkeypatch.setattr(engines, "obstacle", lambda name, device: None)
    found = Engines(lambda: tmp_path)
    monkeypatch.setattr(found, "_started", lambda *asked: tried.append(asked) or wrong)
    for _ in range(2):
        with pytest.raises(Refused, match="other words than transformers in 4 of 4 trials"):
            found.get(LLAMA_CPP, company, None, None)
    assert len(tried) == 1 and wrong.closed and not found.has(LLAMA_CPP, company.base, None)


def test_whatever_fails_in_an_engine_leaves_the_answer_to_transformers(opened, monkeypatch, tmp_path):
    company, _, _ = opened

    def fails(*_):
        raise ValueError("a text nobody should see")

    monkeypatch.setattr(engines, "obstacle", lambda name, device: None)
    found = Engines(lambda: tmp_path)
    monkeypatch.setattr(found, "_started", fails)
    with pytest.raises(
        Refused, match=r"llama.cpp is not used: it failed \(ValueError\). transformers answers instead."
    ):
        found.get(LLAMA_CPP, company, None, None)


def test_what_is_not_installed_or_on_another_device_is_said():
    assert "graphics card" in obstacle(VLLM, "cpu") and "processor" in obstacle(LLAMA_CPP, "cuda")
    assert obstacle(TRANSFORMERS, "cpu") is None
    if find_spec("vllm") is None:
        assert obstacle(VLLM, "cuda") == "the package vllm is not installed"
    with pytest.raises(SettingError, match="Answers come from"):
        Decoding(engine="ollama")


# ---- chat
def speaker(key: str, adapter: Path | None = None) -> dict:
    turns = [{"role": "user", "content": ASKED[0]}]
    return {"key": key, "base": str(FOLDER), "adapter": str(adapter) if adapter else None, "messages": turns}


def talked(voice: Voice, *speakers: dict, **decoding) -> list[dict]:
    how = Decoding(max_new_tokens=12, **decoding).as_dict()
    request = {"id": "1", "speakers": list(speakers), "decoding": how}
    return list(voice.answers(request, threading.Event()))


def endings(answers: list[dict]) -> list[tuple[str, str, str]]:
    return [(one["text"], one["engine"], one["why"]) for one in answers if one.get("done")]


@pytest.fixture
def voice(tmp_path, monkeypatch) -> Voice:
    monkeypatch.setenv("FACET_HOME", str(tmp_path / "home"))
    return Voice()


@needs_llama
def test_in_a_chat_everybody_speaks_through_the_chosen_engine_and_says_the_same(voice, adapter):
    both = [speaker("base"), speaker("tuned", adapter)]
    plain = endings(talked(voice, *both))
    chosen = endings(talked(voice, *both, engine=LLAMA_CPP))
    assert [engine for _, engine, _ in plain] == [TRANSFORMERS] * 2
    assert chosen == [(text, LLAMA_CPP, "") for text, _, _ in plain]
    assert len(voice.engines._open) == 2
    voice.forget()
    assert not voice.engines._open and not voice.companies


@needs_llama
def test_without_a_wish_llama_cpp_begins_once_it_pays_and_never_with_dice(voice, monkeypatch):
    monkeypatch.setattr(voice_module, "PAYS_FROM_PARAMETERS", 1_000)
    monkeypatch.setattr(voice_module, "PAYS_FROM_TOKENS", 5)
    first, second = endings(talked(voice, speaker("a"))), endings(talked(voice, speaker("a")))
    assert [first[0][1], second[0][1]] == [TRANSFORMERS, LLAMA_CPP] and first[0][0] == second[0][0]
    assert endings(talked(voice, speaker("a"), temperature=1.0))[0][1] == TRANSFORMERS


def test_when_one_side_cannot_no_side_does_and_the_reason_is_said(voice, adapter, monkeypatch):
    def get(name, company, member, adapter):
        if member:
            raise Refused(name, "it gave other words than transformers in 1 of 4 trials")
        return Wrong()

    monkeypatch.setattr(voice.engines, "get", get)
    found = endings(talked(voice, speaker("base"), speaker("tuned", adapter), engine=LLAMA_CPP))
    assert [engine for _, engine, _ in found] == [TRANSFORMERS] * 2
    assert all(why == "llama.cpp is not used: it gave other words than transformers in 1 of 4 trials. "
               "transformers answers instead." for _, _, why in found)  # fmt: skip


# ---- vLLM: its own objects are stood in for, since no graphics card is here
class FakeVllm:
    """vLLM's engine as its reference describes it: outputs grow, and a request that was aborted is gone."""

    def __init__(self, says: dict[int, list[int]]) -> None:
        self.says, self.asked, self.aborted = says, {}, []

    def add_request(self, request_id, prompt, params, lora_request=None):
        self.asked[request_id] = (prompt["prompt_token_ids"], params, lora_request, 0)

    def step(self):
        for name, (prompt, params, lora, said) in list(self.asked.items()):
            whole = self.says[prompt[0]]
            said = min(len(whole), said + 2)
            self.asked[name] = (prompt, params, lora, said)
            output = SimpleNamespace(token_ids=tuple(whole[:said]))
            finished = said == len(whole)
            if finished:
                del self.asked[name]
            yield SimpleNamespace(request_id=name, outputs=[output], finished=finished)

    def abort_request(self, names):
        self.aborted += [self.asked.pop(name)[0][0] for name in names]


@pytest.fixture
def vllm(monkeypatch):
    package, lora = ModuleType("vllm"), ModuleType("vllm.lora.request")
    package.SamplingParams = lambda **settings: SimpleNamespace(**settings)
    lora.LoRARequest = lambda name, number, path: SimpleNamespace(name=name, number=number, path=path)
    for name, module in (("vllm", package), ("vllm.lora", ModuleType("vllm.lora")), ("vllm.lora.request", lora)):
        monkeypatch.setitem(sys.modules, name, module)


def test_vllm_is_given_tokens_settings_and_the_adapter_and_its_growing_outputs_are_read(vllm, tmp_path):
    shared = FakeVllm({7: [1, 2, 3], 8: [4, 5, 6, 7, 8, 9], 9: [5]})
    engine = engine_vllm.Vllm(shared, [5], 64, tmp_path)
    heard: dict[int, list[int]] = {0: [], 1: [], 2: []}
    over = set()
    for said in engine.speak([[7], [8], [9]], Decoding(max_new_tokens=100, seed=3), lambda place: place != 1):
        heard[said.place] += said.tokens
        over |= {said.place} if said.is_over else set()
        for _, settings, lora, _ in shared.asked.values():
            assert (settings.max_tokens, settings.seed, settings.stop_token_ids) == (63, 3, [5])
            assert settings.temperature == 0 and lora.path == str(tmp_path) and lora.number >= 1
    assert heard == {0: [1, 2, 3], 1: [4, 5], 2: [5]}
    assert over == {0, 2} and shared.aborted == [8]
    assert engine_vllm.Vllm(shared, [5], 64, None).lora is None
