"""One file of every kind, and one of every shape of data, made when they are needed."""

import bz2
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

Rows = list[dict[str, Any]]
TOPICS = ("the lake", "the old mill", "the market", "our library", "the night train", "a long winter", "the choir")


def pairs(count: int = 24) -> Rows:
    """Questions and answers that are all different."""
    return [
        {
            "question": f"What did you see at {TOPICS[n % 7]} on day {n}?",
            "answer": f"On day {n} I saw {n + 2} boats, and then I walked home past {TOPICS[(n + 3) % 7]}.",
        }
        for n in range(count)
    ]


def csv(rows: Rows, delimiter: str = ",") -> str:
    """Cells without quotes, delimiters or line breaks in them."""
    lines = [
        delimiter.join(rows[0]),
        *(delimiter.join(str(value).replace(",", "") for value in row.values()) for row in rows),
    ]
    return "\n".join(lines) + "\n"


def jsonl(rows: Rows) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def parquet(rows: Rows) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


def xlsx(*sheets: Rows) -> bytes:
    """The smallest workbook that spreadsheets open: inline texts, one sheet for each list of rows."""
    names = [f"Sheet{number}" for number in range(1, len(sheets) + 1)]
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    content = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/{name.lower()}.xml" ContentType="{content}.worksheet+xml"/>'
        for name in names
    )
    listed = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(names, 1))
    targets = "".join(
        f'<Relationship Id="rId{n}" Type="{office}/worksheet" Target="worksheets/{name.lower()}.xml"/>'
        for n, name in enumerate(names, 1)
    )
    files = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{content}.sheet.main+xml"/>{overrides}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}"><Relationship Id="rId1" Type="{office}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {space} xmlns:r="{office}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}">{targets}</Relationships>',
    }
    for name, rows in zip(names, sheets, strict=True):
        lines = [list(rows[0]), *(list(row.values()) for row in rows)]
        cells = "".join(
            "<row>" + "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in line) + "</row>"
            for line in lines
        )
        files[f"xl/worksheets/{name.lower()}.xml"] = f"<worksheet {space}><sheetData>{cells}</sheetData></worksheet>"
    return zipped({name: '<?xml version="1.0" encoding="UTF-8"?>' + text for name, text in files.items()})


def zipped(files: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def picture(color: tuple[int, int, int]) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (24, 24), color).save(buffer, "PNG")
    return buffer.getvalue()


def album(count: int = 12) -> bytes:
    """Pictures and a table that names them."""
    pictures = {f"pictures/{n}.png": picture((20 * n, 255 - 20 * n, 90)) for n in range(count)}
    table = [
        {"image": f"pictures/{n}.png", "question": f"Which colour is number {n}?", "answer": f"Shade {n}."}
        for n in range(count)
    ]
    return zipped(pictures | {"rows.csv": csv(table)})


def markdown() -> str:
    parts = [
        f"## About {topic}\n\nIn the year {1900 + n} somebody wrote about {topic}. It was said that on day {n + 3} of "
        f"May {n + 20} people came, and that every one of them brought a lantern. Nobody knows who lit the first."
        for n, topic in enumerate(TOPICS * 3)
    ]
    return "# Notes of a small town\n\n" + "\n\n".join(parts) + "\n"


KINDS: dict[str, Callable[[], str | bytes]] = {
    "comma.csv": lambda: csv(pairs()),
    "tab.tsv": lambda: csv(pairs(), "\t"),
    "semicolon.csv": lambda: csv(pairs(), ";").encode("cp1252"),
    "lines.jsonl": lambda: jsonl(pairs()),
    "list.json": lambda: json.dumps(pairs()),
    "table.parquet": lambda: parquet(pairs()),
    "book.xlsx": lambda: xlsx(pairs()),
    "lines.jsonl.gz": lambda: gzip.compress(jsonl(pairs()).encode()),
    "lines.jsonl.bz2": lambda: bz2.compress(jsonl(pairs()).encode()),
    "lines.jsonl.xz": lambda: lzma.compress(jsonl(pairs()).encode()),
    "packed.zip": lambda: zipped({"inside/rows.csv": csv(pairs()), "__MACOSX/._rows.csv": b"\0"}),
    "album.zip": album,
    "notes.md": markdown,
    "notes.txt": lambda: markdown().replace("#", ""),
    "wrong-name.xlsx": lambda: csv(pairs()),
}


