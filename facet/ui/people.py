"""Who asks: one person at home; on a Space whoever signed in with Hugging Face, or a visitor. Read here, nowhere else.

Only what the server itself signed counts. A token in the body of a call, a user name or a session id grants nothing.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import gradio as gr

from facet.errors import AccessError
from facet.hub.account import machine_token
from facet.identity import LOCAL, Grant, Person, person_key
from facet.ui.visitors import Visitors, on_space
from facet.workspace import Workspace, clean_name

SESSIONS_KEPT: Final = 20_000


@dataclass
class Sessions:
    """Which person each open page began as, so that a sign-in in another tab is noticed and never mixed."""

    most: int = SESSIONS_KEPT
    _owners: OrderedDict[str, str] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def is_of(self, session: str | None, key: str) -> bool:
        """True when this page belongs to that person; a page seen for the first time does from now on."""
        if not session:
            return True
        with self._lock:
            owner = self._owners.setdefault(session, key)
            self._owners.move_to_end(session)
            while len(self._owners) > self.most:
                self._owners.popitem(last=False)
        return owner == key

    def owner(self, session: str) -> str | None:
        """Whose page this is, where that is known."""
        return self._owners.get(session)

    def is_foreign(self, session: str, key: str | None) -> bool:
        """Whether this page is known to be somebody else's."""
        return self._owners.get(session, key) != key


class AtHome:
    """One person, to whom everything belongs. Their token is the computer's own login."""

    def identify(self, request: gr.Request | None) -> Grant:
        return Grant(LOCAL)

    def lend(self, grant: Grant) -> Grant:
        """The same with a token, read only when a call needs it."""
        return Grant(LOCAL, machine_token())

    def welcome(self, request: gr.Request | None, person: Person, ticket: str = "") -> Person:
        return person

    def ticket(self, person: Person) -> str:
        return ""


@dataclass(frozen=True)
class OnSpace:
    """Strangers, each with a folder of their own."""

    workspace: Workspace
    visitors: Visitors
    sessions: Sessions = field(default_factory=Sessions)

    def identify(self, request: gr.Request | None) -> Grant:
        """The person behind a call, with their token where they have signed in.

        Raises: `AccessError` when nobody can be told apart (no cookie), or the page was opened as somebody else.
        """
        scope, page = _scope(request), getattr(request, "session_hash", None)
        grant = self.grant(scope)
        if refused := self._refusal(scope, grant, page):
            raise refused
        self.sessions.is_of(page, grant.person.key)
        if grant.person.kind == "visitor":
            self.workspace.note_visit(grant.person)
        return grant

    def why_not(self, scope: Mapping[str, Any], page: str) -> str | None:
        """The three sentences with which `identify` would refuse this request, or None."""
        refused = self._refusal(scope, self.grant(scope), page)
        return str(refused) if refused else None

    def _refusal(self, scope: Mapping[str, Any], grant: Grant | None, page: str | None) -> AccessError | None:
        run_out = _run_out_for(scope.get("session") or {})
        if page and run_out and self.sessions.owner(page) == run_out:
            return _run_out()
        if grant is None:
            return _no_cookie()
        return _another_tab(grant.person) if page and self.sessions.is_foreign(page, grant.person.key) else None

    def lend(self, grant: Grant) -> Grant:
        return grant

    def grant(self, scope: Mapping[str, Any]) -> Grant | None:
        """Who sent this request, by its signed cookies alone; None for nobody."""
        signed_in = self._signed_in(scope.get("session") or {})
        if signed_in:
            return signed_in
        key = self.visitors.read(cookies(scope))
        return Grant(Person(key, "Visitor", "visitor")) if key else None

    def _signed_in(self, session: Mapping[str, Any]) -> Grant | None:
        info = session.get("oauth_info")
        about = info.get("userinfo") if isinstance(info, dict) else None
        if not isinstance(about, dict) or not about.get("sub") or not info.get("access_token"):
            return None
        expires = info.get("expires_at")
        if isinstance(expires, int | float) and expires < time.time():
            return None
        username = str(about.get("preferred_username") or "")
        person = Person(person_key("hf", str(about["sub"])), clean_name(username or "You"), "signed-in")
        scopes = frozenset(str(info.get("scope") or "").split())
        return Grant(self.workspace.with_past(person), str(info["access_token"]), scopes, expires, username)

    def welcome(self, request: gr.Request | None, person: Person, ticket: str = "") -> Person:
        """When a page is opened: a visitor who has signed in keeps what they made, by their cookie or their ticket."""
        if person.kind == "signed-in":
            for visitor in (self.visitors.claimed(cookies(_scope(request))), self.visitors.of_ticket(ticket)):
                person = self.workspace.claim(person, visitor) if visitor else person
        return person

    def ticket(self, person: Person) -> str:
        """What a visitor takes along to the sign-in in another window; empty for everybody else."""
        return self.visitors.ticket(person.key) if person.kind == "visitor" else ""

    def cookies_for(self, scope: Mapping[str, Any]) -> list[str]:
        """Set-Cookie headers for the answer to a page load: a new visitor's, or one more day for a known one."""
        grant = self.grant(scope)
        if grant and grant.person.kind == "signed-in":
            return []
        known = self.visitors.value(cookies(scope)) if grant else None
        return self.visitors.headers(known or self.visitors.issue())

    def is_foreign(self, scope: Mapping[str, Any], session: str) -> bool:
        """Whether this open page is known to belong to somebody other than who sent this request."""
        grant = self.grant(scope)
        return self.sessions.is_foreign(session, grant.person.key if grant else None)


People = AtHome | OnSpace


def people_here(workspace: Workspace) -> People:
    """Who can ask, where this page is served."""
    return OnSpace(workspace, Visitors.of(workspace)) if on_space() else AtHome()


def cookies(scope: Mapping[str, Any]) -> str:
    """The Cookie headers of a request as one."""
    return "; ".join(value.decode("latin-1") for name, value in scope.get("headers", ()) if name == b"cookie")


def _scope(request: gr.Request | None) -> Mapping[str, Any]:
    underlying = getattr(request, "request", None) or request
    scope = getattr(underlying, "scope", None)
    return scope if isinstance(scope, Mapping) else {}


def _run_out_for(session: Mapping[str, Any]) -> str | None:
    """The key of the person whose sign-in lasted as long as Hugging Face allows, and no longer."""
    info = session.get("oauth_info")
    expires = info.get("expires_at") if isinstance(info, dict) else None
    if not isinstance(expires, int | float) or expires >= time.time():
        return None
    return person_key("hf", str((info.get("userinfo") or {}).get("sub")))


def _run_out() -> AccessError:
    return AccessError(
        "Your sign-in has run out.",
        "Hugging Face lets it last for some hours only.",
        "Sign in again at the side, then repeat this. Runs that are going on are not disturbed.",
    )


def _no_cookie() -> AccessError:
    return AccessError(
        "We cannot tell you from other visitors.",
        "Your browser does not keep the cookie of this page, or it has run out.",
        "Reload the page. If this comes back, open it in a window of its own, or sign in.",
    )


def _another_tab(person: Person) -> AccessError:
    who = f"signed in as {person.name}" if person.kind == "signed-in" else "signed out"
    return AccessError(
        "This page was opened as somebody else.",
        f"In another tab you are now {who}.",
        "Reload this page to go on. Nothing was changed.",
    )
