import logging
import time

import pytest
from huggingface_hub import close_session

from facet.errors import AccessError, CapacityError, FacetError, HubError, SettingError
from facet.hub.writing import Busy, OwnRepo
from tests.publish.publishing import EXPORTED, write

pytestmark = pytest.mark.hub
STEPS = ["/api/whoami", "/api/repos/create", "validate-yaml", "preupload", "objects/batch", "verify", "/commit/"]
STEPS += ["/tree/", "/refs", "/tag/", "settings"]
PASSING = [408, 425, 429, 500, 502, 503, 504, "cut", "lost", "truncate"]


def is_whole(ann):
    return ann.files() == EXPORTED and len(ann.versions()) == 1 and not ann.repo().private


@pytest.mark.parametrize("trouble", PASSING)
@pytest.mark.parametrize("step", STEPS)
def test_a_passing_trouble_at_any_step_is_waited_out(ann, step, trouble):
    fault = ann.hub.plan(step, trouble, times=2)
    done = ann.press(private=False, tag="next")
    landed = step == "/commit/" and trouble in ("lost", "truncate")
    assert fault.met == (1 if landed else 2)
    assert is_whole(ann) and (done.tag, done.sha) == ("v1", ann.repo().sha)


@pytest.mark.parametrize("trouble", ["lost", "truncate", 500, "cut"])
@pytest.mark.parametrize("step", [step for step in STEPS if step not in ("verify", "/commit/")])
def test_a_lasting_trouble_ends_in_plain_words_and_the_next_press_completes(ann, step, trouble):
    ann.hub.plan(step, trouble, times=999)
    with pytest.raises(HubError) as caught:
        ann.press(private=False, tag="next")
    error = caught.value
    name = ("model", "ann/poems")
    if step != "settings":
        assert "Nothing public was changed." in error.why
    if name in ann.hub.repos:
        landed = step == "settings" and trouble in ("lost", "truncate")
        assert ann.repo().private or landed
    ann.hub.planned.clear()
    ann.press(private=False, tag="next")
    assert is_whole(ann)


@pytest.mark.parametrize("trouble", [500, "cut"])
def test_a_commit_that_never_works_leaves_an_empty_private_repository(ann, trouble):
    ann.hub.plan("/commit/", trouble, times=999)
    with pytest.raises(HubError, match=r"Nothing public was changed"):
        ann.press(private=False)
    assert ann.repo().private and not ann.versions()
    assert ann.waited == [1, 2, 4, 8, 16, 32]
    ann.hub.planned.clear()
    ann.press(private=False, tag="next")
    assert is_whole(ann)


def test_waiting_grows_and_has_an_end(ann):
    ann.hub.plan("/api/whoami", 503, times=999)
    with pytest.raises(HubError, match="problem of its own"):
        ann.press()
    assert ann.waited == [1, 2, 4, 8, 16, 32]
    assert ("The Hub has a problem of its own. Asking again in 4 seconds", 0.05) in ann.told


def test_a_hub_that_asks_for_no_wait_is_not_asked_for_ever(ann):
    ann.hub.plan("/api/whoami", 503, retry_after=0, times=999)
    with pytest.raises(HubError):
        ann.press()
    assert ann.waited == [0] * 6


def test_the_time_the_hub_asks_for_is_given(ann):
    ann.hub.plan("/commit/", 429, retry_after=7, times=2)
    ann.press()
    assert ann.waited == [7, 7]


def test_a_quota_that_starts_anew_in_a_minute_is_waited_for(ann):
    ann.hub.plan("/api/repos/create", 429, headers={"RateLimit": '"api";r=0;t=55'})
    ann.press()
    assert ann.waited == [55]


def test_nobody_is_made_to_wait_for_an_hour(ann):
    ann.hub.plan("preupload", 429, retry_after=3600, times=99)
    with pytest.raises(HubError, match=r"asked too often.*in 60 minutes"):
        ann.press()
    assert not ann.waited


@pytest.mark.parametrize("step", ["preupload", "objects/batch", "/commit/"])
def test_a_model_too_large_for_the_account_is_a_matter_of_room(ann, step):
    ann.hub.plan(step, 413)
    with pytest.raises(CapacityError, match="not enough room"):
        ann.press(private=False)
    assert ann.repo().private and not ann.versions()


def test_a_full_private_storage_is_a_matter_of_room(ann):
    ann.hub.plan("objects/batch", 403, message="Private repository storage limit reached")
    with pytest.raises(CapacityError):
        ann.press()


