"""Archives, pictures and workbooks made from nothing, for the tests of what people bring."""

import io
import struct
import zipfile
import zlib
from typing import Any
from xml.sax.saxutils import escape

from PIL import Image

QUESTIONS = b"question,answer\nWho?,Me.\nWhere?,Here.\n"
_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
)
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
_SHEETS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_STYLES = (
    f'<styleSheet {_SHEETS}><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs>'
    "</styleSheet>"
)
Rows = list[list[Any]]


def zipped(files: dict[str, bytes | str], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def picture(color: str = "red", size: tuple[int, int] = (8, 6), kind: str = "PNG", **options: Any) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, color).save(made, kind, **options)
    return made.getvalue()


def vast_picture(width: int = 65_535, height: int = 65_535) -> bytes:
    """A PNG of a few bytes that says it is as wide and as high as most programs allow."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head, rows = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0), zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


class Date(float):
    """A number that a workbook shows as a date."""


class Formula(str):
    """What a cell computes; its kept value is 42."""


def column(number: int) -> str:
    name = ""
    while True:
        name = chr(65 + number % 26) + name
        number = number // 26 - 1
        if number < 0:
            return name


def _cell(place: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, Formula):
        return f'<c r="{place}"><f>{escape(value)}</f><v>42</v></c>'
    if isinstance(value, Date):
        return f'<c r="{place}" s="1"><v>{float(value)}</v></c>'
    if isinstance(value, int | float):
        return f'<c r="{place}"><v>{value}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'


def _sheet(rows: Rows, merged: tuple[str, ...]) -> str:
    lines = (
        f'<row r="{number}">{"".join(_cell(f"{column(at)}{number}", value) for at, value in enumerate(row))}</row>'
        for number, row in enumerate(rows, start=1)
    )
    spans = "".join(f'<mergeCell ref="{span}"/>' for span in merged)
    spans = f"<mergeCells>{spans}</mergeCells>" if merged else ""
    return f"<worksheet {_SHEETS}><sheetData>{''.join(lines)}</sheetData>{spans}</worksheet>"


def sheet_of(rows: str) -> str:
    return f"<worksheet {_SHEETS}><sheetData>{rows}</sheetData></worksheet>"


def workbook(
    sheets: dict[str, Rows | str], hidden: tuple[str, ...] = (), merged: tuple[str, ...] = (), shared: str = ""
) -> bytes:
    """An .xlsx file. A sheet is rows of values, or its XML; `shared` is a text that cells of type s point to."""
    listed, related, files = [], [], {}
    for number, (name, rows) in enumerate(sheets.items(), start=1):
        state = ' state="hidden"' if name in hidden else ""
        listed.append(f'<sheet name="{escape(name)}" sheetId="{number}"{state} r:id="rId{number}"/>')
        target = f"worksheets/sheet{number}.xml"
        related.append(f'<Relationship Id="rId{number}" Type="{_OFFICE}/worksheet" Target="{target}"/>')
        files[f"xl/{target}"] = rows if isinstance(rows, str) else _sheet(rows, merged)
    related.append(f'<Relationship Id="rId{len(sheets) + 1}" Type="{_OFFICE}/styles" Target="styles.xml"/>')
    if shared:
        files["xl/sharedStrings.xml"] = f"<sst {_SHEETS}><si><t>{shared}</t></si></sst>"
        related.append(f'<Relationship Id="rId99" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/>')
    book = f'<workbook {_SHEETS} xmlns:r="{_OFFICE}"><sheets>{"".join(listed)}</sheets></workbook>'
    main = f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    return zipped(
        {
            "[Content_Types].xml": _TYPES,
            "_rels/.rels": _RELS.format(main),
            "xl/workbook.xml": book,
            "xl/_rels/workbook.xml.rels": _RELS.format("".join(related)),
            "xl/styles.xml": _STYLES,
            **files,
        }
    )


def open_document(rows: str, end: str = "</table:table>") -> bytes:
    """An .ods file with one sheet, whose rows are XML."""
    office = "urn:oasis:names:tc:opendocument:xmlns:"
    content = (
        f'<office:document-content xmlns:office="{office}office:1.0" xmlns:table="{office}table:1.0" '
        f'xmlns:text="{office}text:1.0"><office:body><office:spreadsheet><table:table table:name="Sheet1">{rows}'
        f"{end}</office:spreadsheet></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        f'<manifest:manifest xmlns:manifest="{office}manifest:1.0"><manifest:file-entry '
        f'manifest:full-path="/" manifest:media-type="{kind}"/></manifest:manifest>'
    )
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", kind, zipfile.ZIP_STORED)
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", manifest)
    return made.getvalue()


def old_container(*names: str) -> bytes:
    """The beginning of a file in Microsoft's old container, whose directory lists these names."""
    header = bytearray(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504))
    header[30:32] = (9).to_bytes(2, "little")
    directory = b"".join(name.encode("utf-16-le").ljust(128, b"\0") for name in ("Root Entry", *names))
    return bytes(header) + directory.ljust(512, b"\0")


def old_workbook(rows: Rows, locked: bool = False) -> bytes:
    """An .xls file with one sheet, as Excel 97 wrote them; `locked` with a password."""

    def record(kind: int, data: bytes) -> bytes:
        return struct.pack("<HH", kind, len(data)) + data

    def start(kind: int) -> bytes:
        return record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0x0DBB, 0x07CC, 0, 6))

    cells = b""
    for line, row in enumerate(rows):
        for place, value in enumerate(row):
            head = struct.pack("<HHH", line, place, 0)
            if isinstance(value, str):
                text = value.encode("utf-16-le")
                cells += record(0x0204, head + struct.pack("<HB", len(value), 1) + text)
            else:
                cells += record(0x0203, head + struct.pack("<d", value))
    size = record(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, max(map(len, rows)), 0))
    sheet = start(0x0010) + size + cells + record(0x000A, b"")
    lock = record(0x002F, struct.pack("<HH", 1, 1) + bytes(50)) if locked else b""
    opening = start(0x0005) + lock + record(0x0042, struct.pack("<H", 1200))
    name = b"Sheet1"
    at = len(opening) + 4 + 8 + len(name) + 4
    book = opening + record(0x0085, struct.pack("<IHBB", at, 0, len(name), 0) + name) + record(0x000A, b"") + sheet
    return _contained(book.ljust(4096, b"\0"))


def _contained(stream: bytes) -> bytes:
    """One stream called Workbook in Microsoft's old container: header, table of sectors, directory, the stream."""
    count = -(-len(stream) // 512)
    end, free = 0xFFFF_FFFE, 0xFFFF_FFFF
    table = [0xFFFF_FFFD, end, *range(3, count + 2), end]
    header = struct.pack("<8s16sHHHHH6x", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, end, 0, end, 0) + struct.pack("<109I", 0, *[free] * 108)

    def entry(name: str, kind: int, child: int, first: int, size: int) -> bytes:
        text = (name + "\0").encode("utf-16-le")
        links = struct.pack("<HBBIII", len(text), kind, 1, free, free, child)
        return text.ljust(64, b"\0") + links + bytes(36) + struct.pack("<IQ", first, size)

    directory = entry("Root Entry", 5, 1, end, 0) + entry("Workbook", 2, free, 2, len(stream))
    sectors = struct.pack(f"<{len(table)}I", *table).ljust(512, b"\xff")
    return header + sectors + directory.ljust(512, b"\0") + stream.ljust(count * 512, b"\0")
