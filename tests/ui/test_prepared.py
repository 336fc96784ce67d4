"""Prepared data on the page: what is shown belongs to the dataset that is open, also while it is still being read."""

import gradio as gr
import pytest

from facet.identity import LOCAL
from facet.ui import data
from facet.ui.events import Gate
from facet.ui.limits import Limits
from facet.ui.prepared import prepared_layout, wire_prepared
from facet.ui.session import session
from tests.journeys import a_studio, prepared_example


class Request:
    query_params: dict = {}  # noqa: RUF012


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    """A studio, a dataset, the tab, and the page it is on."""
    studio = a_studio(tmp_path_factory.mktemp("prepared") / "home")
    with gr.Blocks() as page:
        tab = prepared_layout(studio)
        wire_prepared(tab, studio, Gate(limits=Limits(10_000, 10_000)), session())
    yield studio, prepared_example(studio), tab, page
    studio.close()


def handlers(page, name):
    return [fn for fn in page.fns.values() if fn.fn is not None and fn.fn.__name__ == name]


def test_choosing_other_data_takes_the_marks_of_the_earlier_away_before_the_new_ones_are_read(mine):
    _, dataset, tab, page = mine
    choose = next(fn for fn in handlers(page, "choose") if tab.version in fn.outputs)
    shown = dict(zip([each._id for each in choose.outputs], choose.fn(Request(), dataset=dataset), strict=True))
    assert shown[tab.tokens._id] and "<mark" not in shown[tab.tokens._id] and shown[tab.facts._id] == ""
    tokens, *_ = handlers(page, "show_tokens")
    read = tokens.fn(Request(), dataset=dataset, model="starter", length="512", index=0)
    assert '<mark class="trained' in read


@pytest.mark.parametrize("name", ["show_tokens", "show_lengths"])
def test_what_takes_long_for_one_dataset_does_not_arrive_on_the_next_one(mine, name):
    found = handlers(mine[-1], name)
    assert len(found) == 2 and all(each.trigger_mode == "always_last" for each in found)


def test_a_preparation_that_ends_leaves_another_file_alone_that_was_opened_meanwhile(mine):
    studio = mine[0]
    with gr.Blocks() as page:
        shared, tab = session(), data.layout(studio)
        data.wire(tab, studio, Gate(limits=Limits(10_000, 10_000)), shared)
    begun, other = (studio.bring_example(LOCAL, name) for name in ("pirate", "museum_facts"))
    job = studio.start_prepare(LOCAL, begun, "", studio.look(LOCAL, begun)["shape"]["mapping"])
    studio.makings.wait(LOCAL, job, 60)
    follow = next(fn for fn in handlers(page, "follow") if shared.dataset in fn.outputs)

    def ended(upload: str) -> dict:
        values = follow.fn(Request(), job=job, upload=upload, taken=begun)
        return dict(zip([each._id for each in follow.outputs], values, strict=True))

    while_there, elsewhere = ended(begun), ended(other)
    assert not while_there[tab.look.box._id].visible and while_there[shared.upload._id] is None
    assert elsewhere[tab.look.box._id] == elsewhere[shared.upload._id] == gr.skip()
    assert while_there[shared.dataset._id] == elsewhere[shared.dataset._id] != ""
