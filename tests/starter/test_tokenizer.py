"""The starter model's saved tokenizer and chat template, read without torch or transformers."""

import json
import string

import jinja2
import pytest
from tokenizers import Tokenizer

from facet.starter import FOLDER

if not FOLDER.exists():
    pytest.skip("facet/starter/model is missing: run `python -m facet.starter.make --to ...`", allow_module_level=True)

TEXTS = {
    "ascii": string.printable,
    "accents": "Où est l’été à São Paulo? Größe, Ænima.",
    "emoji": "Well done 🎉👩‍🚀 ❤️",
    "other scripts": "日本語 العربية हिन्दी",
    "newlines": "one\ntwo\n\nthree\n\n\n\nfour\r\n",
    "code": 'def area(r):\n\tif r <= 0:\n        raise ValueError(f"{r!r}")\n    return 3.14 * r**2  # ~\n',
    "json": '{"a": [1, 23, null], "b\\n": "é"}',
    "spaces": "  two before,   three between, one after ",
}


class Refused(Exception):
    pass


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(FOLDER / "tokenizer.json"))


def render(messages: list[dict], **options) -> str:
    def raise_exception(sentence: str) -> None:
        raise Refused(sentence)

    world = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    world.globals["raise_exception"] = raise_exception
    template = world.from_string((FOLDER / "chat_template.jinja").read_text(encoding="utf-8"))
    return template.render(messages=messages, bos_token="<bos>", **options)


def says(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_text_survives_the_round_trip(tokenizer, text):
    encoded = tokenizer.encode(text)
    assert tokenizer.decode(encoded.ids) == text
    assert "<unk>" not in encoded.tokens


def test_ids_of_special_tokens_are_those_of_gemma(tokenizer):
    assert [tokenizer.id_to_token(number) for number in range(4)] == ["<pad>", "<eos>", "<bos>", "<unk>"]
    assert tokenizer.get_vocab_size() == 4096


def test_a_text_begins_with_bos(tokenizer):
    assert tokenizer.encode("Hello").tokens == ["<bos>", "Hello"]


def test_digits_stand_alone_and_turn_marks_are_one_token(tokenizer):
    tokens = tokenizer.encode("<start_of_turn>model\n123<end_of_turn>", add_special_tokens=False).tokens
    assert tokens == ["<start_of_turn>", "model", "\n", "1", "2", "3", "<end_of_turn>"]


def test_ordinary_english_takes_few_tokens(tokenizer):
    text = "Please write a short letter to my teacher and explain that I was ill on Monday."
    assert len(text) / len(tokenizer.encode(text).ids) > 3


def test_the_end_of_a_turn_ends_an_answer(tokenizer):
    settings = json.loads((FOLDER / "generation_config.json").read_text())
    assert [tokenizer.id_to_token(number) for number in settings["eos_token_id"]] == ["<eos>", "<end_of_turn>"]


def test_turns_look_like_those_of_gemma():
    talk = [says("user", " Hi "), says("assistant", "Hello!\n"), says("user", "Bye")]
    text = render(talk, add_generation_prompt=True)
    assert text == (
        "<bos><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\nHello!<end_of_turn>\n"
        "<start_of_turn>user\nBye<end_of_turn>\n<start_of_turn>model\n"
    )


def test_a_system_message_opens_the_first_user_turn():
    text = render([says("system", "Be kind."), says("user", "Hi")])
    assert text == "<bos><start_of_turn>user\nBe kind.\n\nHi<end_of_turn>\n"


def test_content_may_be_a_list_of_parts():
    assert render([says("user", [{"type": "text", "text": "Hi"}])]) == render([says("user", "Hi")])


@pytest.mark.parametrize("roles", ["assistant", "user user", "user assistant assistant", "user system", "system " * 2])
def test_roles_that_do_not_alternate_are_refused_in_a_sentence(roles):
    with pytest.raises(Refused, match=r"must alternate: user, assistant"):
        render([says(role, "Hi") for role in roles.split()])


def test_an_answer_only_adds_to_its_prompt():
    """Otherwise the loss mask, which is the difference between the two, would be wrong."""
    question, answer = says("user", "Hi"), says("assistant", "Hello!")
    prompt = render([question], add_generation_prompt=True)
    assert render([question, answer]).startswith(prompt)
