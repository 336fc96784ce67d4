"""Who has not signed in: a random secret in a cookie that only we can issue, and nothing else.

Two cookies carry it. A page inside of huggingface.co's frame gets the partitioned one even where the browser keeps
foreign cookies out; a window of its own gets the other.
"""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import time
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Final

from facet.identity import person_key
from facet.quota import VISITOR_SECONDS
from facet.workspace import Workspace, replacing

OPEN: Final = "__Host-facet-visitor"
FRAMED: Final = "__Host-facet-visitor-framed"
SECRET_BYTES: Final = 24
TICKET_SECONDS: Final = 900
LONGEST: Final = 200  # characters of a cookie of ours


@dataclass(frozen=True)
class Visitors:
    """Issues and reads visitors' cookies."""

    workspace: Workspace
    key: bytes  # of the signature; random where there is none to be had from the disk

    @classmethod
    def of(cls, workspace: Workspace) -> "Visitors":
        """The signing key lies beside the visitors' folders: who loses one loses the other."""
        file = workspace.home / "visitors.key"
        if not file.exists():
            with replacing(file) as part:
                part.touch(mode=0o600)
                part.write_bytes(secrets.token_bytes(32))
        return cls(workspace, file.read_bytes())

    def issue(self) -> str:
        """The value of a new visitor's cookie."""
        return self._signed(secrets.token_bytes(SECRET_BYTES))

    def read(self, cookies: str) -> str | None:
        """The visitor's key in a Cookie header, or None for a missing, forged or spent one."""
        value = self.value(cookies)
        if value is None:
            return None
        key = person_key("visitor", value)
        return None if self.workspace.is_claimed(key) else key

    def claimed(self, cookies: str) -> str | None:
        """The visitor's key, whether or not somebody has signed in with it since."""
        value = self.value(cookies)
        return person_key("visitor", value) if value else None

    def value(self, cookies: str) -> str | None:
        """The first of our cookies that carries our signature."""
        for name in (OPEN, FRAMED):
            value = _cookie(cookies, name)
            if value and self._is_ours(value):
                return value
        return None

    def ticket(self, key: str) -> str:
        """Says for some minutes who a visitor is, to a window of its own that does not get this page's cookies."""
        words = f"{key}.{int(time.time()) + TICKET_SECONDS}"
        return f"{words}.{_text(hmac.digest(self.key, words.encode(), hashlib.sha256))}"

    def of_ticket(self, ticket: str) -> str | None:
        """The visitor a ticket was made for, or None for a forged or an old one."""
        words, _, mark = ticket.rpartition(".")
        key, _, until = words.partition(".")
        ours = _text(hmac.digest(self.key, words.encode(), hashlib.sha256))
        fresh = until.isdigit() and int(until) > time.time()
        return key if fresh and hmac.compare_digest(ours.encode(), mark.encode()) else None

    def headers(self, value: str) -> list[str]:
        """Set-Cookie headers that keep a visitor for a day more."""
        rest = f"Path=/; Secure; HttpOnly; SameSite=None; Max-Age={int(VISITOR_SECONDS)}"
        return [f"{OPEN}={value}; {rest}", f"{FRAMED}={value}; {rest}; Partitioned"]

    def _signed(self, secret: bytes) -> str:
        mark = hmac.digest(self.key, secret, hashlib.sha256)
        return f"{_text(secret)}.{_text(mark)}"

    def _is_ours(self, value: str) -> bool:
        head, _, _ = value.partition(".")
        try:
            secret = base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))
        except (binascii.Error, ValueError):
            return False
        return len(secret) == SECRET_BYTES and hmac.compare_digest(self._signed(secret).encode(), value.encode())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _cookie(header: str, name: str) -> str | None:
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return None
    return found.value if found and len(found.value) <= LONGEST else None


def on_space() -> bool:
    """Whether strangers share this page. The owner of a private Space may say that they are its only person."""
    return bool(os.environ.get("SPACE_ID")) and os.environ.get("FACET_ONE_PERSON") != "1"
