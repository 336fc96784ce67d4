"""What the Hub says of the front matter of a repository's page, as far as Facet's cards go."""

import re
from typing import Any

import yaml

LICENCES = frozenset("apache-2.0 mit gemma llama3.2 cc-by-4.0 cc-by-sa-4.0 cc0-1.0 openrail other unknown".split())
REPO_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)
NAMES = ("base_model", "datasets")
WORDS = ("tags", "language", "license_name", "library_name", "pipeline_tag")


def front_matter(page: str) -> dict[str, Any] | None:
    """The YAML at the head of a page, None when there is none. Raises: `YAMLError`, `ValueError`."""
    found = re.match(r"---\r?\n(.*?)\r?\n?---(\r?\n|$)", page, re.DOTALL)
    front = yaml.safe_load(found[1]) if found else None
    if front is not None and not isinstance(front, dict):
        raise ValueError("metadata must be a mapping")
    return front


def complaints(page: str) -> tuple[list[str], list[str]]:
    """Errors, for which a commit is refused, and warnings."""
    try:
        front = front_matter(page)
    except (yaml.YAMLError, ValueError) as error:
        return [f"bad yaml: {error}"], []
    if front is None:
        return [], ["empty or missing yaml metadata in repo card"]
    errors = [f'"{key}" must be a word or a list of words' for key in (*NAMES, *WORDS) if not _words(front.get(key))]
    errors += [f'"license" must be one of the known ones, not {each}' for each in _unknown(front.get("license"))]
    for key in NAMES:
        errors += [f'"{key}": {each!r} is not a repository' for each in _list(front.get(key)) if not _names(each)]
    return errors, []


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _words(value: object) -> bool:
    return all(isinstance(each, str) for each in _list(value))


def _names(value: object) -> bool:
    return isinstance(value, str) and REPO_NAME.fullmatch(value) is not None


def _unknown(value: object) -> list[object]:
    return [each for each in _list(value) if each not in LICENCES]
