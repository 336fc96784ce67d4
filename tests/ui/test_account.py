"""What the page says of who is there, what they may do, and what signing in is good for."""

import re

import pytest

from facet.errors import AccessError, HubError, SettingError
from facet.identity import LOCAL, PERMISSIONS, Person
from facet.model.choose import ModelCheck
from facet.quota import Quota, Usage
from facet.sign_in import SignInState
from facet.ui import access, signing_in
from facet.ui.account import (
    USES,
    Standing,
    describe,
    describe_loss,
    describe_permissions,
    describe_usage,
    require_confirmation,
)

HOSTILE = "<img src=x onerror=alert(1)>"
VISITOR = Person("visitor-1", "Visitor", "visitor")
ANN = Person("hf-1", "ann", "signed-in")
QUOTA = Quota(uploads=6, datasets=4, runs=4, exams=8, exports=4, active_runs=1, gigabytes=0.5)
REFUSED = AccessError("Your sign-in is no longer accepted.", "It has run out.", "Sign in again.")
AWAY = HubError("The Hub could not be reached.", "This machine is offline.", "Check the network.")


def words(shown: str) -> str:
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", str(shown)))


def test_at_home_one_is_oneself_without_any_account():
    said = words(describe(Standing(LOCAL)))
    assert "You, on this computer" in said and "only to publish" in said


def test_at_home_the_login_is_said_to_be_the_computers():
    said = words(describe(Standing(LOCAL, True, "ann", ("ann", "maple"), ("maple", "oak"))))
    assert "as ann" in said and "hf auth login" in said and "Other programs" in said
    assert "Member of maple, oak" in said


def test_a_visitor_hears_how_long_their_work_is_kept_and_what_they_may_have():
    shown = describe(Standing(VISITOR), Usage(1, 2, 0.12, QUOTA))
    said = words(shown)
    assert "You are a visitor" in said and "kept for a day" in said and "stays yours" in said
    assert "1 of 4" in said and "0.1 GB of 0.5 GB" in said
    assert 'href="/login/huggingface?_target_url=/"' in shown


@pytest.fixture(autouse=True)
def asks_for_everything(monkeypatch):
    monkeypatch.delenv("OAUTH_SCOPES", raising=False)


def test_who_is_signed_in_sees_name_organisations_permissions_and_the_way_out():
    shown = describe(Standing(ANN, True, "ann", ("ann",), ("maple",), frozenset(USES)))
    said = words(shown)
    assert "Signed in as ann" in said and "Member of maple" in said and 'href="/logout?_target_url=/"' in shown
    assert all(PERMISSIONS[scope] in said for scope in USES) and "May not" not in said
    assert "sign in again" in said and "f-button" not in shown


def test_a_permission_that_was_not_given_is_named_and_can_be_given():
    shown = describe(Standing(ANN, True, "ann", ("ann",), (), frozenset({"gated-repos"})))
    said = words(shown)
    assert "A permission is missing" in said and f"May not {PERMISSIONS['contribute-repos']}" in said
    assert "Sign in again" in said and "<details open>" in shown


def test_what_a_place_never_asks_for_is_not_missing(monkeypatch):
    monkeypatch.setenv("OAUTH_SCOPES", "openid profile contribute-repos")
    said = words(describe(Standing(ANN, True, "ann", ("ann",), (), frozenset({"contribute-repos"}))))
    assert "missing" not in said and "private models" not in said


def test_unknown_permissions_are_not_guessed():
    assert describe_permissions(None) == ""


@pytest.mark.parametrize("person", [LOCAL, ANN], ids=["at home", "on a Space"])
def test_a_login_that_is_no_longer_accepted_is_said_and_asks_to_sign_in(person):
    who = Standing(person, True, problem=REFUSED)
    assert not who.is_signed_in
    assert "no longer accepted" in words(describe(who))


def test_a_hub_that_does_not_answer_takes_nobodys_login_away():
    who = Standing(LOCAL, True, problem=AWAY)
    assert who.is_signed_in
    assert "does not answer" in words(describe(who))


