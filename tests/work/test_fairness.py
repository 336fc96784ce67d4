"""Whose turn it is, as tables: lines of people, and who is served, who gives way, who is told what."""

import pytest

from facet.work.fairness import Line, Ticket, Turn, about, ordinal


def line(*who: str, used: dict[str, float] | None = None, slots: int = 1, now: float = 1000.0, **more) -> Line:
    """`ann1` waits; `ann1@940` holds a slot since then. They came in this order."""
    tickets = []
    for came, words in enumerate(who):
        key, _, since = words.partition("@")
        kind = "chat" if key.startswith("chat ") else "train"
        person = key.removeprefix("chat ").rstrip("0123456789")
        tickets.append(Ticket(key, person, kind, float(came), float(since) if since else None))
    return Line(tuple(tickets), used or {}, slots, now, **more)


def served(*who: str, **more) -> list[str]:
    return [ticket.key for ticket in line(*who, **more).waiting]


@pytest.mark.parametrize(
    ("who", "more", "expected"),
    [
        (["ann1", "bob1"], {}, ["ann1", "bob1"]),
        (["ann1", "ann2", "ann3", "bob1"], {}, ["ann1", "ann2", "ann3", "bob1"]),
        (["ann1", "ann2", "bob1"], {"used": {"ann": 60, "bob": 0}}, ["bob1", "ann1", "ann2"]),
        (["ann1", "bob1", "cyd1"], {"used": {"ann": 90, "bob": 30, "cyd": 60}}, ["bob1", "cyd1", "ann1"]),
        # who holds a slot already comes after those who hold none, whatever they have used
        (["ann1@999", "ann2", "bob1"], {"used": {"bob": 500}, "slots": 2}, ["bob1", "ann2"]),
        # what is being used now counts
        (["ann1@900", "bob1@990", "ann2", "bob2"], {"slots": 3}, ["bob2", "ann2"]),
        # at home the order is the order of arrival
        (["me1@100", "me2", "me3"], {"used": {"me": 900}}, ["me2", "me3"]),
    ],
)
def test_the_order_in_which_those_who_wait_are_served(who, more, expected):
    assert served(*who, **more) == expected


@pytest.mark.parametrize(
    ("who", "slots", "expected"),
    [
        (["ann1"], 1, "ann1"),
        (["ann1@990", "bob1"], 1, None),
        (["ann1@990", "bob1"], 2, "bob1"),
        (["ann1@990", "ann2@990", "bob1"], 1, None),  # fewer slots than before the restart
        ([], 1, None),
    ],
)
def test_a_slot_is_given_only_while_one_is_free(who, slots, expected):
    ticket = line(*who, slots=slots).next()
    assert (ticket.key if ticket else None) == expected


@pytest.mark.parametrize(
    ("who", "more", "ready", "expected"),
    [
        (["ann1@900", "bob1"], {}, "ann1", "ann1"),
        (["ann1@900", "bob1"], {}, "", None),  # it has not had its turn yet
        (["ann1@900"], {}, "ann1", None),  # nobody waits
        (["ann1@900", "ann2"], {}, "ann1", None),  # nobody else waits
        (["ann1@900", "bob1"], {"used": {"bob": 200}}, "ann1", None),  # who waits has used more
        (["ann1@900", "bob1"], {"slots": 2}, "ann1", None),  # a slot is free
        (["ann1@900", "bob1@900", "ann2"], {"slots": 2, "used": {"bob": 50}}, "ann1 bob1", None),  # one each
        (["ann1@900", "ann2@950", "bob1"], {"slots": 2}, "ann1 ann2", "ann1"),  # only one of the two, the older turn
        (["ann1@900", "ann2@950", "bob1"], {"slots": 2}, "ann2", "ann2"),
        (["ann1@900", "cyd1@800", "bob1"], {"slots": 2}, "ann1 cyd1", "cyd1"),
    ],
)
def test_who_gives_way(who, more, ready, expected):
    ticket = line(*who, **more).gives_way(ready.split())
    assert (ticket.key if ticket else None) == expected


