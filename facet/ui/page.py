"""The page: the frame, the tabs, every wire that crosses tabs, and how it is served."""

import os
import socket
from typing import Any

import gradio as gr
import gradio.http_server
from starlette.middleware import Middleware

from facet.gemma.models import STARTER
from facet.identity import Person
from facet.studio import Studio
from facet.ui import account, chat, data, guide, hero, publish, rail, runs, test, theme, train, without
from facet.ui.again import wire_again
from facet.ui.api import publish_api
from facet.ui.asker import Asker
from facet.ui.events import Gate, Query
from facet.ui.first_paint import InHead, first_paint
from facet.ui.guard import Guard, Rules
from facet.ui.limits import Limits
from facet.ui.markup import html
from facet.ui.own_page import OwnPage
from facet.ui.people import OnSpace, people_here
from facet.ui.session import FIT_CHARTS, Session, session
from facet.ui.values import Id
from facet.ui.visitors import on_space
from facet.ui.words import ENGLISH, languages

HEADS = {
    "data": "Choose what the model shall learn from, look at it, and press “Prepare”.",
    "train": "Choose a starting model and how thorough to be, and press “Start training”.",
    "chat": "Talk to your model, with the untouched one beside it. Write something and press “Send”.",
    "test": "See how well it does on examples it never learned from. Press “Run the test”.",
    "publish": "Put your model into your own Hugging Face account, or take it home as one file.",
    "runs": "Everything you have trained. Choose one and press “Open”.",
    "guide": "How this works, in plain words, and what the experts call it.",
}
ARRIVED = """() => {
  const first = document.getElementById('hero');
  document.documentElement.classList.remove('f-used');
  try { if (first) localStorage.removeItem('facet-used'); else localStorage.setItem('facet-used', 'yes'); }
  catch (error) { /* private window */ }
  const asked = new URL(window.location).searchParams;
  const tab = asked.get('tab') || (asked.get('compare') ? 'runs' : asked.get('run') ? 'train' : '');
  if (/^[a-z]+$/.test(tab)) document.getElementById(`${tab}-button`)?.click();
  const address = new URL(window.location);
  for (const name of ['tab', 'visitor', 'sign-in']) address.searchParams.delete(name);
  window.history.replaceState(null, '', address);
}"""
AFTER_PAINT = "async (...given) => { await new Promise((done) => setTimeout(done, 60)); return given; }"
LARGEST_FILE = "2gb"
MOST_THREADS = 120  # whoever works on a lent card, or listens to a chat, keeps one of them


class Page(gr.Blocks):
    """Gradio's page, with its own sign-in wherever strangers come."""

    @property
    def expects_oauth(self) -> bool:
        return on_space()


def build(studio: Studio, gate: Gate | None = None) -> gr.Blocks:
    """The whole page. May be called any number of times, with any studio."""
    gate, say = gate or Gate(people_here(studio.workspace)), languages()
    with Page(title="Facet", analytics_enabled=False, delete_cache=(3600, 86_400), fill_width=True) as page:
        shared = session()
        with gr.Row(elem_id="shell"):
            with gr.Column(elem_id="rail"):
                side = rail.layout(studio, say)
            with gr.Column(elem_id="work"):
                gr.HTML(rail.describe_brand(22), elem_classes="f-topbrand")
                tabs = _tabs(studio, gate, shared, say)
        begun = [tabs["train"].start.click, tabs["train"].live.resume.click, tabs["hero"].run.change, shared.run.change]
        rail.wire(side, studio, gate, begun)
        account.wire(side.account, studio, gate, shared, page.load)
        _wire_across(tabs, studio, gate, shared)
        _wire_arrival(tabs["hero"], side, tabs["asker"], studio, gate, shared, page)
        publish_api(studio, gate)
    gate.untangle(page)
    page.queue(default_concurrency_limit=8, max_size=200)
    return page


def _tabs(studio: Studio, gate: Gate, shared: Session, say: gr.I18n) -> dict[str, Any]:
    """Each tab laid out and wired; what they hold, by name."""
    made: dict[str, Any] = {"asker": Asker(studio)}
    layouts = {
        "data": lambda: data.layout(studio),
        "train": lambda: train.layout(studio),
        "chat": chat.layout,
        "test": test.layout,
        "publish": publish.layout,
        "runs": runs.layout,
        "guide": guide.layout,
    }
    with gr.Tabs(elem_id="tabs", overflow_behavior="wrap"):
        for name, layout in layouts.items():
            with gr.Tab(say(name), id=name, elem_id=name) as made[f"{name}-tab"]:
                if name == "data":
                    made["hero"] = hero.layout(studio, say)
                gr.HTML(html('<div class="f-head"><h2>{}</h2><p>{}</p></div>', ENGLISH[name], HEADS[name]))
                made[name] = layout()
    hero.wire(made["hero"], studio, made["asker"], gate)
    data.wire(made["data"], studio, gate, shared)
    train.wire(made["train"], studio, gate, shared)
    for name, tab in (("chat", chat), ("test", test), ("runs", runs)):
        tab.wire(made[name], studio, gate, shared)
    publish.wire(made["publish"], studio, gate, shared, made["publish-tab"].select)
    guide.wire(made["guide"], gate)
    return made


def _wire_arrival(
    first: hero.Hero, side: rail.Rail, asker: Asker, studio: Studio, gate: Gate, shared: Session, page: gr.Blocks
) -> None:
    """One question when the page is opened: the run in the address, what works now, and whether all is new."""

    def arrive(person: Person, query: Query, request: gr.Request) -> list[Any]:
        person = gate.people.welcome(request, person, query.get("visitor", ""))
        studio.expect_start()
        run = query.get("run") or query.get("first") or gr.skip()
        return [run, *rail.look(studio, person), *hero.restored(studio, asker, person, query)]

    outputs = [shared.run, side.words, side.tick, *first.shown]
    gate.on(page.load, arrive, None, outputs, quiet=True, js=AFTER_PAINT).then(None, None, None, js=ARRIVED)


