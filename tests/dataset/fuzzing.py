"""Bytes changed at random, read in a process of their own: `python -m tests.dataset.fuzzing NAMES COUNT SEED`.

Each input goes the way of a file that a person brings: unpacked, looked at, and sometimes prepared. Whatever it is, an
answer or three sentences have to come out, soon and with little memory. Prints what it saw as JSON.
"""

import gzip
import io
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from facet.dataset.look import look
from facet.dataset.prepare import prepare
from facet.dataset.unpack import unpack
from facet.errors import FacetError
from tests.dataset import packed

SPLICES = [
    b'"', b"\0", b"\xff", b"{", b"[", b"}", b"]", b",", b"\n", b"\r", b"\\", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"NaN",
    b"1e999", b"\\ud800", b"\t", b";", b"null", b"[[[[[[[[", b"\xff\xfe", b"PAR1", b"PK\x03\x04", b"\x1f\x8b", b"<c r=",
    b"999999999", b"-1", b"XFD1048576", b"\f", b"Q: ", b"A: ", b"User:", b"---", b"# ", b"```", b"\xff\xff\xff\xff",
]  # fmt: skip
QA = [["question", "answer"], ["Who?", "Me."], ["Where?", 7], [True, packed.Date(45000)], ["a", packed.Formula("1+1")]]


