"""Chats as programs export them: Telegram's document, and ChatGPT's trees of messages."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from facet.dataset.values import is_missing

CHAT, SENDER, MESSAGE, TIME, OWNER = "chat", "sender", "message", "time", "owner"
_MOST_STEPS = 100_000  # from the end of a conversation to its beginning
_ROLES = ("user", "assistant", "system")


def telegram(document: dict[str, Any], notes: Counter[str]) -> Iterator[dict[str, Any]] | None:
    """One row for each message of an export of one chat or of all; None for any other document."""
    chats = document.get("chats")
    listed = chats.get("list") if isinstance(chats, dict) else [document]
    if not isinstance(listed, list) or not listed or not all(_is_chat(chat) for chat in listed[:20]):
        return None
    about = document.get("personal_information")
    owner = f"user{about['user_id']}" if isinstance(about, dict) and about.get("user_id") else None
    return _messages(listed, owner, notes)


def _is_chat(chat: Any) -> bool:
    messages = chat.get("messages") if isinstance(chat, dict) else None
    if not isinstance(messages, list) or "type" not in chat:
        return False
    said = [each for each in messages[:50] if isinstance(each, dict) and each.get("type") == "message"]
    return all(isinstance(each, dict) for each in messages[:50]) and (
        not messages or (bool(said) and all("from" in each and "text" in each and "date" in each for each in said))
    )


def _messages(chats: list[Any], owner: str | None, notes: Counter[str]) -> Iterator[dict[str, Any]]:
    for number, chat in enumerate(chats, start=1):
        if not isinstance(chat, dict) or not isinstance(chat.get("messages"), list):
            continue
        name = str(chat.get("name") or f"chat {chat.get('id', number)}")
        for each in chat["messages"]:
            if isinstance(each, dict) and each.get("type") == "message":
                row = {CHAT: name, SENDER: each.get("from"), MESSAGE: _text(each.get("text"))}
                row[TIME] = each.get("date_unixtime") or each.get("date")
                yield row | ({OWNER: each.get("from_id") == owner} if owner else {})
            else:
                notes["Notices of the program, such as calls and joined members, were left out."] += 1


def _text(text: Any) -> Any:
    """Telegram cuts a text into pieces where a link or a bold word stands."""
    if not isinstance(text, list):
        return text
    pieces = [each.get("text") if isinstance(each, dict) else each for each in text]
    return "".join(piece for piece in pieces if isinstance(piece, str))


def flattened(row: dict[str, Any]) -> dict[str, Any]:
    """A conversation of ChatGPT's export as its messages in order, on the branch that was read last."""
    tree = row.get("mapping")
    if not isinstance(tree, dict) or not all(isinstance(node, dict) and "message" in node for node in tree.values()):
        return row
    at = row.get("current_node") or next(reversed(tree), None)
    turns: list[dict[str, Any]] = []
    for _ in range(_MOST_STEPS):
        node = tree.get(at) if isinstance(at, str) else None
        if node is None:
            break
        if turn := _turn(node["message"]):
            turns.append(turn)
        at = node.get("parent")
    return {"title": row.get("title"), "messages": turns[::-1]}


def _turn(message: Any) -> dict[str, Any] | None:
    if not isinstance(message, dict):
        return None
    role, content = _inside(message, "author", "role"), message.get("content")
    about = message.get("metadata")
    is_hidden = isinstance(about, dict) and about.get("is_visually_hidden_from_conversation")
    parts = content.get("parts") if isinstance(content, dict) else None
    if role not in _ROLES or is_hidden or not isinstance(parts, list):
        return None
    text = "\n".join(part for part in parts if isinstance(part, str))
    if is_missing(text) or (role == "assistant" and message.get("recipient") not in (None, "all")):
        return None  # a picture, or what was said to a tool
    return {"role": role, "content": text}


def _inside(value: dict[str, Any], *path: str) -> Any:
    found: Any = value
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found
