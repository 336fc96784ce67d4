"""Judging through the studio's door: whose key it is, where it may go, what is left of it, and who may see what."""

import errno
import json
import logging
import threading
import time

import pytest

from facet.errors import AccessError, CapacityError, DataError, NotFoundError, SettingError
from facet.exam import providers
from facet.hub.inference import Hosted
from facet.identity import LOCAL, Grant, Person, person_key
from facet.judge_door import JudgeWish
from facet.judging import MOST_PER_PERSON, Judgings, LocalJudge
from facet.model.speak import Piece
from facet.studio import Studio
from facet.workspace import write_json
from tests.exam.judged_exam import fill
from tests.judge_stand_in import Act, JudgeStandIn

KEY = "sk-canary-90ab12cd"
TOKEN = "hf_canaryCanaryCanaryCanary"
ANNA, BEN = (Person(person_key("hf", name), name, "signed-in") for name in ("anna", "ben"))


@pytest.fixture
def studio(workspace):
    made = Studio(workspace)
    yield made
    made.close()


@pytest.fixture
def stand_in():
    with JudgeStandIn(key=KEY) as made:
        yield made


def exam_of(studio, person=LOCAL, rows=4, **more):
    exam = studio.workspace.create(person, "exams", "Pirate")
    fill(exam, rows, **more)
    return exam.name


def own(stand_in, **more):
    return JudgeWish(**{"mode": "score", "provider": "own", "model": "big", "address": stand_in.url} | more)


def begin(studio, exam, wish, key="", grant=Grant(LOCAL)):  # noqa: B008 - frozen
    return studio.start_judging(grant, exam, wish, key)


def test_from_start_to_verdict_and_the_key_is_in_no_file_no_log_and_no_error(studio, stand_in, caplog):
    exam = exam_of(studio, rows=6)
    with caplog.at_level(logging.DEBUG):
        made = begin(studio, exam, own(stand_in), KEY)
        one = studio.wait_for_judging(LOCAL, exam, made, 30)
        assert (one.stage, one.done, one.of, one.failure) == ("done", 24, 24, None)
    found = studio.judged(LOCAL, exam, made)
    assert [marks.mean for marks in found.marks.values()] == [7.0, 7.0]
    assert found.verdicts[0].better == "cannot_tell"
    home = studio.workspace.home
    assert [file for file in home.rglob("*") if file.is_file() and KEY.encode() in file.read_bytes()] == []
    assert KEY not in caplog.text and KEY not in repr(studio.keys) and KEY not in repr(vars(studio.judgings))
    assert not any(f"Question {row}?" in caplog.text for row in range(6))
    rows, matching = studio.judged_rows(LOCAL, exam, made, 0, 2)
    assert matching == 6 and [len(row.judgements) for row in rows] == [4, 4]


def test_a_key_serves_its_person_and_its_address_alone(studio, stand_in):
    exam = exam_of(studio)
    studio.wait_for_judging(LOCAL, exam, begin(studio, exam, own(stand_in), KEY), 30)
    assert studio.keys.find(LOCAL, stand_in.url) == KEY
    assert studio.keys.find(ANNA, stand_in.url) == ""
    with JudgeStandIn() as elsewhere:
        studio.wait_for_judging(LOCAL, exam, begin(studio, exam, own(elsewhere)), 30)
        assert elsewhere.asked and all("authorization" not in head for head in elsewhere.seen)
    studio.forget_judge_keys(LOCAL)
    assert studio.keys.find(LOCAL, stand_in.url) == ""


def test_after_a_restart_the_key_is_gone_and_it_pauses_says_so_and_goes_on(studio, stand_in):
    exam = exam_of(studio, rows=8)
    stand_in.acts = [Act() for _ in range(5)] + [Act(500, body=b"") for _ in range(99)]
    made = begin(studio, exam, own(stand_in), KEY)
    deadline = time.monotonic() + 20
    while studio.judging(LOCAL, exam, made).done < 5 and time.monotonic() < deadline:
        time.sleep(0.02)
    studio.close()
    stand_in.acts.clear()

    again = Studio(studio.workspace)
    one = again.judging(LOCAL, exam, made)
    assert one.stage == "paused" and 5 <= one.done < one.of == 32
    again.resume_judging(Grant(LOCAL), exam, made)
    one = again.wait_for_judging(LOCAL, exam, made, 30)
    assert one.stage == "paused" and "does not accept the key" in one.failure.what
    again.resume_judging(Grant(LOCAL), exam, made, KEY)
    one = again.wait_for_judging(LOCAL, exam, made, 30)
    assert (one.stage, one.done) == ("done", 32)
    again.close()


