"""What computes a chat's answers: chosen with the other dials, and said below each answer."""

import pytest

from facet.errors import SettingError
from facet.model.decoding import AUTOMATIC, LLAMA_CPP, TRANSFORMERS
from facet.model.speak import Piece
from facet.ui.chat_settings import decoding
from facet.ui.chat_words import pace


def test_the_dial_reaches_the_decoding_and_nothing_chosen_means_automatic():
    assert decoding({"temperature": 0, "stop": "", "engine": LLAMA_CPP}).engine == LLAMA_CPP
    assert decoding({"temperature": 0, "engine": None}).engine == AUTOMATIC
    with pytest.raises(SettingError, match="Answers come from"):
        decoding({"engine": "sh"})


def test_below_an_answer_stands_who_computed_it_and_why_it_was_another():
    assert "computed by llama.cpp" in pace(Piece("a", "Lima.", True, 3, 0.1, "finished", engine=LLAMA_CPP))
    why = "llama.cpp is not used: it gave other words than transformers in 1 of 4 trials. transformers answers instead."
    told = pace(Piece("a", "Lima.", True, 3, 0.1, "finished", engine=TRANSFORMERS, why=why))
    assert why in told and "computed by" not in told
