"""Tools as the model reads them: what it learns of calls, and what is only read."""

import json

import pyarrow as pa
import pytest

from facet.dataset.render import Renderer
from facet.errors import DataError
from facet.model.tokens import Lesson, write_tokens
from tests.dataset import toy, toy_tools
from tests.dataset.toy_tools import ASKED, CALLED, DECLARED, RESULT, TALK, TOLD


@pytest.fixture(params=list(toy_tools.TEMPLATES))
def renderer(request, tmp_path, monkeypatch):
    monkeypatch.setattr("facet.dataset.render.is_trusted", lambda sha: True)  # our own templates
    return Renderer.load(toy_tools.save_model(tmp_path / "model", toy_tools.TEMPLATES[request.param]))


def text_of(renderer, rendered, trained=None) -> str:
    ids = [
        each for each, is_trained in zip(rendered.ids, rendered.trained, strict=True) if trained in (None, is_trained)
    ]
    return renderer.tokenizer.decode(ids, skip_special_tokens=False)


def test_calls_are_learned_and_declarations_and_results_are_only_read(renderer):
    rendered = renderer.render(TALK, tools=json.dumps(DECLARED))
    learned, read = text_of(renderer, rendered, True), text_of(renderer, rendered, False)
    assert '<call>weather{"city": "Lima"}</call>' in learned
    assert "It is sunny.<end_of_turn>" in learned
    assert "Tells the weather." in read
    assert "Tells" not in learned
    assert "sunny" in read.split("Lima?")[1]
    assert learned.count("sunny") == 1
    assert text_of(renderer, rendered).count("sunny") == 2


def test_what_is_read_before_each_answer_is_what_the_model_is_asked_with(renderer):
    tools = json.dumps(DECLARED)
    rendered = renderer.render(TALK, tools=tools)
    starts = [
        place for place, trained in enumerate(rendered.trained) if trained and not rendered.trained[max(0, place - 1)]
    ]
    assert [rendered.ids[:start] for start in starts] == [
        renderer.prompt(TALK[:1], tools),
        renderer.prompt(TALK[:3], tools),
    ]


def test_a_call_of_weight_0_is_read_and_not_learned(renderer):
    rendered = renderer.render([ASKED, {**CALLED, "weight": 0}, RESULT, TOLD])
    assert text_of(renderer, rendered, True) == "It is sunny.<end_of_turn>"
    assert "<call>" in text_of(renderer, rendered, False)


CONTROLS = ("<end_of_turn>", "<start_of_turn>", "<bos>", "<eos>", "<END_OF_TURN>", "<end_of_<end_of_turn>turn>")


@pytest.mark.parametrize("control", CONTROLS)
def test_no_words_in_declarations_calls_or_results_become_control_tokens(renderer, control):
    words = f"a{control}b"
    tools = [{"type": "function", "function": {"name": words, "description": words, "parameters": {words: words}}}]
    call = {"id": words, "type": "function", "function": {"name": words, "arguments": {words: [words, {words: 1}]}}}
    talk = [
        {"role": "user", "content": words},
        {"role": "assistant", "content": words, "tool_calls": [call]},
        {"role": "tool", "content": words, "name": words},
        {"role": "assistant", "content": words},
    ]

    def plain(value):
        return json.loads(json.dumps(value).replace(control, "x"))

    rendered, harmless = (
        renderer.render(talk, tools=json.dumps(tools)),
        renderer.render(plain(talk), tools=json.dumps(plain(tools))),
    )
    controls = set(renderer.control_ids.values())
    assert [each for each in rendered.ids if each in controls] == [each for each in harmless.ids if each in controls]
    assert "\U000f0000" not in text_of(renderer, rendered)
    assert text_of(renderer, rendered, True).endswith(f"{words}<end_of_turn>")


def test_conversations_without_tools_are_rendered_alike_by_a_template_that_knows_them(renderer):
    made = toy.conversations(200, 11, ("<end_of_turn>",))
    assert renderer.render_many(made) == renderer.render_many(made, tools=[None] * 200)


def test_a_template_in_a_child_is_given_the_tools_as_well(tmp_path):
    renderer = Renderer.load(toy_tools.save_model(tmp_path / "model"))
    rendered = renderer.render_many([TALK, TALK[:1] + TALK[3:]], tools=[json.dumps(DECLARED), None])
    assert "Tells the weather." in text_of(renderer, rendered[0])
    assert "Tells the weather." not in text_of(renderer, rendered[1])


@pytest.mark.parametrize(
    ("talk", "tools"), [(TALK, None), ([ASKED, TOLD], DECLARED), (TALK, DECLARED)], ids=["calls", "tools", "both"]
)
def test_a_model_without_tools_is_refused_with_what_to_choose_instead(tmp_path, talk, tools):
    renderer = Renderer.load(toy.save_model(tmp_path / "model"))
    with pytest.raises(DataError, match="cannot be taught to use tools") as refused:
        renderer.render(talk, tools=json.dumps(tools) if tools else None)
    assert "“Starting model”" in refused.value.next


@pytest.mark.parametrize("name", ["gemma4.jinja", "gemma4_v5.jinja"])
def test_gemma_4_learns_calls_and_answers_and_only_reads_results(tmp_path, name):
    template = toy.trl_template(name)
    if template is None:
        pytest.skip("TRL is not installed, so its templates are not at hand")
    turns = (
        *toy.GEMMA4_TURNS,
        "<|tool>",
        "<tool|>",
        "<|tool_call>",
        "<tool_call|>",
        "<|tool_response>",
        "<tool_response|>",
        '<|"|>',
    )
    renderer = Renderer.load(toy.save_model(tmp_path / "model", turns, template))
    rendered = renderer.render(TALK, tools=json.dumps(DECLARED))
    learned = text_of(renderer, rendered, True)
    assert learned.startswith('<|tool_call>call:weather{city:<|"|>Lima<|"|>}<tool_call|>')
    assert learned.endswith("It is sunny.<turn|>")
    assert learned.count("sunny") == 1
    assert "Tells the weather." in text_of(renderer, rendered, False)


def test_tools_go_from_the_file_into_the_tokens_of_training(renderer, make, tmp_path):
    rows = "".join(
        json.dumps({"messages": TALK, "tools": DECLARED}).replace("Lima", city) + "\n" for city in ("Lima", "Rome")
    )
    part = make(rows, "a.jsonl", test_size=0).folder / "train.parquet"
    counts = write_tokens(part, tmp_path / "train.arrow", renderer, Lesson())
    with pa.ipc.open_stream(tmp_path / "train.arrow") as stream:
        ids = stream.read_all().column("input_ids").to_pylist()
    assert counts.rows == 2
    assert all("Tells the weather." in renderer.tokenizer.decode(row, skip_special_tokens=False) for row in ids)
    assert sorted(ids) == sorted(
        each.ids
        for each in renderer.render_many(
            [json.loads(json.dumps(TALK).replace("Lima", city)) for city in ("Lima", "Rome")],
            tools=[json.dumps(DECLARED)] * 2,
        )
    )


def test_raw_text_goes_into_the_tokens_of_training_whole(renderer, make, tmp_path):
    text = "the sea and nothing else " * 20
    part = make(f"{json.dumps({'text': text})}\n" * 2, "a.jsonl", test_size=0).folder / "train.parquet"
    counts = write_tokens(part, tmp_path / "train.arrow", renderer, Lesson(max_length=32))
    assert counts.tokens == counts.trained == 2 * len(renderer.chunks(text.strip())[0].ids)
    assert (counts.cut, counts.nothing_left) == (0, 0)
