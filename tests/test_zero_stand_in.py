"""The stand-in ZeroGPU scheduler, seen by the real `spaces` client: what the tests of slices build on."""

import contextlib
import itertools
import secrets
import sys
from collections.abc import Iterator

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from tests.stand_in.zero import Wait, ZeroGpu, visitor_token
from tests.stand_in.zero_calls import Worker
from tests.stand_in.zero_scripts import APP, App, until

pytestmark = [
    pytest.mark.page,
    pytest.mark.skipif(sys.platform != "linux", reason="the client forks and reads /proc"),
]

EXAMPLES = "Try re-running outside of examples if it happened after clicking one"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    app = App(tmp_path_factory.mktemp("zero"))
    yield app
    app.end()


def test_a_call_that_is_granted_gives_all_its_values_and_is_charged_what_it_took(app):
    with app.zero() as zero:
        everybody = zero.quota(None, left=100)
        told = app(zero, "attempt(count(40))")
        (call,) = zero.calls
    assert [what for kind, *what in told if kind == "value"] == [[[n, call.pid]] for n in range(3)]
    assert told[-1] == ["end"]
    assert (call.ended, call.asked, call.lasts) == ("released", 60, 40)  # the factor is the client's
    assert 0 < call.charged < 60 and everybody.left == 100 - call.charged
    assert [line.path for line in zero.asked] == ["/schedule", "/allow", "/release"]


def test_at_the_deadline_the_worker_is_killed_and_what_it_gave_before_is_kept(app):
    with app.zero() as zero:
        told = app(zero, "attempt(count(4, 99, 0.2)); attempt(count(60))")
        late, next_one = zero.calls
    given = [what[0][0] for kind, *what in told if kind == "value"]
    aborted = told.index(["Error", "ZeroGPU worker error", "GPU task aborted"])
    assert 0 < aborted < 99 and given == [*range(aborted), 0, 1, 2]
    assert late.ended == "killed" and late.charged == late.asked
    assert not next_one.idle and next_one.pid != late.pid and told[-1] == ["end"]


def test_a_refusal_says_in_numbers_what_is_missing(app):
    alice, pro, anybody = visitor_token("alice"), visitor_token("petra", pro=True), visitor_token()
    script = f"""
attempt(count(1))
visits = ("{alice}", 60), ("{alice}", 200), ("{pro}", 60), ("{anybody}", 60), (None, 60), ("{alice}", 39)
for token, seconds in visits:
    visit(token, **{{"x-gradio-user": "app"}})
    attempt(count(seconds))
visit("{alice}")
attempt(count(60))
visit("{visitor_token("alice", seconds=-1)}")
attempt(count(1))
LocalContext.request.set(types.SimpleNamespace(headers={{}}))
attempt(count(1))
"""
    with app.zero() as zero:
        zero.quota("alice", left=60, cap=120)
        zero.quota("petra", left=0, wait=0)
        zero.quota("ip 127.0.0.1", left=10, wait=90)
        zero.quota(None, left=0)
        zero.plan("/schedule", 503)
        told = app(zero, script)
    *refused, _, over, api, expired, plain = [what for what in told if what[0] != "finally"]
    quota, longest, client = "ZeroGPU quota exceeded", "ZeroGPU illegal duration", "ZeroGPU client error"
    assert [what for what in refused if what[0] == "Error"] == [
        ["Error", client, "No GPU was available"],
        ["Error", quota, _exceeded("free ZeroGPU", 90, 60, "0:10:00")],
        ["Error", longest, "The requested GPU duration (300s) is larger than the maximum allowed"],
        ["Error", quota, "You have exceeded your ZeroGPU runs limit. "],
        ["Error", quota, _exceeded("ZeroGPU", 90, 10, "0:01:30")],
        ["Error", quota, "Space app has reached its GPU limit. " + EXAMPLES],
    ]
    left = int(zero.visitors["alice"].left)
    assert left < 60 and over == ["end"] and [call.visitor.name for call in zero.calls] == ["alice"]
    assert api[:2] == ["Error", quota] and api[2].startswith(
        _exceeded("free ZeroGPU", 90, left, "0:10:00") + "Subscribe"
    )
    assert expired == ["Error", client, "Expired ZeroGPU proxy token"]
    assert plain == ["Error", client, "Internal Gradio error"]  # a plain dict for headers
    assert [line.user for line in zero.asked if line.path == "/schedule"] == [
        None, "alice", "alice", "petra", None, None, "alice", "alice", "alice",
    ]  # fmt: skip
    assert alice not in str(zero.asked)