def _parquet(**columns: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def _pictures(kinds: tuple[str, ...]) -> dict[str, bytes]:
    return {f"{number}.{kind.lower()}": packed.picture(kind=kind) for number, kind in enumerate(kinds, start=1)}


PICTURE = {"bytes": packed.picture(), "path": "a.png"}
CELL = '<table:table-cell office:value-type="string"><text:p>a</text:p></table:table-cell>'
SEEDS: dict[str, bytes] = {
    "a.csv": "question,answer\nWho?,\"Me, \"\"too\"\".\"\nWhere?,Hére\nWhen?,\"a\nb\"\n".encode() * 3,
    "a.tsv": "question\tanswer\nWho?\tMe\nWhere?\tHére\n".encode() * 3,
    "b.csv": "question,answer\nWho?,Mé\nWhere?,Hére\n".encode("utf-16"),
    "c.csv": ("question,answer\n" + "你好,世界上最高的山。\n" * 5).encode("gb18030"),
    "a.jsonl": '{"question": "é", "answer": 1.5, "more": [1, {"a": null}]}\n'.encode() * 5,
    "b.jsonl": b'{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n' * 4,
    "a.json": json.dumps([{"question": "é\u2028", "answer": ["x", True]}] * 5, indent=1).encode(),
    "a.txt": b"A letter, which has commas.\n\nAnd a second part; it is short.\n\n" * 3,
    "b.txt": b"Q: Who?\nA: Me.\n\nQ: Where?\nA: Here,\nand there.\n" * 2,
    "c.txt": b"User: hi\nBot: hello\n---\nUser: bye\nBot: ciao\n" * 2,
    "a.md": b"# One\n\ntext\n\n```\n# code\n```\n\n## Two\n\nmore\n",
    "a.parquet": _parquet(question=["Who?", "é"] * 20, answer=["Me.", "x" * 50] * 20, n=[1, 2] * 20),
    "b.parquet": _parquet(image=[PICTURE, None], text=["a", "b"]),
    "a.xlsx": packed.workbook({"One": QA, "Two": QA}, merged=("A2:A3",), shared="x"),
    "a.xls": packed.old_workbook([["question", "answer"], ["Who?", "Mé."], ["Where?", 7.0]] * 3),
    "a.ods": packed.open_document(f"<table:table-row>{CELL}{CELL}</table:table-row>" * 3),
    "a.csv.gz": gzip.compress(packed.QUESTIONS),
    "a.zip": packed.zipped({"train.csv": packed.QUESTIONS, "test.csv": packed.QUESTIONS, "x/y.txt": b"a"}),
    "b.zip": packed.zipped({"a.csv": "image,text\n1.png,x\n2.jpeg,y\n"} | _pictures(("PNG", "JPEG"))),
    "c.zip": packed.zipped({"a/1.bmp": packed.picture(kind="BMP"), "b/1.tif": packed.picture(kind="TIFF")}),
    "d.zip": packed.zipped({"a.csv": "image,text\n1.gif,x\n2.webp,y\n"} | _pictures(("GIF", "WEBP"))),
}  # fmt: skip
BINARY = ("a.parquet", "b.parquet", "a.xlsx", "a.xls", "a.ods", "a.csv.gz", "a.zip", "b.zip", "c.zip", "d.zip")


def mutated(rng: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    if rng.random() < 0.3:  # some bytes for others, so that places and lengths still fit
        for _ in range(rng.randint(1, 4)):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        return bytes(changed)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(changed) + 1)
        match rng.randrange(6):
            case 0:
                changed[at:at] = rng.choice(SPLICES)
            case 1:
                del changed[at : at + rng.randint(1, 30)]
            case 2 | 3:
                changed[at : at + 1] = bytes([rng.randrange(256)])
            case 4:
                changed[at:at] = changed[at : at + rng.randint(1, 40)]
            case 5:
                del changed[rng.randrange(len(changed) + 1) :]
    return bytes(changed)


def mutated_inside(rng: random.Random, content: bytes) -> bytes:
    """The same for what is packed, half of the time inside of it: from outside hardly anything passes the checksum."""
    if rng.random() < 0.4:
        return mutated(rng, content)
    if content.startswith(b"\x1f\x8b"):
        return gzip.compress(mutated(rng, gzip.decompress(content)), 1)
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as new:
        unlucky = rng.choice(old.namelist())
        for name in old.namelist():
            inner = old.read(name)
            new.writestr(name, mutated(rng, inner) if name == unlucky else inner)
    return made.getvalue()


def meet(place: Path, name: str, into: Path, whole: bool) -> None:
    """What happens to a file that is brought."""
    found = unpack(str(place), name, str(into))
    if found["files"]:
        place, name = into / found["files"][0]["path"], found["files"][0]["name"]
    seen = look(str(place), name)
    json.dumps(seen, allow_nan=False).encode()
    if whole:
        mapping = seen["shape"]["mapping"] if seen["shape"] else {"user": "question", "assistant": "answer"}
        made = into / "made"
        made.mkdir()
        summary = prepare(str(place), name, None, mapping, str(made), "x", images=str(into / "images"))
        assert summary["rows_in"] == summary["used"] + summary["unusable"]


def meet_apart(place: Path, name: str, into: Path, whole: bool) -> None:
    """The same in a process of its own: the reader of old workbooks may give up the whole process, as in `limited`."""
    child = os.fork()
    if not child:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        try:
            meet(place, name, into, whole)
        except FacetError:
            os._exit(1)
        except Exception:
            os._exit(2)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status in (1, -signal.SIGABRT):
        raise FacetError("Refused.", "In the child.", "As it should be.")
    assert status == 0, status


def fuzz(name: str, count: int, seed: int) -> dict[str, Any]:
    rng = random.Random(seed)
    change = mutated_inside if SEEDS[name][:2] in (b"PK", b"\x1f\x8b") else mutated
    answered = refused = 0
    slowest = 0.0
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            content = change(rng, SEEDS[name])
            place, into = Path(folder) / "file", Path(folder) / "into"
            place.write_bytes(content)
            into.mkdir()
            started = time.process_time()
            try:
                whole = number % 10 == 0
                (meet_apart if name.endswith(".xls") else meet)(place, name, into, whole)
                answered += 1
            except FacetError as error:
                refused += 1
                if not all(each.endswith(".") for each in error.args):
                    faults.append(f"{number}: {error.args}")
            except Exception:
                faults.append(f"{number}: {traceback.format_exc()[-1500:]}")
            slowest = max(slowest, time.process_time() - started)
            shutil.rmtree(into)
    status = Path("/proc/self/status").read_text()  # `getrusage` would begin with the peak of whoever started this
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
    return {"answered": answered, "refused": refused, "slowest": slowest, "peak_mb": peak, "faults": faults[:5]}


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (2 * 2**30, 2 * 2**30))
    print(json.dumps({name: fuzz(name, int(sys.argv[2]), int(sys.argv[3])) for name in sys.argv[1].split(",")}))
