import pytest

from facet.errors import SettingError
from facet.publish.names import next_version
from facet.publish.repo import check_name

LONG = "x" * 96
GOOD = ["ann/a", f"ann/{LONG}", "ann/poems", "Ann-2/Pirate_Poems.v2", "a/0", "ann/console", "ann/x.gitx", "ann/main"]
BAD = {
    "": "no name yet",
    "   ": "no name yet",
    "sonnets": "one slash",
    "/poems": "one slash",
    "ann/": "is empty",
    "ann/poems/v2": "one slash",
    "ann//poems": "one slash",
    f"ann/{LONG}x": "has 97 characters, and 96 is the most",
    f"{LONG}x/poems": "account's name has 97",
    "ann/..": "begin or end",
    "ann/.": "begin or end",
    "../poems": "begin or end",
    "ann/-x": "begin or end",
    "ann/x-": "begin or end",
    "ann/.git": "begin or end",
    "ann/a--b": "“--”",
    "ann/a..b": "“..”",
    "ann/x.git": r"end with \.git",
    "ann/x.GIT": r"end with \.git",
    "ann/x.ipynb": "ipynb",
    "ann/con": "Windows",
    "ann/NUL.txt": "Windows",
    "ann/lpt1": "Windows",
    "ann/my poems": "letters from A to Z",
    " ann/poems": "letters from A to Z",
    "ann/poems\n": "letters from A to Z",
    "ann/poems\0": "letters from A to Z",
    "ann/gedichte-für-dich": "letters from A to Z",
    "ann/诗": "letters from A to Z",
    "ann/😀": "letters from A to Z",
    "ann/a\\b": "letters from A to Z",
    "ann/a@main": "letters from A to Z",
    "ann/a?b=1": "letters from A to Z",
    "ann/<b>x</b>": "one slash",
    "https://huggingface.co/ann/poems": "one slash",
    "ann/%2e%2e": "letters from A to Z",
}


@pytest.mark.parametrize("name", GOOD)
def test_a_name_that_can_be_used_is_let_through(name):
    check_name(name)


@pytest.mark.parametrize(("name", "words"), BAD.items(), ids=repr)
def test_a_name_that_cannot_be_used_is_refused_with_the_reason(name, words):
    with pytest.raises(SettingError, match=words) as caught:
        check_name(name)
    error = caught.value
    assert all(sentence.endswith((".", "”.")) and len(sentence.split()) < 30 for sentence in error.args)
    assert name.strip() == "" or len(name) < 3 or name not in str(error)


def test_a_key_in_place_of_a_name_is_not_repeated():
    key = "hf_" + "aB3" * 10
    for name in (key, f"ann/{key}", f"{key}/poems"):
        with pytest.raises(SettingError, match="a key, not a name") as caught:
            check_name(name)
        assert key not in str(caught.value)


@pytest.mark.hub
def test_a_bad_name_reaches_nobody(ann):
    for name in BAD:
        with pytest.raises(SettingError):
            ann.press(name)
    assert not ann.hub.asked and not ann.told


@pytest.mark.hub
@pytest.mark.parametrize("name", [f"ann/{LONG}", "ann/a"])
def test_the_shortest_and_the_longest_name_work(ann, name):
    assert ann.press(name).repo == name


def test_the_next_version_follows_the_highest():
    assert [next_version(tags) for tags in ([], ["v1"], ["v9", "v10", "v2-beta", "x"])] == ["v1", "v2", "v11"]
