"""Our client against a judge on loopback: everything that real ones have been seen to do, and nothing of a key lost."""

import datetime
import logging
import ssl
import threading
import time
from email.utils import format_datetime

import pytest

from facet.exam.addresses import at, is_public, pinned
from facet.exam.asking import LONGEST_WAIT, Trial, complaint, patiently
from facet.exam.openai_server import OpenAiServer
from facet.hub.inference import Hosted
from facet.judging import HostedJudge
from tests.judge_stand_in import Act, JudgeStandIn, said

KEY = "sk-canary-7f3a9b2c"
ASKED = [{"role": "user", "content": "Secret words of a person, schön \U0001f600"}]
GARBLED = [
    b"<html>gateway</html>", b"", b"[]", b"null", b"{}", b'{"choices": []}', b'{"choices": [{}]}', b'"text"',
    b'{"choices": [{"message": "no"}]}', b"[" * 100_000, b'{"choices": 7}', b"\xff\xfe", b'{"choices": [{"mess',
]  # fmt: skip


@pytest.fixture
def stand_in():
    with JudgeStandIn() as made:
        yield made


@pytest.fixture(params=["own", "hosted"])
def judge(request, stand_in):
    """The two real clients: ours, and the one of huggingface_hub."""
    if request.param == "own":
        made = OpenAiServer(stand_in.url, "big", KEY, shared=False, silence_seconds=1.0, call_seconds=2.0)
    else:
        made = HostedJudge(Hosted(KEY, "big", base_url=stand_in.url, seconds=1.0))
    yield made
    made.close()


def ask(judge, stop=None):
    return judge.ask(ASKED, stop or threading.Event())


def trial(judge) -> Trial:
    with pytest.raises(Trial) as caught:
        ask(judge)
    assert KEY not in repr(caught.value) and "Secret words" not in repr(caught.value)
    return caught.value


def test_a_reply_comes_with_what_it_cost_and_the_key_stands_in_the_header_alone(judge, stand_in):
    reply = ask(judge)

    assert reply.text == '{"reason": "fine", "score": 7}'
    assert (reply.tokens_in, reply.tokens_out, reply.refused) == (100, 20, False)
    assert stand_in.seen[0]["authorization"] == f"Bearer {KEY}"
    assert stand_in.seen[0]["path"] == "/v1/chat/completions"
    assert (stand_in.asked[0]["model"], stand_in.asked[0]["temperature"]) == ("big", 0)
    assert KEY not in str(stand_in.asked) and KEY not in repr(judge) and KEY not in str(vars(judge).get("hosted", ""))


@pytest.mark.parametrize("body", GARBLED, ids=range(len(GARBLED)))
def test_a_body_that_makes_no_sense_is_garbled(judge, stand_in, body):
    stand_in.acts = [Act(body=body)]
    assert trial(judge).name == "garbled"


@pytest.mark.parametrize(
    ("act", "name"),
    [
        (Act(401, body={"error": {"message": f"bad {KEY}"}}), "key"),
        (Act(403, body={"error": "no"}), "key"),
        (Act(402, body={"error": "You have exceeded your monthly included credits"}), "credit"),
        (Act(404, body={"error": {"code": "model_not_found"}}), "model"),
        (Act(400, body={"error": {"message": "too long"}}), "request"),
        (Act(422, body={"error": {"message": "too long"}}), "request"),
        (Act(429, headers={"Retry-After": "0"}, body={"error": {}}), "busy"),
        (Act(500, body=b"oops"), "broken"),
        (Act(503, headers={"Retry-After": "1"}, body=b""), "broken"),
        (Act(cut_after=30), "broken"),
        (Act(drop=True), "broken"),
        (Act(silence=1.5), "broken"),
    ],
    ids=lambda value: f"{value.status} {value.cut_after or ''}" if isinstance(value, Act) else value,
)
def test_each_failure_has_its_name(judge, stand_in, act, name):
    stand_in.acts = [act]
    assert trial(judge).name == name


def test_a_server_that_drips_for_ever_is_given_up(stand_in):
    judge = OpenAiServer(stand_in.url, "big", shared=False, silence_seconds=5.0, call_seconds=0.3)
    stand_in.acts = [Act(drip=0.05)]
    begun = time.monotonic()
    assert trial(judge).name == "broken"
    assert time.monotonic() - begun < 4  # and not the ten seconds its answer would take


def test_a_body_without_end_is_given_up(stand_in):
    judge = OpenAiServer(stand_in.url, "big", shared=False)
    stand_in.acts = [Act(body=b" " * 3_000_000), Act(headers={"Content-Encoding": "gzip"}, body=b"\x1f\x8b")]
    assert trial(judge).name == "garbled"
    assert trial(judge).name == "garbled"


