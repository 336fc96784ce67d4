"""The starter model: a tiny Gemma 3 that ships with Facet, so that the first fine-tune needs no download, login or GPU.

It has 5.6 million parameters and was trained from nothing on dialogues written by rule in this folder (`dialogues.py`).
It knows: 38 countries (capital, continent, language, currency), 24 animals, sums and differences up to 20, the times
table, counting, days and months, opposites, plurals, past tenses, colours, tools, jobs, a few longer explanations,
small talk, and the name that it was told. About anything else it says that it does not know, or talks nonsense.

`make.py` trains it again with one command, `exam.py` examines it. Nothing here imports torch until you ask for it.
"""

from pathlib import Path

FOLDER = Path(__file__).parent / "model"  # weights, tokenizer and chat template, ready for `from_pretrained`
NAME = "Facet Mini"  # what it calls itself
