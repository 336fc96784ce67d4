"""Texts in folders that are named by label, as many collections of reviews and mails come."""

from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath

from facet.dataset.archive import Member
from facet.dataset.collection import part_of

_FEWEST = 2  # texts of each label
_MOST_LABELS = 300


@dataclass(frozen=True)
class LabelledText:
    member: Member
    label: str
    part: str | None  # train, validation or exam, where a folder says so


def labelled_texts(members: list[Member]) -> list[LabelledText]:
    """Every text with the name of its folder, unless the folders do not look like labels: then none."""
    found = [_labelled(member) for member in members]
    counts = Counter(each.label for each in found)
    is_plain = all(member.name.lower().endswith((".txt", ".text")) for member in members)
    if not is_plain or "" in counts or not 1 < len(counts) <= _MOST_LABELS or min(counts.values()) < _FEWEST:
        return []
    return sorted(found, key=lambda each: each.member.name)


def _labelled(member: Member) -> LabelledText:
    folders = PurePosixPath(member.name.replace("\\", "/")).parts[:-1]
    part = next((part for folder in folders if (part := part_of(f"{folder}.x"))), None)
    label = next((folder for folder in reversed(folders) if not part_of(f"{folder}.x")), "")
    return LabelledText(member, label, part)
