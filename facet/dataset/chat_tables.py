"""Chats as long tables, one message in each row: which columns say so, and who in them speaks for the model."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from facet.dataset.exports import CHAT, MESSAGE, OWNER, SENDER, TIME
from facet.dataset.table import plain
from facet.dataset.turns import ROLES
from facet.dataset.values import is_missing

SOURCE_FILE = "source file"  # of tables that were put together; the same number in another file is another chat
FOUND = "found by itself"  # who speaks for the model
APART = "nobody: every row stays alone"
_IDS = (
    *("chat_id", "conversation_id", "conv_id", "dialog_id", "dialogue_id", "session_id", "thread_id", "ticket_id"),
    *("case_id", "call_id", "ticket", "conversation", "dialogue", "dialog", "thread", "session", "chat", "ticket_no"),
    *("ticket_number", "case", "conversation_uuid", "room", "room_id", "channel", "channel_id", "chatid", "threadid"),
    *("conversationid", "sessionid", "ticketid", "dialogueid", "dialogid", "interaction_id", "contact_id"),
)
_SENDERS = (
    *("sender", "role", "speaker", "author", "from", "sender_name", "sent_by", "author_name", "direction", "user"),
    *("username", "user_name", "who", "participant", "party", "actor", "sender_type", "author_type", "sender_role"),
    *("from_name", "name", "absender", "sprecher"),
)
_MESSAGES = (
    *("message", "text", "content", "body", "msg", "utterance", "message_text", "message_body", "reply", "comment"),
    *("nachricht", "mensaje"),
)
_TIMES = (
    *("time", "timestamp", "datetime", "created_at", "sent_at", "date", "ts", "created", "turn", "turn_id"),
    *("turn_index", "turn_number", "index", "seq", "sequence", "order", "position", "step", "message_id"),
    *("utterance_idx", "zeit", "datum"),
)
_STAFF = frozenset(
    "agent support staff operator representative rep helpdesk advisor adviser seller doctor therapist counselor "
    "counsellor tutor teacher outbound outgoing company brand admin moderator consultant service technician expert "
    "mitarbeiter berater out".split()
)
_OTHERS = frozenset(
    "client visitor buyer patient student guest caller inbound incoming consumer requester kunde kundin customer user "
    "subscriber member in learner".split()
)
_MOST_SENDERS = 30  # to choose from
_COVERED = 0.9  # of the conversations hold someone who may speak for the model
_TOGETHER = 0.5  # of the rows, at least, belong to a conversation in which two speak


@dataclass(frozen=True)
class ChatTable:
    """The columns of a long table. `time` and `owner` are None where there are none."""

    chat: str
    sender: str
    message: str
    time: str | None = None
    owner: str | None = None  # whether the message is one of the person whose export it is

    def about(self, row: dict[str, Any]) -> tuple[str, str, bool]:
        """The chat, who speaks, and whether that is the one whose export it is."""
        return self.chat_of(row), self.sender_of(row), self.owner is not None and bool(row.get(self.owner))

    def chat_of(self, row: dict[str, Any]) -> str:
        chat = str(row.get(self.chat)).strip()
        return f"{row[SOURCE_FILE]}: {chat}" if SOURCE_FILE in row else chat

    def sender_of(self, row: dict[str, Any]) -> str:
        return " ".join(str(row.get(self.sender)).split())


def chat_table(names: list[str]) -> ChatTable | None:
    """The table that these columns make, by their names alone."""
    if {CHAT, SENDER, MESSAGE, TIME} <= {*names}:
        return ChatTable(CHAT, SENDER, MESSAGE, TIME, OWNER if OWNER in names else None)
    by_name = {plain(name): name for name in reversed(names)}
    chat, sender, message = (_first(by_name, wanted) for wanted in (_IDS, _SENDERS, _MESSAGES))
    if chat is None or sender is None or message is None or len({chat, sender, message}) < 3:
        return None
    return ChatTable(chat, sender, message, _first(by_name, _TIMES, but=(chat, sender, message)))


def _first(by_name: dict[str, str], wanted: tuple[str, ...], but: tuple[str, ...] = ()) -> str | None:
    return next((by_name[name] for name in wanted if name in by_name and by_name[name] not in but), None)


def is_one(table: ChatTable, rows: list[dict[str, Any]]) -> bool:
    """Whether in most of these rows people really speak with each other."""
    texts = [row for row in rows if isinstance(row.get(table.message), str)]
    if len(texts) < 2 or any(isinstance(row.get(table.sender), dict | list) for row in rows):
        return False
    speakers: dict[str, set[str]] = {}
    for row in texts:
        if not is_missing(row.get(table.sender)) and not is_missing(row.get(table.chat)):
            speakers.setdefault(table.chat_of(row), set()).add(table.sender_of(row))
    several = {chat for chat, found in speakers.items() if len(found) > 1}
    return sum(table.chat_of(row) in several for row in texts) >= _TOGETHER * len(texts)


class Senders:
    """Who speaks in which conversations, and who of them is taken for the model."""

    def __init__(self, rows: Iterable[tuple[str, str, bool]] = ()) -> None:
        self.chats: dict[str, set[str]] = {}
        self.messages: Counter[str] = Counter()
        self.owners: set[str] = set()
        for chat, who, is_owner in rows:
            self.add(chat, who, is_owner)

    def add(self, chat: str, who: str, is_owner: bool) -> None:
        self.messages[who] += 1
        self.chats.setdefault(chat, set()).add(who)
        if is_owner:
            self.owners.add(who)

    @property
    def offered(self) -> list[str]:
        return [FOUND, *self.names, APART]

    @property
    def names(self) -> list[str]:
        """Those to choose from; whoever speaks in most conversations first."""
        known = Counter(who for found in self.chats.values() for who in found)
        return sorted(known, key=lambda who: (-known[who], -self.messages[who], who))[:_MOST_SENDERS]

    def model(self) -> set[str]:
        """Whose messages the model learns to write."""
        if self.owners:
            return self.owners
        roles = {who: role_of(who) for who in self.messages}
        if staff := {who for who, role in roles.items() if role == "assistant"}:
            return staff
        if any(role == "user" for role in roles.values()):
            return {who for who, role in roles.items() if role is None}
        return self._most_common()

    def _most_common(self) -> set[str]:
        """As few as speak in nearly all conversations; never the one after whom a conversation is named."""
        found: set[str] = set()
        left = list(self.chats.values())
        for who in self.names:
            if len(left) <= (1 - _COVERED) * len(self.chats):
                break
            is_apart = who not in self.chats and sum(who in each for each in left) >= sum(
                who in each and bool(each & found) for each in self.chats.values()
            )
            if is_apart:
                found.add(who)
                left = [each for each in left if who not in each]
        return found or set(self.names[:1])


def role_of(who: str) -> str | None:
    """The role that a word stands for; None for the name of a person."""
    words = re.split(r"[\W_\d]+", who.lower())
    if role := ROLES.get(who.lower()):
        return role
    if any(word in _STAFF or ROLES.get(word) == "assistant" for word in words):
        return "assistant"
    return "user" if any(word in _OTHERS or ROLES.get(word) == "user" for word in words) else None