def _exceeded(whose: str, asked: int, left: int, wait: str) -> str:
    return f"You have exceeded your {whose} quota ({asked}s requested vs. {left}s left). Try again in {wait}. "


def test_the_card_decides_the_factor_and_part_of_a_second_is_not_asked_for(app):
    with ZeroGpu(factor=1.0) as zero, app.start(zero, APP + "attempt(count(40.9))") as process:
        assert process.wait(60) == 0
    assert zero.calls[0].asked == zero.calls[0].lasts == 40


WHO = """
@spaces.GPU(duration=30)
def who():
    request = LocalContext.request.get(None)
    yield [os.getpid(), dict(request.headers)]
"""


@pytest.mark.parametrize("reuse", [True, False], ids=["reused", "not reused"])
def test_a_worker_that_is_reused_still_knows_its_first_visitor(app, reuse):
    alice, bob = visitor_token("alice"), visitor_token("bob")
    script = WHO + f'visit("{alice}"); attempt(who()); visit("{bob}"); attempt(who()); attempt(count(1))'
    with app.zero(reuse=reuse) as zero:
        told = app(zero, script)
    first, second = [what[0] for kind, *what in told if kind == "value"][:2]
    assert [call.visitor.name for call in zero.calls] == ["alice", "bob", "bob"]
    assert [call.idle for call in zero.calls] == [False, reuse, False]  # another function, another worker
    assert (first[0] == second[0]) is reuse
    assert first[1]["x-ip-token"] == alice
    assert second[1]["x-ip-token"] == (alice if reuse else bob)  # why nothing in a worker may trust the request


def test_closing_the_generator_ends_the_work_at_its_next_value_and_the_worker_is_free_again(app):
    script = """
call = count(60, 99, 0.3)
tell("value", next(call))
call.close()
tell("closed")
attempt(count(60))
"""
    with app.zero() as zero:
        told = app(zero, script)
    closed, again = zero.calls
    assert told[:3] == [["value", [0, closed.pid]], ["finally", closed.pid], ["closed"]]
    assert [call.ended for call in zero.calls] == ["released", "released"]
    assert again.idle and again.pid == closed.pid and told[-1] == ["end"]


def test_what_goes_wrong_in_the_worker_reaches_the_caller_as_the_name_of_the_error(app):
    script = """
@spaces.GPU
def broken(how):
    yield os.getpid()
    if how == "ours":
        raise gr.Error("Ours", title="Our title")
    if how == "exit":
        raise SystemExit(3)
    if how == "unpicklable":
        yield lambda: None
    raise ValueError("the reason")

for how in ("other", "ours", "unpicklable", "exit"):
    attempt(broken(how))
attempt(broken(lambda: None))
"""
    with app.zero() as zero:
        told = [what for what in app(zero, script) if what[0] != "value"]
    assert told[:3] == [
        ["Error", "ZeroGPU worker error", "ValueError"],
        ["Error", "Our title", "Ours"],
        ["Error", "ZeroGPU worker error", "PicklingError"],
    ]
    assert told[3] == ["end"]  # SystemExit looks like a good end
    assert told[4][0] == "PicklingError"  # an argument
    assert [call.ended for call in zero.calls] == ["failed", "failed", "failed", "released", "failed"]
    assert [call.asked for call in zero.calls] == [90] * 5  # 60 seconds when nothing is said


def test_an_answer_that_is_lost(app):
    script = """
attempt(count(60))
import spaces.zero.wrappers as wrappers
wrappers.GENERATOR_GLOBAL_TIMEOUT = 1  # 20 minutes, really
attempt(count(60))
wrappers.GENERATOR_GLOBAL_TIMEOUT = 20 * 60
call = count(60)
for each in call:
    if each[0] == 2:
        break
call.close()
tell("closed")
"""
    with app.zero(devices=2, unclaimed_after=3) as zero:
        everybody = zero.quota(None, left=300)
        zero.plan("/schedule", "lost")
        zero.plan("/release", "lost", times=2)
        told = [what for what in app(zero, script) if what[0] not in ("value", "finally")]
        unclaimed, *others = zero.calls
        until(lambda: bool(unclaimed.ended))
    assert told[0] == ["RemoteProtocolError", None, "Server disconnected without sending a response."]
    assert (unclaimed.ended, unclaimed.charged) == ("unclaimed", 0) and everybody.reserved == 0
    assert told[1] == ["Empty", None, ""]  # the caller waited for an end that nobody told it
    assert told[2] == ["closed"]  # who closes on the last value does not wait
    assert [call.ended for call in others] == ["released"] * 2


