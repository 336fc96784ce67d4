"""Where a name leads, looked up once: the address that was checked is the address that is spoken to."""

import ipaddress
import socket
import urllib.parse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from facet.exam.asking import Trial

Resolve = Callable[[str, int], Sequence[str]]
MOST_NUMBERS: Final = 4


@dataclass(frozen=True)
class Pinned:
    """A request's address with the name replaced by its number, and the name for the server and its certificate."""

    url: str
    host: str  # for the header of that name
    name: str  # on the certificate


def look_up(host: str, port: int) -> Sequence[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def pinned(url: str, resolve: Resolve = look_up) -> list[Pinned]:
    """The numbers to try one after the other. Only https, and only where every number of the name is public.

    Raises: `Trial` (`address`) otherwise, `Trial` (`broken`) where the name is not found.
    """
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise Trial("address")
    try:
        found = resolve(parts.hostname, parts.port or 443)
    except (OSError, UnicodeError):
        raise Trial("broken") from None
    if not found:
        raise Trial("broken")
    if not all(is_public(number) for number in found):
        raise Trial("address")
    return [at(url, number) for number in found[:MOST_NUMBERS]]


def at(url: str, number: str) -> Pinned:
    """The same address, spoken to at this number."""
    parts = urllib.parse.urlsplit(url)
    spelt = f"[{number}]" if ":" in number else number
    port = f":{parts.port}" if parts.port else ""
    name = parts.hostname or ""
    return Pinned(parts._replace(netloc=f"{spelt}{port}").geturl(), f"{name}{port}", name)


def is_public(number: str) -> bool:
    """Also False for numbers that carry a private one inside, and for those of multicast."""
    try:
        address = ipaddress.ip_address(number.split("%")[0])
    except ValueError:
        return False
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    teredo = getattr(address, "teredo", None)
    if isinstance(address, ipaddress.IPv6Address) and address in ipaddress.ip_network("64:ff9b::/96"):
        inner = ipaddress.ip_address(int(address) & 0xFFFFFFFF)
    others = [inner, *(teredo or ())]
    return all(each is None or (each.is_global and not each.is_multicast) for each in (address, *others))
