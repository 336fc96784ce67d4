"""Who shall answer in a chat, as a request names them. No torch here."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from facet.errors import DataError

MOST_SPEAKERS: Final = 4


@dataclass(frozen=True)
class Speaker:
    """One side of a conversation, as the request names it."""

    key: str
    base: Path
    adapter: Path | None
    messages: list[dict[str, Any]]

    @property
    def member(self) -> str | None:
        """What its company knows its adapter by."""
        return str(self.adapter) if self.adapter else None


def speakers_of(request: Mapping[str, Any]) -> list[Speaker]:
    """The speakers of a request; of one with `base`, `adapter` and messages by side, the untouched and the tuned one.

    Raises: `DataError` when there are none, too many, or two of one name.
    """
    named = request.get("speakers")
    if named is None:
        adapters = {"tuned": request.get("adapter")}
        named = [
            {"key": side, "base": request["base"], "adapter": adapters.get(side), "messages": messages}
            for side, messages in request["messages"].items()
        ]
    if not 1 <= len(named) <= MOST_SPEAKERS or len({each["key"] for each in named}) < len(named):
        raise DataError(
            "These models cannot answer together.",
            f"One to {MOST_SPEAKERS} different ones can, and {len(named)} were asked.",
            "Choose fewer and send again; your text is kept.",
        )
    return [
        Speaker(
            each["key"], Path(each["base"]), Path(each["adapter"]) if each.get("adapter") else None, each["messages"]
        )
        for each in named
    ]
