import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from huggingface_hub import constants, hf_api
from huggingface_hub.utils import _auth

from facet.errors import AccessError, FacetError, HubError
from facet.hub import account
from facet.hub.account import Account, Organisation, account_of, whoami

pytestmark = pytest.mark.hub


@pytest.fixture
def machine(stand_in, tmp_path, monkeypatch):
    """A computer with no login, whose Hub is the stand-in."""
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "SPACE_ID", "HF_OIDC_RESOURCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "ENDPOINT", stand_in.url)
    monkeypatch.setattr(hf_api.api, "endpoint", stand_in.url)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "hf" / "token"))
    monkeypatch.setattr(constants, "HF_STORED_TOKENS_PATH", str(tmp_path / "hf" / "stored_tokens"))
    monkeypatch.setattr(_auth, "_OAUTH_REFRESH_CACHE", None)
    stand_in.device_interval = 0
    stand_in.person("ann", orgs={"poets": "write", "readers": "read", "makers": "contributor"}, fullname="Ann Lee")
    return tmp_path / "hf"


def sign_in(stand_in):
    code = account.begin_sign_in()
    stand_in.approve_device("ann", code.user_code)
    return account.finish_sign_in(code, lambda: False)


def test_an_account_knows_its_organisations_and_where_it_may_write(machine, stand_in):
    ann = whoami(stand_in.token("ann"), stand_in.url)
    assert (ann.name, ann.fullname, ann.kind, ann.scopes) == ("ann", "Ann Lee", "user", None)
    assert ann.orgs == (Organisation("poets", True), Organisation("readers", False), Organisation("makers", True))
    assert ann.namespaces == ("ann", "poets", "makers")
    assert not ann.may_write("ben") and not ann.may_write("") and not ann.may_write("Ann")


def test_a_token_that_only_reads_may_write_nowhere(machine, stand_in):
    ann = whoami(stand_in.token("ann", role="read"), stand_in.url)
    assert ann.namespaces == () and ann.scopes == {"read-repos", "gated-repos", "inference-api"}


def test_a_fine_grained_token_may_write_where_it_says(machine, stand_in):
    rights = {"poets": {"repo.write"}, "ann": {"repo.content.read"}, "": {"gated"}}
    ann = whoami(stand_in.token("ann", role="fineGrained", permissions=rights), stand_in.url)
    assert ann.namespaces == ("poets",)


@pytest.mark.parametrize(
    "told",
    [
        {"name": "ann"},
        {"name": "ann", "orgs": None, "auth": None},
        {"name": "ann", "orgs": ["x", {"name": 7}, {}], "auth": {"accessToken": "?"}},
        {"name": "ann", "auth": {"accessToken": {"role": "write", "fineGrained": 7}}},
    ],
)
def test_an_answer_with_less_in_it_is_still_understood(told):
    assert account_of(told) == Account("ann", "ann")


def test_scopes_are_known_where_the_hub_tells_them():
    told = {"name": "ann", "auth": {"scope": "openid contribute-repos"}}
    assert account_of(told).scopes == {"openid", "contribute-repos"}
    assert account_of({"name": "acme", "type": "org"}).kind == "org"


@pytest.mark.parametrize("told", [None, [], {}, {"name": 7}, "ann"])
def test_an_answer_that_names_nobody_is_a_fault_of_the_hub(machine, stand_in, monkeypatch, told):
    monkeypatch.setattr(hf_api.HfApi, "whoami", lambda *_, **__: told)
    with pytest.raises(HubError, match="who is signed in"):
        whoami("hf_x", stand_in.url)


@pytest.mark.parametrize("how", ["revoked", "expired", "unknown", "of two lines", "empty", "with a blank"])
def test_a_token_the_hub_does_not_accept_asks_to_sign_in_again(machine, stand_in, how):
    token = stand_in.token("ann", expires_in=-1 if how == "expired" else None)
    if how == "revoked":
        stand_in.revoke(token)
    broken = {"unknown": "hf_nobody", "of two lines": f"{token}\n{token}", "empty": "", "with a blank": "a b"}
    with pytest.raises(AccessError, match="no longer accepted"):
        whoami(broken.get(how, token), stand_in.url)


def test_blanks_around_a_token_do_no_harm(machine, stand_in):
    assert whoami(f" {stand_in.token('ann')}\n", stand_in.url).name == "ann"


@pytest.mark.parametrize(
    ("trouble", "words"),
    [(429, "five minutes"), (500, "answered 500"), ("cut", "could not be reached"), ("truncate", "reached")],
)
def test_a_hub_that_cannot_tell_is_no_refusal(machine, stand_in, trouble, words):
    stand_in.plan("/api/whoami-v2", trouble)
    with pytest.raises(HubError, match=words):
        whoami(stand_in.token("ann"), stand_in.url)


def test_the_machines_login_is_found_at_home_and_never_on_a_space(machine, stand_in, monkeypatch):
    assert account.machine_token() is None
    sign_in(stand_in)
    token = account.machine_token()
    assert whoami(token, stand_in.url).name == "ann"
    monkeypatch.setenv("SPACE_ID", "ann/facet")
    monkeypatch.setenv("HF_TOKEN", "hf_of_the_owner")
    assert account.machine_token() is None


