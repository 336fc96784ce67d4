"""Chat templates for models that bring none: what every one of them keeps, and what is refused."""

import pytest

from facet.dataset import limited
from facet.dataset.model_files import chat_format
from facet.dataset.render import Renderer
from facet.dataset.templates import NAMES, READY, recommended, source_of, tried
from facet.errors import SettingError
from tests.dataset import toy

CHATML_TURNS = ("<|im_start|>", "<|im_end|>", "<end_of_turn>")
FITS = {
    "gemma3": toy.GEMMA3_TURNS,
    "gemma4": toy.GEMMA4_TURNS,
    "chatml": CHATML_TURNS,
    "plain": toy.GEMMA3_TURNS,
    "continuation": toy.GEMMA3_TURNS,
}
PLAIN = source_of("plain")


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    return toy.save_model(tmp_path_factory.mktemp("pretrained"))


@pytest.mark.parametrize("name", NAMES)
def test_a_ready_template_keeps_what_every_template_must(tmp_path, name):
    found = tried(toy.save_model(tmp_path / "model", FITS[name]), name)
    whole = "".join(text for text, _, _ in found.pieces)
    learned = "".join(text for text, trained, _ in found.pieces if trained)
    assert "Name a colour." in whole and "Name a colour." not in learned
    assert learned == f"Blue.{found.ends_with}Green it is.{found.ends_with}"


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("gemma4", "chatml")])
def test_it_keeps_them_on_the_real_gemma_3_tokenizer(gemma3, name):
    assert tried(gemma3, name).pieces


@pytest.mark.parametrize("name", NAMES)
def test_made_up_conversations_keep_the_prefix_and_learn_the_answers_alone(tmp_path, name):
    folder = toy.save_model(tmp_path / "model", FITS[name])
    renderer = Renderer(chat_format(folder, source_of(name)))
    for conversation in toy.conversations(60, 7, tuple(renderer.control_ids)):
        if not any(message["role"] == "assistant" for message in conversation):
            continue
        rendered = renderer.render(conversation)
        first = next(place for place, message in enumerate(conversation) if message["role"] == "assistant")
        start = rendered.trained.index(True)
        assert rendered.ids[:start] == renderer.prompt(conversation[:first])


@pytest.mark.parametrize("name", NAMES)
def test_control_tokens_that_a_person_spells_stay_letters(tmp_path, name):
    folder = toy.save_model(tmp_path / "model", FITS[name])
    renderer = Renderer(chat_format(folder, source_of(name)))
    controls = set(renderer.control_ids.values())

    def count(question: str) -> int:
        asked = [{"role": "user", "content": question}, {"role": "assistant", "content": "Lima."}]
        return sum(token in controls for token in renderer.render(asked).ids)

    assert count("hello " + "".join(renderer.control_ids)) == count("hello")


BAD = [
    ("forgets the question", "{% for m in messages if m.role == 'assistant' %}{{ m.content + eos_token }}{% endfor %}"),
    ("no end of turn", "{% for m in messages %}{{ m.content }}\n{% endfor %}"),
    ("depends on how many there are", PLAIN.replace("'Question: '", "messages | length ~ 'Question: '")),
    ("changes the answer", PLAIN.replace("message['content'] | trim + eos", "message['content'] | upper + eos")),
    ("not Jinja", "{% for m in"),
    ("no template at all", "Question and answer"),
    ("attributes of a class", "{{ ''.__class__.__mro__[1].__subclasses__() }}" + PLAIN),
    ("a loop without an end", "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}" + PLAIN),
    ("three billion letters", "{{ 'a' * 3000000000 }}" + PLAIN),
    ("far too long", "{{ 'a' }}" * 40_000),
]


@pytest.mark.parametrize("source", [case[1] for case in BAD], ids=[case[0] for case in BAD])
def test_a_template_that_would_teach_something_else_is_refused_with_the_reason(pretrained, source):
    with pytest.raises(SettingError) as caught:
        tried(pretrained, source)
    assert all(sentence.endswith(".") for sentence in caught.value.args) and len(caught.value.args) == 3
    assert caught.value.what == "This chat template cannot be used."
    assert "<class" not in str(caught.value)


def test_a_template_of_ones_own_is_tried_in_a_child_and_gives_what_the_ready_one_gives(pretrained):
    own = "{# my own #}" + PLAIN
    found = limited.call("try_template", {"model_folder": str(pretrained), "template": own}, memory_gb=2.0)
    assert [tuple(piece) for piece in found["pieces"]] == tried(pretrained, "plain").pieces


def test_a_template_whose_tokens_the_model_lacks_is_refused(pretrained):
    with pytest.raises(SettingError, match="does not know that token"):
        tried(pretrained, "chatml")


def test_the_sibling_is_recommended_and_plain_words_where_there_is_none():
    assert [recommended(generation) for generation in ("1", "3", "3n", "4", "other")] == [
        *["gemma3"] * 3, "gemma4", "plain",
    ]  # fmt: skip
    assert recommended("3", "cpt") == "continuation"
    assert all(ready.label and ready.words.endswith(".") for ready in READY)
