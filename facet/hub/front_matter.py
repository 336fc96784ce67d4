"""The `configs:` of a dataset's page: which files belong to which part. Written by strangers, so read with care.

Only that one block is parsed: real pages carry megabytes of other metadata above and below it.
"""

import re
from itertools import accumulate
from typing import Any, Final

import yaml

from facet.errors import DataError

CAP: Final = 64_000  # characters of the block
DEEPEST: Final = 20  # brackets within brackets; the parser's time grows with the square of this
_FRONT = re.compile(r"\A\ufeff?---\s*\n(.*?)\n---\s*(?:\n|\Z)", re.DOTALL)
_BLOCK = re.compile(r"^configs:.*\n?(?:(?:[ \t-].*|[ \t]*)(?:\n|\Z))*", re.MULTILINE)


def configs_of(readme: str) -> list[dict[str, Any]]:
    """The declared parts of a dataset, as its page has them; empty when there are none or they make no sense.

    Raises: `DataError` when the block is hostile: too large, too deep, or made of references.
    """
    front = _FRONT.search(readme)
    block = _BLOCK.search(front[1]) if front else None
    if block is None:
        return []
    if len(block[0]) > CAP:
        raise _hostile(f"The list of its parts has {len(block[0]):,} characters, and {CAP:,} is the most.")
    if _depth(block[0]) > DEEPEST:
        raise _hostile("The list of its parts is nested too deeply.")
    try:
        declared = _without_references(block[0]).get("configs")
    except (yaml.YAMLError, ValueError):  # ValueError: numbers and dates that are none
        return []
    except RecursionError as error:
        raise _hostile("The list of its parts is nested too deeply.") from error
    return [entry for entry in declared if isinstance(entry, dict)] if isinstance(declared, list) else []


def _without_references(text: str) -> dict[str, Any]:
    """YAML without anchors and aliases, with which a few lines can ask for gigabytes."""
    if any(isinstance(token, (yaml.AliasToken, yaml.AnchorToken)) for token in yaml.scan(text, yaml.SafeLoader)):
        raise _hostile("The list of its parts is made of references.")
    parsed = yaml.safe_load(text)
    return parsed if isinstance(parsed, dict) else {}


def _depth(text: str) -> int:
    """The deepest nesting, judged by brackets and by dashes that open a list within a list on one line."""
    brackets = accumulate(1 if letter in "[{" else -1 for letter in text if letter in "[]{}")
    dashes = (len(found[0].split()) for found in re.finditer(r"^[ \t]*(?:[-?:][ \t]+)+", text, re.MULTILINE))
    return max([0, *brackets, *dashes])


def _hostile(why: str) -> DataError:
    return DataError(
        "The page of this dataset cannot be read safely.",
        why,
        "Download the file you need from the Hub and upload it here.",
    )
