"""What the model reads and what it learns, as properties over made-up conversations."""

import json
from pathlib import Path

import pytest
from tokenizers import AddedToken, normalizers

from facet.dataset.render import Renderer
from facet.errors import DataError, SettingError
from tests.dataset import toy

HELLO = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "bye"}]
GEMMA4_TEMPLATES = ["gemma4.jinja", "gemma4_v2.jinja", "gemma4_v3.jinja", "gemma4_v4.jinja", "gemma4_v5.jinja"]


@pytest.fixture(scope="session")
def gemma3_toy(tmp_path_factory) -> Path:
    return toy.save_model(tmp_path_factory.mktemp("toy3") / "model")


def gemma4_toy(folder: Path, name: str, thought: bool = False) -> Path:
    template = toy.trl_template(name)
    if template is None:
        pytest.skip("TRL is not installed, so its templates are not at hand")
    return toy.save_model(folder / "model", toy.GEMMA4_TURNS, toy.with_empty_thought(template) if thought else template)


def trained_text(renderer: Renderer, rendered) -> str:
    learned = [number for number, trained in zip(rendered.ids, rendered.trained, strict=True) if trained]
    return renderer.tokenizer.decode(learned, skip_special_tokens=False)


def check_properties(renderer: Renderer, conversation, rendered, end: str, turns: int) -> None:
    """What holds for every conversation, whatever is written in it. `turns`: control tokens of an empty one."""
    answers = [message["content"] for message in conversation if message["role"] == "assistant"]
    assert trained_text(renderer, rendered) == "".join(f"{answer}{end}" for answer in answers)
    prompt = renderer.prompt(conversation[:-1])
    assert rendered.ids[: len(prompt)] == prompt
    assert rendered.trained[len(prompt)]
    assert not rendered.trained[len(prompt) - 1]
    controls = set(renderer.control_ids.values())
    assert sum(number in controls for number in rendered.ids) == turns
    first_answer = rendered.trained.index(True)
    assert rendered.ids[:first_answer] == renderer.prompt(conversation[: 1 + (conversation[0]["role"] == "system")])


def test_one_exchange_is_learned_from_the_answer_to_its_end_of_turn(gemma3_toy):
    renderer = Renderer.load(gemma3_toy)
    pieces = renderer.pieces(renderer.render(HELLO))
    assert "".join(text for text, _, _ in pieces) == (
        "<bos><start_of_turn>user\nhello<end_of_turn>\n<start_of_turn>model\nbye<end_of_turn>\n"
    )
    assert "".join(text for text, trained, _ in pieces if trained) == "bye<end_of_turn>"
    assert [text for text, _, special in pieces if special] == [
        "<bos>",
        "<start_of_turn>",
        "<end_of_turn>",
        "<start_of_turn>",
        "<end_of_turn>",
    ]


def test_made_up_conversations_keep_the_properties(gemma3_toy):
    renderer = Renderer.load(gemma3_toy)
    made = toy.conversations(1_500, seed=1) + toy.conversations(1_500, 2, ("<end_of_turn>", "<start_of_turn>", "<bos>"))
    for conversation, rendered in zip(made, renderer.render_many(made), strict=True):
        dialogue = sum(message["role"] != "system" for message in conversation)
        check_properties(renderer, conversation, rendered, "<end_of_turn>", turns=1 + 2 * dialogue)


@pytest.mark.parametrize("name", GEMMA4_TEMPLATES)
def test_gemma_4_conversations_keep_the_properties(tmp_path, name):
    renderer = Renderer.load(gemma4_toy(tmp_path, name))
    made = toy.conversations(100, seed=3) + toy.conversations(300, 4, toy.GEMMA4_TURNS)
    for conversation, rendered in zip(made, renderer.render_many(made), strict=True):
        check_properties(renderer, conversation, rendered, "<turn|>", turns=1 + 2 * len(conversation))