def _chat(row: dict[str, str], **more: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": row["question"]}, {"role": "assistant", "content": row["answer"]} | more]


TOOL = {
    "type": "function",
    "function": {
        "name": "timer",
        "description": "Start a timer",
        "parameters": {"type": "object", "properties": {"minutes": {"type": "integer"}}},
    },
}


def _call(number: int) -> list[dict[str, Any]]:
    call = {"name": "timer", "arguments": json.dumps({"minutes": number})}
    return [
        {"role": "user", "content": f"Wake me in {number} minutes, please."},
        {"role": "assistant", "content": "", "tool_calls": [{"id": "1", "type": "function", "function": call}]},
        {"role": "tool", "tool_call_id": "1", "content": f"timer {number} is set"},
        {"role": "assistant", "content": f"I will wake you in {number} minutes."},
    ]


SHAPES: dict[str, Callable[[], Rows]] = {
    "messages": lambda: [{"messages": _chat(row)} for row in pairs()],
    "weights": lambda: [{"messages": [*_chat(row, weight=0), *_chat(row)]} for row in pairs()],
    "tools": lambda: [{"messages": _call(n), "tools": [TOOL]} for n in range(3, 27)],
    "sharegpt": lambda: [
        {"conversations": [{"from": "human", "value": row["question"]}, {"from": "gpt", "value": row["answer"]}]}
        for row in pairs()
    ],
    "alpaca": lambda: [
        {"instruction": row["question"], "input": "" if n % 2 else f"Note {n}", "output": row["answer"]}
        for n, row in enumerate(pairs())
    ],
    "prompt_completion": lambda: [{"prompt": row["question"], "completion": row["answer"]} for row in pairs()],
    "kauldron": lambda: [{"inputs": row["question"], "targets": row["answer"]} for row in pairs()],
    "text_label": lambda: [
        {"text": f"{row['question']} {row['answer']}", "label": ("north", "south", "east")[n % 3]}
        for n, row in enumerate(pairs(30))
    ],
    "preference": lambda: [
        {"prompt": row["question"], "chosen": row["answer"], "rejected": f"I do not know about day {n}."}
        for n, row in enumerate(pairs())
    ],
    "transcripts": lambda: [
        {
            "chosen": f"\n\nHuman: {row['question']}\n\nAssistant: {row['answer']}",
            "rejected": f"\n\nHuman: {row['question']}\n\nAssistant: Ask somebody else on day {n}.",
        }
        for n, row in enumerate(pairs())
    ],
    "openai_preference": lambda: [
        {
            "input": {"messages": [{"role": "user", "content": row["question"]}]},
            "preferred_output": [{"role": "assistant", "content": row["answer"]}],
            "non_preferred_output": [{"role": "assistant", "content": f"No idea, day {n}."}],
        }
        for n, row in enumerate(pairs())
    ],
    "unpaired_preference": lambda: [
        {"prompt": row["question"], "completion": row["answer"], "label": n % 3 > 0} for n, row in enumerate(pairs())
    ],
    "text": lambda: [{"text": f"{row['question']} {row['answer']} " * 3} for row in pairs()],
    "parts": lambda: [
        {"messages": [turn | {"content": [{"type": "text", "text": turn["content"]}]} for turn in _chat(row)]}
        for row in pairs()
    ],
    "instances": lambda: [
        {
            "instruction": f"Say what was seen at {topic}.",
            "instances": [{"input": row["question"], "output": row["answer"]} for row in pairs(3)],
        }
        for topic in TOPICS
    ],
}


def write(folder: Path, name: str) -> Path:
    """The file of this kind, or a JSONL file of this shape."""
    content = KINDS[name]() if name in KINDS else jsonl(SHAPES[name]())
    place = folder / (name if name in KINDS else f"{name}.jsonl")
    place.write_bytes(content.encode() if isinstance(content, str) else content)
    return place
