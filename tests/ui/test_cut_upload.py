"""A connection that breaks in the middle of an upload: nothing of it becomes anybody's data, and the page goes on."""

import socket

import httpx
import pytest

from facet.identity import LOCAL

pytestmark = pytest.mark.page


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_an_upload_that_is_cut_off_leaves_nothing_and_the_page_goes_on(served, share):
    before = {folder.name for folder in served.studio.workspace.all(LOCAL, "uploads")}
    rows = "".join(f"what is {n}?,it is {n}\n" for n in range(5000))
    body = (
        '--cut\r\nContent-Disposition: form-data; name="files"; filename="rows.csv"\r\nContent-Type: text/csv\r\n\r\n'
        f"question,answer\n{rows}\r\n--cut--\r\n"
    ).encode()
    head = (
        f"POST /gradio_api/upload HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n"
        f"Content-Type: multipart/form-data; boundary=cut\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as line:
        line.sendall(head + body[: int(share * len(body))])

    whole = httpx.post(f"{served.url}/gradio_api/upload", files={"files": ("rows.csv", rows.encode())}, timeout=60)
    assert whole.status_code == 200 and len(whole.json()) == 1
    assert {folder.name for folder in served.studio.workspace.all(LOCAL, "uploads")} == before