def test_an_empty_thought_in_the_prompt_is_read_and_not_learned(tmp_path, monkeypatch):
    monkeypatch.setattr("facet.dataset.render.is_trusted", lambda sha: True)  # our own change of a known template
    renderer = Renderer.load(gemma4_toy(tmp_path, "gemma4_v5.jinja", thought=True))
    rendered = renderer.render(HELLO)
    text = renderer.tokenizer.decode(rendered.ids, skip_special_tokens=False)
    assert text == "<bos><|turn>user\nhello<turn|>\n<|turn>model\n<|channel>thought\n<channel|>bye<turn|>\n"
    assert trained_text(renderer, rendered) == "bye<turn|>"
    assert rendered.ids[: rendered.trained.index(True)] == renderer.prompt(HELLO[:1])


def test_an_answer_that_begins_like_the_empty_thought_is_learned_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("facet.dataset.render.is_trusted", lambda sha: True)
    renderer = Renderer.load(gemma4_toy(tmp_path, "gemma4_v5.jinja", thought=True))
    for answer in ("<", "<|channel>thought\n", "<|chan", "thought"):
        rendered = renderer.render([HELLO[0], {"role": "assistant", "content": answer}])
        assert trained_text(renderer, rendered) == f"{answer.strip()}<turn|>"


def test_no_words_of_a_person_can_move_where_the_answer_begins(tmp_path, monkeypatch):
    monkeypatch.setattr("facet.dataset.render.is_trusted", lambda sha: True)
    renderer = Renderer.load(gemma4_toy(tmp_path, "gemma4_v5.jinja", thought=True))
    for words in ("\ue000probe\ue000", "<|turn>model\n", "bye<turn|>", "\U000f0000"):
        rendered = renderer.render([{"role": "user", "content": words}, HELLO[1]])
        assert trained_text(renderer, rendered) == "bye<turn|>"


def test_a_control_token_that_only_the_template_marks_as_one_is_not_to_be_had_by_writing_it(tmp_path):
    """Some models steer by added tokens that their tokenizer does not call special."""
    folder = toy.save_model(
        tmp_path / "model", template="{# x #}" + toy.starter_template() + "{# <think> #}{{ '<think>' }}"
    )
    tokenizer = toy.tokenizer(toy.GEMMA3_TURNS)
    tokenizer.add_tokens([AddedToken("<think>", special=False, normalized=False)])
    tokenizer.save(str(folder / "tokenizer.json"))
    renderer = Renderer.load(folder)
    think = renderer.control_ids["<think>"]
    for content in ("<think>", "a <think> b", "<<think>>", "<thi<think>nk>"):
        prompt = renderer.prompt([{"role": "user", "content": content}])
        assert prompt.count(think) == 1  # the template's own
        assert f"user\n{content}<end_of_turn>" in renderer.tokenizer.decode(prompt, skip_special_tokens=False)


def test_other_spellings_of_a_control_token_stay_text_where_a_tokenizer_would_make_them_one(tmp_path):
    folder = toy.save_model(tmp_path / "model")
    tokenizer = toy.tokenizer(toy.GEMMA3_TURNS)
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(" ", "▁")])
    tokenizer.add_special_tokens([AddedToken("<end_of_turn>", special=True, normalized=True)])
    tokenizer.save(str(folder / "tokenizer.json"))
    renderer = Renderer.load(folder)
    end = renderer.control_ids["<end_of_turn>"]
    wide = "\uff1cend_of_turn\uff1e"  # the same letters, but as wide as Chinese ones
    assert renderer.tokenizer.encode(wide, add_special_tokens=False).ids == [end]
    assert renderer.prompt([{"role": "user", "content": wide}]).count(end) == 1


def test_only_answers_that_were_asked_for_in_that_form_are_learned(tmp_path, monkeypatch):
    """With an empty thought in the prompt, earlier answers stand in the history in another form."""
    monkeypatch.setattr("facet.dataset.render.is_trusted", lambda sha: True)
    renderer = Renderer.load(gemma4_toy(tmp_path, "gemma4_v5.jinja", thought=True))
    rendered = renderer.render([*HELLO, {"role": "user", "content": "who"}, {"role": "assistant", "content": "I"}])
    assert trained_text(renderer, rendered) == "I<turn|>"


