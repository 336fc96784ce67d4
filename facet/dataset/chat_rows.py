"""Rows of single messages, put together into conversations."""

import datetime
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

from facet.dataset import budget
from facet.dataset.chat_tables import APART, FOUND, ChatTable, Senders, chat_table, is_one, role_of
from facet.dataset.delimited import Row
from facet.dataset.problem import RowProblem
from facet.dataset.values import is_missing, size_of
from facet.errors import DataError, SettingError

_STUDIED = 5_000
_MOST_CHARACTERS = 2**29  # of all messages, which lie in memory until their conversations are whole
_LONG = 60  # messages; a longer one is a chat of years, and is divided where nobody spoke for hours
_PAUSE = 6 * 3600.0  # seconds
_MOST_MESSAGES = budget.MOST_TURNS // 2
_NUMBER = re.compile(r"[-+]?(\d{1,40}(\.\d*)?|\.\d+)(e[-+]?\d{1,2})?", re.IGNORECASE | re.ASCII)
_MILLISECONDS = 1e11  # as a time, a number above is none of seconds
SILENT = "messages without a text or without a sender were left out"
GREETINGS = "messages of the model before the first question were left out"
NOTICES = "notices of the system in the middle of a conversation were left out"

Turn = dict[str, str]
Said = tuple[float | None, str, str]  # when, who and what


def as_chats(rows: Any, speaker: str | None) -> Any:
    """The same rows, or conversations where each row is one message of a chat.

    `speaker` is whose messages the model learns; guessed where it is None. Raises: `SettingError` for nobody in it.
    """
    said = Counter(rows.notes)  # of the names of the columns; what is said of rows is counted again
    table = chat_table(rows.names or _names_of(rows))
    if table is None:
        return rows
    sample = [row for _, row in islice(rows.rows(), _STUDIED) if isinstance(row, dict)]
    rows.notes.clear()
    rows.notes.update(said)
    if not is_one(table, sample):
        return rows
    senders = Senders(table.about(row) for row in sample if not is_missing(row.get(table.sender)))
    if speaker == APART:
        rows.speakers, rows.speaker = senders.offered, APART
        return rows
    return ChatRows(rows, table, senders, speaker)


def _names_of(rows: Any) -> list[str]:
    first = next((row for _, row in islice(rows.rows(), 20) if isinstance(row, dict)), {})
    rows.notes.clear()
    return list(first)