def test_a_process_that_was_killed_in_the_middle_leaves_it_paused(studio, stand_in):
    exam = exam_of(studio)
    made = begin(studio, exam, own(stand_in), KEY)
    studio.wait_for_judging(LOCAL, exam, made, 30)
    folder = studio.workspace.find(LOCAL, "exams", exam) / "judge" / made
    (folder / "state.json").write_text('{"stage": "working"}')
    one = studio.judging(LOCAL, exam, made)
    assert one.stage == "paused" and "interrupted" in one.failure.what
    (folder / "state.json").write_text("{")
    assert studio.judging(LOCAL, exam, made).stage == "paused"
    (folder / "assignment.json").write_text("{")
    with pytest.raises(NotFoundError):
        studio.judging(LOCAL, exam, made)


def test_a_judging_that_ends_between_two_looks_was_not_interrupted(studio, stand_in, monkeypatch):
    exam = exam_of(studio)
    made = begin(studio, exam, own(stand_in), KEY)
    studio.wait_for_judging(LOCAL, exam, made, 30)
    state = studio.workspace.find(LOCAL, "exams", exam) / "judge" / made / "state.json"
    done, working = state.read_text(), '{"stage": "working"}'
    state.write_text(working)

    def ends_now(file):
        state.write_text(done)
        return False

    monkeypatch.setattr("facet.judging.is_held", ends_now)
    one = studio.judging(LOCAL, exam, made)
    assert (one.stage, one.failure) == ("done", None)


def test_a_judging_that_a_full_disk_keeps_from_beginning_takes_nobodys_place(studio, stand_in, monkeypatch):
    exam = exam_of(studio)

    def full(file, data):
        if data.get("stage") == "working":
            raise OSError(errno.ENOSPC, "No space left on device")
        write_json(file, data)

    with monkeypatch.context() as disk:
        disk.setattr("facet.judging.write_json", full)
        for _ in range(MOST_PER_PERSON + 1):
            with pytest.raises(OSError, match="No space left"):
                begin(studio, exam, own(stand_in), KEY)
    assert studio.judgings_of(LOCAL, exam) == []
    made = begin(studio, exam, own(stand_in), KEY)
    assert studio.wait_for_judging(LOCAL, exam, made, 30).stage == "done"


def test_a_disk_that_fills_up_during_a_judging_is_said_and_it_goes_on_with_room(studio, stand_in, monkeypatch):
    exam = exam_of(studio)

    def full(self, judgement):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("facet.exam.judge.Judgements.add", full)
        made = begin(studio, exam, own(stand_in), KEY)
        one = studio.wait_for_judging(LOCAL, exam, made, 30)
    assert one.stage == "paused" and one.failure.what == "The disk is full."
    studio.resume_judging(Grant(LOCAL), exam, made)
    assert studio.wait_for_judging(LOCAL, exam, made, 30).stage == "done"


def test_a_service_without_its_key_is_refused_before_anything_begins(studio):
    exam = exam_of(studio)
    for provider, sentence in (
        ("gemini", "A key for Google Gemini is needed"),
        ("huggingface", "have to be signed in"),
    ):
        with pytest.raises(AccessError, match=sentence):
            begin(studio, exam, JudgeWish(provider=provider))
    for wrong in ("two words", "x", "k\ney-1234", "k" * 501, "schlüssel-1234"):
        with pytest.raises(SettingError) as refused:
            begin(studio, exam, JudgeWish(provider="gemini"), wrong)
        assert len(wrong) < 4 or wrong not in str(refused.value)
    with pytest.raises(AccessError, match="permission is missing"):
        begin(studio, exam, JudgeWish(provider="huggingface"), grant=Grant(LOCAL, TOKEN, scopes=frozenset(["jobs"])))
    assert studio.judgings_of(LOCAL, exam) == []


def test_a_hosted_model_is_asked_with_the_persons_login_which_is_kept_nowhere(studio, stand_in, caplog):
    stand_in.key, studio.router = TOKEN, stand_in.url
    exam = exam_of(studio, person=ANNA)
    grant = Grant(ANNA, TOKEN, scopes=frozenset(["inference-api"]))
    with caplog.at_level(logging.DEBUG):
        made = begin(studio, exam, JudgeWish(provider="huggingface"), grant=grant)
        assert studio.wait_for_judging(ANNA, exam, made, 30).stage == "done"
    assert stand_in.asked[0]["model"] == providers.HUGGING_FACE.model
    home = studio.workspace.home
    assert [file for file in home.rglob("*") if file.is_file() and TOKEN.encode() in file.read_bytes()] == []
    assert TOKEN not in caplog.text and TOKEN not in repr(Hosted(TOKEN, "m", base_url=studio.router))
    assert studio.keys.any_of(ANNA) is False


