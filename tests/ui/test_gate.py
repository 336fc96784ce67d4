"""No handler without the gate, and nothing behind the gate that it should have stopped."""

import inspect
import logging
from collections import Counter
from typing import Literal

import gradio as gr
import pytest

from facet.errors import DataError
from facet.identity import Person
from facet.ui.events import Gate, Query
from facet.ui.limits import Limits
from facet.ui.values import Id, Line, Number

JUNK = [
    float("nan"),
    float("inf"),
    -float("inf"),
    True,
    None,
    [],
    {},
    [1],
    {"a": 1},
    "x" * 10_000_000,
    2**80,
    b"",
    object(),
]


class Request:
    """As much of a request as the gate looks at."""

    def __init__(self, **query: str) -> None:
        self.query_params = query


def gated(handler, **how):
    return Gate(limits=Limits(1000, 10_000)).wrap(handler, **how)


def test_every_handler_of_the_page_passes_the_gate(page):
    handlers = [fn for fn in page.fns.values() if fn.fn is not None]
    assert len(handlers) > 40
    naked = [fn.name for fn in handlers if not getattr(fn.fn, "passes_the_gate", False)]
    assert naked == []
    assert [fn.name for fn in handlers if fn.validator and not getattr(fn.validator, "passes_the_gate", False)] == []


def test_the_last_choice_is_always_answered(page):
    """Gradio's own way forgets what is chosen while the choice before is answered."""
    chosen = [fn for fn in page.fns.values() if fn.fn is not None and any(event == "input" for _, event in fn.targets)]
    assert len(chosen) > 20
    assert [fn.name for fn in chosen if fn.trigger_mode not in ("always_last", "multiple")] == []


def test_no_two_handlers_of_one_event_wake_each_other_forever(page):
    """The browser repeats a whole event when one that waited on it is done."""
    waiting = Counter(
        target for fn in page.fns.values() if fn.trigger_mode == "always_last" for target in fn.targets if target[0]
    )
    assert [page.blocks[block].elem_id or event for (block, event), count in waiting.items() if count > 1] == []
    long = {fn.fn.__name__: fn.trigger_mode for fn in page.fns.values() if getattr(fn.fn, "takes_long", False)}
    assert {"recommend", "foresee", "show_tokens", "remap"} <= long.keys() and set(long.values()) == {"always_last"}


def test_only_the_documented_functions_are_public(page):
    public = {fn.api_name for fn in page.fns.values() if fn.api_visibility == "public" and fn.fn is not None}
    assert public == {"prepare", "plan", "start_run", "stop_run", "resume_run", "chat", "export"}


def test_every_public_function_says_what_it_does(page):
    public = [fn for fn in page.fns.values() if fn.api_visibility == "public" and fn.fn is not None]
    assert all((fn.fn.__doc__ or "").strip() for fn in public)


def test_every_argument_of_every_handler_has_a_type(page):
    for fn in page.fns.values():
        if fn.fn is not None:
            parameters = inspect.signature(fn.fn).parameters.values()
            assert all(p.annotation is not p.empty for p in parameters), fn.name


@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: f"{type(junk).__name__} {str(junk)[:12]}")
@pytest.mark.parametrize("kind", [Number, Id, Line, Literal["a", "b"], list[int], dict[str, Number]], ids=str)
def test_junk_is_refused_in_words_or_is_what_was_asked_for(kind, junk):
    reached = []

    def handler(person: Person, value: kind) -> None:  # type: ignore[valid-type]
        reached.append(value)

    try:
        gated(handler)(Request(), value=junk)
    except gr.Error as error:
        assert "cannot be used" in str(error) or "more text" in str(error)
        assert "Traceback" not in str(error)
    else:
        (value,) = reached
        assert value == junk or (junk is None and value == "")
        assert not (isinstance(value, float) and value != value)
        assert not (isinstance(value, bool) and kind is Number)


def test_a_known_error_arrives_as_three_escaped_sentences():
    def handler(person: Person) -> None:
        raise DataError("No <b>rows</b>.", "It has 0 & none.", "Bring another.")

    with pytest.raises(gr.Error) as caught:
        gated(handler)(Request())
    assert "No &lt;b&gt;rows&lt;/b&gt;." in str(caught.value) and "0 &amp; none" in str(caught.value)
    assert caught.value.print_exception is False


def test_an_unknown_error_arrives_as_an_apology_with_the_number_that_is_in_the_log(caplog):
    def handler(person: Person) -> None:
        raise ZeroDivisionError("secret words")

    with caplog.at_level(logging.ERROR), pytest.raises(gr.Error) as caught:
        gated(handler)(Request())
    number = caplog.records[0].getMessage().split()[1].rstrip(":")
    assert number in str(caught.value)
    assert "ZeroDivisionError" not in str(caught.value) and "secret" not in str(caught.value)


def test_a_streaming_handler_is_gated_as_well():
    def handler(person: Person, count: Number):
        yield from range(int(count))

    assert list(gated(handler)(Request(), count=3)) == [0, 1, 2]
    with pytest.raises(gr.Error):
        list(gated(handler)(Request(), count=float("nan")))


def test_a_quiet_handler_fails_in_the_log_only(caplog):
    def handler(person: Person) -> None:
        raise RuntimeError

    with caplog.at_level(logging.ERROR):
        assert gated(handler, quiet=True)(Request()) == gr.skip()
    assert caplog.records


def test_who_asks_too_often_waits_and_others_do_not():
    clock = [0.0]
    limits = Limits(per_second=1, burst=3, clock=lambda: clock[0])
    for _ in range(3):
        limits.spend("a")
    with pytest.raises(Exception, match="too fast"):
        limits.spend("a")
    limits.spend("b")
    clock[0] += 1.0
    limits.spend("a")


def test_a_handler_without_types_or_without_a_person_cannot_be_attached():
    def untyped(person: Person, value): ...

    def nobody(value: Line): ...

    for handler in (untyped, nobody):
        with pytest.raises(TypeError):
            gated(handler)


def test_what_was_pressed_reaches_a_handler_that_asks_for_it_before_all_that_components_hold():
    def handler(person: Person, event: gr.EventData, name: Line, more: Line = "") -> tuple:
        return event._data if event else None, name, more

    def ask(*given, **named):
        return gated(handler)(Request(), *given, **named)

    pressed = gr.EventData(None, {"index": 1})
    assert ask(pressed, name="a") == ask(pressed, "a") == ({"index": 1}, "a", "")
    assert ask(None, name="a") == (None, "a", "")


def test_the_address_reaches_only_handlers_that_ask_for_it():
    def handler(person: Person, query: Query) -> dict:
        return query

    assert gated(handler)(Request(run="x" * 999)) == {"run": "x" * 200}