@pytest.mark.parametrize("step", STEPS[1:])
def test_a_sign_in_withdrawn_on_the_way_is_told_at_once(ann, step):
    ann.hub.plan(step, 401, times=99, message="Invalid credentials in Authorization header")
    with pytest.raises(AccessError):
        ann.press(private=False, tag="next")
    assert not ann.waited
    assert ("model", "ann/poems") not in ann.hub.repos or ann.repo().private


@pytest.mark.parametrize("step", STEPS[1:])
def test_what_is_not_allowed_is_not_tried_twice(ann, step):
    ann.hub.plan(step, 403, times=99)
    with pytest.raises(AccessError):
        ann.press(private=False, tag="next")
    assert not ann.waited


def test_a_name_taken_at_the_same_moment_by_ourselves_is_no_trouble(ann):
    ann.hub.plan("/api/repos/create", "lost")
    assert ann.press().created
    assert ann.waited == [1]


def test_another_operation_on_the_account_is_waited_for(ann):
    words = "Cannot create repo: another conflicting operation is in progress"
    ann.hub.plan("/api/repos/create", 409, times=3, message=words)
    assert ann.press().created
    assert ann.waited == [1, 2, 4]


def test_a_conflict_that_changed_none_of_our_files_is_gone_around(ann, tmp_path, monkeypatch):
    ann.press()
    newer = write(tmp_path / "newer", EXPORTED | {"curve.svg": b"<svg></svg>"})
    push_before_the_commit(ann, monkeypatch, {"demo.png": b"by hand"})
    ann.press(folder=newer)
    assert ann.files()["curve.svg"] == b"<svg></svg>" and ann.files()["demo.png"] == b"by hand"


def test_a_conflict_with_somebody_elses_change_asks(ann, tmp_path, monkeypatch):
    ann.press()
    newer = write(tmp_path / "newer", EXPORTED | {"curve.svg": b"<svg></svg>"})
    push_before_the_commit(ann, monkeypatch, {"README.md": b"---\nlicense: gemma\n---\nwritten by hand"})
    with pytest.raises(SettingError, match="Somebody changed ann/poems"):
        ann.press(folder=newer)
    assert b"by hand" in ann.files()["README.md"]
    ann.press(folder=newer)
    assert ann.files()["README.md"] == EXPORTED["README.md"]


def push_before_the_commit(ann, monkeypatch, files):
    """Somebody is faster, once: their change lands after ours was prepared."""
    commit, changes = OwnRepo.commit, [files]

    def second(remote, *args):
        if changes:
            ann.repo().push(changes.pop())
        return commit(remote, *args)

    monkeypatch.setattr(OwnRepo, "commit", second)


def test_a_commit_that_lands_late_is_not_made_twice(ann, monkeypatch):
    """Its answer was lost and it was not there yet when we looked: the second one meets it, and it counts as ours."""
    commit, prepared = OwnRepo.commit, []

    def late(remote, *args):
        if not prepared:
            prepared.append(lambda: commit(remote, *args))
            raise Busy("The Hub did not answer in time.")
        prepared[0]()
        return commit(remote, *args)

    monkeypatch.setattr(OwnRepo, "commit", late)
    ann.press()
    assert len(ann.versions()) == 1 and ann.files() == EXPORTED


def test_a_hub_that_hangs_is_given_up_on(ann, monkeypatch):
    monkeypatch.setattr("facet.hub.client.SECONDS", 0.2)
    close_session()
    try:
        ann.hub.plan("/commit/", "slow", seconds=0.6)
        start = time.monotonic()
        ann.press()
        assert time.monotonic() - start < 10 and len(ann.versions()) == 1
        assert ann.waited
        time.sleep(0.7)  # the late commit must not land in another test
    finally:
        monkeypatch.undo()
        close_session()


def test_without_a_network_nothing_is_lost(ann):
    ann.endpoint = "http://127.0.0.1:9"
    with pytest.raises(HubError, match=r"could not be reached.*Nothing public was changed"):
        ann.press()
    assert len(ann.waited) == 6


def test_a_key_the_hub_repeats_in_its_answer_is_in_no_error_and_no_log(ann, caplog):
    caplog.set_level(logging.INFO)  # below that the HTTP library writes down whole answers
    log = logging.getLogger("facet")
    for step, status in [("/api/whoami", 400), ("/api/repos/create", 400), ("/commit/", 422), ("/commit/", 403)]:
        ann.hub.planned.clear()
        ann.hub.plan(step, status, message=f"Bearer {ann.token} is not welcome")
        with pytest.raises(FacetError) as caught:
            ann.press()
        log.error("publishing failed", exc_info=caught.value)
        assert ann.token not in str(caught.value)
    assert "publishing failed" in caplog.text and ann.token not in caplog.text
    ann.hub.planned.clear()
    ann.press(private=False, tag="next")
    assert ann.token not in caplog.text and ann.token not in repr(ann.told)
