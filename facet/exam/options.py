"""How a test is made, where somebody wants it other than usual."""

from dataclasses import dataclass
from typing import Any, get_args

from facet.errors import SettingError
from facet.exam.outcome import TypeName
from facet.model.decoding import AUTOMATIC, ENGINES, TRANSFORMERS

LEAST = 1


@dataclass(frozen=True)
class Options:
    """How a test is made. Everybody answers greedily, so that nobody is merely lucky."""

    general: bool = True  # also ask the general questions: did it get worse elsewhere?
    most: int = 300  # questions of each part
    max_new_tokens: int | None = None  # of an answer; None: twice the longest that is expected
    type: TypeName | None = None  # None: as the answers of the data show
    max_length: int = 4096  # tokens of question and expected answer
    name: str = ""
    engine: str = AUTOMATIC  # what computes the answers

    def __post_init__(self) -> None:
        longest = LEAST if self.max_new_tokens is None else self.max_new_tokens
        for what, value, low, high in (
            ("“Most questions”", self.most, LEAST, 10_000),
            ("The tokens of an answer", longest, LEAST, 2048),
            ("The tokens of a question with its answer", self.max_length, 16, 131_072),
        ):
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
                raise SettingError(
                    "A setting of the test is not right.",
                    f"{what} must be a whole number from {low:,} to {high:,}.",
                    "Correct it and start again.",
                )
        if self.engine not in ENGINES:
            raise SettingError(
                "A setting of the test is not right.",
                f"There is no such engine; there are {', '.join(ENGINES)}.",
                "Leave the engine away, and transformers answers.",
            )
        if self.type is not None and self.type not in get_args(TypeName):
            raise SettingError(
                "A setting of the test is not right.",
                f"There is no such type; there are {', '.join(get_args(TypeName))}.",
                "Leave the type away, and it follows the data.",
            )

    def as_request(self) -> dict[str, Any]:
        decoding: dict[str, Any] = {"max_new_tokens": self.max_new_tokens} if self.max_new_tokens else {}
        if self.engine not in (AUTOMATIC, TRANSFORMERS):
            decoding["engine"] = self.engine
        return {
            "general": self.general,
            "most": self.most,
            "decoding": decoding,
            "type": {"name": self.type} if self.type else None,
            "max_length": self.max_length,
        }
