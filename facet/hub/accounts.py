"""Whose account a token belongs to, remembered for a minute. The token itself is not kept, only its hash."""

import hashlib
import threading
import time
from dataclasses import dataclass, field
from typing import Final

from facet.hub.account import Account, whoami
from facet.identity import Grant

KEPT_SECONDS: Final = 60.0  # so long may a token that was revoked still be shown as signed in
KEPT: Final = 1000


@dataclass
class Accounts:
    endpoint: str | None = None
    _known: dict[str, tuple[float, Account]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, grant: Grant) -> Account | None:
        """Raises: `AccessError` when the Hub no longer accepts the token, `HubError` when it cannot be asked."""
        if not grant.is_valid:
            return None
        mark = hashlib.sha256(grant.token.encode()).hexdigest()
        at, account = self._known.get(mark, (0.0, None))
        if account is None or time.monotonic() - at > KEPT_SECONDS:
            account = whoami(grant.token, self.endpoint)
            with self._lock:
                self._known = dict(list(self._known.items())[-KEPT:]) | {mark: (time.monotonic(), account)}
        return account
