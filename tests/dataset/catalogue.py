# ruff: noqa: E501 - one case per line reads better than short lines
"""The catalogue of data files that go wrong: seventy-two kinds, and for each what happens and what is said.

A case is `Refused` with its cause, its place or number, and the next step; `Read`, perhaps with something said; or
`Skipped`: some rows are left out and counted.
"""

import gzip
import json
from collections.abc import Callable
from typing import NamedTuple

import pyarrow as pa

from tests.dataset import packed
from tests.dataset.bad_files import CSV_ROWS, pairs, parquet

Content = bytes | str | Callable[[], bytes]
Words = str
CSV = "question,answer\n"
ROW = '{"question": "a", "answer": "b"}\n'


class Refused(NamedTuple):
    name: str
    content: Content
    cause: Words
    place: Words
    next: Words


class Read(NamedTuple):
    name: str
    content: Content
    answers: list[str]
    said: Words = ""


class Skipped(NamedTuple):
    name: str
    content: Content
    answers: list[str]
    reason: Words


def talk(*turns: tuple[str, object]) -> str:
    return json.dumps({"messages": [{"role": role, "content": content} for role, content in turns]}) + "\n"


GOOD = talk(("user", "Hi"), ("assistant", "Hello"))
MANY_ZIP = packed.zipped({"a.csv": CSV_ROWS, "b.csv": CSV_ROWS})
SAVE = "Save the rows as CSV"

