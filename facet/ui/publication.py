"""What is said of a publication: what it needs, where it will go, how far it is, and what came of it."""

import re
import unicodedata
from typing import Any

from markupsafe import Markup

from facet.errors import AccessError, FacetError, SettingError
from facet.identity import Person
from facet.publish.names import check_name
from facet.publish.publications import Publication
from facet.ui.account import Standing, sign_in_link
from facet.ui.markup import each, html, note, track, trouble
from facet.ui.words import ago

LONGEST_NAME = 96
SHOWN_VERSIONS = 6


def suggested_name(words: str) -> str:
    """A name the Hub takes, as near to a person's words as its letters allow."""
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[: LONGEST_NAME - 20].strip("-")
    return name if len(name) > 1 else "my-model"


def verdict(owner: str, name: str) -> tuple[bool, str]:
    """Whether the Hub takes this name, and if not why."""
    try:
        check_name(f"{owner or 'you'}/{name.strip()}")
    except SettingError as error:
        return False, f"{error.what} {error.why}"
    return True, ""


def describe_access(hindrance: FacetError | None, who: Standing) -> Markup:
    """What is needed before anything can be published, and where to get it."""
    if hindrance is None:
        return Markup("")
    if who.person.kind == "visitor":
        return note(
            "Sign in to publish.",
            "It goes into your own Hugging Face account. Facet asks to make repositories there, and to change only "
            "those it made. What you do here as a visitor stays yours.",
        ) + html("<p>{}</p>", sign_in_link())
    if not who.has_token:
        return note("Sign in to publish.", "It goes into your own Hugging Face account; an account costs nothing.")
    return trouble(hindrance, "warn") + describe_way_in(isinstance(hindrance, AccessError), who.person)


def describe_way_in(needed: bool, person: Person) -> Markup:
    """The link to sign in once more, on a Space; at home there is a button for that."""
    if not needed or person.kind == "local":
        return Markup("")
    return html("<p>{}</p>", sign_in_link("Sign in again"))


def describe_target(owner: str, name: str, public: bool, me: str, known: set[str]) -> Markup:
    """Where it will be, who will see it, and whether it becomes a new version of something."""
    repo = f"{owner}/{name.strip()}"
    if not owner or not verdict(owner, name)[0]:
        return Markup("")
    version = (
        "You have published under this name before: this becomes the next version, and the earlier one stays."
        if repo in known
        else "Only the files listed above are uploaded."
    )
    where = html('<p class="f-small">It goes to <strong>{}</strong>. {}</p>', repo, version)
    if not public:
        return where + html('<p class="f-small">Private: only {} will see it.</p>', _private_to(owner, me))
    return where + note(
        "Everybody will be able to read this.",
        "A model can repeat what was in its examples. Make it public only if they may be read by anybody.",
        "warn",
    )


def _private_to(owner: str, me: str) -> str:
    return "you" if owner == me else f"members of {owner}"


def describe_publication(publication: Publication | None, versions: list[dict[str, Any]], me: str = "") -> Markup:
    """Where a publication stands: on its way, there, or stopped, and what to do next."""
    if publication is None:
        return Markup("")
    name = publication.repo
    versions = [entry for entry in versions if entry["repo"] == name]
    match publication.stage:
        case "working":
            return html(
                '<div class="f-stage"><h4>Publishing {}</h4><span class="f-chip running">On its way</span></div>'
                '<p role="status">{} You may close this page; it goes on.</p>{}',
                name,
                _sentence(publication.words),
                track(100 * publication.share, "How much is published"),
            )
        case "done":
            return _describe_done(publication, me) + _describe_versions(versions)
        case "interrupted":
            return note(
                f"Publishing {name} was interrupted.",
                "Facet was stopped while it worked; nothing half done is to be seen on the Hub. Press “Try again”, "
                "and it goes on where it was.",
                "warn",
            ) + _describe_versions(versions)
    failure = FacetError.from_dict(publication.failure) if publication.failure else None
    return (trouble(failure) if failure else Markup("")) + _describe_versions(versions)


def _describe_done(publication: Publication, me: str) -> Markup:
    link = html('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>', publication.url, publication.repo)
    private = f"Private: only {_private_to(publication.repo.partition('/')[0], me)}"
    same = "Nothing had changed since, so no new version was made. " if publication.unchanged else ""
    facts = [
        ("Version", publication.tag or "–"),
        ("Who sees it", "Public: anybody" if publication.public else private),
        ("Published", ago(publication.when)),
    ]
    return html(
        '<div class="f-note good" role="status"><p><strong>It is on the Hub: {}</strong></p><p>{}Every file was read '
        'back and compared.</p></div><dl class="f-facts f-after">{}</dl><p class="f-small f-after">Trained again? '
        "Choose the newer run above and publish it under the same name: it becomes the next version.</p>",
        link,
        same,
        each("<dt>{}</dt><dd>{}</dd>", facts),
    )


def _describe_versions(versions: list[dict[str, Any]]) -> Markup:
    """Those before the newest; the same files published twice count once."""
    earlier = list({entry["sha"]: entry for entry in reversed(versions)}.values())[::-1][1:]
    if not earlier:
        return Markup("")
    rows = [
        (entry["repo"], entry.get("tag") or entry["sha"][:8], ago(entry["when"])) for entry in earlier[:SHOWN_VERSIONS]
    ]
    return html("<details><summary>Earlier versions</summary><ul>{}</ul></details>", each("<li>{}, {}, {}</li>", rows))


def _sentence(words: str) -> str:
    return words if words.endswith((".", "…")) else f"{words}."