def test_on_a_shared_machine_only_the_fixed_list_is_offered(studio, stand_in, monkeypatch):
    mine, exam = exam_of(studio), exam_of(studio, person=ANNA)
    assert "own" in {known.id for known in studio.judges(LOCAL)}
    assert "own" not in {known.id for known in studio.judges(ANNA)}
    with pytest.raises(SettingError, match="not offered here"):
        begin(studio, exam, own(stand_in), KEY, Grant(ANNA))
    monkeypatch.setenv("SPACE_ID", "facet/facet")
    assert "own" not in {known.id for known in studio.judges(LOCAL)}
    with pytest.raises(SettingError, match="not offered here"):
        begin(studio, mine, own(stand_in), KEY)
    assert all(known.base_url.startswith("https://") for known in studio.judges(ANNA) if known.needs != "nothing")
    assert stand_in.asked == []


def test_an_assignment_that_was_changed_on_disk_opens_no_other_door(studio, stand_in, monkeypatch):
    """As when a home is carried from a computer to a Space: its file names an address that is not on the list."""
    exam = exam_of(studio)
    made = begin(studio, exam, own(stand_in, model="gone"), "")
    studio.wait_for_judging(LOCAL, exam, made, 30)
    monkeypatch.setenv("SPACE_ID", "facet/facet")
    asked = len(stand_in.asked)
    with pytest.raises(SettingError, match="not offered here"):
        studio.resume_judging(Grant(LOCAL), exam, made, KEY)
    assert len(stand_in.asked) == asked


def test_services_on_a_shared_machine_are_pinned_and_at_home_are_not(studio, monkeypatch):
    made = []
    monkeypatch.setattr(
        "facet.exam.openai_server.OpenAiServer", lambda *where, shared: made.append((where, shared)) or 1 / 0
    )
    for person in (ANNA, LOCAL):
        exam = exam_of(studio, person=person)
        with pytest.raises(ZeroDivisionError):
            begin(studio, exam, JudgeWish(provider="gemini"), KEY, Grant(person))
    where = ("https://generativelanguage.googleapis.com/v1beta/openai", "gemini-3.5-flash", KEY)
    assert made == [(where, True), (where, False)]


def test_nobody_sees_or_touches_what_is_another_persons(studio, stand_in):
    exam = exam_of(studio)
    made = begin(studio, exam, own(stand_in), KEY)
    studio.wait_for_judging(LOCAL, exam, made, 30)
    for call in (
        lambda: studio.plan_judging(BEN, exam, JudgeWish(provider="gemini")),
        lambda: studio.start_judging(Grant(BEN), exam, JudgeWish(provider="gemini"), KEY),
        lambda: studio.resume_judging(Grant(BEN), exam, made, KEY),
        lambda: studio.pause_judging(BEN, exam, made),
        lambda: studio.judging(BEN, exam, made),
        lambda: studio.judgings_of(BEN, exam),
        lambda: studio.judged(BEN, exam, made),
        lambda: studio.judged_rows(BEN, exam, made),
        lambda: studio.judging(LOCAL, exam, "../../../../etc"),
        lambda: studio.judging(LOCAL, exam, ""),
    ):
        with pytest.raises(NotFoundError):
            call()
    assert studio.judgeable(BEN) == [] and studio.keys.find(BEN, stand_in.url) == ""


def test_pausing_stops_soon_and_pressing_twice_changes_nothing(studio, stand_in):
    exam = exam_of(studio, rows=40)
    stand_in.say = lambda asked: (time.sleep(0.02), '{"score": 5}')[1]
    made = begin(studio, exam, own(stand_in), KEY)
    studio.resume_judging(Grant(LOCAL), exam, made)  # it works already
    studio.pause_judging(LOCAL, exam, made)
    studio.pause_judging(LOCAL, exam, made)
    one = studio.wait_for_judging(LOCAL, exam, made, 30)
    assert one.stage == "paused" and one.done < one.of and one.failure is None
    assert stand_in.most_at_once <= 4


