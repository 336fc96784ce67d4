"""Who you are: the card at the side, signing in and out, what Facet may do for you, and deleting all that is yours."""

import os
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet.errors import AccessError, FacetError, SettingError
from facet.identity import PERMISSIONS, Grant, Person, Scope
from facet.quota import Usage
from facet.studio import Studio
from facet.ui import chat_pictures
from facet.ui.downloads import take_back
from facet.ui.events import Gate, Query
from facet.ui.markup import each, html, note, trouble
from facet.ui.session import RETURN_HERE, Session, news
from facet.ui.signing_in import Sheet, at_home, sheet_layout, sheet_values, wire_sheet
from facet.ui.values import Line
from facet.ui.words import count

CONFIRMATION = "delete"
SHOWN_NAMES = 6
# permissions this page makes use of
USES: tuple[Scope, ...] = ("contribute-repos", "gated-repos", "read-repos", "inference-api")
START_AFRESH = """() => {
  try { localStorage.removeItem('facet-used'); sessionStorage.clear(); } catch (error) { /* private window */ }
  window.location.assign('/');
}"""


@dataclass(frozen=True)
class Standing:
    """What is known of the person who asks. `name` and the rest are the Hub's answer; empty without one."""

    person: Person
    has_token: bool = False
    name: str = ""
    namespaces: tuple[str, ...] = ()  # where they may publish: their own name first, then organisations
    organisations: tuple[str, ...] = ()  # all of them
    scopes: frozenset[str] | None = None
    problem: FacetError | None = None
    ticket: str = ""  # a visitor's, for the sign-in in a window of its own

    @property
    def is_signed_in(self) -> bool:
        return self.has_token and not isinstance(self.problem, AccessError)


@dataclass(frozen=True)
class AccountCard:
    words: gr.HTML
    sign_in: gr.Button
    sign_out: gr.Button
    sheet: Sheet
    mine: gr.Accordion
    used: gr.HTML
    delete: gr.Button
    sure: gr.Column
    loses: gr.HTML
    typed: gr.Textbox
    really: gr.Button
    keep: gr.Button

    @property
    def shown(self) -> list[Any]:
        return [self.words, self.sign_in, self.sign_out]


def layout() -> AccountCard:
    words = gr.HTML(elem_id="who")
    with gr.Row(elem_classes="f-buttons"):
        sign_in = gr.Button("Sign in to Hugging Face", size="sm", scale=0, visible=False, elem_id="sign-in")
        sign_out = gr.Button("Sign out", size="sm", scale=0, visible=False, elem_id="sign-out")
    with gr.Accordion("Your data", open=False, elem_id="my-data") as mine:
        used = gr.HTML()
        delete = gr.Button("Delete all my data …", size="sm", scale=0, elem_classes="f-left")
        with gr.Column(visible=False, elem_classes="f-gap") as sure:
            loses = gr.HTML()
            typed = gr.Textbox(label=f"Type “{CONFIRMATION}” to confirm", max_length=20)
            with gr.Row(elem_classes="f-buttons"):
                really = gr.Button("Delete it all", variant="stop", size="sm", scale=0)
                keep = gr.Button("Keep it", size="sm", scale=0)
    return AccountCard(words, sign_in, sign_out, sheet_layout(), mine, used, delete, sure, loses, typed, really, keep)


def wire(card: AccountCard, studio: Studio, gate: Gate, session: Session, opened: Any) -> None:
    """`opened` is the event of the page being opened."""

    def arrive(person: Person, grant: Grant, query: Query) -> list[Any]:
        """The truth after a refresh, a sign-in that is still being waited for included."""
        waiting = sheet_values(studio.sign_in.state()) if person.kind == "local" else [gr.skip()] * 4
        failed = _not_signed_in() if query.get("sign-in") == "failed" and person.kind == "visitor" else None
        return [*shown(studio, person, grant, gate.people.ticket(person), failed), *waiting]

    def look_again(person: Person, grant: Grant) -> list[Any]:
        return shown(studio, person, grant, gate.people.ticket(person))

    def sign_out(person: Person, grant: Grant) -> list[Any]:
        at_home(person)
        studio.sign_in.out()
        return [*_values(Standing(person)), news()]

    gate.on(opened, arrive, None, [*card.shown, *card.sheet.shown], quiet=True)
    gate.on([session.who.change, session.run.change], look_again, None, card.shown, quiet=True)
    gate.on(card.sign_out.click, sign_out, None, [*card.shown, session.who], show_progress="hidden")
    wire_sheet(card.sheet, card.sign_in, studio, gate, session)
    _wire_delete(card, studio, gate)


