"""Who a call belongs to on a Space: by what we signed, and by nothing a caller can write."""

import os
import time
from http.cookies import SimpleCookie
from typing import Any

import gradio as gr
import pytest

from facet.errors import AccessError
from facet.identity import Grant, Person, person_key
from facet.ui.events import Gate
from facet.ui.limits import Limits
from facet.ui.people import AtHome, OnSpace
from facet.ui.visitors import FRAMED, OPEN, Visitors
from facet.workspace import Workspace


class Asked:
    """As much of Gradio's request as we look at."""

    def __init__(self, cookies: str = "", session: dict | None = None, page: str | None = None) -> None:
        self.scope = {"headers": [(b"cookie", cookies.encode("latin-1"))], "session": session or {}}
        self.session_hash, self.query_params = page, {}


def signed_in(sub: str = "ann", **changes: Any) -> dict[str, Any]:
    info = {
        "access_token": f"hf_oauth_{sub}",
        "scope": "openid profile contribute-repos",
        "expires_at": time.time() + 600,
        "userinfo": {"sub": sub, "preferred_username": sub.title(), "name": sub},
    }
    return {"oauth_info": info | changes}


@pytest.fixture
def people(tmp_path) -> OnSpace:
    workspace = Workspace(tmp_path)
    return OnSpace(workspace, Visitors.of(workspace))


def cookie(people: OnSpace, name: str = OPEN) -> str:
    return f"{name}={people.visitors.issue()}"


def test_two_visitors_are_two_people_and_the_same_cookie_is_one(people):
    one, two = cookie(people), cookie(people)
    first = people.identify(Asked(one)).person
    assert first.kind == "visitor" and first == people.identify(Asked(one)).person
    assert people.identify(Asked(two)).person.key != first.key
    assert people.identify(Asked(one.replace(OPEN, FRAMED))).person.key == first.key


def test_the_key_survives_a_restart_and_is_readable_by_us_alone(people, tmp_path):
    given = cookie(people)
    again = OnSpace(people.workspace, Visitors.of(people.workspace))
    assert again.identify(Asked(given)).person == people.identify(Asked(given)).person
    assert (tmp_path / "visitors.key").stat().st_mode & 0o077 == 0


FORGED = ["", "x", "a.b", "." * 50, "AAAA.AAAA", "é.é", "a" * 5000, "x\x00y", '"quoted"', "%2e%2e"]


@pytest.mark.parametrize("value", FORGED, ids=lambda value: value[:12])
def test_a_forged_cookie_is_nobody(people, value):
    with pytest.raises(AccessError, match="cookie"):
        people.identify(Asked(f"{OPEN}={value}"))


def test_a_cookie_changed_by_one_letter_is_nobody(people):
    given = cookie(people)
    for place in (len(OPEN) + 3, len(given) - 3):
        spoiled = given[:place] + ("A" if given[place] != "A" else "B") + given[place + 1 :]
        with pytest.raises(AccessError):
            people.identify(Asked(spoiled))


def test_a_cookie_of_another_space_is_nobody(people, tmp_path_factory):
    other = Workspace(tmp_path_factory.mktemp("other"))
    with pytest.raises(AccessError):
        people.identify(Asked(f"{OPEN}={Visitors.of(other).issue()}"))


def test_the_subject_decides_and_never_the_name(people):
    ann = people.identify(Asked(session=signed_in("ann"))).person
    renamed = signed_in("ann")
    renamed["oauth_info"]["userinfo"]["preferred_username"] = "Bob"
    impostor = signed_in("bob")
    impostor["oauth_info"]["userinfo"]["preferred_username"] = "Ann"
    assert people.identify(Asked(session=renamed)).person.key == ann.key == person_key("hf", "ann")
    assert people.identify(Asked(session=impostor)).person.key != ann.key


@pytest.mark.parametrize(
    "session",
    [
        signed_in(access_token=""),
        signed_in(userinfo=None),
        signed_in(userinfo={"preferred_username": "ann"}),
        {"oauth_info": "ann"},
        {"oauth_info": {}},
        {"oauth_info": None},
    ],
    ids=["no token", "no profile", "no subject", "text", "empty", "nothing"],
)
def test_half_a_sign_in_is_none(people, session):
    with pytest.raises(AccessError):
        people.identify(Asked(session=session))
    assert people.identify(Asked(cookie(people), session)).person.kind == "visitor"


def test_a_page_whose_sign_in_runs_out_is_told_so_and_a_new_page_is_a_visitors(people):
    given = cookie(people)
    people.identify(Asked(given, signed_in(), page="open since the morning"))
    late = signed_in(expires_at=time.time() - 1)
    with pytest.raises(AccessError, match="run out"):
        people.identify(Asked(given, late, page="open since the morning"))
    assert people.identify(Asked(given, late, page="opened now")).person.kind == "visitor"


def test_a_token_lives_in_the_grant_and_is_never_shown(people):
    grant = people.identify(Asked(session=signed_in("ann")))
    assert grant.need("contribute-repos", "to publish") == "hf_oauth_ann"
    assert "hf_oauth_ann" not in repr(grant) + str(grant.person)
    with pytest.raises(AccessError, match="gated-repos"):
        grant.need("gated-repos", "to read it")


