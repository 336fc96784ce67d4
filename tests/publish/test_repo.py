import json
import threading

import pytest

from facet.errors import AccessError, DataError, SettingError
from facet.publish.repo import Published
from tests.publish.publishing import EXPORTED, NEVER, write

pytestmark = pytest.mark.hub


def test_a_model_is_published_whole_private_and_in_one_commit(ann, stand_in):
    done = ann.press()
    repo = ann.repo()
    page = f"{stand_in.url}/ann/poems"
    assert done == Published("ann/poems", page, repo.sha, None, private=True, created=True, unchanged=False)
    assert ann.files() == EXPORTED and repo.private
    assert len(ann.versions()) == 1 and ann.versions()[0].parent == repo.history[-1].sha
    shares = [share for _, share in ann.told]
    assert shares == sorted(shares) and shares[-1] == 1.0 and not ann.waited
    assert "PUT" not in {method for method, path, _ in stand_in.asked if path.startswith("/api/")}  # private at birth


def test_nothing_but_the_listed_files_leaves_this_machine(ann):
    ann.press()
    assert not set(NEVER) & set(ann.files())
    assert not any(name in str(path) for _, path, _ in ann.hub.asked for name in ("training_args", "optimizer"))


def test_links_in_the_folder_are_not_followed(ann, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("mine alone")
    for name, target in (("NOTICE", secret), ("curve.svg", ann.folder / "training_args.bin")):
        (ann.folder / name).unlink()
        (ann.folder / name).symlink_to(target)
    ann.press()
    assert not {"NOTICE", "curve.svg"} & set(ann.files())


def test_pressing_again_changes_nothing(ann):
    first = ann.press()
    second = ann.press()
    assert (second.unchanged, second.created, second.sha) == (True, False, first.sha)
    assert len(ann.versions()) == 1


def test_another_model_under_the_same_name_is_a_new_version_without_leftovers(ann, tmp_path):
    ann.press()
    newer = {**EXPORTED, "adapter_model.safetensors": b"better!" * 300}
    del newer["NOTICE"]
    ann.repo().push({"demo.png": b"put there by hand"})
    done = ann.press(folder=write(tmp_path / "newer", newer))
    assert not done.created and not done.unchanged
    assert ann.files() == newer | {"demo.png": b"put there by hand"}
    assert ann.versions()[0].files.keys() - {".gitattributes"} == ann.files().keys()


def test_a_version_that_only_lacks_a_file_is_a_new_version(ann):
    ann.press()
    (ann.folder / "NOTICE").unlink()
    assert not ann.press().unchanged
    assert "NOTICE" not in ann.files() and len(ann.versions()) == 2


def test_the_starter_brings_its_own_starting_model(ann, tmp_path):
    base = {"base/config.json": b"{}", "base/model-00001-of-00001.safetensors": b"w" * 2000, "base/evil.bin": b"x"}
    config = {"adapter_config.json": json.dumps({"base_model_name_or_path": "starter"}).encode()}
    ann.press(folder=write(tmp_path / "starter", EXPORTED | config | base))
    assert {name for name in ann.files() if "/" in name} == set(base) - {"base/evil.bin"}
    with pytest.raises(DataError, match="nowhere else"):
        ann.press(folder=write(tmp_path / "half", EXPORTED | config))


def test_public_is_the_last_thing_that_happens(ann):
    done = ann.press(private=False)
    asked = [(method, path.rsplit("/", 1)[-1]) for method, path, _ in ann.hub.asked]
    shown = asked.index(("PUT", "settings"))
    assert not done.private and not ann.repo().private
    committed = next(place for place, (_, path, _) in enumerate(ann.hub.asked) if "/commit/" in path)
    read_back = next(place for place, (_, path, _) in enumerate(ann.hub.asked[committed:]) if "/tree/" in path)
    assert committed + read_back < shown
    assert not [method for method, path, _ in ann.hub.asked[shown + 1 :] if method != "GET"]


def test_a_damaged_upload_never_becomes_public(ann):
    ann.hub.plan("/lfs/", "wrong-hash", method="PUT")
    with pytest.raises(Exception, match=r"not what was sent.*Nothing public was changed"):
        ann.press(private=False)
    assert ann.repo().private
    assert not ann.press(private=False).private
    assert ann.files() == EXPORTED


def test_a_model_that_cannot_be_made_public_is_whole_and_private_and_says_so(ann):
    ann.hub.plan("settings", 403, times=9, method="PUT")
    with pytest.raises(AccessError, match="whole, but it is still private") as caught:
        ann.press(private=False)
    assert f"{ann.hub.url}/ann/poems/settings" in caught.value.next
    assert ann.repo().private and ann.files() == EXPORTED
    ann.hub.planned.clear()
    assert ann.press(private=False).unchanged and not ann.repo().private


def test_versions_can_be_named(ann, tmp_path):
    assert ann.press(tag="next").tag == "v1"
    assert ann.press(tag="next").tag == "v1"
    newer = write(tmp_path / "newer", EXPORTED | {"README.md": EXPORTED["README.md"] + b"more"})
    with pytest.raises(SettingError, match=r"version called v1 already.*Call this one v2"):
        ann.press(folder=newer, tag="v1")
    assert len(ann.versions()) == 1
    done = ann.press(folder=newer, tag="next")
    assert done.tag == "v2" and ann.repo().tags["v2"] == done.sha
    assert ann.press(folder=newer, tag="for-the-fair").tag == "for-the-fair"
    assert set(ann.repo().tags) == {"v1", "v2", "for-the-fair"}


@pytest.mark.parametrize(
    "tag", ["main", "a b", "../x", "a..b", "-x", "x.lock", "0" * 40, "x" * 99, "hf_" + "a" * 30, ""]
)
def test_a_version_that_cannot_be_called_so_is_refused_before_anybody_is_asked(ann, tag):
    with pytest.raises(SettingError, match="cannot be called"):
        ann.press(tag=tag)
    assert not ann.hub.asked


def test_a_repository_of_other_origin_is_left_alone(ann):
    ann.hub.add("model", "ann/poems", {"config.json": b"{}", "README.md": b"mine"}, made_by="facet-space")
    before = ann.repo().sha
    with pytest.raises(SettingError, match="not Facet's"):
        ann.press()
    assert ann.repo().sha == before


@pytest.mark.parametrize("private", [True, False])
def test_an_empty_repository_is_used_and_is_private_until_the_end(ann, private):
    ann.hub.add("model", "ann/poems", {".gitattributes": b""}, private=False, made_by="facet-space")
    ann.hub.plan("/commit/", 413)
    with pytest.raises(Exception, match="room"):
        ann.press(private=private)
    assert ann.repo().private
    assert ann.press(private=private).created and ann.repo().private == private


def test_a_public_model_is_not_given_a_new_version_for_one_asked_to_be_private(ann, tmp_path):
    ann.press(private=False)
    newer = write(tmp_path / "newer", EXPORTED | {"curve.svg": b"<svg></svg>"})
    with pytest.raises(SettingError, match="public, and you asked for a private"):
        ann.press(folder=newer)
    assert len(ann.versions()) == 1
    assert not ann.press(folder=newer, private=False).private


def test_a_private_repository_of_another_application_is_a_taken_name(ann):
    ann.hub.add("model", "ann/poems", {"x": b""}, private=True, made_by="something-else")
    with pytest.raises(SettingError, match="is taken"):
        ann.press()


def test_a_name_that_differs_in_capitals_only_is_pointed_out(ann):
    ann.press("ann/Poems")
    with pytest.raises(SettingError, match=r"called ann/Poems already"):
        ann.press("ann/poems")


@pytest.mark.parametrize(
    ("owner", "words"),
    [("ben", "it is not yours"), ("readers", "may read there but not write"), ("poets", None), ("nobody", "not yours")],
)
def test_one_publishes_under_ones_own_name_or_where_one_may_write(ann, owner, words):
    ann.hub.person("ben")
    if words is None:
        assert ann.press(f"{owner}/poems").repo == f"{owner}/poems"
        return
    with pytest.raises(AccessError, match=words) as caught:
        ann.press(f"{owner}/poems")
    assert "ann/poems or poets/poems" in caught.value.next
    assert {path for _, path, _ in ann.hub.asked} == {"/api/whoami-v2"}


def test_a_sign_in_without_the_permission_says_so(ann):
    reading = ann.hub.token("ann", scopes=["read-repos", "gated-repos"])
    with pytest.raises(AccessError, match="may not write"):
        ann.press(token=reading)
    with pytest.raises(AccessError, match="may read there but not write"):
        ann.press(token=ann.hub.token("ann", role="read"))
    narrow = ann.hub.token("ann", role="fineGrained", permissions={"poets": {"repo.write"}})
    with pytest.raises(AccessError, match="poets/poems"):
        ann.press(token=narrow)
    assert ann.press("poets/poems", token=narrow).created


def test_a_missing_permission_is_named_when_the_hub_names_it(ann):
    ann.hub.plan("/api/repos/create", 403, message="Missing scope: contribute-repos")
    with pytest.raises(AccessError, match="“contribute-repos”"):
        ann.press()


@pytest.mark.parametrize("how", ["revoked", "expired", "blank", "two lines"])
def test_a_token_that_is_not_accepted_asks_to_sign_in_again(ann, how):
    token = ann.token if how == "revoked" else ann.hub.token("ann", expires_in=-1) if how == "expired" else "a b"
    token = f"{ann.token}\n{ann.token}" if how == "two lines" else token
    if how == "revoked":
        ann.hub.revoke(ann.token)
    with pytest.raises(AccessError, match="no longer accepted"):
        ann.press(token=token)
    assert len(ann.hub.asked) <= 1


@pytest.mark.parametrize("place", ["facet-run.yaml", "README.md", "adapter_model.safetensors"])
@pytest.mark.parametrize("key", ["hf_" + "aB3" * 9, "hf_oauth_" + "aB3" * 9])
def test_a_key_in_a_file_stops_everything(ann, place, key):
    (ann.folder / place).write_bytes(EXPORTED[place] + b"x" * (1 << 20) + key.encode() + b" ")
    with pytest.raises(DataError, match=f"key in one of the files.*{place}") as caught:
        ann.press()
    assert not ann.hub.asked and "hf_a" not in str(caught.value)


def test_a_key_across_two_pieces_of_a_file_is_seen(ann):
    start = b"x" * ((1 << 20) - 10)
    (ann.folder / "adapter_model.safetensors").write_bytes(start + b"hf_" + b"aB3" * 9)
    with pytest.raises(DataError, match="key in one of the files"):
        ann.press()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"adapter_model.safetensors": None}, "lacks adapter_model"),
        ({"facet-run.yaml": None}, "lacks facet-run"),
        ({"adapter_config.json": None}, "lacks adapter_config"),
        ({"adapter_config.json": b"{"}, "cannot be read"),
        ({"adapter_config.json": b"[1]"}, "folder of this machine"),
        ({"adapter_config.json": b'{"base_model_name_or_path": "my-model"}'}, "folder of this machine"),
        ({"adapter_config.json": b'{"base_model_name_or_path": "/home/ann/model"}'}, "folder of this machine"),
        ({"adapter_config.json": b'{"base_model_name_or_path": ["a/b"]}'}, "folder of this machine"),
    ],
)
def test_what_is_no_whole_model_for_others_is_refused_before_anybody_is_asked(ann, tmp_path, change, words):
    files = {name: data for name, data in (EXPORTED | change).items() if data is not None}
    with pytest.raises(DataError, match=words):
        ann.press(folder=write(tmp_path / "odd", files))
    assert not ann.hub.asked


def test_a_card_the_hub_does_not_take_is_told_in_its_words(ann):
    (ann.folder / "README.md").write_text("---\nlicense: nonsense\n---\n")
    with pytest.raises(Exception, match=r"did not accept the files.*nonsense"):
        ann.press(private=False)
    assert ann.repo().private and not ann.versions()


def test_two_presses_at_once_make_one_commit(ann):
    for round_ in range(5):
        ready, done = threading.Barrier(2), []

        def press(name, ready=ready, done=done):
            ready.wait()
            done.append(ann.press(name, private=False, tag="next"))

        name = f"ann/poems-{round_}"
        both = [threading.Thread(target=press, args=(name,)) for _ in range(2)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        assert len(done) == 2 and done[0].sha == done[1].sha
        assert len(ann.versions(name)) == 1 and ann.files(name) == EXPORTED
        assert ann.repo(name).tags == {"v1": done[0].sha}