def test_names_from_outside_stay_text():
    for person in (LOCAL, ANN):
        shown = describe(Standing(person, True, HOSTILE, (HOSTILE,), (HOSTILE,), frozenset(USES)))
        assert "<img" not in shown
    waiting = signing_in.describe(SignInState("waiting", "javascript:alert(1)", HOSTILE))
    assert "<img" not in waiting and 'href="#"' in waiting


def test_use_is_shown_with_its_limit_only_where_there_is_one():
    assert "of" not in words(describe_usage(Usage(3, 2, 1.26, None), LOCAL)).split()
    assert "2 of 4" in words(describe_usage(Usage(1, 2, 0.1, QUOTA), VISITOR))


def test_before_everything_is_deleted_one_reads_what_goes_and_what_stays():
    said = words(describe_loss(Usage(1, 2, 0.1, QUOTA), ANN))
    assert "1 run with" in said and "2 datasets" in said and "stays on the Hub" in said


@pytest.mark.parametrize("typed", ["delete", " Delete ", "“delete”"])
def test_the_word_confirms_it(typed):
    require_confirmation(typed)


@pytest.mark.parametrize("typed", ["", "yes", "delet"])
def test_nothing_but_the_word_confirms_it(typed):
    with pytest.raises(SettingError, match="Nothing was deleted"):
        require_confirmation(typed)


def test_the_sheet_shows_a_code_a_link_and_that_it_waits():
    shown = signing_in.describe(SignInState("waiting", "https://hf.co/oauth/device?user_code=AB", "ABCD-1234"))
    assert "ABCD-1234" in shown and ">hf.co/oauth/device<" in shown and 'target="_blank"' in shown
    assert "Waiting" in shown and "hf auth login" in shown


def test_a_sign_in_that_came_to_nothing_says_why():
    assert "run out" in signing_in.describe(SignInState("failed", failure=REFUSED))
    assert signing_in.describe(SignInState("done", name="ann")) == ""


@pytest.mark.parametrize("person", [VISITOR, ANN], ids=["visitor", "signed in"])
def test_nobody_signs_in_a_computer_that_is_shared(person):
    with pytest.raises(AccessError, match="shared"):
        signing_in.at_home(person)


def locked(way: str) -> ModelCheck:
    problem = AccessError("google/gemma is not open to everyone.", "Its owner asks each person.", "Open its page.")
    return ModelCheck(
        None, "Gemma", None, "Gemma Terms of Use", "https://ai.google.dev/gemma/terms", 0.0, 0.0, 8.0, problem, way, "https://huggingface.co/google/gemma"
    )  # fmt: skip


def test_a_model_that_asks_first_shows_its_terms_and_where_to_accept_them():
    said = access.describe(locked("ask"), LOCAL)
    assert 'href="https://huggingface.co/google/gemma"' in said and "Gemma Terms of Use" in said
    assert "check again" in said and "Nothing has been downloaded" in said and "Sign in" not in words(said)


@pytest.mark.parametrize(("person", "way"), [(LOCAL, "button below"), (VISITOR, "Sign in with Hugging Face")])
def test_who_is_not_signed_in_is_sent_to_sign_in_first(person, way):
    assert way in access.describe(locked("sign-in"), person)


def test_accepted_terms_are_a_calm_line_and_open_models_none_at_all():
    accepted = ModelCheck(None, "Gemma", None, "Gemma Terms of Use", None, 0.0, 0.0, 8.0, access="accepted")
    assert "f-note good" in access.describe(accepted, LOCAL) and "accepted its terms" in access.describe(
        accepted, LOCAL
    )
    assert access.describe(ModelCheck(None, "x", None, "Apache", None, 0.0, 0.0, 8.0), LOCAL) == ""


def test_a_key_in_place_of_a_model_is_no_matter_of_terms():
    key = AccessError("This is a key, not a model.", "It was not used.", "Write the model's id.")
    check = ModelCheck(None, "hf_x", None, "", None, 0.0, 0.0, 8.0, key, "sign-in", "")
    assert not access.is_locked(check) and access.describe(check, LOCAL) == ""