def test_signing_in_in_another_tab_stops_the_old_page_instead_of_mixing_two_people(people):
    given = cookie(people)
    people.identify(Asked(given, page="tab one"))
    people.identify(Asked(given, signed_in("ann"), page="tab two"))
    with pytest.raises(AccessError) as refused:
        people.identify(Asked(given, signed_in("ann"), page="tab one"))
    assert "Ann" in refused.value.why and "Reload" in refused.value.next
    people.identify(Asked(given, page="tab one"))


def test_nobody_can_act_in_or_listen_to_another_persons_page(people):
    ann, bob = Asked(session=signed_in("ann"), page="anns page"), Asked(session=signed_in("bob"), page="anns page")
    people.identify(ann)
    with pytest.raises(AccessError):
        people.identify(bob)
    assert people.is_foreign(bob.scope, "anns page") and people.is_foreign(Asked().scope, "anns page")
    assert not people.is_foreign(ann.scope, "anns page") and not people.is_foreign(bob.scope, "a page of his own")


def test_after_the_sign_in_the_visitors_cookie_opens_nothing_any_more(people):
    given = cookie(people)
    visitor = people.identify(Asked(given)).person
    run = people.workspace.create(visitor, "runs", "mine")
    both = Asked(given, signed_in("ann"))
    ann = people.welcome(both, people.identify(both).person)
    assert people.workspace.find(ann, "runs", run.name) == run
    with pytest.raises(AccessError):
        people.identify(Asked(given))
    fresh = SimpleCookie(people.cookies_for(Asked(given).scope)[0])[OPEN].value
    assert fresh not in given


def test_a_ticket_carries_a_visitor_into_a_window_that_does_not_get_the_cookie(people, monkeypatch):
    visitor = people.identify(Asked(cookie(people))).person
    run = people.workspace.create(visitor, "runs", "mine")
    ticket = people.ticket(visitor)
    window = Asked(session=signed_in("ann"))
    ann = people.identify(window).person
    for forged in (
        "",
        "x",
        f"{visitor.key}.9999999999.x",
        ticket[:-2] + "xx",
        ticket.replace(visitor.key[:20], "visitor-0000"),
    ):
        assert people.welcome(window, ann, forged).also == ()
    with monkeypatch.context() as late:
        late.setattr("facet.ui.visitors.time.time", lambda: 9e9)
        assert people.welcome(window, ann, ticket).also == ()
    assert people.workspace.find(people.welcome(window, ann, ticket), "runs", run.name) == run
    assert people.ticket(ann) == ""


def test_every_call_is_a_sign_of_life(people):
    given = cookie(people)
    visitor = people.identify(Asked(given)).person
    people.workspace.create(visitor, "runs", "mine")
    place = people.workspace.tenant(visitor.key)
    os.utime(place, (1, 1))
    people.identify(Asked(given))
    assert people.workspace.gone_visitors() == [] and time.time() - place.stat().st_mtime < 60


def test_the_cookies_cannot_be_read_by_scripts_and_say_how_long_they_last(people):
    plain, framed = people.cookies_for(Asked().scope)
    for header in (plain, framed):
        assert all(word in header for word in ("Secure", "HttpOnly", "SameSite=None", "Path=/", "Max-Age=86400"))
        assert "Domain" not in header
    assert framed.endswith("Partitioned")
    value = SimpleCookie(plain)[OPEN].value
    assert value in people.cookies_for(Asked(f"{OPEN}={value}").scope)[0]
    assert people.cookies_for(Asked(session=signed_in()).scope) == []


def gated(people, handler):
    return Gate(people, Limits(1000, 1000)).wrap(handler)


def test_a_handler_that_asks_for_the_grant_gets_it_and_nobody_can_pass_one(people):
    seen = []

    def handler(person: Person, grant: Grant, name: str) -> None:
        seen.append((person, grant.token, name))

    wrapped = gated(people, handler)
    wrapped(Asked(session=signed_in("ann")), name="x")
    assert seen[0][1:] == ("hf_oauth_ann", "x") and seen[0][0].name == "Ann"
    with pytest.raises((gr.Error, TypeError)):
        wrapped(Asked(session=signed_in("bob")), name="x", grant=Grant(seen[0][0], "stolen"), person=seen[0][0])
    assert len(seen) == 1 or seen[1][0].name == "Bob"


def test_at_home_there_is_one_person_and_the_token_is_read_only_when_asked_for(monkeypatch):
    asked = []
    monkeypatch.setattr("facet.ui.people.machine_token", lambda: asked.append(1) or "hf_machine")
    home = Gate(AtHome(), Limits(1000, 1000))
    assert home.wrap(lambda person: person.kind)(Asked()) == "local" and asked == []

    def uses(person: Person, grant: Grant) -> str | None:
        return grant.token

    assert home.wrap(uses)(Asked()) == "hf_machine"
