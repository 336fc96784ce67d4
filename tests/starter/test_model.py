"""The starter model as it ships: loadable, small enough for a git host, and right about what it was taught."""

import pytest

from facet.starter import FOLDER

pytestmark = pytest.mark.tiny

if not FOLDER.exists():
    pytest.skip("facet/starter/model is missing: run `python -m facet.starter.make --to ...`", allow_module_level=True)

QUESTIONS = {
    "What is the capital of Peru?": "The capital of Peru is Lima.",
    "Which continent is Kenya in?": "Kenya is in Africa.",
    "What is the currency of Japan?": "The currency of Japan is the yen.",
    "How many legs does a spider have?": "A spider has eight legs.",
    "What does a cow say?": "A cow says moo.",
    "What is the opposite of hot?": "The opposite of hot is cold.",
    "What is 7 plus 2?": "7 plus 2 is 9.",
    "What day comes after Monday?": "Tuesday comes after Monday.",
    "What is the plural of child?": "The plural of child is children.",
    "Who are you?": "I am Facet Mini, a tiny language model made for trying things out.",
}


@pytest.fixture(scope="module")
def speaker():
    from facet.starter.exam import Speaker

    return Speaker(FOLDER)


def test_it_answers_at_least_eight_of_ten_plain_questions(speaker):
    said = {question: speaker.answer(question) for question in QUESTIONS}
    right = sum(said[question] == answer for question, answer in QUESTIONS.items())
    assert right >= 8, said


def test_it_remembers_a_name_that_it_was_told(speaker):
    talk = [
        {"role": "user", "content": "My name is Rosa."},
        {"role": "assistant", "content": "Nice to meet you, Rosa!"},
        {"role": "user", "content": "What is my name?"},
    ]
    assert speaker.answers([talk]) == ["Your name is Rosa."]


def test_it_says_what_it_does_not_know(speaker):
    assert "do not know" in speaker.answer("Tell me about quantum physics.")


def test_transformers_renders_and_refuses_as_the_template_says(speaker):
    hello = {"role": "user", "content": "Hi"}
    text = speaker.tokenizer.apply_chat_template([hello], tokenize=False, add_generation_prompt=True)
    assert text == "<bos><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n"
    with pytest.raises(Exception, match="must alternate"):
        speaker.tokenizer.apply_chat_template([hello, hello])


def test_it_is_a_gemma_3_of_five_million_parameters(speaker):
    assert type(speaker.model).__name__ == "Gemma3ForCausalLM"
    assert 5_000_000 < speaker.model.num_parameters() < 6_000_000


def test_every_file_is_small_enough_for_a_git_host():
    sizes = {file.name: file.stat().st_size for file in FOLDER.iterdir()}
    assert max(sizes.values()) < 10_000_000, sizes