def _wire_across(tabs: dict[str, Any], studio: Studio, gate: Gate, shared: Session) -> None:
    """Opening a tab shows what is true now."""
    wire_again(tabs["runs"], tabs["train"], studio, gate, shared)
    prepared = tabs["data"].prepared

    def list_data(person: Person, dataset: Id | None) -> Any:
        return prepared.refreshed(studio, person, dataset) if studio.datasets(person) else gr.skip()

    def list_train(person: Person, dataset: Id | None, own: Id | None) -> list[Any]:
        studio.expect_start()
        return train.refreshed(tabs["train"], studio, person, dataset, own)

    def list_chat(person: Person, run: Id | None, current: Id | None, others: list[Id]) -> Any:
        """A starting model, or a save point of the run that is open, stays chosen."""
        stays = bool(current) and (current == STARTER or "/" in current or current.partition("@")[0] == run)
        return chat.refreshed(studio, person, current if stays else run, others)

    def list_test(person: Person, run: Id | None, exam: Id | None, seen: Any) -> list[Any]:
        return test.refreshed(studio, person, run, exam, seen)

    def list_ways(person: Person, dataset: Id | None) -> list[Any]:
        """Its section may be the one that was open last, and opens no second time."""
        return without.refreshed(studio, person, dataset)

    def list_publish(person: Person, run: Id | None) -> list[Any]:
        return publish.refreshed(studio, person, run)

    def list_runs(person: Person, run: Id | None) -> list[Any]:
        return runs.refreshed(studio, person, run)

    def follow(person: Person, run: Id | None) -> Any:
        return run.partition("@")[0] if run else gr.skip()

    gate.on(tabs["data-tab"].select, list_data, {"dataset": shared.dataset}, prepared.list_outputs, quiet=True)
    begun = {"dataset": shared.dataset, "own": tabs["train"].mine}
    gate.on(tabs["train-tab"].select, list_train, begun, tabs["train"].data_outputs, quiet=True)
    tabs["train-tab"].select(None, None, None, js=FIT_CHARTS)
    gate.on(
        tabs["chat-tab"].select,
        list_chat,
        {"run": shared.run, "current": tabs["chat"].target, "others": tabs["chat"].others},
        tabs["chat"].listed,
        quiet=True,
    )
    opened = {"run": shared.run, "exam": tabs["test"].exam, "seen": tabs["test"].result.seen}
    gate.on(tabs["test-tab"].select, list_test, opened, tabs["test"].listed, quiet=True)
    ways = tabs["test"].more["without"].listed
    gate.on(tabs["test-tab"].select, list_ways, {"dataset": shared.dataset}, ways, quiet=True)
    tabs["test-tab"].select(None, None, None, js=FIT_CHARTS)
    lists = ((list_publish, "publish"), (list_runs, "runs"))
    for handler, name in lists:
        gate.on(tabs[f"{name}-tab"].select, handler, {"run": shared.run}, tabs[name].listed, quiet=True)
    for chosen in (tabs["chat"].target, tabs["test"].run, tabs["publish"].run):
        gate.on(chosen.input, follow, {"run": chosen}, shared.run, quiet=True)
    gate.on(tabs["hero"].run.change, follow, {"run": tabs["hero"].run}, shared.run, quiet=True)


def launch(studio: Studio, port: int | None = None, gate: Gate | None = None, **options: Any) -> gr.Blocks:
    """Serve the page: to this computer alone at home, to everyone on a Space."""
    public = bool(os.environ.get("SPACE_ID"))
    gate = gate or Gate(people_here(studio.workspace))
    port = port or free_port(int(os.environ.get("GRADIO_SERVER_PORT") or 7860))
    rules = Rules.from_environment(port)
    _without_remote_reload()
    page = build(studio, gate)
    page.launch(
        server_name="0.0.0.0" if public else "127.0.0.1",
        server_port=port,
        theme=theme.theme(),
        css=theme.css(),
        favicon_path=theme.HERE / "mark.svg",
        i18n=languages(),
        share=False,
        show_error=False,
        enable_monitoring=False,
        run_history=False,
        mcp_server=False,
        ssr_mode=False,
        footer_links=[],
        max_file_size="200mb" if public else LARGEST_FILE,
        max_threads=MOST_THREADS,
        allowed_paths=[],
        blocked_paths=[str(studio.workspace.home)],
        app_kwargs={
            "middleware": _doors(studio, gate, rules),
            "docs_url": None,
            "redoc_url": None,
            "openapi_url": None,
        },
        **options,
    )
    return page


def _without_remote_reload() -> None:
    """On a Space, Gradio opens port 7887 on every address, where whoever reaches it may replace the code that runs.

    It asks for no key, our guard does not stand before it, and looking through all modules takes seconds of the start.
    There is no switch for it (Gradio 6.31, `http_server.start_server`).
    """
    gradio.http_server.watchfn_spaces = lambda reloader: None


def _doors(studio: Studio, gate: Gate, rules: Rules) -> list[Middleware]:
    """What every request passes before Gradio, outermost first."""
    people = gate.people if isinstance(gate.people, OnSpace) else None
    own = [Middleware(OwnPage, people=people)] if people else []
    door = Middleware(Guard, rules=rules, people=people, limits=Limits(per_second=15, burst=150))
    return [door, *own, Middleware(InHead, first=first_paint(studio))]


def free_port(wanted: int) -> int:
    """The wanted port, or the next one nobody listens on."""
    for port in range(wanted, wanted + 100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    return wanted
