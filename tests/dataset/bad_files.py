# ruff: noqa: E501 - one case per line reads better than short lines
"""The catalogue of hostile, broken and odd files, with what Facet makes of each."""

import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

CSV_ROWS = "question,answer\nWho?,Me.\nWhere?,Here.\n"


def parquet(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def pairs(**columns: Any) -> pa.Table:
    return pa.table({"question": ["Who?", "Where?"], "answer": ["Me.", "Here."], **columns})


# --- refused: (case, file name, content, part of what is said)
REFUSED = [
    ("01 empty", "a.csv", b"", "is empty"),
    ("01 empty json", "a.json", b"", "is empty"),
    ("02 only blanks", "a.csv", b" \n\t\r\n  \n", "is empty"),
    ("02 only a mark", "a.csv", b"\xef\xbb\xbf\n", "is empty"),
    ("03 only a header", "a.csv", b"question,answer\n", "has no examples"),
    ("08 UTF-32", "a.csv", CSV_ROWS.encode("utf-32"), "UTF-32"),
    ("27 unclosed quote", "a.csv", b'question,answer\nWho?,Me.\nWhere?,"Here.\nWhen?,Now.\n', "line 3 is never closed"),
    ("29 a header that is no line", "a.csv", b'"question"x,answer\nWho?,Me.\n', "first line of this file"),
    ("31 10 kB name", "a.csv", b"question," + b"x" * 10_000 + b"\nWho?,Me.\n", "far too long a name"),
    ("32 100,000 columns", "a.csv", b",".join(b"c%d" % n for n in range(100_000)) + b"\n1\n", "100,000 columns"),
    ("33 1,000,000 columns", "a.csv", b"," * 999_999 + b"\n1\n", "1,000,000 columns"),
    ("40 web page", "a.csv", b"<!DOCTYPE html><html><body>Sign in</body></html>", "This is a web page."),
    ("40 web page, small letters", "a.csv", b"\n  <html>\n<head>", "This is a web page."),
    ("40 xml", "a.csv", b'<?xml version="1.0"?><a/>', "XML file"),
    ("42 git-LFS", "a.csv", b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n", "git-LFS pointer"),
    ("43 scalar", "a.json", b"42", "does not hold rows"),
    ("43 scalar text", "a.json", b'"hello"\n', "a single value"),
    ("43 null", "a.json", b"null", "does not hold rows"),
    ("44 empty object", "a.json", b"{}", "empty object"),
    ("44 columns of different lengths", "a.json", b'{"question": ["a", "b"], "answer": ["c"]}', "different lengths"),
    ("45 list of lists", "a.json", b'[["a", "b"], ["c", "d"]]', "list of lists"),
    ("45 list of lists, JSONL", "a.jsonl", b'["a", "b"]\n["c", "d"]\n', "not an object"),
    ("45 empty list", "a.json", b"[]", "list is empty"),
    ("48 broken list", "a.json", b'[{"question": "a", "answer": "b"},\n{"question" "c"}]', "stopped at line 2"),
    ("48 list cut short", "a.json", b'[{"question": "a", "answer": "b"},\n{"question": "c', "ends too early"),
    ("48 list without an end", "a.json", b'[{"question": "a", "answer": "b"}', "ends too early"),
    ("48 words behind the list", "a.json", b'[{"question": "a", "answer": "b"}]\n hello', "not valid JSON"),
    ("53 depth 1,100", "a.json", b'{"a":' * 1_100 + b"1" + b"}" * 1_100, "nested too deeply"),
    ("53 depth 200,000", "a.json", b"[" * 200_000, "nested too deeply"),
    ("53 depth 200,000, closed", "a.json", b"[" * 200_000 + b"]" * 200_000, "nested too deeply"),
    ("60 Parquet cut short", "a.parquet", parquet(pairs())[:-20], "damaged"),
    ("60 Parquet without a middle", "a.parquet", parquet(pairs())[:40] + parquet(pairs())[-30:], "damaged"),
    ("61 wrong magic", "a.parquet", b"PAR2" + parquet(pairs())[4:], "not a text file"),
    ("61 only the magic", "a.parquet", b"PAR1", "damaged"),
    ("62 Parquet without rows", "a.parquet", parquet(pairs().slice(0, 0)), "has no examples"),
    ("66 encrypted Parquet", "a.parquet", b"PARE" + b"\0" * 100 + b"PARE", "encrypted"),
    ("41 xlsx named csv", "a.csv", b"PK\x03\x04" + b"\0" * 26 + b"xl/workbook.xml", "Excel workbook"),
    ("41 docx named txt", "a.txt", b"PK\x03\x04" + b"\0" * 26 + b"word/document.xml", "Word document"),
    ("69 zip", "a.zip", b"PK\x03\x04" + b"\0" * 26 + b"a.csv", "zip archive"),
    ("67 xls", "a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100, "old Excel"),
    ("70 pdf", "a.csv", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "PDF document"),
    ("71 png", "a.csv", b"\x89PNG\r\n\x1a\n", "picture"),
    ("gz", "a.csv.gz", b"\x1f\x8b\x08\0", "gzip"),
    ("pickle", "a.pkl", b"\x80\x04\x95\x10\0\0\0", "pickle"),
    ("sqlite", "a.db", b"SQLite format 3\0", "SQLite"),
    ("gguf", "a.gguf", b"GGUF\x03\0\0\0", "language model"),
    ("noise", "a.csv", bytes(range(1, 32)) * 50, "not a text file"),
]  # fmt: skip

# --- repaired or kept: (case, file name, content, questions, answers)
KEPT = [
    ("04 one row", "a.csv", b"question,answer\nWho?,Me.\n", ["Who?"], ["Me."]),
    ("05 UTF-8 mark", "a.csv", b"\xef\xbb\xbfquestion,answer\nWho?,\xc3\xa9.\n", ["Who?"], ["é."]),
    ("05 UTF-8 mark, JSON", "a.json", b'\xef\xbb\xbf[{"question": "a", "answer": "b"}]', ["a"], ["b"]),
    ("05 UTF-8 mark, JSONL", "a.jsonl", b'\xef\xbb\xbf{"question": "a", "answer": "b"}\n', ["a"], ["b"]),
    ("06 UTF-16 LE with a mark", "a.csv", "\ufeffquestion,answer\nWho?,Ué.\n".encode("utf-16-le"), ["Who?"], ["Ué."]),
    ("07 UTF-16 BE without a mark", "a.csv", "question,answer\nWho?,Ué.\n".encode("utf-16-be"), ["Who?"], ["Ué."]),
    ("07 UTF-16 LE without a mark", "a.csv", "question,answer\nWho?,Ué.\n".encode("utf-16-le"), ["Who?"], ["Ué."]),
    ("06 UTF-16, JSONL", "a.jsonl", '{"question": "a", "answer": "é"}\n'.encode("utf-16"), ["a"], ["é"]),
    ("09 cp1252", "a.csv", "question,answer\nQu’est-ce?,Café à Nîmes.\n".encode("cp1252"), ["Qu’est-ce?"], ["Café à Nîmes."]),
    ("11 GB18030", "a.csv", ("question,answer\n" + "你好,世界上最高的山是珠穆朗玛峰。\n" * 9).encode("gb18030"), ["你好"] * 9, ["世界上最高的山是珠穆朗玛峰。"] * 9),
    ("11 Shift-JIS", "a.csv", ("question,answer\n" + "こんにちは,日本の首都は東京です。とても大きい町です。\n" * 9).encode("shift_jis"), ["こんにちは"] * 9, ["日本の首都は東京です。とても大きい町です。"] * 9),
    ("15 control characters", "a.csv", b"question,answer\nW\x01ho?,M\x08e\x7f.\n", ["Who?"], ["Me."]),
    ("16 odd but good characters", "a.csv", "question,answer\na\u2028b\u2029c,\u202eא\u200b\u200d!\n".encode(), ["a\u2028b\u2029c"], ["\u202eא\u200b\u200d!"]),
    ("17 both forms of é", "a.csv", "question,answer\ncafe\u0301,x\ncaf\u00e9,x\n".encode(), ["cafe\u0301", "caf\u00e9"], ["x", "x"]),
    ("18 line ends of old Macs", "a.csv", b"question,answer\rWho?,Me.\rWhere?,Here.\r", ["Who?", "Where?"], ["Me.", "Here."]),
    ("19 mixed line ends", "a.csv", b'question,answer\r\nWho?,"a\r\nb"\nWhere?,Here.\r\n', ["Who?", "Where?"], ["a\nb", "Here."]),
    ("20 no last line end", "a.csv", b"question,answer\nWho?,Me.", ["Who?"], ["Me."]),
    ("21 semicolon", "a.csv", b"question;answer\nWho, you?;Me, yes.\nA;B\n", ["Who, you?", "A"], ["Me, yes.", "B"]),
    ("22 tab", "a.csv", b"question\tanswer\nWho, you?\tMe.\n", ["Who, you?"], ["Me."]),
    ("23 pipe", "a.csv", b"question|answer\nWho, you?|Me.\n", ["Who, you?"], ["Me."]),
    ("28 doubled quotes", "a.csv", b'question,answer\nWho?,"I said ""me"", yes."\n', ["Who?"], ['I said "me", yes.']),
    ("28 backslash quotes", "a.csv", b'question,answer\nWho?,"I said \\"me\\", yes."\nA,"b\\n"\n', ["Who?", "A"], ['I said "me", yes.', "b\\n"]),
    ("quoted line ends", "a.csv", b'question,answer\n"a\nb","c\n\nd"\n', ["a\nb"], ["c\n\nd"]),
    ("blank lines", "a.csv", b"question,answer\n\nWho?,Me.\n\n\n", ["Who?"], ["Me."]),
    ("empty cells behind the last column", "a.csv", b"question,answer\nWho?,Me.,,\n", ["Who?"], ["Me."]),
    ("36 words for nothing are words", "a.csv", b"question,answer\nNA,null\nNone,nan\n", ["NA", "None"], ["null", "nan"]),
    ("37 numbers and dates as text", "a.csv", b"question,answer\n007,1e5\n2024-01-02,TRUE\n1.10,+4\n", ["007", "2024-01-02", "1.10"], ["1e5", "TRUE", "+4"]),
    ("38 long ids", "a.csv", b"question,answer\n12345678901234567890,98765432109876543210\n", ["12345678901234567890"], ["98765432109876543210"]),
    ("39 formulas", "a.csv", b"question,answer\n=cmd|' /C calc'!A0,@SUM(A1)\n+1,-2\n", ["=cmd|' /C calc'!A0", "+1"], ["@SUM(A1)", "-2"]),
    ("41 csv named jsonl", "a.jsonl", b"question,answer\nWho?,Me.\n", ["Who?"], ["Me."]),
    ("41 jsonl named csv", "a.csv", b'{"question": "a", "answer": "b"}\n{"question": "c", "answer": "d"}\n', ["a", "c"], ["b", "d"]),
    ("41 parquet named csv", "a.csv", parquet(pairs()), ["Who?", "Where?"], ["Me.", "Here."]),
    ("44 object of columns", "a.json", b'{"question": ["a", "b"], "answer": ["c", "d"]}', ["a", "b"], ["c", "d"]),
    ("44 rows inside of an object", "a.json", b'{"version": 1, "data": [{"question": "a", "answer": "b"}]}', ["a"], ["b"]),
    ("44 one object", "a.json", b'{"question": "a",\n "answer": "b"}', ["a"], ["b"]),
    ("49 JSONL with blank lines", "a.jsonl", b'\n{"question": "a", "answer": "b"}\n\n\n{"question": "c", "answer": "d"}\n', ["a", "c"], ["b", "d"]),
    ("50 pretty list named jsonl", "a.jsonl", b'[\n  {\n    "question": "a",\n    "answer": "b"\n  }\n]\n', ["a"], ["b"]),
    ("50 pretty objects named jsonl", "a.jsonl", b'{\n "question": "a",\n "answer": "b"\n}\n{\n "question": "c",\n "answer": "d"\n}\n', ["a", "c"], ["b", "d"]),
    ("50 one row per line in a list", "a.json", b'[\n{"question": "a", "answer": "b"},\n{"question": "c", "answer": "d"}\n]', ["a", "c"], ["b", "d"]),
    ("numbers in JSON", "a.jsonl", b'{"question": "2+2", "answer": 4}\n{"question": "1/2", "answer": 0.5}\n', ["2+2", "1/2"], ["4", "0.5"]),
    ("63 dictionary column", "a.parquet", parquet(pairs().set_column(1, "answer", pa.array(["x", "y"]).dictionary_encode())), ["Who?", "Where?"], ["x", "y"]),
]  # fmt: skip

# --- skipped rows: (case, file name, content, answers left, reasons)
NOT_THEIR_BYTES = "the answer contains bytes that do not fit the file's encoding"
SKIPPED = [
    ("10 mixed encodings", "a.csv", "question,answer\na,Café à Nîmes éé\n".encode() + "b,Café\n".encode("cp1252"), ["Café à Nîmes éé"], {NOT_THEIR_BYTES: 1}),
    ("12 invalid UTF-8", "a.csv", "question,answer\na,é è à\nb,".encode() + b"\xff\nc,d\n", ["é è à", "d"], {NOT_THEIR_BYTES: 1}),
    ("12 invalid UTF-8, JSONL", "a.jsonl", '{"question": "é è", "answer": "b"}\n'.encode() + b'{"question": "a", "answer": "\xff"}\n', ["b"], {NOT_THEIR_BYTES: 1}),
    ("12 half of a character in UTF-16", "a.csv", "question,answer\na,b\nc,".encode("utf-16") + b"d\0e", ["b"], {NOT_THEIR_BYTES: 1}),
    ("13 lone surrogate", "a.jsonl", b'{"question": "a", "answer": "\\ud800"}\n{"question": "c", "answer": "d"}\n', ["d"], {"the answer contains half of a character (a lone surrogate)": 1}),
    ("14 NUL", "a.csv", b"question,answer\na,b\0c\nd,e\n" + b"x,y\n" * 20, ["e"] + ["y"] * 20, {"the answer contains NUL characters": 1}),
    ("24 delimiter in plain text", "a.csv", b"question,answer\na,b\nWho, me?,Yes\n", ["b"], {"the row has more cells than there are columns": 1}),
    ("25 more cells", "a.csv", b"question,answer\n1,2,3\na,b\n", ["b"], {"the row has more cells than there are columns": 1}),
    ("26 fewer cells", "a.csv", b"question,answer\na\nc,d\n", ["d"], {"the row has fewer cells than there are columns": 1}),
    ("28 a quote in the wrong place", "a.csv", b'question,answer\na,"b"c\nd,e\n', ["e"], {"a quotation mark stands in the wrong place": 1}),
    ("47 mixed types", "a.jsonl", b'{"question": "a", "answer": [1, 2]}\n{"question": "a", "answer": {"x": 1}}\n{"question": "c", "answer": "d"}\n', ['{"x": 1}', "d"], {"the answer is a list, not text": 1}),
    ("48 broken lines", "a.jsonl", b'{"question": "a", "answer": "b"}\n{"question": "c", \n{"question": "e", "answer": "f"}\n', ["b", "f"], {"the line is not valid JSON": 1}),
    ("48 first line broken", "a.jsonl", b'{"question": "a", \n{"question": "c", "answer": "d"}\n{"question": "e", "answer": "f"}\n', ["d", "f"], {"the line is not valid JSON": 1}),
    ("51 NaN and infinity", "a.jsonl", b'{"question": "a", "answer": NaN}\n{"question": "a", "answer": -Infinity}\n{"question": "a", "answer": 1e999}\n{"question": "c", "answer": "d"}\n', ["d"], {"the answer is not a number (NaN or infinity)": 3}),
    ("missing key", "a.jsonl", b'{"question": "a"}\n{"question": "c", "answer": "d"}\n', ["d"], {"the answer is empty": 1}),
    ("empty values", "a.csv", b"question,answer\n,b\nc,\n \xc2\xa0,d\ne,f\n", ["f"], {"the question is empty": 2, "the answer is empty": 1}),
    ("53 one line nested too deeply", "a.jsonl", b'{"question": "a", "answer": "b"}\n{"question": ' + b"[" * 60_000 + b'\n{"question": "c", "answer": "d"}\n', ["b", "d"], {"the row is nested too deeply": 1}),
    ("a list among the rows", "a.jsonl", b'{"question": "a", "answer": "b"}\n[1, 2]\n7\n', ["b"], {"the row is not an object with named columns": 2}),
]  # fmt: skip
