"""`login`, `logout`, `whoami`, `publish`: what is done in a person's own Hugging Face account."""

import argparse
import sys
import time
from typing import Any

from facet.errors import AccessError
from facet.hub.account import machine_token
from facet.identity import LOCAL, Grant
from facet.studio import Studio

Answer = dict[str, Any]
LOOK_EVERY_SECONDS = 0.3


def machine_grant() -> Grant:
    """The login of this computer, for one command."""
    return Grant(LOCAL, machine_token())


def login(options: argparse.Namespace) -> Answer:
    """Show a code, wait until it is allowed in a browser, and keep the login where `hf auth login` keeps it."""
    studio = Studio.from_environment()
    state = studio.sign_in.begin()
    print(f"Open this page in a browser and allow it:\n  {state.url}\nThe code is {state.code}.", file=sys.stderr)
    try:
        while (state := studio.sign_in.state()).stage == "waiting":
            time.sleep(LOOK_EVERY_SECONDS)
    finally:
        studio.sign_in.stop()
    if state.failure:
        raise state.failure
    return {"name": state.name, "words": f"Signed in as {state.name}. Every tool of Hugging Face on this computer is."}


def logout(options: argparse.Namespace) -> Answer:
    Studio.from_environment().sign_in.out()
    return {"name": None, "words": "Signed out. What you have published stays where it is."}


def whoami(options: argparse.Namespace) -> Answer:
    account = Studio.from_environment().account(machine_grant())
    if account is None:
        raise AccessError(
            "You are not signed in.",
            "This computer has no login for Hugging Face.",
            "Sign in with: python -m facet login.",
        )
    orgs = [org.name for org in account.orgs if org.may_write]
    words = f"{account.name} ({account.fullname})" + (f"; may also publish as {', '.join(orgs)}" if orgs else "")
    return {"name": account.name, "fullname": account.fullname, "orgs": orgs, "words": words}


def not_signed_in(what_for: str) -> AccessError:
    return AccessError(
        f"You have to be signed in {what_for}.",
        "This computer has no login for Hugging Face.",
        "Sign in with: python -m facet login.",
    )


def publish(options: argparse.Namespace) -> Answer:
    """Upload a finished run as a private repository, or a public one, and read every file back."""
    studio, grant = Studio.from_environment(), machine_grant()
    if not grant.token:
        raise not_signed_in("to publish a model")
    studio.publish(grant, options.run, options.repo, public=options.public, tag=options.tag, wait=True)
    done = studio.publication(LOCAL, options.run)
    newest = next(iter(studio.published(LOCAL, options.run)))
    return {
        "run_id": options.run,
        "repo": newest["repo"],
        "url": done.url,
        "sha": newest["sha"],
        "tag": newest["tag"],
        "public": newest["public"],
        "unchanged": done.unchanged,
        "words": f"{done.url}\n{done.words}",
    }
