"""Who can judge: a model on this machine, a Hugging Face login, a fixed list of services, a server at home."""

import ipaddress
import re
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from typing import Final, Literal

from facet.errors import AccessError, SettingError
from facet.identity import Person

Needs = Literal["nothing", "login", "key", "address"]
KEY: Final = re.compile(r"[\x21-\x7e]{4,500}")
MODEL: Final = re.compile(r"[\w][\w.:/@+-]{0,199}")
KEPT_SECONDS: Final = 12 * 3600.0  # a key nobody used any more
MOST_KEYS: Final = 2_000


@dataclass(frozen=True)
class Provider:
    """`model` is suggested and may be changed. `variable` names the key in the environment of a terminal at home."""

    id: str
    name: str
    needs: Needs
    base_url: str = ""
    model: str = ""
    variable: str = ""
    company: str = ""  # who reads what is sent


LOCAL: Final = Provider("local", "A model on this machine", "nothing")
OWN: Final = Provider("own", "A server of your own", "address", variable="FACET_JUDGE_KEY", company="that server")
HUGGING_FACE: Final = Provider(
    "huggingface",
    "Hugging Face, with your login",
    "login",
    "https://router.huggingface.co/v1",
    "openai/gpt-oss-120b",
    company="Hugging Face and the provider it chooses",
)
SERVICES: Final = (
    Provider(
        "gemini",
        "Google Gemini",
        "key",
        "https://generativelanguage.googleapis.com/v1beta/openai",
        "gemini-3.5-flash",
        "GEMINI_API_KEY",
        "Google",
    ),
    Provider("openai", "OpenAI", "key", "https://api.openai.com/v1", "gpt-5.4-mini", "OPENAI_API_KEY", "OpenAI"),
    Provider(
        "mistral",
        "Mistral",
        "key",
        "https://api.mistral.ai/v1",
        "mistral-large-latest",
        "MISTRAL_API_KEY",
        "Mistral",
    ),
    Provider("groq", "Groq", "key", "https://api.groq.com/openai/v1", "openai/gpt-oss-120b", "GROQ_API_KEY", "Groq"),
    Provider(
        "openrouter",
        "OpenRouter",
        "key",
        "https://openrouter.ai/api/v1",
        "openai/gpt-oss-120b",
        "OPENROUTER_API_KEY",
        "OpenRouter and the provider it chooses",
    ),
)


def offered(at_home: bool) -> tuple[Provider, ...]:
    """On a shared machine nobody names an address of their own: it could lead into the machine's own network."""
    return (LOCAL, HUGGING_FACE, *SERVICES, *((OWN,) if at_home else ()))


def provider(wanted: str, at_home: bool) -> Provider:
    """Raises: `SettingError` for one that is not offered here."""
    for known in offered(at_home):
        if known.id == wanted:
            return known
    raise SettingError(
        "This judge is not offered here.",
        "On a shared machine only the services on the list are asked.",
        "Choose one under “Judge”.",
    )


def named(wanted: str) -> Provider:
    """Of one that was asked once, wherever that was."""
    return next((known for known in (LOCAL, HUGGING_FACE, *SERVICES) if known.id == wanted), OWN)


def address(known: Provider, url: str, has_key: bool) -> str:
    """Where to ask. For a server at home, its address as it may be written down: nothing secret stands in it.

    Raises: `SettingError` for what is no address, or would send a key readable by everybody.
    """
    if known.needs != "address":
        return known.base_url
    url = url.strip().rstrip("/").removesuffix("/chat/completions")
    try:
        parts = urllib.parse.urlsplit(url)
        fine = parts.scheme in ("http", "https") and parts.hostname and url.isascii() and url.isprintable()
        parts.port  # noqa: B018 - it is checked when it is asked for
    except ValueError:
        fine = False
    if not fine or " " in url or len(url) > 500 or parts.username or parts.password or parts.query or parts.fragment:
        raise SettingError(
            "This is not the address of a server.",
            "It begins with http:// or https://, and holds neither a name and password nor a question mark.",
            "Write it like http://localhost:11434/v1 into “Address of the server”.",
        )
    if has_key and parts.scheme == "http" and not stays_inside(parts.hostname or ""):
        raise SettingError(
            "Your key would travel in the open.",
            "The address begins with http://, so everybody on the way could read it.",
            "Use the address with https://, or leave the key empty.",
        )
    return url


def stays_inside(host: str) -> bool:
    """Whether a name is this machine's, or an address of its own network. Nothing is looked up."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".lan", ".internal", ".home.arpa"))


def model_name(text: str) -> str:
    """Raises: `SettingError` for what cannot be the name of a model."""
    text = text.strip()
    if not MODEL.fullmatch(text):
        raise SettingError(
            "The judge's model is missing or misspelt.",
            "A name has letters, digits and “.”, “-”, “_”, “:”, “/” only.",
            "Write it into “Model of the judge”.",
        )
    return text


@dataclass
class Keys:
    """Keys of services, in this process's memory alone, each for one person and one address. Never shown again."""

    _kept: dict[tuple[str, str], tuple[float, str]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def keep(self, person: Person, base_url: str, key: str) -> None:
        """Raises: `SettingError` for what cannot be a key; its text is not repeated."""
        if not KEY.fullmatch(key):
            raise SettingError(
                "This is not a key.",
                "A key is one word of letters, digits and signs, without blanks.",
                "Copy it once more from the page of the service.",
            )
        with self._lock:
            self._forget_old()
            self._kept[person.key, base_url] = (time.monotonic(), key)

    def find(self, person: Person, base_url: str) -> str:
        """The key, or nothing. A key is never sent to another address than the one it was given for."""
        with self._lock:
            self._forget_old()
            _, key = self._kept.get((person.key, base_url), (0.0, ""))
            if key:
                self._kept[person.key, base_url] = (time.monotonic(), key)
            return key

    def any_of(self, person: Person) -> bool:
        """Whether a key of this person is held."""
        with self._lock:
            self._forget_old()
            return any(owner == person.key for owner, _ in self._kept)

    def need(self, person: Person, known: Provider, base_url: str) -> str:
        """Raises: `AccessError` where a key has to be entered, as after a restart."""
        key = self.find(person, base_url)
        if not key and known.needs == "key":
            raise AccessError(
                f"A key for {known.name} is needed.",
                "Facet keeps it in memory only, so it is gone after a restart or some hours.",
                "Enter it under “Key” and press again; what was judged is kept.",
            )
        return key

    def forget(self, person: Person, base_url: str | None = None) -> None:
        """One key of a person, or all."""
        with self._lock:
            for mine in [kept for kept in self._kept if kept[0] == person.key and base_url in (None, kept[1])]:
                del self._kept[mine]

    def _forget_old(self) -> None:
        old = [kept for kept, (at, _) in self._kept.items() if time.monotonic() - at > KEPT_SECONDS]
        newest = sorted(self._kept, key=lambda kept: self._kept[kept][0], reverse=True)
        for kept in {*old, *newest[MOST_KEYS:]}:
            del self._kept[kept]