def test_a_template_that_refuses_instructions_gets_them_in_the_first_question(tmp_path):
    template = toy.trl_template("gemma.jinja")
    if template is None:
        pytest.skip("TRL is not installed, so its templates are not at hand")
    renderer = Renderer.load(toy.save_model(tmp_path / "model", template=template))
    pieces = renderer.pieces(renderer.render([{"role": "system", "content": "no"}, *HELLO]))
    assert "".join(text for text, _, _ in pieces).startswith("<bos><start_of_turn>user\nno\n\nhello<end_of_turn>\n")


def test_cutting_keeps_the_start_and_says_how_much_is_lost(gemma3_toy):
    renderer = Renderer.load(gemma3_toy)
    whole = renderer.render(HELLO)
    cut = renderer.render(HELLO, max_length=5)
    assert (cut.ids, cut.trained, cut.cut) == (whole.ids[:5], whole.trained[:5], len(whole.ids) - 5)
    assert renderer.render(HELLO, max_length=len(whole.ids)).cut == 0


def test_a_letter_that_takes_several_tokens_is_shown_as_one_piece(gemma3_toy):
    renderer = Renderer.load(gemma3_toy)
    rendered = renderer.render([HELLO[0], {"role": "assistant", "content": "a 👩‍👩‍👧 b � c"}])
    pieces = [text for text, trained, _ in renderer.pieces(rendered) if trained]
    assert "👩" in pieces
    assert "".join(pieces) == "a 👩‍👩‍👧 b � c<end_of_turn>"


def test_many_at_once_are_rendered_as_one_by_one(gemma3_toy):
    renderer = Renderer.load(gemma3_toy)
    made = toy.conversations(600, 5, ("<end_of_turn>",))
    assert renderer.render_many(made, 30) == [renderer.render(each, 30) for each in made]


def test_a_template_that_does_not_accept_a_conversation_is_an_error_in_words(gemma3_toy):
    with pytest.raises(DataError, match="does not accept an example"):
        Renderer.load(gemma3_toy).render([HELLO[1], HELLO[0], HELLO[1]])


def test_stop_tokens_come_from_every_file_that_names_them(gemma3_toy, tmp_path):
    folder = toy.save_model(tmp_path / "model")
    known = Renderer.load(gemma3_toy)
    end, eos = known.control_ids["<end_of_turn>"], known.control_ids["<eos>"]
    assert known.stop_ids == sorted([end, eos])
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [eos, 7]}))
    (folder / "config.json").write_text(json.dumps({"eos_token_id": 8}))
    assert Renderer.load(folder).stop_ids == sorted({7, 8, eos, end})


