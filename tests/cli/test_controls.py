"""A terminal has no fields and no buttons, so no sentence there names one."""

import ast
import re
from pathlib import Path

import pytest

import facet.dataset
from facet.cli.controls import error_for_terminal, for_terminal
from facet.errors import DataError

CONTROLS = re.compile(
    r"above the preview|“(Delimiter|Encoding|File inside|Sheet|Keep together|Same share of each category|"
    r"Longest example|"
    r"Starting model|Shape of your data|Learn only the better answers|Download|Set aside for (the exam|validation)|"
    r"Who speaks for the model|Instruction for the model)”"
)
SENTENCES = sorted(
    {
        node.value
        for file in Path(facet.dataset.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CONTROLS.search(node.value)
    }
)


def test_there_are_sentences_to_try():
    assert len(SENTENCES) > 20


@pytest.mark.parametrize("sentence", SENTENCES)
def test_no_sentence_about_data_names_a_control_of_the_page(sentence):
    said = for_terminal(sentence)
    assert not CONTROLS.search(said)
    assert "--" in said or "columns" in said


@pytest.mark.parametrize(
    ("page", "terminal"),
    [
        ("Choose another one under “Encoding”, such as utf-8.", "Choose another one with --encoding, such as utf-8."),
        ("Choose the column of the answer above the preview.", "Name the column of the answer with --map."),
        ("Choose the two columns above the preview.",
         "Say which column is which with --map user=COLUMN --map assistant=COLUMN."),
        ("Correct it above the preview.", "Correct it with --map or --template."),
        ("Choose another “Starting model”.", "Choose another --model."),
        ("The column “answer” is empty.", "The column “answer” is empty."),
    ],
)  # fmt: skip
def test_fields_become_options(page, terminal):
    assert for_terminal(page) == terminal


def test_an_error_keeps_its_kind():
    error = error_for_terminal(DataError("What.", "Why.", "Choose another under “Sheet”."))
    assert type(error) is DataError and error.next == "Choose another with --sheet."
