"""What is said when something cannot be published as asked. Nothing here knows how it is found out."""

from facet.errors import AccessError, FacetError, HubError, SettingError
from facet.hub.account import Account
from facet.hub.errors import Thing


def not_yours(repo: str, account: Account) -> AccessError:
    owner, name = repo.split("/")
    belongs = owner in [account.name, *(org.name for org in account.orgs)]
    rights = "which may read there but not write" if belongs else "and it is not yours"
    places = [f"{place}/{name}" for place in account.namespaces[:6]]
    return AccessError(
        f"You cannot publish under {owner}.",
        f"You are signed in as {account.name}, {rights}.",
        f"Write {' or '.join(places)} instead." if places else "Sign in with an account or a token that may write.",
    )


def taken(repo: str, thing: Thing) -> SettingError:
    return SettingError(
        f"The name {repo} is taken.",
        "There is a repository of that name which Facet may not see or change.",
        f"Choose another name for the {thing}.",
    )


def other_spelling(repo: str, found: str, thing: Thing) -> SettingError:
    return SettingError(
        f"There is a {thing} called {found} already.",
        f"To the Hub, {repo} is the same name: it was moved, or only small and capital letters differ.",
        f"Write {found} to add a new version to it, or choose another name.",
    )


def foreign(repo: str, thing: Thing, mark: str) -> SettingError:
    return SettingError(
        f"{repo} holds files that are not Facet's.",
        f"It has no {mark}, so it was made in another way, and publishing would mix the two.",
        f"Choose another name for the {thing}. Or empty that repository on its own page first.",
    )


def public_already(repo: str, thing: Thing) -> SettingError:
    return SettingError(
        f"{repo} is public, and you asked for a private {thing}.",
        "A new version would be seen by everyone.",
        "Tick “Make it public”, choose another name, or make it private on its page first.",
    )


def changed_meanwhile(repo: str, thing: Thing) -> SettingError:
    return SettingError(
        f"Somebody changed {repo} while you were publishing.",
        "Its files are no longer those we looked at, so nothing was written over them.",
        f"Look at its page. To add your {thing} as a new version, press “Publish” again.",
    )


def tag_taken(tag: str, free: str, kept: str) -> SettingError:
    return SettingError(
        f"There is a version called {tag} already.",
        f"It names other files than these. {kept}",
        f"Call this one {free}, or leave the name of the version empty.",
    )


def damaged(kept: str) -> HubError:
    return HubError(
        "What arrived on the Hub is not what was sent.",
        f"A file differs or is missing there. {kept}",
        "Press “Publish” again: what is wrong is sent once more.",
    )


def restless(repo: str, kept: str, thing: Thing) -> HubError:
    return HubError(
        f"The {thing} could not be published to the end.",
        f"{repo} is being changed all the time. {kept}",
        "Press “Publish” again when nobody else works on it.",
    )


def still_private(page: str, error: Exception, thing: Thing) -> FacetError:
    kind = type(error) if isinstance(error, FacetError) else HubError
    why = error.why if isinstance(error, FacetError) else "The Hub did not change who sees it."
    return kind(
        f"Your {thing} is on the Hub, whole, but it is still private.",
        why,
        f"Press “Publish” again, or open {page}/settings and make it public there.",
    )