BROKEN_FOLDERS = [
    ("nothing in it", {"tokenizer.json": None}, "no tokenizer"),
    ("a tokenizer that is no JSON", {"tokenizer.json": "hello"}, "cannot be read"),
    ("a tokenizer of an unknown kind", {"tokenizer.json": '{"model": {"type": "x"}}'}, "cannot be read"),
    ("a template that is no template", {"chat_template.jinja": "{% for %}"}, "chat template cannot be used"),
    ("a template without an end of turn", {"chat_template.jinja": "{{ messages[0]['content'] }}"}, "chat template"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("files", "words"), [case[1:] for case in BROKEN_FOLDERS], ids=[case[0] for case in BROKEN_FOLDERS]
)
def test_a_model_that_cannot_hold_conversations_says_why(tmp_path, monkeypatch, files, words):
    monkeypatch.setattr("facet.dataset.render.is_trusted", lambda sha: True)
    folder = toy.save_model(tmp_path / "model")
    for name, content in files.items():
        if content is None:
            (folder / name).unlink()
        else:
            (folder / name).write_text(content)
    with pytest.raises(SettingError, match=words):
        Renderer.load(folder).render(HELLO)


def test_a_model_without_a_template_but_with_gemmas_turns_gets_ours(tmp_path):
    folder = toy.save_model(tmp_path / "model")
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    del settings["chat_template"]
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    assert Renderer.load(folder).render(HELLO).ids


def test_a_template_file_goes_before_the_one_in_the_settings(tmp_path):
    folder = toy.save_model(tmp_path / "model", template="{{ broken")
    (folder / "chat_template.jinja").write_text(toy.starter_template())
    assert Renderer.load(folder).render(HELLO).ids


def test_raw_text_is_cut_into_parts_that_make_the_whole(gemma3_toy):
    renderer = Renderer.load(gemma3_toy)
    text = "hello the sea and nothing else 👧 " * 20
    (whole,) = renderer.chunks(text)
    assert renderer.tokenizer.decode(whole.ids, skip_special_tokens=False) == f"<bos>{text}<end_of_turn>"
    for size in (1, 7, 64, len(whole.ids)):
        parts = renderer.chunks(text, size)
        assert [number for part in parts for number in part.ids] == whole.ids
        assert {len(part.ids) for part in parts[:-1]} <= {size}
        assert all(all(part.trained) for part in parts)


def test_no_words_of_a_raw_text_become_control_tokens(gemma3_toy):
    renderer = Renderer.load(gemma3_toy)
    controls = set(renderer.control_ids.values())
    for text in ("a<end_of_turn>b", "<bos>", "<<eos>>", "<end_of_<end_of_turn>turn>"):
        (whole,) = renderer.chunks(text)
        assert not controls.intersection(whole.ids[1:-1])
        assert text in renderer.tokenizer.decode(whole.ids, skip_special_tokens=False)


def test_many_prompts_at_once_are_what_they_are_one_by_one(gemma3_toy):
    renderer = Renderer.load(gemma3_toy)
    asked = [each[:-1] for each in toy.conversations(600, 12, ("<end_of_turn>",))]
    assert renderer.prompts(asked) == [renderer.prompt(each) for each in asked]


# --- the real Gemma 3 tokenizer


@pytest.mark.tiny
def test_real_gemma_3_ids_equal_the_models_own_template(gemma3):
    from transformers import AutoTokenizer

    renderer, reference = Renderer.load(gemma3), AutoTokenizer.from_pretrained(gemma3)
    made = toy.conversations(10_000, seed=6)
    expected = reference.apply_chat_template(made, tokenize=True, return_dict=True)["input_ids"]
    for conversation, rendered, ids in zip(made, renderer.render_many(made), expected, strict=True):
        assert rendered.ids == ids, conversation


@pytest.mark.tiny
def test_real_gemma_3_keeps_the_properties_when_people_write_control_tokens(gemma3):
    renderer = Renderer.load(gemma3)
    controls = ("<end_of_turn>", "<start_of_turn>", "<bos>", "<eos>", "<start_of_image>", "<pad>")
    made = toy.conversations(3_000, 7, controls)
    for conversation, rendered in zip(made, renderer.render_many(made), strict=True):
        dialogue = sum(message["role"] != "system" for message in conversation)
        check_properties(renderer, conversation, rendered, "<end_of_turn>", turns=1 + 2 * dialogue)


@pytest.mark.tiny
def test_toy_ids_equal_the_template_as_transformers_renders_it(gemma3_toy, tmp_path):
    from transformers import PreTrainedTokenizerFast

    for folder in (gemma3_toy, *(gemma4_toy(tmp_path / name, name) for name in GEMMA4_TEMPLATES)):
        settings = json.loads((folder / "tokenizer_config.json").read_text())
        reference = PreTrainedTokenizerFast(
            tokenizer_file=str(folder / "tokenizer.json"),
            **{name: settings[name] for name in ("bos_token", "eos_token", "pad_token", "unk_token")},
        )
        reference.chat_template = settings["chat_template"]
        made = toy.conversations(500, seed=8)
        renderer = Renderer.load(folder)
        for conversation, rendered in zip(made, renderer.render_many(made), strict=True):
            ids = reference.apply_chat_template(conversation, tokenize=True, return_dict=True)["input_ids"]
            assert rendered.ids == ids
            asked = reference.apply_chat_template(
                conversation[:-1], tokenize=True, return_dict=True, add_generation_prompt=True
            )
            assert renderer.prompt(conversation[:-1]) == asked["input_ids"]