def _wire_delete(card: AccountCard, studio: Studio, gate: Gate) -> None:
    def count_it(person: Person) -> str:
        return str(describe_usage(studio.usage(person), person))

    def ask_before(person: Person) -> list[Any]:
        return [gr.Column(visible=True), str(describe_loss(studio.usage(person), person))]

    def calm(person: Person) -> list[Any]:
        return [gr.Column(visible=False), ""]

    def delete_all(person: Person, typed: Line) -> list[Any]:
        require_confirmation(typed)
        chat_pictures.forget(studio, person)
        studio.delete_everything(person)
        take_back(person)
        return calm(person)

    gate.on(card.mine.expand, count_it, None, card.used, quiet=True)
    gate.on(card.delete.click, ask_before, None, [card.sure, card.loses], show_progress="hidden")
    gate.on(card.keep.click, calm, None, [card.sure, card.typed], quiet=True)
    deleted = gate.on(
        [card.really.click, card.typed.submit],
        delete_all,
        {"typed": card.typed},
        [card.sure, card.typed],
        show_progress="hidden",
    )
    deleted.success(None, None, None, js=START_AFRESH)


def require_confirmation(typed: str) -> None:
    """Raises: `SettingError` unless the word was typed."""
    if typed.strip().strip("“”\"'").lower() != CONFIRMATION:
        raise SettingError(
            "Nothing was deleted.",
            f"The word to confirm it is “{CONFIRMATION}”.",
            "Type it into the field, then press “Delete it all”.",
        )


def standing(studio: Studio, person: Person, grant: Grant) -> Standing:
    """Asks the Hub who the token belongs to; what goes wrong there is part of the answer."""
    if not grant.token:
        return Standing(person)
    try:
        account = studio.account(grant)
    except FacetError as problem:
        return Standing(person, True, grant.username, scopes=grant.scopes, problem=problem)
    if account is None:
        return Standing(person)
    scopes = account.scopes if grant.scopes is None else grant.scopes
    organisations = tuple(one.name for one in account.orgs)
    return Standing(person, True, account.name, account.namespaces, organisations, scopes)


def shown(
    studio: Studio, person: Person, grant: Grant, ticket: str = "", failed: FacetError | None = None
) -> list[Any]:
    """Values of `AccountCard.shown`."""
    usage = studio.usage(person) if person.kind == "visitor" else None
    who = standing(studio, person, grant)
    return _values(replace(who, ticket=ticket, problem=failed or who.problem), usage)


def _not_signed_in() -> AccessError:
    return AccessError(
        "You are not signed in.",
        "Hugging Face did not confirm it: it was refused, or their page had a problem.",
        "Press “Sign in with Hugging Face” to try again.",
    )


def _values(who: Standing, usage: Usage | None = None) -> list[Any]:
    home = who.person.kind == "local" and not os.environ.get("SPACE_ID")
    return [
        str(describe(who, usage)),
        gr.Button(visible=("hidden" if who.is_signed_in else True) if home else False),  # other buttons press it
        gr.Button(visible=home and who.has_token),
    ]


def describe(who: Standing, usage: Usage | None = None) -> Markup:
    """Who you are here and at the Hub, in a few lines."""
    words = {"local": _describe_home, "visitor": _describe_visitor}.get(who.person.kind, _describe_signed_in)
    refused = trouble(who.problem) if isinstance(who.problem, AccessError) else Markup("")
    away = (
        note("The Hub does not answer just now.", who.problem.next, "warn")
        if who.problem and not refused
        else Markup("")
    )
    return html('<div class="f-rail"><section><h2>Who</h2>{}{}{}</section></div>', words(who, usage), refused, away)


def _describe_home(who: Standing, usage: Usage | None) -> Markup:
    if os.environ.get("SPACE_ID"):
        return html(
            '<p>You, on your own Space</p><p class="f-small">It knows one person. To publish from here, remove '
            "<code>FACET_ONE_PERSON</code> and sign in; or download your model.</p>"
        )
    if not who.is_signed_in:
        return html(
            '<p>You, on this computer</p><p class="f-small">Not signed in. You need that only to publish, and for '
            "models that are not open to everyone.</p>"
        )
    name = html("<p>Signed in to the Hub as <strong>{}</strong></p>", who.name) if who.name else Markup("")
    return html(
        '<p>You, on this computer</p>{}{}<p class="f-small">This is the computer’s own login, the same as '
        "<code>hf auth login</code>. Other programs here use it too.</p>",
        name,
        _organisations(who),
    )


