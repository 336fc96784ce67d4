"""The program on a card is run as it is printed there."""

import contextlib
import io
import re

import pytest

from facet.publish.card import CardFacts, card
from tests.tiny_models import tiny_gemma3

pytestmark = pytest.mark.tiny


def test_the_program_on_the_card_speaks(tmp_path, monkeypatch):
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from facet.gemma.targets import lora_targets

    base = tiny_gemma3(tmp_path / "base")
    model = AutoModelForCausalLM.from_pretrained(base)
    get_peft_model(model, LoraConfig(r=2, target_modules=lora_targets("gemma3_text"))).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(base).save_pretrained(tmp_path)
    program = re.search(r"```python\n(.*?)```", card(CardFacts("x", "starter", None, "3", {}, {})), re.DOTALL)[1]
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(program, {})
    assert printed.getvalue().endswith("\n")
