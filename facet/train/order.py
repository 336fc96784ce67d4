"""The order in which examples are read: those of like length side by side, and the same again after any interruption.

It depends on the lengths, the seed, the epoch and the size of a group, and on nothing else. The stock sampler takes it
from the state of chance at the moment it is asked, which a run that resumes in the middle of an epoch cannot restore.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from torch.utils.data import Sampler

GROUPS_SORTED_TOGETHER: Final = 50  # sorted within so many groups, mixed across them, as the stock sampler does


def order(lengths: Sequence[int], seed: int, epoch: int, group: int) -> list[int]:
    """The places of all examples. Consecutive slices of `group` are of like length, and come in an order of chance.

    The longest example comes first of all, so that memory that does not suffice is known early. A last
    group that is not full stays last, or all slices behind it would be cut across.
    """
    chance = random.Random(f"{seed} {epoch}")
    places = list(range(len(lengths)))
    chance.shuffle(places)
    span = group * max(1, min(GROUPS_SORTED_TOGETHER, len(places) // (group * 4)))
    groups: list[list[int]] = []
    for start in range(0, len(places), span):
        alike = sorted(places[start : start + span], key=lambda place: lengths[place], reverse=True)
        groups += [alike[at : at + group] for at in range(0, len(alike), group)]
    last = [groups.pop()] if groups and len(groups[-1]) < group else []
    chance.shuffle(groups)
    if groups and epoch == 0:
        longest = max(range(len(groups)), key=lambda at: max(lengths[place] for place in groups[at]))
        groups[0], groups[longest] = groups[longest], groups[0]
    return [place for one in groups + last for place in one]


class ByLength(Sampler[int]):
    """`order` as the trainer takes it; `epoch` says which one begins when it is asked."""

    def __init__(self, lengths: Sequence[int], seed: int, group: int, epoch: Callable[[], int]) -> None:
        self.lengths, self.seed, self.group, self.epoch = lengths, seed, group, epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        return iter(order(self.lengths, self.seed, self.epoch(), self.group))
