"""Signing this computer in to the Hub from the page: a code is shown, and allowed in the person's own browser."""

import threading
from dataclasses import dataclass, replace
from typing import Literal

from facet.errors import FacetError
from facet.hub import account
from facet.hub.account import DeviceCode

Stage = Literal["none", "waiting", "done", "failed"]


@dataclass(frozen=True)
class SignInState:
    """`url` opens the Hub with the code filled in; `name` is whose account it became."""

    stage: Stage = "none"
    url: str = ""
    code: str = ""
    name: str = ""
    failure: FacetError | None = None


class SignIn:
    """At most one sign-in at a time. At home only: on a Space each person has a session of their own."""

    def __init__(self) -> None:
        self._state = SignInState()
        self._turn = 0  # which attempt is the current one
        self._lock = threading.Lock()

    def state(self) -> SignInState:
        return self._state

    def begin(self) -> SignInState:
        """Ask for a code and wait for it in the background; an earlier attempt is given up.

        Raises: `HubError`, `AccessError`.
        """
        with self._lock:
            self._turn += 1
            self._state = SignInState()
            code = account.begin_sign_in()
            self._state = SignInState("waiting", code.url, code.user_code)
            threading.Thread(target=self._wait, args=(code, self._turn), name="sign-in", daemon=True).start()
            return self._state

    def stop(self) -> None:
        """Wait no longer."""
        with self._lock:
            self._turn += 1
            self._state = SignInState()

    def out(self) -> None:
        """Forget the computer's login. Raises: `AccessError` where Facet cannot."""
        self.stop()
        account.sign_out_machine()

    def _wait(self, code: DeviceCode, turn: int) -> None:
        try:
            found = account.finish_sign_in(code, lambda: turn != self._turn)
            self._become(turn, SignInState("done", name=found.name))
        except FacetError as failure:
            self._become(turn, replace(self._state, stage="failed", failure=failure))
        except Exception:
            self._become(
                turn, replace(self._state, stage="failed", failure=FacetError.unexpected("the page's own log"))
            )
            raise

    def _become(self, turn: int, state: SignInState) -> None:
        with self._lock:
            if turn == self._turn:
                self._state = state