def test_who_is_no_longer_wanted_stops_in_the_middle_of_an_answer(stand_in):
    judge, stop = OpenAiServer(stand_in.url, "big", shared=False), threading.Event()
    stand_in.acts = [Act(drip=0.05)]
    threading.Timer(0.2, stop.set).start()
    with pytest.raises(Trial, match="stopped"):
        ask(judge, stop)


def test_no_redirect_is_followed(stand_in):
    with JudgeStandIn() as elsewhere:
        judge = OpenAiServer(stand_in.url, "big", KEY, shared=False)
        for status in (301, 302, 307, 308):
            stand_in.acts = [Act(status, headers={"Location": f"{elsewhere.url}/chat/completions"}, body=b"")]
            assert trial(judge).name == "redirect"
        assert elsewhere.asked == []


def test_a_hosted_model_never_takes_the_token_to_another_place(stand_in):
    with JudgeStandIn() as elsewhere:
        judge = HostedJudge(Hosted(KEY, "big", base_url=stand_in.url))
        stand_in.acts = [Act(307, headers={"Location": f"{elsewhere.url}/chat/completions"}, body=b"")]
        ask(judge)
        assert [KEY in str(head) for head in elsewhere.seen] in ([], [False])


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        (said("", refusal="I cannot help with that."), True),
        (said(None, ended="content_filter"), True),
        (said("", ended="content_filter: SAFETY"), True),
        (said('{"score": 3}', ended="content_filter"), False),
        (said([{"type": "text", "text": '{"score": 3}'}]), False),
    ],
)
def test_a_refusal_is_told_from_an_answer(stand_in, body, refused):
    stand_in.acts = [Act(body=body)]
    reply = ask(OpenAiServer(stand_in.url, "big", shared=False))
    assert reply.refused is refused and (refused or reply.text == '{"score": 3}')


def test_a_failure_wrapped_as_a_success_is_a_failure(stand_in):
    stand_in.acts = [Act(body={"error": {"code": 429}}), Act(body={"error": {"code": "odd", "message": KEY}})]
    judge = OpenAiServer(stand_in.url, "big", shared=False)
    assert (trial(judge).name, trial(judge).name) == ("busy", "broken")


def test_settings_a_model_does_not_know_are_left_out(stand_in):
    """Models that think refuse both, one after the other."""
    unknown = {"code": "unsupported_parameter", "param": "max_tokens", "message": "Use 'max_completion_tokens'."}
    stand_in.acts = [
        Act(400, body={"error": unknown}),
        Act(400, body={"error": {"param": "temperature", "message": "Unsupported value: 'temperature'"}}),
    ]
    judge = OpenAiServer(stand_in.url, "big", shared=False)
    assert ask(judge).text
    assert ask(judge).text
    assert "max_completion_tokens" in stand_in.asked[-1] and "temperature" not in stand_in.asked[-1]
    assert len(stand_in.asked) == 4  # the second question knows what the first learned


