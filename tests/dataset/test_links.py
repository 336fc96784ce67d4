"""A file behind a link: fetched with bounds, named by its sender, and never led into the network at home."""

import http.server
import json
import threading

import pytest

from facet.dataset import limited, links
from facet.dataset.uploads import Uploads
from facet.errors import CapacityError, DataError, FacetError
from facet.hub.hub import Hub
from facet.identity import LOCAL
from facet.workspace import Workspace
from tests.dataset.packed import QUESTIONS


@pytest.fixture
def uploads(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    return Uploads(Workspace(home), Hub(home))


class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.path = self.path.split("?")[0]
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/rows.csv")
            self.end_headers()
            return
        self.send_response(404 if self.path == "/gone" else 403 if self.path == "/closed" else 200)
        self.send_header("Content-Type", "text/html" if self.path == "/page" else "text/csv")
        if self.path == "/named":
            self.send_header("Content-Disposition", 'attachment; filename="../../their rows.csv"')
        self.end_headers()
        for _ in range(100 if self.path == "/long" else 1):
            self.wfile.write(QUESTIONS)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.mark.parametrize(
    ("path", "name"), [("/rows.csv", "rows.csv"), ("/moved", "rows.csv"), ("/named", "their rows.csv")]
)
def test_a_link_brings_its_file(uploads, server, path, name):
    upload = uploads.bring_link(LOCAL, f"{server}{path}?key=secret")
    source = uploads.source(LOCAL, upload)
    readable = uploads.readable(LOCAL, upload)
    asked = {key: readable[key] for key in ("file", "original_name", "correction")}
    assert limited.call("look", asked)["row_count"] == 2
    assert source["original_name"] == name and "secret" not in json.dumps(source)
    assert not list(uploads.workspace.home.glob("link-*"))


@pytest.mark.parametrize(
    ("path", "words"),
    [("/page", "web page, not to a file"), ("/gone", "no file at that address"), ("/closed", "not open to everybody")],
)
def test_a_link_without_a_file_is_refused(uploads, server, path, words):
    with pytest.raises(DataError, match=words):
        uploads.bring_link(LOCAL, server + path)
    assert uploads.workspace.all(LOCAL, "uploads") == []


def test_a_link_to_too_much_is_stopped(server, tmp_path):
    with pytest.raises(CapacityError, match="too large"):
        links.fetch(f"{server}/long", tmp_path / "file", most_bytes=1_000)


def test_nobody_home_is_said(uploads):
    with pytest.raises(DataError, match="could not be reached"):
        uploads.bring_link(LOCAL, "http://127.0.0.1:9/rows.csv")


def test_a_public_page_cannot_lead_into_the_network_at_home(monkeypatch, server, tmp_path):
    seen: list[bool] = []

    def public_at_first(host: str) -> bool:
        seen.append(True)
        return len(seen) > 1

    monkeypatch.setattr(links, "is_private", public_at_first)
    with pytest.raises(DataError, match="inside of your own network"):
        links.fetch(f"{server}/moved", tmp_path / "file", 10**6)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "10.0.0.1", "192.168.1.1", "169.254.169.254", "[::1]", "::1"]
)
def test_addresses_of_this_network_are_known(host):
    assert links.is_private(host)


@pytest.mark.parametrize(
    ("shared", "file"),
    [
        (
            "https://drive.google.com/file/d/1AbCdEfGhIjKl/view?usp=sharing",
            "https://drive.usercontent.google.com/download?id=1AbCdEfGhIjKl&export=download&confirm=t",
        ),
        (
            "https://docs.google.com/spreadsheets/d/1AbCdEfGhIjKl/edit#gid=0",
            "https://docs.google.com/spreadsheets/d/1AbCdEfGhIjKl/export?format=xlsx",
        ),
        ("https://www.dropbox.com/s/abc/rows.csv?dl=0", "https://www.dropbox.com/s/abc/rows.csv?dl=1"),
        ("https://github.com/ann/x/blob/main/a.csv", "https://raw.githubusercontent.com/ann/x/main/a.csv"),
        ("https://example.org/a.csv", "https://example.org/a.csv"),
    ],
)
def test_a_link_that_people_share_becomes_the_one_that_gives_the_file(shared, file):
    assert links.direct(shared) == file


@pytest.mark.parametrize(
    "url",
    ["", "a.csv", "file:///etc/passwd", "ftp://x/y", "http://", "https://a b/c", "http://u:p@x/y", "http://x:99999/"],
)
def test_what_is_no_link_is_refused(url):
    with pytest.raises(FacetError, match="not a link to a file"):
        links.direct(url)