@pytest.mark.parametrize(
    ("who", "more", "person", "expected"),
    [
        ([], {}, "ann", {"ann": 0.0}),
        # alone for long is no debt: all are level when the first one has to wait
        (["ann1@100"], {}, "bob", {"ann": 0.0, "bob": 900.0}),
        (["ann1@100", "cyd1@900"], {"slots": 2}, "bob", {"ann": 0.0, "cyd": 800.0, "bob": 900.0}),
        (["ann1@100", "ann2"], {}, "bob", {"ann": 0.0, "bob": 900.0}),  # her own second run was kept out by herself
        # while somebody waits, who joins is level with the hindmost of them, and keeps what was used before
        (["ann1@940", "bob1"], {"used": {"ann": 5, "bob": 7}}, "cyd", {"ann": 5, "bob": 7, "cyd": 7}),
        (["ann1@940", "bob1"], {"used": {"ann": 5, "bob": 7, "cyd": 90}}, "cyd", {"ann": 5, "bob": 7, "cyd": 90}),
        (["ann1@940", "bob1"], {"used": {"ann": 5, "bob": 7}}, "bob", {"ann": 5, "bob": 7}),
    ],
)
def test_where_those_start_who_join(who, more, person, expected):
    assert line(*who, **more).admit(person) == expected


def ten_minutes(key: str) -> float:
    return 600.0


def unknown(key: str) -> None:
    return None


@pytest.mark.parametrize(
    ("who", "more", "key", "left", "expected"),
    [
        (["ann1@990", "bob1"], {}, "ann1", unknown, None),  # it does not wait
        (["ann1@990", "bob1"], {}, "bob1", unknown, Turn(1, 1, 60.0)),  # her turn has begun: loading, and a minute
        (["ann1@900", "bob1"], {}, "bob1", unknown, Turn(1, 1, 0.0)),
        (["ann1@900", "bob1"], {"typical": {"turn": 130.0}}, "bob1", unknown, Turn(1, 1, 30.0)),  # a slow machine
        (["ann1@990", "bob1"], {}, "bob1", lambda key: 20.0, Turn(1, 1, 20.0)),  # she is done before
        (["ann1@990", "bob1", "cyd1"], {}, "cyd1", unknown, Turn(2, 2, 130.0)),  # the rest of hers, and all of his
        (["ann1@990", "bob1", "bob2"], {}, "bob2", unknown, Turn(2, 1, None)),  # how long is his first?
        (["ann1@990", "ann2", "bob1"], {}, "ann2", unknown, Turn(2, 1, 130.0)),
        (["me1@990", "me2"], {}, "me2", unknown, Turn(1, 0, None)),
        (["me1@990", "me2"], {}, "me2", ten_minutes, Turn(1, 0, 600.0)),
        (["me1@990", "me2", "me3"], {}, "me3", ten_minutes, Turn(2, 0, 1210.0)),
        (["chat ann@998", "chat bob"], {"typical": {"chat": 12.0}}, "chat bob", unknown, Turn(1, 1, 10.0)),
        (["chat ann@998", "chat bob", "chat cyd"], {"typical": {"chat": 12.0}}, "chat cyd", unknown, Turn(2, 2, 22.0)),
        (["chat ann@998", "chat bob"], {}, "chat bob", unknown, Turn(1, 1, None)),
    ],
)
def test_what_one_who_waits_is_told(who, more, key, left, expected):
    assert line(*who, **more).turn(key, 60.0, left) == expected


@pytest.mark.parametrize(
    ("turn", "words", "before_you"),
    [
        (Turn(1, 1, 40.0), "next in line, starts in about 40 seconds", "1 person before you, about 40 seconds"),
        (Turn(2, 2, 185.0), "2nd in line, starts in about 3 minutes", "2 people before you, about 3 minutes"),
        (
            Turn(1, 0, 2.0),
            "next in line, starts in a few seconds",
            "Something else of yours comes first, a few seconds",
        ),
        (Turn(3, 2), "3rd in line", "2 people before you"),
        (Turn(12, 4, 60.0), "12th in line, starts in about 1 minute", "4 people before you, about 1 minute"),
    ],
)
def test_how_it_is_said(turn, words, before_you):
    assert (turn.words, turn.before_you) == (words, before_you)


def test_numbers_and_times_are_said_as_one_would():
    assert [ordinal(number) for number in (1, 2, 3, 4, 11, 12, 13, 21, 101, 111)] == (
        "1st 2nd 3rd 4th 11th 12th 13th 21st 101st 111th".split()
    )
    assert [about(seconds) for seconds in (0, 12, 54, 90, 5000, 7000)] == [
        "a few seconds",
        "about 10 seconds",
        "about 55 seconds",
        "about 2 minutes",
        "about 83 minutes",
        "about 2 hours",
    ]
