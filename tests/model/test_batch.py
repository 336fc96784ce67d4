"""Many replies at once are those of a model asked one by one, whoever else is in the batch."""

import random

import pytest

from facet import starter
from facet.dataset.render import Renderer
from facet.model import batch
from facet.model.batch import Reply, generate
from facet.model.decoding import Decoding
from facet.model.lanes import Lanes
from facet.model.load import load_base
from facet.model.reading import text_of
from tests.tiny_models import KINDS, build

pytestmark = pytest.mark.tiny
SHORT = Decoding(max_new_tokens=20)
WORDS = "river stone lamp garden window quiet paper morning bread winter song Peru capital what is the of".split()


@pytest.fixture(scope="module")
def model():
    return load_base(starter.FOLDER, "float32", "cpu")


@pytest.fixture(scope="module")
def renderer():
    return Renderer.load(starter.FOLDER)


def prompts(renderer: Renderer, count: int, longest: int = 40) -> list[list[int]]:
    dice = random.Random(count)
    texts = [" ".join(dice.choice(WORDS) for _ in range(dice.randint(1, longest))) for _ in range(count)]
    return renderer.prompts([[{"role": "user", "content": text}] for text in texts])


def replies(model, renderer, asked, decoding=SHORT, **how) -> dict[int, Reply]:
    found: dict[int, Reply] = {}

    def keep(index: int, reply: Reply) -> None:
        assert index not in found
        found[index] = reply

    generate(model, renderer, asked, decoding, on_done=keep, **how)
    return found


def alone(model, renderer, prompt: list[int], most: int) -> list[int]:
    """What transformers itself says, one prompt at a time."""
    import torch

    ids = torch.tensor([prompt])
    ends = {"eos_token_id": renderer.stop_ids, "pad_token_id": renderer.stop_ids[0]}
    with torch.inference_mode():
        out = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=most, **ends)
    return [token for token in out[0, len(prompt) :].tolist() if token not in renderer.stop_ids]


@pytest.mark.parametrize("kind", ["starter", *KINDS])
def test_greedy_replies_are_those_of_transformers_one_by_one(kind, tmp_path, monkeypatch):
    folder = starter.FOLDER if kind == "starter" else build(kind, tmp_path / kind)
    renderer, model = Renderer.load(folder), load_base(folder, "float32", "cpu")
    monkeypatch.setattr(batch, "MOST_TOGETHER", {"cpu": 4})  # so that rows leave and others join
    asked = prompts(renderer, 10)
    found = replies(model, renderer, asked, Decoding(max_new_tokens=12))

    assert sorted(found) == list(range(10))
    for place, prompt in enumerate(asked):
        wanted = alone(model, renderer, prompt, 12)
        assert found[place].tokens == len(wanted)
        assert batch.apart(text_of(renderer, wanted)) == (found[place].thought, found[place].text)


def test_a_reply_does_not_depend_on_who_else_is_in_the_batch(model, renderer, monkeypatch):
    asked = prompts(renderer, 13)
    together = replies(model, renderer, asked)
    monkeypatch.setattr(batch, "MOST_TOGETHER", {"cpu": 3})
    assert replies(model, renderer, asked) == together
    assert {place: replies(model, renderer, [asked[place]])[0] for place in (2, 7)}.items() <= together.items()


def test_with_dice_every_row_throws_those_of_its_seed(model, renderer):
    wild = Decoding(temperature=1.5, top_p=0.9, top_k=0, max_new_tokens=15, seed=3)
    asked = prompts(renderer, 5, longest=5)
    together = replies(model, renderer, asked, wild)
    assert {place: replies(model, renderer, [prompt], wild)[0] for place, prompt in enumerate(asked)} == together
    assert replies(model, renderer, asked, Decoding(temperature=1.5, top_k=0, max_new_tokens=15, seed=4)) != together


