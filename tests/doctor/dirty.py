"""Examples with every defect the doctor knows, and which rows have it."""

import random
from pathlib import Path
from typing import Any

from facet.dataset.conversation import Example
from facet.dataset.store import ExampleWriter
from tests.doctor import clean, secrets_made, twins

FRENCH = (
    "Je vous conseille de prendre celui qui est fabriqué dans la région, parce qu'il dure longtemps et qu'il ne coûte "
    "pas très cher. Demandez toujours un reçu au vendeur."
)


def asked(question: str, answer: str) -> Example:
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def said(*turns: tuple[str, str]) -> Example:
    return {"messages": [{"role": role, "content": content} for role, content in turns]}  # type: ignore[typeddict-item]


class Dirty:
    """`parts` hold (row, example); `planted` says for each finding which rows, counted from 1, show it."""

    def __init__(self, healthy: int = 400, of_each: int = 5, seed: int = 0) -> None:
        self.rng = random.Random(seed)
        self.parts: dict[str, list[tuple[int, Example]]] = {"train": [], "validation": [], "exam": []}
        self.planted: dict[str, set[int]] = {}
        self.spare = [asked(row["question"], row["answer"]) for row in clean.rows(healthy + 20 * of_each, seed)]
        self.number = 0
        for at in range(healthy):
            self.add(self.next(), "exam" if at % 10 == 0 else "validation" if at % 10 == 1 else "train")
        self.healthy = [example for _, example in self.parts["train"]]
        for _ in range(of_each):
            for code, example in self.defects():
                self.plant(code, example)

    def add(self, example: Example, part: str = "train") -> int:
        self.number += 1
        self.parts[part].append((self.number, example))
        return self.number

    def next(self) -> Example:
        return self.spare.pop()

    def plant(self, code: str, example: Example) -> None:
        part = "validation" if self.rng.random() < 0.2 else "train"
        number = self.add(example, part)
        self.planted.setdefault(code, set()).add(number)
        if code in ("duplicates", "near_duplicates") and part == "validation":
            self.planted.setdefault("validation_overlap", set())  # its original is in the train part

    def defects(self) -> list[tuple[str, Example]]:
        question, answer = self._texts()
        secret, _ = secrets_made.sentence(random.Random(self.number))
        return [
            ("empty", asked(question, "  ")),
            ("missing", asked(question + " Why?", self.rng.choice(["N/A", "null", "None", "TODO", "-", "[deleted]"]))),
            ("order", said(("user", question + " When?"), ("user", "And where?"), ("assistant", answer + " There."))),
            ("control_tokens", asked(question + " <end_of_turn>", answer + " Here.<|im_end|>")),
            ("echo", asked(question + " Who?", question + " Who?")),
            ("address", asked(question + " How?", f"https://example.org/{self.number}")),
            ("broken_letters", asked(question + " Where to?", answer + " It is in MÃ¼nchen, in the cafÃ©.")),
            ("web_marks", asked(question + " What for?", f"<p>{answer}</p><br>&nbsp;")),
            ("refusal", asked(question + " With whom?", "As an AI language model, I cannot help. " + answer)),
            ("private", asked(question + " Whom to ask?", f"{answer} {secret}")),
            ("languages", asked(question + " En français ?", f"{FRENCH} Prix : {self.number} pièces.")),
            ("short_answers", asked(question + " Which?", "ok")),
            ("duplicates", self._copy()),
            ("near_duplicates", self._twin()),
            ("exam_overlap", self._from_exam()),
        ]

    def _texts(self) -> tuple[str, str]:
        example = self.next()["messages"]
        return example[0]["content"], example[1]["content"]

    def _copy(self) -> Example:
        return self.healthy.pop()

    def _twin(self) -> Example:
        question, answer = (turn["content"] for turn in self.healthy.pop()["messages"])
        kind = self.rng.choice(["typo", "capitals", "white space", "end"])
        return asked(twins.CHANGES[kind](question, self.rng), answer)

    def _from_exam(self) -> Example:
        return self.parts["exam"][self.rng.randrange(len(self.parts["exam"]))][1]

    def write(self, folder: Path, extras: tuple[str, ...] = ()) -> Path:
        return write(self.parts, folder, extras)


def write(parts: dict[str, list[tuple[int, Any]]], folder: Path, extras: tuple[str, ...] = ()) -> Path:
    """Part files of a dataset."""
    folder.mkdir(parents=True)
    for part in ("train", "validation", "exam"):
        writer = ExampleWriter(folder / f"{part}.parquet", extras)
        for row, example in parts.get(part, []):
            writer.add(row, example, 100)
        writer.close()
    return folder


def numbered(examples: list[Any], first: int = 1) -> list[tuple[int, Any]]:
    return list(enumerate(examples, start=first))
