"""Putting a tuned model on the Hugging Face Hub: whose, under which name, for whom to see; then watching it go."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from facet.errors import AccessError, FacetError
from facet.identity import Grant, Person
from facet.publish.names import NEXT
from facet.publish.publications import Publication
from facet.studio import Studio
from facet.ui.account import Standing, standing
from facet.ui.events import Gate
from facet.ui.markup import section, trouble
from facet.ui.models import tuned
from facet.ui.publication import (
    LONGEST_NAME,
    describe_access,
    describe_publication,
    describe_target,
    describe_way_in,
    suggested_name,
    verdict,
)
from facet.ui.session import PRESS_SIGN_IN, Session
from facet.ui.values import Id, Line, Name

LOOK_EVERY = 1.5  # seconds
# A draft outlives the way to the Hub's sign-in page and back.
KEEP_DRAFT = """(...draft) => {
  try { sessionStorage.setItem('facet-draft', JSON.stringify(draft)); } catch (error) { /* private window */ }
}"""
TAKE_UP_DRAFT = """(run, owner, name, open) => {
  try {
    const draft = JSON.parse(sessionStorage.getItem('facet-draft') || '[]');
    if (run && draft[0] === run) return [draft[1] || owner, draft[2], draft[3]];
  } catch (error) { /* private window */ }
  return [owner, name, open];
}"""
DROP_DRAFT = "() => { try { sessionStorage.removeItem('facet-draft'); } catch (error) { /* private window */ } }"


@dataclass(frozen=True)
class ToHub:
    state: gr.HTML
    access: gr.HTML
    sign_in: gr.Button
    retry: gr.Button
    form: gr.Column
    owner: gr.Dropdown
    name: gr.Textbox
    public: gr.Checkbox
    target: gr.HTML
    publish: gr.Button
    anew: gr.Button
    tick: gr.Timer
    seen: gr.State

    @property
    def shown(self) -> list[Any]:
        return [
            self.state,
            self.access,
            self.sign_in,
            self.retry,
            self.form,
            self.owner,
            self.target,
            self.publish,
            self.anew,
            self.tick,
            self.seen,
        ]

    @property
    def draft(self) -> dict[str, Any]:
        return {"owner": self.owner, "name": self.name, "public": self.public}


def to_hub_layout() -> ToHub:
    gr.HTML(section("Put it on the Hugging Face Hub", "A page of its own in your account, to keep it or to share it."))
    state = gr.HTML(elem_id="publication")
    access = gr.HTML()
    with gr.Row(elem_classes="f-buttons"):
        sign_in = gr.Button("Sign in to Hugging Face", variant="primary", visible=False, scale=0)
        retry = gr.Button("Ask the Hub again", visible=False, scale=0)
    with gr.Column(visible=False, elem_classes="f-gap", elem_id="to-hub") as form:
        owner = gr.Dropdown([], label="Owner")
        name = gr.Textbox(label="Name on the Hub", max_length=LONGEST_NAME, max_lines=1)
        public = gr.Checkbox(
            label="Make it public", info="Anybody may then find it, download it and use it", elem_id="make-public"
        )
        target = gr.HTML()
        publish = gr.Button("Publish", variant="primary", scale=0, elem_classes="f-left", elem_id="publish-now")
    anew = gr.Button("Publish a new version", visible=False, scale=0, elem_classes="f-left")
    tick = gr.Timer(LOOK_EVERY, active=False)
    return ToHub(state, access, sign_in, retry, form, owner, name, public, target, publish, anew, tick, gr.State(None))


def wire_to_hub(tab: ToHub, run: gr.Dropdown, studio: Studio, gate: Gate, session: Session, opened: list[Any]) -> None:
    """`run` is the model chosen above; `opened` are events after which the truth may be another one."""

    filled_in = [*tab.shown, tab.name, tab.public]

    def choose(person: Person, grant: Grant, run: Id | None) -> list[Any]:
        return [*look(studio, person, grant, run), *filled(studio, person, run)]

    def look_again(person: Person, grant: Grant, run: Id | None, name: Line) -> list[Any]:
        """May be answered before or after `choose`: shows no form that could not be sent, and hides none that can."""
        if not run:
            return [gr.skip()] * len(filled_in)
        kept = [gr.skip(), gr.skip()]
        return [*look(studio, person, grant, run), *(kept if name.strip() else filled(studio, person, run))]

    def open_form(person: Person, grant: Grant, run: Id | None) -> list[Any]:
        return look(studio, person, grant, run, fresh=True)

    def aim(person: Person, grant: Grant, owner: Name | None, name: Line, public: bool) -> str:
        me = standing(studio, person, grant).name
        return str(describe_target(owner or "", name, public, me, published_names(studio, person)))

    def publish(
        person: Person, grant: Grant, run: Id | None, owner: Name | None, name: Line, public: bool
    ) -> list[Any]:
        try:
            studio.publish(grant, run or "", f"{owner or ''}/{name.strip()}", public=public, tag=NEXT)
        except FacetError as error:
            return refused(error, person)
        return look(studio, person, grant, run)

    def check(person: Person, run: Any, owner: Any, name: Any, public: Any) -> list[Any]:
        return [
            gr.validate(bool(run), "Choose a model first."),
            gr.validate(bool(owner), "Choose whose it shall be."),
            gr.validate(*verdict(str(owner or ""), str(name or ""))),
            gr.validate(True, ""),
        ]

    def follow(person: Person, grant: Grant, run: Id | None, seen: Any) -> Any:
        publication = studio.publication(person, run) if run else None
        working = publication is not None and publication.stage == "working"
        if working and fingerprint(run, publication) == _tuple(seen):
            return gr.skip()
        return look(studio, person, grant, run, following=True)

    asked, draft = {"run": run}, [run, *tab.draft.values()]
    chosen = gate.on(run.change, choose, asked, filled_in, quiet=True)
    news = [session.who.change, tab.retry.click, *opened]
    looked = gate.on(news, look_again, asked | {"name": tab.name}, filled_in, quiet=True)
    for filling in (chosen, looked):
        filling.then(None, draft, list(tab.draft.values()), js=TAKE_UP_DRAFT)
    anew = gate.on(tab.anew.click, open_form, asked, tab.shown, show_progress="hidden")
    for moment in ([tab.owner.change, tab.name.change, tab.public.change], anew.then):
        gate.on(moment, aim, tab.draft, tab.target, quiet=True, trigger_mode="always_last")
    gr.on([tab.owner.input, tab.name.input, tab.name.blur, tab.public.input], None, draft, None, js=KEEP_DRAFT)
    tab.sign_in.click(None, None, None, js=PRESS_SIGN_IN)
    sent = gate.on(
        [tab.publish.click, tab.name.submit], publish, asked | tab.draft, tab.shown, check=check, show_progress="hidden"
    )
    sent.success(None, None, None, js=DROP_DRAFT)
    gate.on(tab.tick.tick, follow, asked | {"seen": tab.seen}, tab.shown, quiet=True)


def look(
    studio: Studio, person: Person, grant: Grant, run_id: str | None, fresh: bool = False, following: bool = False
) -> list[Any]:
    """Values of `ToHub.shown`. `fresh`: show the form although this run has been published.

    Only the clock itself, `following`, ends its ticking: an answer given before the press of “Publish” may arrive after
    it, and what it covers up is shown again at the next tick.
    """
    publication = studio.publication(person, run_id) if run_id else None
    stage = publication.stage if publication else ""
    who = standing(studio, person, grant)
    hindrance = hindrance_of(grant, who)
    refusal = publication.failure or {} if publication else {}
    signed_out = stage == "failed" and refusal.get("kind") == "AccessError"  # the Hub knows better than our memory
    ready = hindrance is None and (fresh or stage in ("", "failed", "interrupted"))
    versions = studio.published(person, run_id) if run_id else []
    return [
        str(describe_publication(publication, versions, who.name)),
        "" if stage == "working" else str(describe_access(hindrance, who) or describe_way_in(signed_out, person)),
        gr.Button(visible=person.kind == "local" and (signed_out or (hindrance is not None and not who.is_signed_in))),
        gr.Button(visible=hindrance is not None and who.is_signed_in and not isinstance(hindrance, AccessError)),
        gr.Column(visible=ready),
        _owners(who, publication),
        gr.skip(),
        gr.Button(value="Try again" if stage in ("failed", "interrupted") else "Publish"),
        gr.Button(visible=hindrance is None and stage == "done" and not fresh),
        gr.Timer(active=stage == "working") if following or stage == "working" else gr.skip(),
        fingerprint(run_id, publication),
    ]


def refused(error: FacetError, person: Person) -> list[Any]:
    """Values of `ToHub.shown` when it could not begin: the sentences in place, and the draft untouched."""
    signed_out = isinstance(error, AccessError)
    kept: list[Any] = [gr.skip()] * 8
    return [
        gr.skip(),
        str(trouble(error) + describe_way_in(signed_out, person)),
        gr.Button(visible=signed_out and person.kind == "local"),
        *kept,
    ]


def _owners(who: Standing, publication: Publication | None) -> Any:
    if not who.namespaces:
        return gr.skip()
    choices = [(name if index else f"{name} (you)", name) for index, name in enumerate(who.namespaces)]
    before = publication.repo.partition("/")[0] if publication else ""
    return gr.Dropdown(choices=choices, value=before if before in who.namespaces else who.namespaces[0])


def filled(studio: Studio, person: Person, run_id: str | None) -> list[Any]:
    """Name and audience: as it was published before, else a proper name made of the run's."""
    if not run_id:
        return [gr.skip(), gr.skip()]
    before = studio.publication(person, run_id)
    if before:
        return [before.repo.partition("/")[2], bool(before.public)]
    return [suggested_name(studio.run(person, run_id).name), False]


def published_names(studio: Studio, person: Person) -> set[str]:
    """Repositories that this person's runs have gone to."""
    return {entry["repo"] for run in tuned(studio, person) for entry in studio.published(person, run.id)}


def hindrance_of(grant: Grant, who: Standing) -> FacetError | None:
    """Why nothing can be published just now: not signed in, a permission missing, or no answer from the Hub."""
    try:
        grant.need("contribute-repos", "to publish a model")
    except AccessError as error:
        return error
    if who.problem or who.namespaces:
        return who.problem
    return AccessError(
        "This sign-in may not publish anything.",
        "It was made for reading only.",
        "Sign out and in again at the side.",
    )


def fingerprint(run_id: str | None, publication: Publication | None) -> tuple[Any, ...]:
    if publication is None:
        return (run_id,)
    return (run_id, publication.stage, publication.words, round(publication.share, 2), publication.tag)


def _tuple(seen: Any) -> tuple[Any, ...]:
    return tuple(seen) if isinstance(seen, list | tuple) else ()
