"""Sign-in with the Hub: OpenID Connect as a Space's login speaks it, with signed id tokens."""

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode, urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from tests.stand_in import devices
from tests.stand_in.pages import choice_page
from tests.stand_in.people import Person, userinfo
from tests.stand_in.refused import Refused

if TYPE_CHECKING:
    from tests.stand_in.server import StandInHub

CLIENT_ID = "facet-space"
CLIENT_SECRET = "facet-space-secret"
CODE_SECONDS = 600
ALWAYS = frozenset(["openid", "profile"])


@dataclass(frozen=True)
class Agreed:
    """What an authorisation code stands for."""

    person: Person
    asked: dict[str, str]
    ends: float


class OpenId:
    """Codes and refresh tokens that were given out, and the key they are signed with."""

    def __init__(self, hub: "StandInHub") -> None:
        self.hub = hub
        self.codes: dict[str, Agreed] = {}
        self.refreshing: dict[str, tuple[Person, frozenset[str], str]] = {}

    @cached_property
    def key(self) -> RSAKey:
        return RSAKey.generate_key(2048, {"kid": "stand-in", "use": "sig", "alg": "RS256"})

    def agree(self, person: str, asked: dict[str, str]) -> Response:
        """Back to the app with a code, or with the news that the person said no."""
        back = {"state": asked["state"]} if "state" in asked else {}
        if person in self.hub.people:
            back["code"] = secrets.token_urlsafe(16)
            self.codes[back["code"]] = Agreed(self.hub.people[person], asked, time.time() + CODE_SECONDS)
        else:
            back |= {"error": "access_denied", "error_description": "The person said no."}
        joint = "&" if urlsplit(asked["redirect_uri"]).query else "?"
        return RedirectResponse(f"{asked['redirect_uri']}{joint}{urlencode(back)}", 302)

    def check(self, asked: dict[str, str]) -> None:
        """Whether the app that asks for a sign-in is known, and wants the answer at its own address."""
        if asked.get("client_id") != CLIENT_ID or asked.get("response_type") != "code":
            raise Refused(400, "Unknown application")
        if urlsplit(asked.get("redirect_uri", "")).hostname not in self.hub.hosts:
            raise Refused(400, "This address is not one of the application's")

    def exchange(self, form: dict[str, str]) -> dict[str, Any]:
        """A code for tokens. A code works once, for the address and the verifier it was asked for with."""
        agreed = self.codes.pop(form.get("code", ""), None)
        if agreed is None or agreed.ends < time.time() or agreed.asked["redirect_uri"] != form.get("redirect_uri"):
            raise Refused(400, "invalid_grant", error_description="This code is not valid.")
        if not _verified(agreed.asked, form.get("code_verifier", "")):
            raise Refused(400, "invalid_grant", error_description="The code verifier is not the one announced.")
        scopes = frozenset(agreed.asked.get("scope", "").split()) | ALWAYS
        given = self.issue(agreed.person, scopes, CLIENT_ID)
        return given | {"id_token": self._id_token(agreed, scopes)}

    def issue(self, person: Person, scopes: frozenset[str], app: str, refreshing: bool = False) -> dict[str, Any]:
        given = scopes - frozenset(self.hub.refused_scopes)
        token = self.hub.token(person.name, scopes=given, expires_in=self.hub.token_seconds, app=app)
        answer = {"access_token": token, "token_type": "bearer", "scope": " ".join(sorted(given))}
        if refreshing:
            answer["refresh_token"] = f"hf_refresh_{secrets.token_hex(17)}"
            self.refreshing[answer["refresh_token"]] = (person, scopes, app)
        return answer | {"expires_in": int(self.hub.token_seconds)}

    def refresh(self, form: dict[str, str]) -> dict[str, Any]:
        """Each refresh token works once; the answer brings the next."""
        found = self.refreshing.pop(form.get("refresh_token", ""), None)
        if found is None:
            raise Refused(400, "invalid_grant", error_description="This refresh token is not valid.")
        return self.issue(*found, refreshing=True)

    def _id_token(self, agreed: Agreed, scopes: frozenset[str]) -> str:
        claims = userinfo(agreed.person, self.hub.url, scopes)
        del claims["orgs"]
        now = int(time.time())
        claims |= {"iss": self.hub.url, "aud": CLIENT_ID, "iat": now, "auth_time": now, "exp": now + 3600}
        claims |= {"nonce": agreed.asked["nonce"]} if "nonce" in agreed.asked else {}
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)


def add_routes(app: FastAPI, hub: "StandInHub") -> None:
    openid = hub.openid

    @app.get("/.well-known/openid-configuration")
    def configuration() -> Response:
        return JSONResponse(_configuration(hub.url))

    @app.get("/oauth/jwks")
    def keys() -> Response:
        return JSONResponse(KeySet([openid.key]).as_dict(private=False))

    @app.get("/oauth/authorize")
    def authorize(request: Request) -> Response:
        asked = dict(request.query_params)
        openid.check(asked)
        if hub.auto_login:
            return openid.agree(hub.auto_login, asked)
        return HTMLResponse(choice_page("/oauth/authorize", hub.people, asked, asked.get("scope", "")))

    @app.post("/oauth/authorize")
    async def authorized(request: Request) -> Response:
        asked = {key: str(value) for key, value in (await request.form()).items()}
        openid.check(asked)
        return openid.agree(asked.pop("person", ""), asked)

    @app.post("/oauth/token")
    async def token(request: Request) -> Response:
        form = {key: str(value) for key, value in (await request.form()).items()}
        match form.get("grant_type"):
            case "authorization_code":
                _require_secret(request, form)
                return JSONResponse(openid.exchange(form))
            case "refresh_token":
                return JSONResponse(openid.refresh(form))
            case devices.GRANT:
                return JSONResponse(hub.devices.collect(form))
        raise Refused(400, "unsupported_grant_type")

    @app.api_route("/oauth/userinfo", methods=["GET", "POST"])
    def who(request: Request) -> Response:
        token = hub.doors.signed_in(request)
        return JSONResponse(userinfo(token.person, hub.url, token.scopes or frozenset()))


def _configuration(url: str) -> dict[str, Any]:
    return {
        "issuer": url,
        "authorization_endpoint": f"{url}/oauth/authorize",
        "token_endpoint": f"{url}/oauth/token",
        "device_authorization_endpoint": f"{url}/oauth/device",
        "userinfo_endpoint": f"{url}/oauth/userinfo",
        "jwks_uri": f"{url}/oauth/jwks",
        "scopes_supported": "openid profile email read-repos gated-repos contribute-repos write-repos manage-repos "
        "inference-api jobs".split(),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token", devices.GRANT],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256", "plain"],
    }


def _require_secret(request: Request, form: dict[str, str]) -> None:
    """The app's own name and password, in a header or among the fields."""
    said = (form.get("client_id", ""), form.get("client_secret", ""))
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if kind == "Basic":
        name, _, secret = base64.b64decode(value).decode().partition(":")
        said = (unquote(name), unquote(secret))
    if said != (CLIENT_ID, CLIENT_SECRET):
        raise Refused(401, "invalid_client")


def _verified(asked: dict[str, str], verifier: str) -> bool:
    if "code_challenge" not in asked:
        return True
    if asked.get("code_challenge_method") == "S256":
        verifier = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    return verifier == asked["code_challenge"]
