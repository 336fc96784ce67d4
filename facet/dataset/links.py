"""One file behind a link, fetched for a person at home: bounded in size and time, and never led astray.

Links people share (Google Drive, Google Sheets, Dropbox, GitHub) are changed to those that give the file itself.
"""

import http.client
import ipaddress
import re
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from email.message import Message
from pathlib import Path
from typing import IO

from facet.errors import CapacityError, DataError, full_disk
from facet.workspace import clean_name

_WAIT_SECONDS = 20.0
_MOST_SECONDS = 900.0
_CHUNK = 2**18
_DRIVE = re.compile(r"https://drive\.google\.com/(?:file/d/|open\?(?:.*&)?id=|uc\?(?:.*&)?id=)(?P<id>[\w-]{10,100})")
_SHEET = re.compile(r"https://docs\.google\.com/spreadsheets/d/(?P<id>[\w-]{10,100})")
_GITHUB = re.compile(r"https://github\.com/(?P<repo>[\w.-]+/[\w.-]+)/blob/(?P<rest>\S+)")


def fetch(url: str, target: Path, most_bytes: int) -> str:
    """Write the file behind a link to `target`; returns its name.

    Raises: `DataError` for what is no link to a file, `CapacityError` when it is too large or takes too long.
    """
    address = direct(url)
    starts_inside = is_private(urllib.parse.urlsplit(address).hostname or "")
    opener = urllib.request.build_opener(_Redirects(starts_inside))
    opener.addheaders = [("User-Agent", "facet"), ("Accept", "*/*")]
    until = time.monotonic() + _MOST_SECONDS
    try:
        with opener.open(address, timeout=_WAIT_SECONDS) as answer:
            _require_file(answer.headers, most_bytes)
            _save(answer, target, most_bytes, until)
            return _name(answer.headers, answer.geturl())
    except urllib.error.HTTPError as error:
        raise _refused(error.code) from None
    except (urllib.error.URLError, OSError, http.client.HTTPException, ValueError) as error:
        raise full_disk(error) or _unreachable() from None


def direct(url: str) -> str:
    """The address of the file itself. Raises: `DataError` for anything but http and https."""
    url = str(url).strip()
    try:
        parts = urllib.parse.urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.hostname and not (parts.username or parts.password)
        parts.port  # noqa: B018 - it is checked when it is asked for
    except ValueError:
        known = False
    if not known or len(url) > 4096 or not url.isprintable() or " " in url:
        raise DataError(
            "This is not a link to a file.",
            "A link begins with https:// and has no spaces in it.",
            "Copy the link once more, or download the file and upload it.",
        )
    if drive := _DRIVE.match(url):
        return f"https://drive.usercontent.google.com/download?id={drive['id']}&export=download&confirm=t"
    if sheet := _SHEET.match(url):
        return f"https://docs.google.com/spreadsheets/d/{sheet['id']}/export?format=xlsx"
    if github := _GITHUB.match(url):
        return f"https://raw.githubusercontent.com/{github['repo']}/{github['rest']}"
    if parts.hostname in ("www.dropbox.com", "dropbox.com"):
        query = [(name, value) for name, value in urllib.parse.parse_qsl(parts.query) if name != "dl"]
        return parts._replace(query=urllib.parse.urlencode([*query, ("dl", "1")])).geturl()
    return urllib.parse.quote(url, safe="%/:=&?~#+!$,;'@()*[]")


def without_secrets(url: str) -> str:
    """The link as it may be written down: shared keys stand behind the question mark."""
    parts = urllib.parse.urlsplit(url.strip())
    return f"{parts.scheme}://{parts.netloc}{parts.path}"[:500]


def is_private(host: str) -> bool:
    """Whether a name leads to this machine or its own network; also when it cannot be found."""
    try:
        found = {entry[4][0] for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return True
    return any(not ipaddress.ip_address(str(address).split("%")[0]).is_global for address in found)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """A public page may not lead into the network at home."""

    max_redirections = 5

    def __init__(self, may_be_inside: bool) -> None:
        self.may_be_inside = may_be_inside

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
        parts = urllib.parse.urlsplit(newurl)
        if parts.scheme not in ("http", "https") or (not self.may_be_inside and is_private(parts.hostname or "")):
            raise DataError(
                "This link was not followed.",
                "It leads on to an address inside of your own network.",
                "Download the file in your browser and upload it.",
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _require_file(headers: Message, most_bytes: int) -> None:
    if headers.get_content_type() == "text/html" and "attachment" not in (headers["Content-Disposition"] or ""):
        raise DataError(
            "This link leads to a web page, not to a file.",
            "It may ask to sign in, or show the file without giving it.",
            "Share the file with “anyone who has the link”, or download it and upload it here.",
        )
    length = headers["Content-Length"] or ""
    if length.isdigit() and int(length) > most_bytes:
        raise _too_large(int(length), most_bytes)


def _save(answer: IO[bytes], target: Path, most_bytes: int, until: float) -> None:
    taken = 0
    with open(target, "wb") as out:
        while piece := answer.read(_CHUNK):
            taken += len(piece)
            if taken > most_bytes:
                raise _too_large(taken, most_bytes)
            if time.monotonic() > until:
                raise CapacityError(
                    "Fetching this file took too long.",
                    f"It was stopped after {_MOST_SECONDS / 60:.0f} minutes.",
                    "Download it in your browser and upload it.",
                )
            out.write(piece)


def _name(headers: Message, url: str) -> str:
    name = headers.get_filename() or urllib.parse.unquote(urllib.parse.urlsplit(url).path).rsplit("/", 1)[-1]
    return clean_name(Path(name.replace("\\", "/")).name or "file")


def _refused(status: int) -> DataError:
    if status in (401, 403):
        why = "It is not open to everybody."
    elif status in (404, 410):
        why = "There is no file at that address."
    else:
        why = f"The server answered with the number {status}."
    return DataError("This file could not be fetched.", why, "Check the link, or download the file and upload it.")


def _unreachable() -> DataError:
    return DataError(
        "This file could not be fetched.",
        "The server could not be reached, or it broke off.",
        "Check the link and try again, or download the file and upload it.",
    )


def _too_large(size: int, most_bytes: int) -> CapacityError:
    return CapacityError(
        "The file behind this link is too large.",
        f"It has more than {min(size, most_bytes) / 1e9:.1f} GB, and {most_bytes / 1e9:.1f} GB is the most here.",
        "Bring a smaller part of it.",
    )
