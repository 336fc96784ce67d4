"""What a model is to be tuned for, and what each goal changes in the recommended settings, with its reason."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

Goal = Literal["any", "style", "format", "classify", "facts", "language", "taste"]
GOALS: tuple[Goal, ...] = get_args(Goal)
GOAL_WORDS: dict[Goal, tuple[str, str]] = {
    "any": ("Not sure yet", "What usually works."),
    "style": ("Style and tone", "It answers as you would: a voice, a mood, a length."),
    "format": ("A fixed format", "Every answer has one form, such as JSON or a table."),
    "classify": ("Sorting", "It gives each text one of a few labels."),
    "facts": ("Facts from documents", "It knows what stands in your texts."),
    "language": ("A new language", "It writes a language or a jargon it hardly knows."),
    "taste": ("Quick taste", "A first impression, in as few steps as make sense."),
}


@dataclass(frozen=True)
class Change:
    """One setting that a goal sets otherwise, and why, in a sentence."""

    setting: str
    value: Any
    words: str


def changes(goal: Goal, rows: str, train: int, reads_text: bool, epochs: float) -> list[Change]:
    """What this goal changes for a dataset of `train` examples, called `rows` in sentences."""
    match goal:
        case "style":
            if train >= 500:
                return []
            words = f"A tone is quickly learned by heart from {rows}; forgetting a twentieth of it helps against that."
            return [Change("lora_dropout", 0.05, words)]
        case "format":
            return [
                Change("lora_rank", 8, f"A form is a small change: 8 is enough to hold it on {rows}."),
                Change("num_train_epochs", epochs + 1, f"A form must hold every time, so {rows} are read once more."),
            ]
        case "classify":
            return [
                Change("lora_rank", 8, f"A choice between a few labels is a small change: 8 is enough on {rows}."),
                Change("sample_max_tokens", 16, "A label is short: 16 word pieces show whether it gives one."),
                Change("weight_decay", 0.01, f"Labels of {rows} are easily learned by heart; a light pull helps."),
            ]
        case "facts":
            again = Change("num_train_epochs", epochs + 1, f"A fact must be met several times: {rows} are read again.")
            size = Change("lora_rank", 64, f"Facts need more room than a style: 64 for {rows}.")
            return [size] if reads_text else [size, again]
        case "language":
            words = f"A language touches every layer: 64 gives {rows} the room for it."
            gently = "What is far from what the model knows begins more gently: a tenth of the steps."
            return [Change("lora_rank", 64, words), Change("warmup_share", 0.1, gently)]
    return []
