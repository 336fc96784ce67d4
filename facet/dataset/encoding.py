"""Which character encoding a text file is in, found from its bytes alone."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from facet.errors import DataError

_CHUNK = 2**20
_SAMPLE = 2**18
_IN_RUNS = ["gb18030", "shift_jis", "euc_jp", "euc_kr", "big5", "cp1251", "koi8_r", "cp1253", "cp1255", "cp1256"]
_ASCII = set(range(128))
_WESTERN = set("äöüÄÖÜßéèêëÉÈàâáÀÁçÇîïíôóòûùúœæøåÅØÆñÑ¿¡«»€§°´„“”‘’–—…·".encode("cp1252"))
UNFIT = "facet-unfit"
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")


def _mark_unfit(error: UnicodeError) -> tuple[str, int]:
    """As Python's `surrogateescape`, but also for bytes below 128, which can be unfit in UTF-16."""
    assert isinstance(error, UnicodeDecodeError)
    unfit = error.object[error.start : error.end]
    return "".join(chr(0xDC00 + max(byte, 0x80)) for byte in unfit), error.end


codecs.register_error(UNFIT, _mark_unfit)


def known(name: str) -> str:
    """The codec's own name for what a person chose.

    Raises: `DataError` for a name that is no text encoding.
    """
    try:
        info = codecs.lookup(str(name))
    except (LookupError, ValueError):
        info = None
    if info is None or not info._is_text_encoding or info.name in ("idna", "punycode", "undefined", "mbcs", "oem"):
        raise DataError(
            "We do not know this character encoding.",
            "The name given is not one that text files use.",
            "Choose another one under “Encoding”, for example utf-8.",
        )
    return info.name


def detect(file: Path) -> str:
    """The encoding of a text file. Raises: `DataError` for UTF-32."""
    with open(file, "rb") as content:
        head = content.read(4096)
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise DataError(
            "This file is saved as UTF-32.",
            "It uses four bytes for each character, which Facet does not read.",
            "Save it as UTF-8 and upload it again.",
        )
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return _utf16_without_mark(head) or _by_content(file)


def _utf16_without_mark(head: bytes) -> str | None:
    """Latin text in UTF-16 has a zero byte beside nearly every letter, always on the same side."""
    pairs = len(head) // 2
    if pairs < 4:
        return None
    even, odd = head[: pairs * 2 : 2].count(0) / pairs, head[1 : pairs * 2 : 2].count(0) / pairs
    if odd > 0.4 and even < 0.05:
        return "utf-16-le"
    return "utf-16-be" if even > 0.4 and odd < 0.05 else None


def _by_content(file: Path) -> str:
    sample = b"".join(_lines_beyond_ascii(file))
    if not sample:
        return "utf-8"
    unfit = sum("\udc80" <= letter <= "\udcff" for letter in sample.decode("utf-8", "surrogateescape"))
    fit = len(re.findall(rb"[\xc2-\xf4][\x80-\xbf]+", sample))
    if unfit == 0 or fit > unfit:
        return "utf-8"
    return _single_or_double_bytes(sample)


def _single_or_double_bytes(sample: bytes) -> str:
    """Accented letters stand alone between plain ones; other scripts come in runs."""
    runs = [len(run) for run in _HIGH_RUN.findall(sample)]
    if sum(length for length in runs if length > 1) < sum(runs) / 2:
        return "cp1252"
    if sum(length for length in runs if length > 2) < sum(runs) / 4 and set(sample) - _ASCII <= _WESTERN:
        return "cp1252"  # two letters with accents beside each other, as in “größer”
    from charset_normalizer import from_bytes

    best = from_bytes(sample[: 2**15], cp_isolation=_IN_RUNS).best()
    return best.encoding if best else "cp1252"


def _lines_beyond_ascii(file: Path) -> Iterator[bytes]:
    """Up to a quarter of a megabyte of the lines that show how characters beyond ASCII are written."""
    found = 0
    with open(file, "rb") as content:
        while found < _SAMPLE and (chunk := content.read(_CHUNK)):
            if not chunk.endswith(b"\n"):
                chunk += content.readline(_CHUNK)
            if chunk.isascii():
                continue
            for line in chunk.splitlines():
                if line.isascii():
                    continue
                yield line[:_SAMPLE] + b"\n"
                found += len(line)
                if found >= _SAMPLE:
                    break
