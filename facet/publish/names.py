"""What a repository on the Hub may be called, told before anybody is asked."""

import re
from typing import Final

from facet.errors import SettingError
from facet.hub.errors import Thing

LONGEST: Final = 96
NEXT: Final = "next"  # as a tag: the next free version
WORD: Final = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)
VERSION: Final = re.compile(r"v(\d{1,6})", re.ASCII)
TAG: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", re.ASCII)
TOKEN: Final = re.compile(r"hf_[A-Za-z0-9]{8,}")
WINDOWS: Final = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
CHOOSE: Final = "Choose another name, such as pirate-poems."


def check_name(repo: str, thing: Thing = "model") -> None:
    """Raises: `SettingError` for what cannot be the name of a repository with this in it, with the reason."""
    if TOKEN.search(repo):
        raise SettingError(
            "This is a key, not a name.",
            "It looks like a token of Hugging Face. It was not used, and it is not stored.",
            CHOOSE,
        )
    owner, slash, name = repo.partition("/")
    if not repo.strip():
        raise _bad("There is no name yet.", thing)
    if not slash or not owner or "/" in name:
        raise _bad(f"It has to be your account's name, one slash, and a name for the {thing}.", thing)
    for word, whose in ((owner, "The account's name"), (name, "The name")):
        if why := _complaint(word):
            raise _bad(f"{whose} {why}.", thing)


def _complaint(word: str) -> str | None:
    """What is wrong with an owner's or a model's name."""
    rules = (
        (not word, "is empty"),
        (len(word) > LONGEST, f"has {len(word)} characters, and {LONGEST} is the most"),
        (bool(word) and not WORD.fullmatch(word), "may have letters from A to Z, digits, “-”, “_” and “.” only"),
        (word.startswith((".", "-")) or word.endswith((".", "-")), "may not begin or end with “.” or “-”"),
        ("--" in word or ".." in word, "may not have “--” or “..” in it"),
        (word.lower().endswith((".git", ".ipynb")), "may not end with .git or .ipynb"),
        (bool(WINDOWS.fullmatch(word)), "is kept by Windows for itself, so nobody could download it there"),
    )
    return next((words for broken, words in rules if broken), None)


def _bad(why: str, thing: Thing) -> SettingError:
    return SettingError(f"A {thing} on the Hub cannot be called this.", why, CHOOSE)


def check_tag(tag: str | None) -> None:
    """Raises: `SettingError` for what cannot be a version's name."""
    if tag is None or tag == NEXT:
        return
    bad = not TAG.fullmatch(tag) or ".." in tag or tag.endswith((".", ".lock")) or re.fullmatch(r"[0-9a-f]{40}", tag)
    if bad or tag in ("main", "HEAD") or TOKEN.search(tag):
        raise SettingError(
            "A version cannot be called this.",
            "Its name may have letters, digits, “-”, “_” and “.”, and must not be “main” or a commit's own number.",
            "Leave it empty, or write something like v2.",
        )


def next_version(tags: list[str]) -> str:
    """
    >>> next_version(["v1", "v3", "beta"])
    'v4'
    """
    return f"v{max((int(found[1]) for tag in tags if (found := VERSION.fullmatch(tag))), default=0) + 1}"