def test_nobody_has_too_many_going_on(studio, stand_in):
    exam = exam_of(studio, rows=40)
    stand_in.acts = [Act(silence=0.3) for _ in range(500)]
    first, second = (begin(studio, exam, own(stand_in), KEY) for _ in range(2))
    with pytest.raises(CapacityError, match="No more can be judged"):
        begin(studio, exam, own(stand_in))
    assert len(studio.judgings_of(LOCAL, exam)) == 2
    for made in (first, second):
        studio.pause_judging(LOCAL, exam, made)
        studio.wait_for_judging(LOCAL, exam, made, 30)


def test_a_test_that_is_deleted_while_it_is_judged_takes_the_judging_with_it(studio, stand_in, caplog):
    exam = exam_of(studio, rows=40)
    stand_in.acts = [Act(silence=0.05) for _ in range(500)]
    made = begin(studio, exam, own(stand_in), KEY)
    folder = studio.workspace.find(LOCAL, "exams", exam) / "judge" / made
    studio.workspace.delete(LOCAL, "exams", exam)
    studio.judgings.wait(folder, 20)
    assert not folder.exists() and studio.judgings._stops == {}
    assert [record for record in caplog.records if record.name.startswith("facet")] == []


def test_two_processes_do_not_judge_into_one_file(studio, stand_in):
    exam = exam_of(studio, rows=40)
    stand_in.acts = [Act(silence=0.05) for _ in range(500)]
    made = begin(studio, exam, own(stand_in), KEY)
    folder = studio.workspace.find(LOCAL, "exams", exam) / "judge" / made
    other = Judgings()
    judge = LocalJudge(lambda messages: iter(()))
    assert other.look(folder).stage == "working"
    with pytest.raises(SettingError, match="judged already"):
        other.start(LOCAL, folder.parent.parent, folder, judge, "x")
    studio.judgings.pause_all(LOCAL)


def test_tests_of_earlier_versions_and_unfinished_ones_are_named_as_such(studio):
    empty = studio.workspace.create(LOCAL, "exams", "Old").name
    with pytest.raises(DataError, match="nothing to judge"):
        begin(studio, empty, JudgeWish(provider="own", address="http://localhost", model="m"))
    assert studio.judgeable(LOCAL) == []


def test_forgetting_everything_forgets_the_keys(studio, stand_in):
    exam = exam_of(studio, person=ANNA)
    studio.keys.keep(ANNA, "https://api.openai.com/v1", KEY)
    studio.keys.keep(BEN, "https://api.openai.com/v1", KEY)
    studio.delete_everything(ANNA)
    assert (studio.keys.any_of(ANNA), studio.keys.any_of(BEN)) == (False, True)
    assert exam not in [folder.name for folder in studio.workspace.all(ANNA, "exams")]


# ---- the model on this machine
def test_a_local_judge_waits_its_turn_and_a_stopped_chat_does_not_count_as_an_answer():
    answers = iter(["stopped", "too long", "busy", "fine"])

    def talk(messages):
        match next(answers):
            case "stopped":
                yield Piece("base", '{"sco', done=True, ended="stopped")
            case "too long":
                raise DataError("The conversation is longer than this model can read.", "It is.", "Shorten it.")
            case "busy":
                raise CapacityError("The model is busy.", "Others ask.", "Wait.")
            case _:
                yield "Loading the model"
                yield Piece("base", '{"score": 4}', done=True, ended="finished", tokens=9)

    judge, stop = LocalJudge(talk), threading.Event()
    with pytest.raises(Exception, match="broken"):
        judge.ask([], stop)
    assert judge.ask([], stop).text == ""
    with pytest.raises(Exception, match="broken") as busy:
        judge.ask([], stop)
    assert busy.value.cause.what == "The model is busy."
    assert (judge.ask([], stop).text, judge.at_once) == ('{"score": 4}', 1)


@pytest.mark.tiny
def test_the_starter_model_judges_for_real_and_what_it_cannot_say_is_not_a_zero(studio):
    """It speaks in single sentences and knows no JSON: an honest judge of nothing."""
    exam = exam_of(studio, rows=2)
    made = begin(studio, exam, JudgeWish("pairs", 2, "Be right.", "local", "starter"))
    one = studio.wait_for_judging(LOCAL, exam, made, 120)
    found = studio.judged(LOCAL, exam, made)
    assert one.stage == "done" and found.done == 4 and found.unparsable + found.refused == 4
    assert found.verdicts == [] and found.duels[0].unusable == 2
    assert json.dumps(found.notes).count("nobody got a zero") == 1
