"""Sign-in on another device: a code is shown here, agreed to in a browser, and asked after until then."""

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from tests.stand_in.pages import choice_page, word_page
from tests.stand_in.people import Person
from tests.stand_in.refused import Refused

if TYPE_CHECKING:
    from tests.stand_in.server import StandInHub

GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
SCOPES = frozenset("openid profile read-repos gated-repos write-repos manage-repos inference-api jobs".split())


@dataclass
class Device:
    """One that waits. `person` is who agreed."""

    code: str
    user_code: str
    app: str
    ends: float
    person: Person | None = None
    denied: bool = False


class Devices:
    def __init__(self, hub: "StandInHub") -> None:
        self.hub = hub
        self.waiting: list[Device] = []

    def begin(self, app: str) -> Device:
        user_code = f"{secrets.token_hex(2)}-{secrets.token_hex(2)}".upper()
        device = Device(secrets.token_urlsafe(24), user_code, app, time.time() + self.hub.device_seconds)
        self.waiting.append(device)
        return device

    def find(self, user_code: str | None) -> Device:
        """The one that shows this code; the last to begin when none is named."""
        found = [each for each in self.waiting if user_code in (None, each.user_code)]
        if not found:
            raise LookupError("No device waits for an answer.")
        return found[-1]

    def answer(self, person: str, user_code: str | None) -> None:
        """Agree in this person's name; an empty name says no."""
        device = self.find(user_code)
        device.person, device.denied = self.hub.people[person] if person else None, not person

    def collect(self, form: dict[str, str]) -> dict[str, Any]:
        device = next((each for each in self.waiting if each.code == form.get("device_code")), None)
        if device is None:
            raise Refused(400, "invalid_grant", error_description="This device code is not known.")
        if device.denied:
            raise Refused(400, "access_denied")
        if device.ends < time.time():
            raise Refused(400, "expired_token")
        if device.person is None:
            raise Refused(400, "authorization_pending")
        self.waiting.remove(device)
        return self.hub.openid.issue(device.person, SCOPES, device.app, refreshing=True)


def add_routes(app: FastAPI, hub: "StandInHub") -> None:
    @app.post("/oauth/device")
    async def begin(request: Request) -> Response:
        device = hub.devices.begin(str((await request.form()).get("client_id", "")))
        where = f"{hub.url}/device"
        return JSONResponse(
            {
                "device_code": device.code,
                "user_code": device.user_code,
                "verification_uri": where,
                "verification_uri_complete": f"{where}?user_code={device.user_code}",
                "expires_in": int(hub.device_seconds),
                "interval": hub.device_interval,
            }
        )

    @app.get("/device")
    def page(user_code: str | None = None) -> Response:
        device = _waiting(hub, user_code)
        return HTMLResponse(choice_page("/device", hub.people, {"user_code": device.user_code}, device.user_code))

    @app.post("/device")
    async def answer(request: Request) -> Response:
        form = {key: str(value) for key, value in (await request.form()).items()}
        _waiting(hub, form.get("user_code"))
        hub.devices.answer(form.get("person", ""), form.get("user_code"))
        return HTMLResponse(word_page("Done. You can go back to the other window."))


def _waiting(hub: "StandInHub", user_code: str | None) -> Device:
    try:
        return hub.devices.find(user_code)
    except LookupError as none:
        raise Refused(404, str(none)) from None