def test_the_queue_is_waited_in_until_it_gives_or_ends(app):
    alice = visitor_token("alice")
    script = f'for _ in range(3): attempt(count(60))\nvisit("{alice}")\nattempt(count(60))'
    with app.zero(ping_every=0.05) as zero:
        zero.waits += [Wait(3), Wait(1, "cut"), None, Wait(1, "failed", reason="concurrency"), Wait(1, "failed")]
        told = [what for what in app(zero, script) if what[0] not in ("value", "finally")]
    assert told[:3] == [
        ["end"],
        ["end"],  # the client asks once more after a cut
        ["Error", "ZeroGPU quota exceeded", "No GPU was available after 60s. " + EXAMPLES],
    ]
    assert told[3][0] == "HTMLError" and "No GPU was available after 60s" in told[3][2]
    assert [line.answer for line in zero.asked if line.path == "/schedule"] == [
        "succeeded", "cut", "200", "failed", "failed",
    ]  # fmt: skip


@pytest.mark.parametrize("devices, slots", [(1, None), (2, 1)], ids=["one device", "one slot of two"])
def test_calls_at_the_same_time_take_turns_when_there_is_no_room(app, devices, slots):
    script = """
threads = [threading.Thread(target=attempt, args=(count(60, 3, 0.05),)) for _ in range(3)]
for each in threads: each.start()
for each in threads: each.join()
"""
    with app.zero(devices=devices, slots=slots, ping_every=0.05) as zero:
        zero.quota(None, 1000, cap=100)
        told = app(zero, script)
    assert told.count(["end"]) == 3
    spans = sorted((call.began, call.began + call.used) for call in zero.calls)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))


def test_a_worker_whose_app_was_killed_goes_on_until_the_deadline(app):
    script = "call = count(60, 9999, 0.1); next(call); os.kill(os.getpid(), 9)"
    with ZeroGpu() as zero:
        with app.start(zero, APP + script) as process:
            assert process.wait(60) == -9
        (call,) = zero.calls
        worker = Worker(call.pid, call.task)
        assert worker.alive and call.ended is None
        zero.kill()
        until(lambda: not worker.alive)
    assert call.ended == "killed"


PAGE = """
with gr.Blocks() as page:
    inputs, out = [gr.Number(), gr.Number(), gr.Number()], gr.JSON()
    gr.Button().click(count, inputs, out, api_name="count")
_, url, _ = page.launch(server_name="127.0.0.1", quiet=True, prevent_thread_lock=True)
tell("url", url)
threading.Event().wait()  # not in a read of stdin: a fork meanwhile would wait for it forever
"""


def test_through_a_page_the_visitors_token_arrives_and_one_who_leaves_ends_work_and_waiting(app):
    with ZeroGpu(ping_every=0.05) as zero, app.page(zero, PAGE) as url:
        assert zero.asked[0].path == "/startup-report"
        client = Client(url, headers={"X-IP-Token": visitor_token("alice")}, verbose=False)
        assert client.predict(40, 3, 0, api_name="/count")[0] == 2
        with _visit(url, visitor_token("bob"), [40, 99, 0.1]) as lines:
            next(line for line in lines if "process_generating" in line)
        until(lambda: zero.calls[-1].ended == "released")
        zero.waits.append(Wait(10_000))
        with _visit(url, visitor_token("bob"), [40, 3, 0]) as lines:
            next(line for line in lines if "Waiting for a GPU to become available" in line)
        until(lambda: zero.asked[-1].answer == "left")
        zero.quota("alice", left=10)
        with pytest.raises(AppError, match=r"60s requested vs. 10s left"):
            client.predict(40, 3, 0, api_name="/count")
    assert [call.visitor.name for call in zero.calls] == ["alice", "bob"]
    assert ["finally", zero.calls[-1].pid] in app.tales()


@contextlib.contextmanager
def _visit(url: str, token: str, data: list[float]) -> Iterator[Iterator[str]]:
    """A browser on the page: what the stream of its tab says, until it is closed with the block."""
    headers = {"X-IP-Token": token, "x-gradio-user": "app"}
    with httpx.Client(base_url=url, headers=headers, timeout=60) as browser:
        events = browser.get("config").json()["dependencies"]
        number = next(each["id"] for each in events if each["api_name"] == "count")
        tab = {"session_hash": secrets.token_hex(5)}
        browser.post("gradio_api/queue/join", json={"data": data, "fn_index": number, **tab}).raise_for_status()
        with browser.stream("GET", "gradio_api/queue/data", params=tab) as stream:
            yield stream.iter_lines()
