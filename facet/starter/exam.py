"""The starter model's exam: `python -m facet.starter.exam [FOLDER]` prints exact answers to new dialogues.

The dialogues come from the families it was trained on, but from a seed of their own. An answer counts only when it is
the expected one, letter by letter.
"""

import sys
from dataclasses import dataclass, field
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from facet.starter import FOLDER
from facet.starter.dialogues import Dialogue, dialogues

SEED = 987_654
QUESTIONS = 300
_AT_ONCE = 25


@dataclass
class Result:
    right: int = 0
    asked: int = 0
    mistakes: list[tuple[Dialogue, str]] = field(default_factory=list)  # (dialogue, what the model said)

    def __str__(self) -> str:
        return f"{self.right}/{self.asked}"


class Speaker:
    """A model and its tokenizer, answering greedily."""

    def __init__(self, folder: Path | str, model: torch.nn.Module | None = None) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
        self.model = (model or AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)).eval()

    @torch.no_grad()
    def answers(self, dialogues: list[Dialogue], longest: int = 96) -> list[str]:
        """One answer to each dialogue; every dialogue ends with the person's message."""
        inputs = self.tokenizer.apply_chat_template(
            dialogues, add_generation_prompt=True, padding=True, return_dict=True, return_tensors="pt"
        )
        written = self.model.generate(**inputs, max_new_tokens=longest, do_sample=False)
        fresh = written[:, inputs["input_ids"].shape[1] :]
        return [text.strip() for text in self.tokenizer.batch_decode(fresh, skip_special_tokens=True)]

    def answer(self, question: str) -> str:
        return self.answers([[{"role": "user", "content": question}]])[0]


def sit(folder: Path | str, questions: int = QUESTIONS, seed: int = SEED) -> Result:
    """Ask the last question of `questions` new dialogues and compare."""
    speaker, result = Speaker(folder), Result()
    examined = dialogues(seed, questions)
    for first in range(0, questions, _AT_ONCE):
        group = examined[first : first + _AT_ONCE]
        said = speaker.answers([dialogue[:-1] for dialogue in group])
        for dialogue, answer in zip(group, said, strict=True):
            result.asked += 1
            result.right += answer == dialogue[-1]["content"]
            if answer != dialogue[-1]["content"]:
                result.mistakes.append((dialogue, answer))
    return result


def main() -> None:
    result = sit(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
    for dialogue, answer in result.mistakes:
        print(f"{dialogue[-2]['content']!r}\n  expected {dialogue[-1]['content']!r}\n  but said {answer!r}")
    print(result)


if __name__ == "__main__":
    main()