def test_lanes_longer_than_the_window_of_a_model_stay_right_when_others_join(tmp_path, monkeypatch):
    folder = build("gemma4_text", tmp_path / "gemma4_text")  # a window of 64 tokens
    renderer, model = Renderer.load(folder), load_base(folder, "float32", "cpu")
    monkeypatch.setattr(batch, "MOST_TOGETHER", {"cpu": 2})
    asked = [prompts(renderer, 6, longest=size)[0] for size in (80, 70, 3, 40, 2, 5)]
    assert max(map(len, asked)) > 64 > min(map(len, asked))
    found = replies(model, renderer, asked, Decoding(max_new_tokens=30))
    for place, prompt in enumerate(asked):
        assert found[place].tokens == len(alone(model, renderer, prompt, 30))


def test_a_reply_says_how_it_ended(model, renderer):
    asked = prompts(renderer, 3, longest=4)
    assert {reply.ended for reply in replies(model, renderer, asked, Decoding(max_new_tokens=2)).values()} == {"length"}
    whole = replies(model, renderer, asked, Decoding(max_new_tokens=60))
    assert {reply.ended for reply in whole.values()} == {"finished"}
    letter = whole[0].text[5]
    cut = replies(model, renderer, asked[:1], Decoding(max_new_tokens=60, stop=(letter,)))[0]
    assert (cut.text, cut.ended) == (whole[0].text.split(letter)[0], "finished")


def test_a_prompt_without_room_for_an_answer_gets_none(model, renderer):
    asked = [[5] * 3000, *prompts(renderer, 1), [5] * 2047]
    found = replies(model, renderer, asked)
    assert found[0] == Reply("", 0, "length", False)
    assert found[1].tokens > 0 and found[2].tokens <= 1


def test_stopping_reports_only_what_was_finished(model, renderer, monkeypatch):
    monkeypatch.setattr(batch, "MOST_TOGETHER", {"cpu": 2})
    asked = prompts(renderer, 12)
    found: dict[int, Reply] = {}
    generate(
        model,
        renderer,
        asked,
        Decoding(max_new_tokens=20),
        on_done=found.__setitem__,
        should_stop=lambda: len(found) > 3,
    )
    whole = replies(model, renderer, asked)
    assert 3 < len(found) < 12 and found.items() <= whole.items()


def test_when_memory_runs_out_fewer_are_answered_at_a_time(model, renderer, monkeypatch):
    asked, real, sizes = prompts(renderer, 12), Lanes.step, []

    def step(lanes: Lanes, tokens: list[int]):
        sizes.append(len(tokens))
        if len(tokens) > 3:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return real(lanes, tokens)

    wanted = replies(model, renderer, asked)
    monkeypatch.setattr(Lanes, "step", step)
    assert replies(model, renderer, asked) == wanted
    assert max(sizes) > 3 and sizes[-1] <= 3


def test_a_budget_of_tokens_limits_what_is_held(model, renderer, monkeypatch):
    held, real = [], Lanes.step

    def step(lanes: Lanes, tokens: list[int]):
        held.append(len(tokens) * lanes.length)
        return real(lanes, tokens)

    asked = prompts(renderer, 12)
    monkeypatch.setattr(Lanes, "step", step)
    wanted = replies(model, renderer, asked)
    free, limited = max(held), held.clear()
    assert limited is None and replies(model, renderer, asked, token_budget=300) == wanted
    assert max(held) <= 300 < free


def test_a_reply_that_goes_round_in_circles_is_marked(tmp_path):
    folder = build("llama", tmp_path / "llama")
    renderer, model = Renderer.load(folder), load_base(folder, "float32", "cpu")
    found = replies(model, renderer, prompts(renderer, 2), Decoding(max_new_tokens=120))
    assert any(reply.repeating for reply in found.values())


def test_scores_that_are_no_numbers_are_said(renderer):
    import torch

    model = load_base(starter.FOLDER, "float32", "cpu")
    with torch.no_grad():
        model.model.layers[2].mlp.up_proj.weight[0, 0] = float("nan")
    with pytest.raises(Exception, match="This model is broken"):
        replies(model, renderer, prompts(renderer, 2))
