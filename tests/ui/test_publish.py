"""What the page says about publishing and bringing in, before, while and after."""

import threading

import pytest

from facet.errors import AccessError, HubError, SettingError
from facet.identity import LOCAL, Grant, Person
from facet.publish.publications import Publication
from facet.ui.account import Standing
from facet.ui.bring import as_one, emptied, require_nothing_on_its_way, source_of
from facet.ui.publication import (
    describe_access,
    describe_publication,
    describe_target,
    suggested_name,
    verdict,
)
from facet.ui.publish import describe_card
from facet.ui.to_hub import fingerprint, hindrance_of
from tests.journeys import a_studio
from tests.ui.test_account import ANN, HOSTILE, VISITOR, words

REPO = "ann/pirate"


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("First taste: a pirate", "first-taste-a-pirate"),
        ("Häuser & Gärten on Gemma 3 270M", "hauser-garten-on-gemma-3-270m"),
        ("../../etc/passwd", "etc-passwd"),
        ("日本語", "my-model"),
        ("x" * 200, "x" * 76),
        ("a -- b .. c", "a-b-c"),
    ],
)
def test_a_name_is_suggested_that_the_hub_takes(said, name):
    assert suggested_name(said) == name
    assert verdict("ann", name) == (True, "")


@pytest.mark.parametrize("name", ["", "a b", "a--b", "a/b", "-a", "x" * 97])
def test_a_name_the_hub_does_not_take_is_refused_beside_its_field(name):
    fine, why = verdict("ann", name)
    assert not fine and why


def test_private_unless_one_says_otherwise_and_public_is_warned_of():
    assert "only you will see it" in describe_target("ann", "pirate", False, "ann", set())
    assert "members of maple will see it" in describe_target("maple", "pirate", False, "ann", set())
    public = describe_target("ann", "pirate", True, "ann", set())
    assert "Everybody" in public and "can repeat" in public and "Private" not in public


def test_a_name_used_before_becomes_the_next_version():
    assert "next version" in describe_target("ann", "pirate", False, "ann", {REPO})
    assert "next version" not in describe_target("ann", "pirate", False, "ann", {"ann/poems"})


def test_no_target_is_promised_for_an_impossible_name():
    assert (
        describe_target("ann", "a b", False, "ann", set()) == ""
        and describe_target("", "pirate", False, "ann", set()) == ""
    )


def test_while_it_goes_one_sees_what_is_done_and_how_much():
    shown = describe_publication(Publication(REPO, False, None, "working", "Uploading the adapter", 0.4), [])
    assert "Uploading the adapter." in shown and 'aria-valuenow="40"' in shown and "close this page" in shown


def test_when_it_is_there_one_gets_link_version_and_who_sees_it():
    done = Publication(REPO, False, "v2", "done", share=1.0, url=f"https://huggingface.co/{REPO}", when=1.0)
    shown = describe_publication(done, [])
    assert f'href="https://huggingface.co/{REPO}"' in shown and "v2" in shown and "Private" in shown
    assert "newer run" in words(shown)
    same = Publication(REPO, True, "v2", "done", share=1.0, url="https://huggingface.co/ann/pirate", unchanged=True)
    assert "no new version" in describe_publication(same, []) and "Public" in describe_publication(same, [])


def test_a_failure_has_its_three_sentences_and_an_interruption_says_how_to_go_on():
    failure = HubError("It broke off.", "The Hub answered 500.", "Try again.").as_dict()
    shown = words(describe_publication(Publication(REPO, False, None, "failed", failure=failure), []))
    assert all(sentence in shown for sentence in ("It broke off.", "answered 500.", "Try again."))
    assert "Try again" in describe_publication(Publication(REPO, False, None, "interrupted"), [])


def test_earlier_versions_are_listed_once_there_are_some():
    versions = [{"repo": REPO, "tag": tag, "sha": tag, "when": 1.0, "public": False} for tag in ("v2", "v2", "v1")]
    done = Publication(REPO, False, "v2", "done", when=1.0)
    assert describe_publication(done, versions).count("<li>") == 1
    assert "Earlier versions" not in describe_publication(done, versions[:2])