def _describe_visitor(who: Standing, usage: Usage | None) -> Markup:
    return html(
        "<p><strong>You are a visitor.</strong> Your work is kept for a day. Sign in, and it stays yours.</p>"
        "<p>{}</p>{}",
        sign_in_link(ticket=who.ticket),
        describe_usage(usage, who.person) if usage else "",
    )


def _describe_signed_in(who: Standing, usage: Usage | None) -> Markup:
    again = html("<p>{}</p>", sign_in_link("Sign in again")) if not who.is_signed_in or missing(who) else Markup("")
    return html(
        '<p>Signed in as <strong>{}</strong></p>{}{}{}<p class="f-small"><a href="/logout?_target_url=/">Sign out</a>{}'
        "</p>",
        who.name or who.person.name,
        _organisations(who),
        describe_permissions(who.scopes),
        again,
        "" if again else html(" or {}", sign_in_link("sign in again", "")),
    )


def _organisations(who: Standing) -> Markup:
    names = who.organisations
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    words = html('<p class="f-small">Member of {}{}</p>', ", ".join(names[:SHOWN_NAMES]), more)
    return words if names else Markup("")


def asked_for() -> list[Scope]:
    """The permissions this place asks people for; what it never asks for is not missing."""
    asked = os.environ.get("OAUTH_SCOPES", "").split()
    return [scope for scope in USES if not asked or scope in asked]


def missing(who: Standing) -> list[Scope]:
    return [] if who.scopes is None else [scope for scope in asked_for() if scope not in who.scopes]


def describe_permissions(scopes: frozenset[str] | None) -> Markup:
    """What Facet was allowed to do, and what it was not: in words, the Hub's own word beside them."""
    if scopes is None:
        return Markup("")
    looks = {True: ("given", "May"), False: ("not-given", "May not")}
    rows = [(*looks[scope in scopes], PERMISSIONS[scope], scope) for scope in asked_for()]
    lines = each('<li class="{}">{} {} <code>{}</code></li>', rows)
    if all(scope in scopes for scope in asked_for()):
        head = Markup("<details><summary>What Facet may do</summary>")
    else:
        head = Markup("<details open><summary>A permission is missing</summary>")
    return head + html('<ul class="f-permissions">{}</ul>', lines) + Markup("</details>")


def describe_usage(usage: Usage, person: Person) -> Markup:
    """What is there, beside what may be, where there is a limit."""
    quota = usage.quota
    rows = [
        ("Runs", f"{usage.runs:,}", f"{quota.runs:,}" if quota else ""),
        ("Datasets", f"{usage.datasets:,}", f"{quota.datasets:,}" if quota else ""),
        ("Disk", f"{usage.gigabytes:.1f} GB", f"{quota.gigabytes:g} GB" if quota else ""),
    ]
    cells = each("<dt>{}</dt><dd>{}</dd>", [(what, f"{has} of {most}" if most else has) for what, has, most in rows])
    return html('<dl class="f-facts f-number f-small">{}</dl>', cells)


def describe_loss(usage: Usage, person: Person) -> Markup:
    """What goes and what stays, before anything is deleted."""
    stays = (
        "What you have published stays on the Hub; you can delete it there. Downloaded starting models stay too."
        if person.kind == "local"
        else "What you have published stays on the Hub, and so does your Hugging Face account."
    )
    return note(
        "Delete everything of yours here?",
        f"{count(usage.runs, 'run')} with their models and tests, {count(usage.datasets, 'dataset')}, uploads and "
        f"downloads go for good. {stays}",
        "warn",
    )


def sign_in_link(words: str = "Sign in with Hugging Face", look: str = "f-button", ticket: str = "") -> Markup:
    """The way to the Hub's own sign-in page and back to where one is now."""
    return html(
        '<a class="{}" href="/login/huggingface?_target_url=/" data-visitor="{}" onclick="{}">{}</a>',
        look,
        ticket,
        RETURN_HERE,
        words,
    )
