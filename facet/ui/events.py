"""The gate that every handler passes: who asks → is it well formed → not too often → do it → errors in plain words.

Nothing else in the page may attach a handler or raise a `gr.Error`; a test walks all of them.
"""

import inspect
import logging
import secrets
import traceback
import typing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypedDict

import gradio as gr
from gradio.context import Context
from pydantic import ConfigDict, TypeAdapter, ValidationError

from facet.errors import FacetError, SettingError, full_disk
from facet.identity import Grant
from facet.ui.limits import Limits
from facet.ui.markup import html
from facet.ui.people import AtHome, People
from facet.ui.values import MOST_CHARACTERS, size

log = logging.getLogger("facet.page")
STRICT = ConfigDict(strict=True, allow_inf_nan=False)
Query = typing.NewType(
    "Query", dict
)  # a handler's parameter of this type receives what stands behind `?` in the address
SPECIAL = (Query, Grant, gr.Request, gr.EventData)  # parameters that no component fills


class Quiet(TypedDict):
    """For refreshes that nobody asked for."""

    show_progress: typing.Literal["hidden"]
    queue: bool


QUIET: Quiet = {"show_progress": "hidden", "queue": False}


@dataclass(frozen=True)
class Gate:
    """Wraps handlers, and attaches them to the page in the one way that is allowed.

    A handler's first parameter is `person`; the rest are annotated with types from `values` and arrive checked. One
    annotated `Grant` receives the person's token for this call, one annotated `Query` what stands in the address, one
    annotated `gr.EventData` what was pressed, which the handler has to check itself.
    """

    people: People = field(default_factory=AtHome)
    limits: Limits = field(default_factory=lambda: Limits(per_second=10, burst=100))

    def on(
        self,
        trigger: Callable[..., Any] | Sequence[Callable[..., Any]],
        handler: Callable[..., Any],
        inputs: dict[str, Any] | None = None,
        outputs: Any = None,
        *,
        check: Callable[..., Any] | None = None,
        quiet: bool = False,
        **more: Any,
    ) -> Any:
        """Attach a handler to one event or several. `quiet` ones fail in the log, not in the person's face."""
        options: dict[str, Any] = {
            "api_visibility": "private",
            "inputs_kwargs": inputs or {},
            "outputs": outputs,
            "api_name": f"page_{handler.__name__}",
        }
        options |= dict(QUIET) if quiet else {"concurrency_limit": None}
        if any(getattr(each, "event_name", "") == "input" for each in _several(trigger)):
            options["trigger_mode"] = "always_last"  # Gradio forgets what is chosen while the last choice is answered
        if check is not None:
            options["validator"] = self.wrap(check)
        wrapped = self.wrap(handler, quiet=quiet, plain=more.get("api_visibility") == "public")
        wrapped.inputs = tuple(inputs or ())
        wrapped.takes_long = more.get("trigger_mode") == "always_last"
        if callable(trigger):
            return trigger(wrapped, **options | more)
        return gr.on(_several(trigger), wrapped, **options | more)

    @staticmethod
    def untangle(page: gr.Blocks) -> None:
        """Let only one handler of each event wait for its own last answer; the others are asked every time.

        When a handler that waited is done, the browser does all that hangs on its event once more. Two of them that
        wait on the same event wake each other forever, wherever an answer takes longer than the next choice.
        """
        waiting: set[tuple[int | None, str]] = set()
        for fn in sorted(page.fns.values(), key=lambda fn: not getattr(fn.fn, "takes_long", False)):
            events = {(block, event) for block, event in fn.targets if block is not None}
            if fn.trigger_mode == "always_last" and events & waiting:
                fn.trigger_mode = "multiple"
            elif fn.trigger_mode == "always_last":
                waiting |= events

    def leaving(self, handler: Callable[..., Any]) -> None:
        """Call a handler whenever somebody closes or reloads the page that is being built."""
        page = Context.root_block
        page.unload(self.wrap(handler, quiet=True))
        page.fns[max(page.fns)].api_visibility = "private"

    def api(self, handler: Callable[..., Any], name: str) -> None:
        """A documented function for programs; its arguments are those of the handler, `person` apart."""
        gr.api(self.wrap(handler, plain=True), api_name=name, concurrency_limit=None)

    def wrap(self, handler: Callable[..., Any], quiet: bool = False, plain: bool = False) -> Callable[..., Any]:
        """The handler (or validator) behind the gate. Programs get the sentences of an error `plain`."""
        names, adapters, special = _expected(handler)

        def admit(request: gr.Request, given: tuple, named: dict[str, Any]) -> dict[str, Any]:
            grant = self.people.identify(request)
            self.limits.spend(grant.person.key)
            events = {name: next(iter(given), None) for name, hint in special.items() if hint is gr.EventData}
            given = given[len(events) :]  # Gradio puts it first
            values = dict(zip((n for n in names if n not in special), given, strict=False)) | named
            filled = self._filled_in(special, grant, request) | events
            return {"person": grant.person} | _checked(values, adapters) | filled

        def called(request: gr.Request, *given: Any, **named: Any) -> Any:
            try:
                return handler(**admit(request, given, named))
            except Exception as error:
                if quiet:
                    return _skip(error)
                raise _as_message(error, plain) from None

        def streamed(request: gr.Request, *given: Any, **named: Any) -> Iterator[Any]:
            try:
                yield from handler(**admit(request, given, named))
            except Exception as error:
                raise _as_message(error, plain) from None

        gated = streamed if inspect.isgeneratorfunction(handler) else called
        return _dressed(gated, handler, [n for n in names if n not in special], gr.EventData in special.values())

    def _filled_in(self, special: dict[str, Any], grant: Grant, request: gr.Request | None) -> dict[str, Any]:
        """The parameters no input fills: the grant, the request, and the address."""
        made = {}
        for name, hint in special.items():
            if hint is Grant:
                made[name] = replace(self.people.lend(grant), context=_minutes_of(request))
            elif hint is gr.Request:
                made[name] = request
            elif hint is Query:
                query = dict(getattr(request, "query_params", None) or {})
                made[name] = {str(k)[:40]: str(v)[:200] for k, v in list(query.items())[:20]}
        return made