class ChatRows:
    """Conversations: each with its chat, its `messages`, and whatever else stands in the row of the first one."""

    def __init__(self, rows: Any, table: ChatTable, senders: Senders, speaker: str | None) -> None:
        self.inner, self.table, self.said = rows, table, Counter(rows.notes)
        self.sheets, self.sheet = getattr(rows, "sheets", ()), getattr(rows, "sheet", None)
        used = (table.sender, table.message, table.time, table.owner, table.chat)
        known = rows.names or _names_of(rows)
        self.beside = [name for name in known if name not in used and name != "messages"]
        self.names: list[str] | None = [table.chat, "messages", *self.beside]
        self.notes: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()
        self.chosen = None if speaker == FOUND else speaker
        self._know(senders)

    def _know(self, senders: Senders) -> None:
        self.model = {self.chosen} if self.chosen else senders.model()
        self.speakers, self.speaker = senders.offered, self.chosen or FOUND

    def rows(self, columns: list[str] | None = None) -> Iterator[Row]:
        """Each conversation with its number from 1; a message that cannot be read stays a `RowProblem`."""
        self.notes, self.lost = Counter(), Counter()
        self.inner.notes.clear()
        self.inner.notes.update(self.said)
        chats: dict[str, list[Said]] = {}
        self.first: dict[str, dict[str, Any]] = {}
        senders = Senders()
        problems: list[RowProblem] = []
        characters = 0
        for number, (_, row) in enumerate(self.inner.rows(), start=1):
            if isinstance(row, RowProblem):
                problems.append(row)
                continue
            self._take(row, chats, senders)
            characters += size_of(row.get(self.table.message))
            if characters > _MOST_CHARACTERS:
                raise _too_many()
            if number > budget.MOST_ROWS:
                raise budget.too_many_rows()
        self._know(senders)
        self._require_speaker(senders)
        made = [each for chat, said in chats.items() for each in self._conversations(chat, said)]
        self._explain(sum(map(len, chats.values())), len(made))
        yield from enumerate([*made, *problems], start=1)

    def _take(self, row: dict[str, Any], chats: dict[str, list[Said]], senders: Senders) -> None:
        text = row.get(self.table.message)
        if is_missing(text) or is_missing(row.get(self.table.sender)) or isinstance(text, dict | list):
            self.lost[SILENT] += 1
            return
        time = _seconds(row.get(self.table.time)) if self.table.time else None
        chat, who, is_owner = self.table.about(row)
        senders.add(chat, who, is_owner)
        chats.setdefault(chat, []).append((time, who, str(text)))
        if chat not in self.first:
            self.first[chat] = {name: row.get(name) for name in self.beside}

    def _conversations(self, chat: str, said: list[Said]) -> Iterator[dict[str, Any]]:
        if all(time is not None for time, _, _ in said):
            said.sort(key=lambda each: each[0])
        for part in _divided(said):
            turns = [self._turn(who, text) for _, who, text in part]
            yield {self.table.chat: chat, "messages": self._in_order(turns), **self.first[chat]}

    def _turn(self, who: str, text: str) -> Turn:
        is_system = who not in self.model and role_of(who) == "system"
        return {"role": "assistant" if who in self.model else "system" if is_system else "user", "content": text}

    def _in_order(self, turns: list[Turn]) -> list[Turn]:
        """Without what can be in no example: answers before the first question, and notices between turns."""
        first = next((place for place, turn in enumerate(turns) if turn["role"] == "user"), len(turns))
        opening = [turn for turn in turns[:1] if turn["role"] == "system" and first < len(turns)]
        self.lost[GREETINGS] += sum(turn["role"] == "assistant" for turn in turns[:first]) if first < len(turns) else 0
        rest = turns[first:] or turns
        self.lost[NOTICES] += sum(turn["role"] == "system" for turn in [*turns[1:first], *rest[1:]])
        return [*opening, *(turn for turn in rest if turn["role"] != "system")] or turns

    def _require_speaker(self, senders: Senders) -> None:
        if senders.messages and not self.model & senders.messages.keys():
            named = ", ".join(f"“{who[:40]}”" for who in senders.names[:6])
            raise SettingError(
                "Nobody in this chat speaks for the model.",
                f"No message is by “{next(iter(self.model), '')[:60]}”; those who write are {named}.",
                "Choose one of them as the one who speaks for the model.",
            )

    def _explain(self, messages: int, conversations: int) -> None:
        order = f", in the order of “{self.table.time}”" if self.table.time else ""
        together = f"{messages:,} messages were put together into {conversations:,} conversations"
        self.notes[f"{together} by “{self.table.chat}”{order}."] += 1
        named = " and ".join(f"“{who[:40]}”" for who in sorted(self.model)[:3])
        more = f" and {len(self.model) - 3} more" if len(self.model) > 3 else ""
        self.notes[
            f"The model learns to write what {named}{more} wrote; all others are the person it speaks with."
        ] += 1
        for words, count in self.lost.items():
            if count:
                self.notes[f"{count:,} {words}."] += 1
        self.notes.update(self.inner.notes)


def _divided(said: list[Said]) -> Iterator[list[Said]]:
    """A long chat in pieces: where nobody spoke for hours, and before it is longer than any example may be."""
    part: list[Said] = []
    for each in said:
        is_later = len(said) > _LONG and part and _apart(part[-1][0], each[0]) > _PAUSE
        if is_later or len(part) >= _MOST_MESSAGES:
            yield part
            part = []
        part.append(each)
    if part:
        yield part


def _apart(first: Any, second: Any) -> float:
    return second - first if first is not None and second is not None else 0.0


def _seconds(value: Any) -> float | None:
    """A time as a number that can be compared: of a clock, or a place in the order. None where it cannot be read."""
    if isinstance(value, datetime.datetime):
        return value.replace(tzinfo=value.tzinfo or datetime.UTC).timestamp()
    text = str(value).strip()
    return _as_number(text) if _NUMBER.fullmatch(text) else _as_date(text)


def _as_number(text: str) -> float:
    number = float(text)
    return number / 1000 if number > _MILLISECONDS else number


def _as_date(text: str) -> float | None:
    try:
        found = datetime.datetime.fromisoformat(text)
        return found.replace(tzinfo=found.tzinfo or datetime.UTC).timestamp()
    except (ValueError, OverflowError):
        return None


def _too_many() -> DataError:
    return DataError(
        "These chats are too long to be put together.",
        f"Their messages have more than {_MOST_CHARACTERS // 2**20} million characters.",
        "Bring a part of them, for example one year.",
    )
