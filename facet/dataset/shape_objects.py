"""Rows whose columns are objects of named texts: a question and its answer in one cell, or a text in two languages."""

from collections.abc import Callable, Sequence
from typing import Any

from facet.dataset.mapping import Mapping
from facet.dataset.table import Shape, Table, column_of, plain

_ROWS = 200
_MOST_FIELDS = 30
_LANGUAGES = {
    "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech", "da": "Danish", "de": "German",
    "el": "Greek", "en": "English", "es": "Spanish", "et": "Estonian", "eu": "Basque", "fa": "Persian",
    "fi": "Finnish", "fr": "French", "ga": "Irish", "gl": "Galician", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian",
    "hu": "Hungarian", "hy": "Armenian", "id": "Indonesian", "is": "Icelandic", "it": "Italian", "ja": "Japanese",
    "ka": "Georgian", "kk": "Kazakh", "ko": "Korean", "la": "Latin", "lt": "Lithuanian", "lv": "Latvian",
    "mk": "Macedonian", "ml": "Malayalam", "mr": "Marathi", "ms": "Malay", "mt": "Maltese", "nb": "Norwegian",
    "ne": "Nepali", "nl": "Dutch", "nn": "Norwegian", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese",
    "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sl": "Slovenian", "sq": "Albanian", "sr": "Serbian",
    "sv": "Swedish", "sw": "Swahili", "ta": "Tamil", "te": "Telugu", "th": "Thai", "tl": "Tagalog", "tr": "Turkish",
    "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip

Look = Callable[[Table], Shape | None]


def fields(rows: list[dict[str, Any]], name: str) -> list[str]:
    """The fields of a column of objects, as `column.field`, in the order in which they come."""
    found = dict.fromkeys(key for row in rows[:_ROWS] for key in _object(row.get(name)))
    return [f"{name}.{key}" for key in list(found)[: _MOST_FIELDS + 1] if isinstance(key, str) and key.strip()]


def in_objects(table: Table, looks: Sequence[Look]) -> Shape | None:
    """The shape of what is in a column of objects, found by `looks`; what stands around it is shared."""
    for column in reversed(table.named.values()):
        names = fields(table.rows, column.name) if column.kind == "object" else []
        if not 0 < len(names) <= _MOST_FIELDS:
            continue
        inner = _opened(table, column.name, names)
        for look in looks:
            shape = look(inner)
            if shape and any(part in names for part in shape.mapping.parts()):
                return shape
    return None


def _opened(table: Table, name: str, names: list[str]) -> Table:
    rows = [
        {**row, **{f"{name}.{key}": value for key, value in _object(row.get(name)).items()}}
        for row in table.rows[:_ROWS]
    ]
    own = {plain(each.removeprefix(f"{name}.")): column_of(each, rows) for each in reversed(names)}
    outer = {key: column for key, column in table.named.items() if column.name != name and key not in own}
    return Table({**outer, **own}, rows)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def translated(table: Table) -> Shape | None:
    """The same text in two languages, in columns or in fields of one that are named by them."""
    found = [
        (key, column)
        for key, column in reversed(table.named.items())
        if key.split("_")[0] in _LANGUAGES and len(key) <= 7 and column.kind == "text"
    ]
    if len(found) < 2 or len({key.split("_")[0] for key, _ in found}) < 2:
        return None
    (first, source), (second, target) = found[:2]
    names = [_LANGUAGES[key.split("_")[0]] for key in (first, second)]
    words = f"Translations from {names[0]} in “{source.name}” to {names[1]} in “{target.name}”. To teach "
    words += "the other way, swap the two columns and the languages in the instruction."
    mapping = Mapping(
        kind="columns",
        user=source.name,
        assistant=target.name,
        system=f"Translate from {names[0]} to {names[1]}. Answer with the translation and nothing else.",
    )
    return Shape("columns", words, mapping)