CASES: dict[int, list[Refused | Read | Skipped]] = {
    1: [Refused("a.csv", b"", "is empty", "no rows", "at least 20 examples")],
    2: [Refused("a.csv", b" \n\t\r\n  \n", "is empty", "no rows", "at least 20 examples")],
    3: [Refused("a.csv", CSV, "has no examples", "no rows below", "at least 20 examples"), Refused("a.xlsx", packed.workbook({"One": [["question", "answer"]]}), "has no examples", "no rows below", "at least 20")],
    4: [Read("a.csv", CSV + "a,b\n", ["b"], "There is only 1 row")],
    5: [Read("a.csv", b"\xef\xbb\xbf" + CSV.encode() + b"a,b\n", ["b"])],
    6: [Read("a.csv", (CSV + "a,é\n").encode("utf-16"), ["é"])],
    7: [Read("a.csv", (CSV + "a,é\n").encode("utf-16-be"), ["é"])],
    8: [Refused("a.csv", CSV_ROWS.encode("utf-32"), "UTF-32", "four bytes", "Save it as UTF-8")],
    9: [Read("a.csv", (CSV + "a,Café à Nîmes\n").encode("cp1252"), ["Café à Nîmes"], "read as cp1252. Check the rows")],
    10: [Skipped("a.csv", (CSV + "a,Café à Nîmes éé\n").encode() + b"b,Caf\xe9\n", ["Café à Nîmes éé"], "do not fit the file's encoding")],
    11: [Read("a.csv", (CSV + "你好,世界上最高的山是珠穆朗玛峰。\n" * 9).encode("gb18030"), ["世界上最高的山是珠穆朗玛峰。"] * 9, "gb18030")],
    12: [Skipped("a.csv", (CSV + "a,é è à\nb,").encode() + b"\xff\n", ["é è à"], "do not fit the file's encoding")],
    13: [Skipped("a.jsonl", ROW + '{"question": "a", "answer": "\\ud800"}\n', ["b"], "half of a character")],
    14: [Skipped("a.csv", CSV + "a,b\nc,d\0e\n" + "x,y\n" * 20, ["b"] + ["y"] * 20, "NUL characters")],
    15: [Read("a.csv", CSV + "a,b\x08c\n", ["bc"], "control characters were removed")],
    16: [Read("a.csv", CSV + "a,\u202eא\u2028\u200b\u200d!\n", ["\u202eא\u2028\u200b\u200d!"])],
    17: [Read("a.csv", CSV + "a,cafe\u0301\nb,caf\u00e9\n", ["cafe\u0301", "caf\u00e9"])],
    18: [Read("a.csv", CSV_ROWS.replace("\n", "\r"), ["Me.", "Here."]), Read("a.jsonl", ROW.replace("\n", "\r") * 2, ["b", "b"])],
    19: [Read("a.csv", 'question,answer\r\na,"b\r\nc"\nd,e\n', ["b\nc", "e"], "Windows line ends")],
    20: [Read("a.csv", CSV + "a,b", ["b"])],
    21: [Read("a.csv", "question;answer\na, b;c, d\n", ["c, d"])],
    22: [Read("a.csv", "question\tanswer\na, b\tc, d\n", ["c, d"])],
    23: [Read("a.csv", "question|answer\na, b|c, d\n", ["c, d"])],
    24: [Skipped("a.csv", CSV + "a,b\nWho, me?,Yes\n", ["b"], "more cells than there are columns")],
    25: [Skipped("a.csv", CSV + "1,2,3\na,b\n", ["b"], "more cells than there are columns"), Skipped("a.xlsx", lambda: packed.workbook({"One": [["question", "answer"], ["a", "b"]] + [["c", "d"]] * 1000 + [["e", "f", "g"]]}), ["b"] + ["d"] * 1000, "more cells")],
    26: [Skipped("a.csv", CSV + "a\nc,d\n", ["d"], "fewer cells than there are columns")],
    27: [Refused("a.csv", CSV + 'a,b\nc,"d\ne,f\n', "never closed", "line 3", "Close or remove the quotation mark in line 3")],
    28: [Read("a.csv", CSV + 'a,"I said ""me""."\n', ['I said "me".']), Read("a.csv", CSV + 'a,"I said \\"me\\", yes."\n', ['I said "me", yes.'])],
    29: [Read("a.csv", "question,answer,answer\na,b,c\n", ["b"], "Two columns were called “answer”; one is now “answer (2)”")],
    30: [Read("a.csv", ",question,answer\n1,a,b\n", ["b"], "without a name is now called “column 1”")],
    31: [Refused("a.csv", "question," + "x" * 10_000 + "\na,b\n", "far too long a name", "column 2 has 10,000", "short names")],
    32: [Refused("a.csv", ",".join(f"c{n}" for n in range(100_000)) + "\n1\n", "too many columns", "100,000 columns", "Keep the columns")],
    33: [Refused("a.csv", "," * 999_999 + "\n1\n", "too many columns", "1,000,000 columns", "Keep the columns")],
    34: [Read("a.csv", CSV + "a," + "x" * 5_000_000 + "\n", ["x" * 5_000_000]), Refused("a.csv", lambda: (CSV + "a,b\nc," + "x" * 33 * 2**20 + "\n").encode(), "too long", "Line 3 has more than 32 million", "Shorten that line")],
    35: [Refused("a.csv", CSV + "a,b\n" * 60, "too many rows", "up to 50 rows", "Upload a part")],
    36: [Read("a.csv", CSV + "NA,null\nNone,nan\n", ["null", "nan"])],
    37: [Read("a.csv", CSV + "007,1e5\n2024-01-02,TRUE\n", ["1e5", "TRUE"])],
    38: [Read("a.csv", CSV + "12345678901234567890,98765432109876543210\n", ["98765432109876543210"]), Read("a.jsonl", '{"question": "a", "answer": 98765432109876543210}\n', ["98765432109876543210"])],
    39: [Read("a.csv", CSV + "=cmd|' /C calc'!A0,@SUM(A1)\n+1,-2\n", ["@SUM(A1)", "-2"])],
    40: [Refused("a.csv", "<!DOCTYPE html><html><body>Sign in</body></html>", "This is a web page.", "sign-in page", SAVE)],
    41: [Read("a.jsonl", CSV_ROWS, ["Me.", "Here."]), Read("a.csv", packed.workbook({"One": [["question", "answer"], ["a", "b"]]}), ["b"])],
    42: [Refused("a.csv", "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n", "git-LFS pointer", "three lines", "git lfs pull")],
    43: [Refused("a.json", "42", "does not hold rows", "a single value", "list of objects")],
    44: [Read("a.json", '{"question": ["a", "b"], "answer": ["c", "d"]}', ["c", "d"])],
    45: [Refused("a.json", '[["a", "b"], ["c", "d"]]', "does not hold rows", "a list of lists", "list of objects")],
    46: [Refused("a.json", '["one", "two"]', "column", "text", "")],
    47: [Skipped("a.jsonl", ROW + '{"question": "a", "answer": [1, 2]}\n', ["b"], "the answer is a list, not text")],
    48: [Skipped("a.jsonl", ROW + '{"question": "c", \n' + ROW, ["b", "b"], "not valid JSON"), Refused("a.json", f"[{ROW},\n{{]", "not valid JSON", "stopped at line", "Correct that line")],
    49: [Read("a.jsonl", "\n" + ROW + "\n\n" + ROW, ["b", "b"])],
    50: [Read("a.jsonl", json.dumps([json.loads(ROW)] * 2, indent=2), ["b", "b"])],
    51: [Skipped("a.jsonl", ROW + "".join(f'{{"question": "a", "answer": {bad}}}\n' for bad in ("NaN", "-Infinity", "1e999")), ["b"], "NaN or infinity")],
    52: [Read("a.jsonl", '{"question": "a", "answer": "b", "answer": "c"}\n', ["c"], "same column twice; the last value was taken")],
    53: [Refused("a.json", '{"a":' * 60_000 + "1" + "}" * 60_000, "nested too deeply", "line 1", "plain list of objects"), Refused("a.json", "[" * 200_000, "nested too deeply", "line 1", "plain list of objects")],
    54: [Read("a.jsonl", json.dumps({"messages": json.dumps(json.loads(GOOD)["messages"])}) + "\n", ["Hello"])],
    55: [Skipped("a.jsonl", GOOD + talk(("wizard", "x"), ("assistant", "y")), ["Hello"], "neither a person nor the model")],
    56: [Read("a.jsonl", talk(("user", "a"), ("user", "b"), ("assistant", "c")), ["c"], "in a row were joined"), Skipped("a.jsonl", GOOD + talk(("assistant", "a"), ("user", "b"), ("assistant", "c")), ["Hello"], "the model speaks first"), Skipped("a.jsonl", GOOD + talk(("user", "a"), ("assistant", " ")), ["Hello"], "the answer is empty")],
    57: [Read("a.jsonl", talk(("user", [{"type": "text", "text": "a"}]), ("assistant", "b")), ["b"]), Skipped("a.jsonl", GOOD + talk(("user", [{"type": "audio", "audio": "x"}]), ("assistant", "b")), ["Hello"], "")],
    58: [Read("a.jsonl", talk(("user", "a")) * 3, ["a"] * 3, "without answers to learn from")],
    59: [Read("a.jsonl", talk(("system", "Be kind."), ("user", "a"), ("assistant", "b")), ["b"])],
    60: [Refused("a.parquet", parquet(pairs())[:-20], "damaged", "cannot be read", "Download or export it once more")],
    61: [Refused("a.parquet", b"PAR2" + parquet(pairs())[4:], "not a text file", "not readable text", SAVE)],
    62: [Refused("a.parquet", parquet(pairs().slice(0, 0)), "has no examples", "no rows below", "at least 20")],
    63: [Read("a.parquet", parquet(pa.table({"messages": [[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]]})), ["Hello"]), Refused("a.parquet", parquet(pa.table({"question": ["a"], "answer": pa.array([[("x", 1)]], pa.map_(pa.string(), pa.int32()))})), "could not tell the questions from the answers", "columns question, answer", "Choose the two columns")],
    64: [Refused("a.parquet", lambda: parquet(pa.table({"answer": pa.DictionaryArray.from_arrays(pa.array([0] * 20_000, pa.int32()), pa.array(["a" * 2**20]))}), compression="zstd"), "unpacks to far more", "Reading was stopped after", "Upload the rows as CSV")],
    65: [Refused("a.parquet", parquet(pa.table({"question": pa.array([0] * 60, pa.int8())})), "too many rows", "up to 50 rows", "Upload a part")],
    66: [Refused("a.parquet", b"PARE" + bytes(100) + b"PARE", "encrypted", "no key", "without encryption")],
    67: [Refused("a.xlsx", b"PK\x03\x04" + bytes(26) + b"xl/workbook.xml", "Excel workbook is damaged", "list of parts", "save it once more"), Refused("a.xls", packed.old_container("Workbook"), "workbook is damaged", "cannot be read", "save it as .xlsx or CSV"), Refused("a.xlsx", packed.old_container("EncryptedPackage"), "locked with a password", "no key", "remove the password")],
    68: [Read("a.xlsx", packed.workbook({"Notes": [["read me"]], "Data": [["question", "answer"], ["a", packed.Formula("6*7")], [None, "x"]]}, hidden=("Notes",), merged=("A2:A3",)), ["42", "x"], "2 sheets; “Data” is read. Choose another under “Sheet”")],
    69: [
        Read("a.zip", packed.zipped({"a.csv": CSV_ROWS}), ["Me.", "Here."]),
        Read("a.csv.gz", gzip.compress(CSV_ROWS.encode()), ["Me.", "Here."]),
        Refused("a.zip", lambda: packed.zipped({"a.csv": bytes(400 * 2**20)}), "unpacks to far more", "stopped after 0.3 GB", "Upload the rows as CSV"),
        Refused("a.zip", lambda: packed.zipped({f"{n}.csv": b"" for n in range(60_000)}, 0), "too many files", "60,000", "into one file"),
        Refused("a.zip", packed.zipped({"../a.csv": CSV_ROWS}), "not what it should be", "outside of its folder", "Pack the files again"),
        Refused("a.zip", packed.zipped({"a.zip": MANY_ZIP}), "no table and no text", "other archives: a.zip", "Unpack those"),
        Refused("a.zip", MANY_ZIP[:-30], "damaged", "list of files", "once more"),
    ],
    70: [Refused("a.pdf", "%PDF-1.7\n", "PDF document", "pages, not rows", "plain text file (.txt)"), Refused("a.docx", packed.zipped({"word/document.xml": "<x"}), "Word document", "pages, not rows", "plain text file (.txt)"), Refused("a.doc", packed.old_container("WordDocument"), "old Word document", "pages", "plain text file")],
    71: [
        Refused("a.png", packed.picture(), "This is a picture", "no example to learn from", "into one zip file"),
        Refused("a.svg", "<svg xmlns='x'><script>1</script></svg>", "a drawing (SVG)", "can hold programs", "into one zip file"),
        Refused("a.zip", packed.zipped({"a.csv": "image,text\nx.png,a\n", "x.png": packed.vast_picture()}), "None of the pictures can be used", "40 million pixels", "PNG or JPEG"),
        Refused("a.zip", packed.zipped({"a.csv": "image,text\nx.png,a\n", "x.png": packed.picture()[:40]}), "None of the pictures can be used", "cut short", "PNG or JPEG"),
    ],
    72: [Read("a.csv", CSV + "a,b\n" * 30, ["b"] * 30, "'duplicates': 29"), Refused("a.csv", CSV + "a,\nb,\n", "could not tell the questions from the answers", "column “answer” is empty in every row", "choose other columns")],
}  # fmt: skip