def test_what_is_said_about_access_fits_the_person():
    assert "Sign in to publish" in describe_access(_hindrance(Grant(LOCAL)), Standing(LOCAL))
    visitor = describe_access(_hindrance(Grant(VISITOR)), Standing(VISITOR))
    assert "/login/huggingface" in visitor
    few = Grant(ANN, "t", frozenset({"read-repos"}))
    missing = describe_access(_hindrance(few), Standing(ANN, True, "ann", ("ann",), (), few.scopes))
    assert "contribute-repos" in missing and "Sign in again" in missing


def test_nothing_hinders_who_may():
    grant = Grant(ANN, "t", frozenset({"contribute-repos"}))
    assert hindrance_of(grant, Standing(ANN, True, "ann", ("ann",), (), grant.scopes)) is None
    reader = hindrance_of(Grant(LOCAL, "t"), Standing(LOCAL, True, "ann", ()))
    assert isinstance(reader, AccessError) and "may not publish" in str(reader)
    away = HubError("The Hub could not be reached.", "Offline.", "Check the network.")
    assert hindrance_of(Grant(LOCAL, "t"), Standing(LOCAL, True, problem=away)) is away


def _hindrance(grant: Grant) -> AccessError | None:
    return hindrance_of(grant, Standing(grant.person, bool(grant.token), scopes=grant.scopes))


def test_nothing_that_came_from_outside_becomes_html():
    failure = HubError(HOSTILE, HOSTILE, HOSTILE).as_dict()
    for stage in ("working", "done", "failed", "interrupted"):
        one = Publication(HOSTILE, False, HOSTILE, stage, HOSTILE, 0.1, HOSTILE, False, failure, 1.0)
        versions = [{"repo": HOSTILE, "tag": HOSTILE, "sha": HOSTILE, "when": 1.0}] * 2
        assert "<img" not in describe_publication(one, versions)
    assert "<img" not in describe_card(f"---\nlicense: other\n---\n# A {HOSTILE}\n\n![x](curve.svg)\n")


def test_the_card_is_shown_with_its_front_matter_and_loads_no_picture():
    shown = describe_card("---\nlicense: gemma\ntags:\n- lora\n---\n\n# Pirate\n\n![Loss](curve.svg)\n")
    assert shown.startswith("```yaml\nlicense: gemma") and "# Pirate" in shown and "!\\[Loss]" in shown


def test_a_refresh_changes_nothing_until_something_has_happened():
    one = Publication(REPO, False, None, "working", "Uploading", 0.401)
    assert fingerprint("run-1", one) == fingerprint(
        "run-1", Publication(REPO, False, None, "working", "Uploading", 0.4)
    )
    assert fingerprint("run-1", one) != fingerprint("run-1", Publication(REPO, False, "v1", "done"))
    assert fingerprint("run-1", None) != fingerprint("run-2", None)


def test_one_model_is_brought_in_at_a_time():
    assert source_of(" ann/pirate ", None) == "hub:ann/pirate" == source_of("hub:ann/pirate", None)
    assert source_of("", "/tmp/x.zip") == "/tmp/x.zip"
    for both in (("", None), ("ann/pirate", "/tmp/x.zip")):
        with pytest.raises(SettingError):
            source_of(*both)


def test_what_is_written_while_a_model_is_brought_in_stays():
    asked = as_one("ann/pirate", "Pirate")
    assert emptied(asked, asked) == ["", ""]
    for now in (as_one("ann/other", "Pirate"), as_one("ann/pirate", "Another")):
        assert all(field not in ("", None) for field in emptied(now, asked))


def test_a_second_model_waits_for_the_first(tmp_path):
    studio, may_end = a_studio(tmp_path), threading.Event()
    job = studio.makings.start(LOCAL, "Bringing in a tuned model", lambda _: may_end.wait(30))
    with pytest.raises(SettingError, match="still being brought in"):
        require_nothing_on_its_way(studio, LOCAL, job)
    may_end.set()
    studio.makings.wait(LOCAL, job, 30)
    for over in (job, None, "unknown"):
        require_nothing_on_its_way(studio, LOCAL, over)


def test_a_person_of_a_space_is_told_the_same_whatever_they_are_called():
    odd = Person("hf-2", HOSTILE, "signed-in")
    assert "<img" not in describe_access(_hindrance(Grant(odd, "t", frozenset())), Standing(odd, True, HOSTILE))