def test_a_broken_login_is_no_login(machine, monkeypatch):
    monkeypatch.setenv("HF_OIDC_RESOURCE", "ann/facet")  # asks for a sign-in that only a build service has
    assert account.machine_token() is None


def test_signing_in_by_a_code_keeps_the_token_where_other_tools_find_it(machine, stand_in):
    code = account.begin_sign_in()
    assert code.url == f"{stand_in.url}/device?user_code={code.user_code}" and code.expires_in > 0
    assert code.raw["device_code"] not in repr(code)
    turns = []

    def stop():
        turns.append(1)
        if len(turns) == 3:
            stand_in.approve_device("ann", code.user_code)
        return False

    assert account.finish_sign_in(code, stop).name == "ann"
    assert len(turns) > 3
    kept = (machine / "token").read_text()
    assert kept in stand_in.tokens and whoami(account.machine_token(), stand_in.url).name == "ann"
    assert oct((machine / "token").stat().st_mode)[-3:] == "600"


def test_another_tool_sees_the_sign_in(machine, stand_in):
    sign_in(stand_in)
    environment = {**os.environ, **stand_in.environment, "HF_HOME": str(machine)}
    program = "import huggingface_hub; print(huggingface_hub.whoami()['name'])"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == "ann", done.stderr


@pytest.mark.parametrize(
    ("answer", "words"),
    [("deny_device", "refused in the browser"), ("expire_device", "not entered in time")],
)
def test_a_sign_in_that_is_not_allowed_says_why(machine, stand_in, answer, words):
    code = account.begin_sign_in()
    getattr(stand_in, answer)(code.user_code)
    with pytest.raises(AccessError, match=words):
        account.finish_sign_in(code, lambda: False)
    assert account.machine_token() is None


def test_waiting_can_be_stopped(machine, stand_in):
    code, stopped = account.begin_sign_in(), threading.Event()
    threading.Timer(0.2, stopped.set).start()
    start = time.monotonic()
    with pytest.raises(AccessError, match="stopped"):
        account.finish_sign_in(code, stopped.is_set)
    assert time.monotonic() - start < 5 and not (machine / "token").exists()


def test_who_stops_at_the_last_moment_is_not_signed_in(machine, stand_in):
    code = account.begin_sign_in()
    stand_in.approve_device("ann", code.user_code)
    with pytest.raises(AccessError, match="stopped"):
        account.finish_sign_in(code, lambda: True)
    assert not (machine / "token").exists()


@pytest.mark.parametrize("trouble", [500, 404, "cut", "truncate"])
def test_no_code_is_told_in_plain_words(machine, stand_in, trouble):
    stand_in.plan("/oauth/device", trouble)
    with pytest.raises(HubError) as caught:
        account.begin_sign_in()
    assert all(sentence.endswith(".") for sentence in caught.value.args)


def test_a_sign_in_that_cannot_be_kept_says_so_without_the_token(machine, stand_in, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    machine.write_text("a file where the folder should be")
    with pytest.raises(HubError, match="could not be kept") as caught:
        sign_in(stand_in)
    logging.getLogger("facet").error("sign-in failed", exc_info=caught.value)
    assert not any(token in f"{caught.value}{caplog.text}" for token in stand_in.tokens)


def test_signing_out_forgets_this_login_and_leaves_others(machine, stand_in):
    _auth._save_token(token="hf_of_another_tool", token_name="work")
    sign_in(stand_in)
    account.sign_out_machine()
    assert account.machine_token() is None
    assert _auth.get_stored_tokens() == {"work": "hf_of_another_tool"}
    account.sign_out_machine()


def test_a_login_that_facet_cannot_undo_is_told(machine, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_set_elsewhere")
    with pytest.raises(AccessError, match="still signed in") as caught:
        account.sign_out_machine()
    assert "hf_set_elsewhere" not in str(caught.value)


def test_a_space_can_be_signed_in_by_nobody(machine, stand_in, monkeypatch):
    code = account.begin_sign_in()
    monkeypatch.setenv("SPACE_ID", "ann/facet")
    stand_in.asked.clear()
    for call in (account.begin_sign_in, lambda: account.finish_sign_in(code, lambda: False), account.sign_out_machine):
        with pytest.raises(AccessError, match="this machine"):
            call()
    assert not stand_in.asked


def test_no_token_is_in_any_error_or_log(machine, stand_in, caplog):
    caplog.set_level(logging.INFO)
    token = stand_in.token("ann")
    for status in (400, 401, 403, 500):
        stand_in.plan("/api/whoami-v2", status, message=f"{token} is not welcome")
        with pytest.raises(FacetError) as caught:
            whoami(token, stand_in.url)
        logging.getLogger("facet").error("asking failed", exc_info=caught.value)
        assert token not in str(caught.value)
    sign_in(stand_in)
    assert "asking failed" in caplog.text and not any(each in caplog.text for each in stand_in.tokens)


def test_only_one_file_uses_the_private_parts_of_the_library():
    package = Path(account.__file__).parents[1]
    users = {file.name for file in package.rglob("*.py") if "_oauth_device" in file.read_text("utf-8")}
    assert users == {"account.py"}
