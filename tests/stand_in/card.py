"""What the Hub says of the front matter of a repository's page, as far as Facet's cards go."""

import re
from typing import Any

import yaml

LICENCES = frozenset(
    "apache-2.0 mit gemma llama3.2 cc-by-4.0 cc-by-sa-4.0 cc-by-nc-4.0 cc-by-nc-sa-4.0 cc-by-nd-4.0 cc-by-3.0 "
    "cc-by-sa-3.0 cc0-1.0 odc-by odbl pddl bsd-3-clause gpl-3.0 openrail other unknown".split()
)
REPO_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)
NAMES = ("base_model", "datasets")
WORDS = ("tags", "language", "license_name", "library_name", "pipeline_tag", "source_datasets")
SIZES = frozenset(["n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B", "n>1T"])
TASKS = frozenset("text-generation text-classification image-text-to-text question-answering summarization".split())
SPLIT_NAME = re.compile(r"\w+(\.\w+)*")


def front_matter(page: str) -> dict[str, Any] | None:
    """The YAML at the head of a page, None when there is none. Raises: `YAMLError`, `ValueError`."""
    found = re.match(r"---\r?\n(.*?)\r?\n?---(\r?\n|$)", page, re.DOTALL)
    front = yaml.safe_load(found[1]) if found else None
    if front is not None and not isinstance(front, dict):
        raise ValueError("metadata must be a mapping")
    return front


def complaints(page: str, thing: str = "model") -> tuple[list[str], list[str]]:
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
    if thing == "dataset":
        errors += _of_dataset(front)
    return errors, []


def _of_dataset(front: dict[str, Any]) -> list[str]:
    known = {"size_categories": SIZES, "task_categories": TASKS}
    errors = [
        f'"{key}" must be one of the known ones, not {each!r}'
        for key, words in known.items()
        for each in _list(front.get(key))
        if each not in words
    ]
    errors += [
        f'"language" must be an ISO code, not {each!r}'
        for each in _list(front.get("language"))
        if not (isinstance(each, str) and re.fullmatch(r"[a-z]{2,3}", each))
    ]
    configs = front.get("configs", [])
    if not isinstance(configs, list) or not all(map(_is_config, configs)):
        errors.append('"configs" must be a list with config_name and data_files')
    return errors


def _is_config(config: Any) -> bool:
    if not isinstance(config, dict) or not isinstance(config.get("config_name"), str):
        return False
    files = config.get("data_files")
    return isinstance(files, str) or (isinstance(files, list) and all(map(_is_data_file, files)))


def _is_data_file(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("path"), str | list)
        and isinstance(entry.get("split"), str)
        and SPLIT_NAME.fullmatch(entry["split"]) is not None
    )


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _words(value: object) -> bool:
    return all(isinstance(each, str) for each in _list(value))


def _names(value: object) -> bool:
    return isinstance(value, str) and REPO_NAME.fullmatch(value) is not None


def _unknown(value: object) -> list[object]:
    return [each for each in _list(value) if each not in LICENCES]