def _minutes_of(request: gr.Request | None) -> dict[str, str]:
    """The one header by which Hugging Face knows whose minutes on a lent card a call takes."""
    headers = getattr(request, "headers", None)
    token = headers.get("x-ip-token") if headers is not None else None
    return {"x-ip-token": token} if token else {}


def _several(trigger: Callable[..., Any] | Sequence[Callable[..., Any]]) -> list[Callable[..., Any]]:
    return [trigger] if callable(trigger) else list(trigger)


def _expected(handler: Callable[..., Any]) -> tuple[list[str], dict[str, TypeAdapter], dict[str, Any]]:
    """Names of the parameters behind `person`, what each must be, and those the gate fills in itself."""
    hints = typing.get_type_hints(handler, include_extras=True)
    parameters = inspect.signature(handler).parameters
    if "person" not in parameters:
        raise TypeError(f"{handler.__qualname__} must take the person who asks.")
    names = [name for name, p in parameters.items() if name != "person" and p.kind is not p.VAR_KEYWORD]
    loose = [name for name in names if name not in hints]
    if loose:
        raise TypeError(f"{handler.__qualname__} must say what {', '.join(loose)} may be.")
    special = {name: hints[name] for name in names if hints[name] in SPECIAL}
    adapters = {name: TypeAdapter(hints[name], config=STRICT) for name in names if name not in special}
    rest = next((name for name, p in parameters.items() if p.kind is p.VAR_KEYWORD), None)
    if rest:
        adapters["**"] = TypeAdapter(hints[rest], config=STRICT)
    return names, adapters, special


def _checked(values: dict[str, Any], adapters: dict[str, TypeAdapter]) -> dict[str, Any]:
    if sum(size(value) for value in values.values()) > MOST_CHARACTERS:
        raise SettingError(
            "That is more text than this field takes.",
            f"All fields together may hold {MOST_CHARACTERS:,} characters.",
            "Shorten it, or put it into a file and upload that.",
        )
    checked = {}
    for name, value in values.items():
        adapter = adapters.get(name) or adapters.get("**")
        try:
            checked[name] = value if adapter is None else adapter.validate_python(value)
        except (ValidationError, RecursionError):
            adapter = None
        if adapter is None:
            raise SettingError(
                "One of the values cannot be used.",
                f"“{name.replace('_', ' ')[:40]}” holds something other than what its field offers.",
                "Correct it on the page, then try again.",
            )
    return checked


def _as_message(error: Exception, plain: bool) -> gr.Error:
    """An error as a person meets it. The text is HTML to the page, so every sentence is escaped there."""
    if isinstance(error, gr.Error):
        return error
    if not isinstance(error, FacetError):
        error = full_disk(error) or _reported(error)
    words = str(error) if plain else str(html("<strong>{}</strong><br>{}<br>{}", error.what, error.why, error.next))
    return gr.Error(words, duration=15, print_exception=False)


def _reported(error: Exception) -> FacetError:
    """The apology for a fault of ours. The traceback goes to the log, under the number the person sees."""
    number = secrets.token_hex(4)
    stack = "".join(traceback.format_tb(error.__traceback__))  # without the message: it may quote a person's text
    log.error("fault %s: %s\n%s", number, type(error).__name__, stack)
    return FacetError.unexpected(number)


def _skip(error: Exception) -> Any:
    if not isinstance(error, FacetError):
        _reported(error)
    return gr.skip()


def _dressed(
    gated: Callable[..., Any], handler: Callable[..., Any], names: list[str], hears_event: bool = False
) -> Callable[..., Any]:
    """Name, words and signature of the handler, so that Gradio and the API page know what it takes."""
    shown = inspect.signature(handler).parameters
    hints = typing.get_type_hints(handler)
    request = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=gr.Request)
    event = inspect.Parameter("event", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=gr.EventData)
    kept = [
        request,
        *([event] if hears_event else []),
        *[shown[name].replace(annotation=hints[name]) for name in names],
    ]
    kept += [p for p in shown.values() if p.kind is p.VAR_KEYWORD]
    gated.__name__, gated.__doc__, gated.__module__ = handler.__name__, handler.__doc__, handler.__module__
    gated.__qualname__ = handler.__qualname__
    gated.__signature__ = inspect.Signature(kept, return_annotation=hints.get("return", inspect.Signature.empty))
    gated.__annotations__ = {name: hint for name, hint in hints.items() if name != "person"} | {"request": gr.Request}
    if hears_event:
        gated.__annotations__["event"] = gr.EventData
    gated.passes_the_gate, gated.handler = True, handler
    return gated
