"""How to use a tuned model, as its card says it: what to install, and a program that prints one answer."""

import json
from typing import TYPE_CHECKING

from facet.gemma.models import STARTER, find
from facet.publish.plain import fenced, one_line

if TYPE_CHECKING:
    from facet.publish.card import CardFacts


def use(facts: "CardFacts") -> str:
    """What to install, what to accept, and the program."""
    asks, libraries = "", "`transformers` and `torch`" if facts.whole else "`transformers`, `peft` and `torch`"
    offered = find(facts.base_model)
    if offered and offered.gated and facts.base_model == offered.id and not facts.whole:
        page = f"https://huggingface.co/{offered.id}"
        asks = f" Its starting model asks you once to accept its licence on [its page]({page})."
    return f"Install {libraries}, and run this in the folder of this file.{asks}\n\n" + fenced(snippet(facts), "python")


def snippet(facts: "CardFacts") -> str:
    """A program that loads the model and prints one answer. It is run as it is by the tests."""
    return f"{_whole(facts) if facts.whole else _beside(facts)}\n{_asked(facts)}"


def _whole(facts: "CardFacts") -> str:
    where = f'"{facts.repo}"' if facts.repo else '"."  # this folder, or the name of this model on the Hub'
    return f"""\
from transformers import AutoModelForCausalLM, AutoTokenizer

place = {where}

tokenizer = AutoTokenizer.from_pretrained(place)
model = AutoModelForCausalLM.from_pretrained(place, dtype="auto").eval()
"""


def _beside(facts: "CardFacts") -> str:
    """An adapter beside its starting model."""
    where = f'"{facts.repo}"' if facts.repo else '"."  # this folder, or the name of this model on the Hub'
    imported = ""
    if facts.base_model == STARTER:
        base = 'f"{adapter}/base"'
        imported = "from huggingface_hub import snapshot_download\n" if facts.repo else ""
        where = f'snapshot_download("{facts.repo}")' if facts.repo else '"."  # this folder'
    else:
        base = json.dumps(facts.hub_base or f"path/to/{one_line(facts.base_model, 80)}", ensure_ascii=False)
    pinned = f', revision="{facts.revision}"' if facts.revision and facts.hub_base else ""
    return f"""\
{imported}from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

adapter = {where}
base = {base}

tokenizer = AutoTokenizer.from_pretrained(adapter)
model = AutoModelForCausalLM.from_pretrained(base{pinned}, dtype="auto")
model = PeftModel.from_pretrained(model, adapter).eval()
"""


def _asked(facts: "CardFacts") -> str:
    if facts.method == "cpt":  # it learned texts: it writes on
        read = 'inputs = tokenizer("Once upon a time", return_tensors="pt")'
    else:
        read = """\
messages = [{"role": "user", "content": "Hello! What can you do?"}]
inputs = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True, return_tensors="pt")"""
    return f"""\
{read}
answer = model.generate(**inputs, max_new_tokens=200)
print(tokenizer.decode(answer[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))
"""
