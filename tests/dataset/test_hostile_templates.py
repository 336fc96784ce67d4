"""A chat template is a program that came with a model. Unknown ones run where they can do no harm."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from facet.dataset import limited
from facet.dataset.render import Renderer, template_hash
from facet.dataset.trusted import KNOWN, is_trusted, starter_template
from tests.dataset import toy

HELLO = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "bye"}]
ESCAPE = "{{ ''.__class__.__mro__[1].__subclasses__() }}"
HOSTILE = [
    ("nested loops", "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"),
    ("three billion letters", "{{ 'a' * 3000000000 }}"),
    ("a long range", "{% for a in range(10 ** 12) %}x{% endfor %}"),
    ("doubling", "{% set ns = namespace(x='a') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}"),
    ("a macro that calls itself twice", "{% macro f(n) %}{{ f(n + 1) }}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}"),
    ("a macro tree", "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}"),
    ("classes", ESCAPE),
    ("globals", "{{ cycler.__init__.__globals__.os.popen('touch CANARY').read() }}"),
    ("format", "{{ '{0.__class__.__init__.__globals__}'.format(namespace) }}"),
    ("a wide format", "{{ '%2000000000d' % 1 }}"),
    ("attributes by filter", "{{ (messages | attr('__class__')).__base__ }}"),
    ("a large power", "{{ 9 ** (9 ** 9) }}"),
    ("an include", "{% include '/etc/passwd' %}"),
    ("an import", "{% import 'os' as os %}{{ os.system('touch CANARY') }}"),
]


# A child's peak memory begins with that of the process it was forked from, so it is measured from a small one.
IN_A_SMALL_PROCESS = """
import json, resource, sys
from pathlib import Path
from facet.dataset.render import Renderer
from facet.errors import FacetError
hello = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "bye"}]
try:
    text = str(Renderer.load(Path(sys.argv[1])).render(hello))
except FacetError as error:
    assert all(sentence.endswith(".") for sentence in error.args)
    text = str(error)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({"text": text, "peak_kb": used.ru_maxrss, "processor_seconds": used.ru_utime + used.ru_stime}))
"""


@pytest.mark.faults
@pytest.mark.parametrize("body", [case[1] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_a_hostile_template_ends_in_words_within_seconds_and_leaves_nothing(tmp_path, body):
    canary = tmp_path / "canary"
    folder = toy.save_model(tmp_path / "model", template=body.replace("CANARY", str(canary)) + starter_template())
    done = subprocess.run(
        [sys.executable, "-c", IN_A_SMALL_PROCESS, str(folder)],
        capture_output=True, text=True, timeout=60, check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    answer = json.loads(done.stdout)
    text = answer["text"]
    assert answer["processor_seconds"] < 4  # of the renderer's child, by the system's own account
    assert answer["peak_kb"] < 700_000
    assert not canary.exists()
    assert "<class" not in text
    assert "root:" not in text


def test_an_unknown_template_that_does_its_work_gives_the_same_tokens(tmp_path):
    known = toy.save_model(tmp_path / "known")
    unknown = toy.save_model(tmp_path / "unknown", template="{# changed #}" + starter_template())
    made = toy.conversations(40, 1, ("<end_of_turn>",))
    assert Renderer.load(unknown).render_many(made) == Renderer.load(known).render_many(made)
    assert Renderer.load(unknown).prompt(made[0][:-1]) == Renderer.load(known).prompt(made[0][:-1])


def test_an_unknown_template_is_never_rendered_in_this_process(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("rendered here")

    folder = toy.save_model(tmp_path / "model", template="{# changed #}" + starter_template())
    monkeypatch.setattr("facet.dataset.render._here", refuse)
    assert Renderer.load(folder).render(HELLO).ids


def test_only_templates_with_a_known_hash_are_trusted():
    assert is_trusted(template_hash(starter_template()))
    assert is_trusted(template_hash(starter_template() + "\n"))
    assert not is_trusted(template_hash(starter_template() + "{{ 1 }}"))
    assert all(len(known) == 64 for known in KNOWN)


def test_the_real_gemma_3_template_is_known(gemma3):
    import json

    settings = json.loads((gemma3 / "tokenizer_config.json").read_text("utf-8"))
    assert is_trusted(template_hash(settings["chat_template"]))


@pytest.mark.parametrize("name", ["gemma.jinja", "gemma3.jinja", "gemma4.jinja", "gemma4_v5.jinja"])
def test_the_templates_of_gemma_are_known(name):
    template = toy.trl_template(name)
    if template is None:
        pytest.skip("TRL is not installed, so its templates are not at hand")
    assert is_trusted(template_hash(template))


def test_a_template_in_a_child_is_given_no_more_than_it_needs():
    arguments = {
        "source": starter_template(),
        "variables": {"bos_token": "<bos>"},
        "controls": [],
        "ends": ["<end_of_turn>"],
    }
    request = {"template": arguments, "what": "plan", "conversations": [HELLO]}
    plan = limited.call("plans", request, memory_gb=0.5)[0]
    assert plan["trained"] == [False, True, False]
    assert Path(limited.__file__).is_file()