def test_google_and_openai_say_in_their_own_ways_what_is_wrong(stand_in):
    retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "17.5s"}
    stand_in.acts = [
        Act(429, body=[{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": [{"a": 1}, retry, 7]}}]),
        Act(400, body=[{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key."}}]),
        Act(429, body={"error": {"code": "insufficient_quota", "type": "insufficient_quota"}}),
    ]
    judge = OpenAiServer(stand_in.url, "big", shared=False)
    busy = trial(judge)
    assert (busy.name, busy.wait) == ("busy", 17.5)
    assert (trial(judge).name, trial(judge).name) == ("key", "credit")


# ---- patience
class Waits(list):
    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def test_we_wait_as_long_as_the_server_says_and_longer_each_time_otherwise(judge, stand_in):
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=20)
    stand_in.acts = [
        Act(429, headers={"Retry-After": "7"}, body={"error": {}}),
        Act(429, headers={"Retry-After": format_datetime(soon, usegmt=True)}, body=b""),
        Act(500, body=b""),
        Act(drop=True),
    ]
    waits = Waits()
    assert patiently(judge, ASKED, threading.Event(), waits).text
    assert 7 <= waits[0] <= 9 and 18 <= waits[1] <= 26 and 4 <= waits[2] <= 5 and 8 <= waits[3] <= 10


def test_patience_ends_after_five_tries_and_never_begins_where_waiting_does_not_help(stand_in):
    judge, waits = OpenAiServer(stand_in.url, "big", shared=False), Waits()
    stand_in.acts = [Act(500, body=b"") for _ in range(9)]
    with pytest.raises(Trial, match="broken"):
        patiently(judge, ASKED, threading.Event(), waits)
    assert (len(waits), len(stand_in.asked)) == (4, 5)
    for act in (
        Act(401, body=b""),
        Act(429, headers={"Retry-After": f"{LONGEST_WAIT + 1:.0f}"}, body=b""),
        Act(404, body=b""),
    ):
        stand_in.acts, waits[:] = [act], []
        with pytest.raises(Trial):
            patiently(judge, ASKED, threading.Event(), waits)
        assert waits == []


def test_what_was_paid_for_and_made_no_sense_is_asked_once_more_and_not_four_times(stand_in):
    judge, waits = OpenAiServer(stand_in.url, "big", shared=False), Waits()
    stand_in.acts = [Act(body=b"{"), Act(), Act(body=b"{"), Act(body=b"{")]
    assert patiently(judge, ASKED, threading.Event(), waits).text
    with pytest.raises(Trial, match="garbled"):
        patiently(judge, ASKED, threading.Event(), waits)
    assert len(stand_in.asked) == 4


@pytest.mark.parametrize("name", ["busy", "broken", "garbled", "key", "credit", "model", "request", "redirect"])
def test_every_trial_is_told_in_three_sentences_without_a_secret(name):
    told = complaint(Trial(name, 429, 200.0), "Google Gemini")
    assert all(sentence.endswith(".") for sentence in (told.what, told.why, told.next))


def test_nothing_of_a_key_or_a_question_is_in_the_log(judge, stand_in, caplog):
    with caplog.at_level(logging.DEBUG):
        stand_in.acts = [Act(401, body={"error": {"message": f"bad {KEY}"}}), Act(cut_after=20), Act()]
        trial(judge)
        trial(judge)
        ask(judge)
    ours = [record for record in caplog.records if record.name.startswith("facet")]
    assert KEY not in caplog.text and "Secret words" not in caplog.text and ours == []


# ---- on a shared machine
PRIVATE = [
    "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.5.5", "169.254.169.254", "0.0.0.0", "100.64.0.1", "::1", "fe80::1",
    "fd00::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "224.0.0.1", "x",
    "255.255.255.255", "fe80::1%eth0",
]  # fmt: skip


@pytest.mark.parametrize("number", PRIVATE)
def test_no_name_leads_into_the_machines_own_network(number):
    assert not is_public(number)
    for found in ([number], ["8.8.8.8", number]):
        with pytest.raises(Trial, match="address"):
            pinned("https://judge.example/v1", lambda host, port, found=found: found)


def test_a_name_is_looked_up_once_and_its_number_is_what_is_spoken_to():
    turns = iter([["8.8.8.8"], ["127.0.0.1"]])
    (place,) = pinned("https://judge.example:8443/v1/chat/completions", lambda host, port: next(turns))
    assert place.url == "https://8.8.8.8:8443/v1/chat/completions"
    assert (place.host, place.name) == ("judge.example:8443", "judge.example")
    assert at("https://a.example/v1", "2001:4860:4860::8888").url == "https://[2001:4860:4860::8888]/v1"


def test_a_shared_machine_speaks_https_only_and_finds_no_unknown_name():
    for url in ("http://judge.example/v1", "ftp://judge.example", "https:///v1"):
        with pytest.raises(Trial, match="address"):
            pinned(url, lambda host, port: ["8.8.8.8"])

    def nowhere(host, port):
        raise OSError(f"no {KEY}")

    with pytest.raises(Trial, match="broken"):
        pinned("https://judge.example/v1", nowhere)


def test_on_a_shared_machine_loopback_is_never_asked(stand_in):
    judge = OpenAiServer("https://judge.example/v1", "big", KEY, shared=True, resolve=lambda host, port: ["127.0.0.1"])
    assert trial(judge).name == "address"
    judge = OpenAiServer(stand_in.url, "big", KEY, shared=True)
    assert trial(judge).name == "address"
    assert stand_in.asked == []


def test_the_pinned_number_is_spoken_to_under_the_servers_name_and_its_certificate_is_checked(tmp_path, monkeypatch):
    """A real TLS handshake: the certificate is for the name, while the connection goes to the number."""
    ours, trusting = certificates(tmp_path, "judge.example")
    monkeypatch.setattr("facet.exam.addresses.is_public", lambda number: True)
    with JudgeStandIn(certificate=ours) as served:

        def judge(name, certificates=trusting):
            where = f"https://{name}:{served.port}/v1"
            return OpenAiServer(
                where,
                "big",
                KEY,
                shared=True,
                resolve=lambda host, port: ["127.9.9.9", "127.0.0.1"],
                certificates=certificates,
            )

        assert ask(judge("judge.example")).text
        assert served.seen[0]["host"] == f"judge.example:{served.port}"
        assert trial(judge("other.example")).name == "broken"
        assert trial(judge("judge.example", None)).name == "broken"
        assert len(served.asked) == 1


def certificates(folder, name):
    """A server's own, and a client that trusts it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    who, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]), datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(file)
    return ours, ssl.create_default_context(cadata=made.public_bytes(serialization.Encoding.PEM).decode())
