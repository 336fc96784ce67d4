"""Sentences that name what is to be pressed on the page, in the words of a terminal."""

import re

from facet.errors import FacetError

_OPTIONS = {
    "Delimiter": "--delimiter",
    "Encoding": "--encoding",
    "File inside": "--member",
    "Sheet": "--sheet",
    "Who speaks for the model": "--speaker",
    "Keep together": "--group",
    "Same share of each category": "--stratify",
    "Set aside for the exam": "--test-size",
    "Set aside for validation": "--validation-size",
    "Longest example": "--max-length",
    "Starting model": "--model",
    "Instruction for the model": "--map system=TEXT",
    "Download": "--format and --part",
}
_PHRASES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"Choose the column of the ([^.“]+) above the preview\."), r"Name the column of the \1 with --map."),
    (
        re.compile(r"Choose (?:the |other |two |different )*columns?(?: again)? above the preview"),
        "Say which column is which with --map user=COLUMN --map assistant=COLUMN",
    ),
    (re.compile(r"Choose other columns above the preview"), "Name other columns with --map"),
    (re.compile(r" above the preview\b"), " with --map or --template"),
    (re.compile(r"tick “Learn only the better answers”"), "use --type conversation"),
    (re.compile(r"choose a “Shape of your data” that has answers"), "name the columns of questions and answers"),
    (re.compile(r"choose a “Shape of your data” that has questions and answers"), "name those columns with --map"),
    (re.compile(r"choose a question and its answer as “Shape of your data”"), "use --type conversation"),
    (re.compile(r"in the data doctor\b"), "that `python -m facet doctor` offers"),
    (re.compile(r"\b[Uu]pload (?:it|that|that file|the file|the new file|the new archive) again"), "try again"),
    (re.compile(rf"under “({'|'.join(_OPTIONS)})”"), lambda found: f"with {_OPTIONS[found[1]]}"),  # type: ignore[list-item]
    (re.compile(rf"“({'|'.join(_OPTIONS)})”"), lambda found: _OPTIONS[found[1]]),  # type: ignore[list-item]
)


def for_terminal(text: str) -> str:
    """The same sentences with options of a command line in place of the names of fields and buttons."""
    for phrase, words in _PHRASES:
        text = phrase.sub(words, text)
    return text


def error_for_terminal(error: FacetError) -> FacetError:
    return type(error)(*(for_terminal(sentence) for sentence in (error.what, error.why, error.next)))
