"""Texts and pictures with their categories, known by the names of their columns or by what is in them."""

from typing import Any

from facet.dataset.mapping import Mapping
from facet.dataset.shape_names import ANSWERS, CAPTIONS, LABELS, NOT_CONTENT, RATINGS, TAGS, TEXTS
from facet.dataset.table import MOST_LABELS, MOST_LISTED_LABELS, Column, Shape, Table, plain

_MOST_RATINGS = 11  # different ones; of more, nobody could say what they stand for


def tagged(table: Table) -> Shape | None:
    """Texts with several categories each."""
    tags = table.first(TAGS, "list")
    text = table.first(TEXTS, "text", but=(tags,))
    if tags is None or text is None or not all(are_texts(value) for value in table.values(tags) if value):
        return None
    words = f"Texts in “{text.name}” and their categories in “{tags.name}”, joined by commas."
    asked = "Answer with the categories of this message, separated by commas, and nothing else."
    braced = "{" + tags.name + "}"
    return Shape("columns", words, Mapping(kind="columns", user=text.name, assistant_template=braced, system=asked))


def pictured(table: Table) -> Shape | None:
    """Pictures and what is said about them."""
    pictures = table.pictures()
    if pictures is None:
        return None
    label = table.first(LABELS)
    if label is not None and _has_few_values(label, len(table.rows)):
        labels = label_instruction(list(label.values or {}), "picture")
        mapping = Mapping(
            kind="text_label",
            user_template="What is in this picture?",
            assistant=label.name,
            system=labels,
            images=pictures.name,
        )
        return Shape("text_label", f"Pictures in “{pictures.name}” and their categories in “{label.name}”.", mapping)
    caption = table.first(CAPTIONS, "text")
    if caption is None:
        return None
    words = f"Pictures in “{pictures.name}” and what is seen on them in “{caption.name}”."
    asked = "Describe this picture."
    return Shape("columns", words, Mapping(user_template=asked, assistant=caption.name, images=pictures.name))


def labels_by_name(table: Table) -> Shape | None:
    label = table.first(LABELS)
    text = table.first(TEXTS, "text", but=(label,))
    if not label or not text or not _has_few_values(label, len(table.rows)):
        return None
    if plain(label.name) in RATINGS and len(label.values or ()) > _MOST_RATINGS:
        return None
    answer = table.first(ANSWERS, "text", but=(label, text))
    if answer and not _has_few_values(answer, len(table.rows)):
        return None  # a question with its answer, and a category beside them
    return _label_shape(text, label)


def labels_by_content(table: Table) -> Shape | None:
    """Two columns, and one of them says the same few short things again and again."""
    rows = len(table.rows)
    columns = [column for name, column in table.named.items() if name not in NOT_CONTENT and column.kind == "text"]
    few = [column for column in columns if _has_few_values(column, rows)]
    texts = [column for column in columns if column not in few and column.median_characters >= 15]
    return _label_shape(texts[0], few[0]) if len(few) == 1 and len(texts) == 1 and rows >= 10 else None


def _has_few_values(column: Column, rows: int) -> bool:
    values = column.values
    if not values or not 1 < len(values) <= MOST_LABELS:
        return False
    return sum(values.values()) >= 2 * len(values) or rows < 10


def _label_shape(text: Column, label: Column) -> Shape:
    values = label.values or {}
    words = f"Texts in “{text.name}” and their categories in “{label.name}” ({len(values):,} different ones)."
    mapping = Mapping(kind="text_label", user=text.name, assistant=label.name, system=label_instruction(list(values)))
    return Shape("text_label", words, mapping)


def label_instruction(labels: list[str], thing: str = "message") -> str:
    """What the model is asked to do with a text. It names the categories where there are not too many."""
    if 0 < len(labels) <= MOST_LISTED_LABELS:
        return f"Answer with one of these categories and nothing else: {', '.join(sorted(labels))}."
    return f"Answer with the category that this {thing} belongs to and nothing else."


def are_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value)
