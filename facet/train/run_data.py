"""The data of a run file: where its rows came from and all that was done to them, written down and read again."""

from pathlib import Path
from typing import Any, Final

from facet.dataset.clean import parse_cleaning
from facet.dataset.lineage import recipe_of
from facet.dataset.mapping import parse_mapping
from facet.dataset.sides import Choices
from facet.errors import FacetError, NotFoundError, SettingError

SHARES: Final = ("test_size", "validation_size", "seed")
DEALT: Final = ("sample_size", "stratify", "group", "splits")  # not in the files of Facet 0.5
USUAL: Final[dict[str, Any]] = {"test_size": 0.1, "validation_size": 0.1, "seed": 0}


def described_data(summary: dict[str, Any]) -> dict[str, Any]:
    """What a run file says of its data, of the `dataset.json` it learned from: all that makes the same rows again."""
    recipe = recipe_of(summary)
    told = {
        "name": summary["name"],
        "fingerprint": summary["fingerprint"],
        "source": _source_words(summary["source"]),
        "mapping": recipe["mapping"],
        "correction": recipe["correction"],
        **recipe["split"],
        "cleaning": recipe["cleaning"],
        "repairs": recipe["repairs"],
    }
    return told | ({"from_chat": True} if summary.get("from_chat") else {})


def _source_words(source: dict[str, Any]) -> dict[str, Any]:
    """Where the rows came from, without the folders of anybody's computer."""
    where = source.get("where", "")
    if source.get("kind") in ("file", "folder"):
        where = source.get("original_name") or Path(where).name
    return {
        "kind": source.get("kind"),
        "where": where,
        "revision": source.get("revision"),
        "sha256": source.get("sha256"),
    }


# ---- and back
def preparation(data: dict[str, Any]) -> dict[str, Any]:
    """The options of `prepare` that make the same rows of the same source; what is not told is as it usually is."""
    told = {name: data[name] for name in DEALT if name in data}
    shares = {name: data.get(name, usual) for name, usual in USUAL.items()}
    repairs = [] if data.get("repairs") is None else data["repairs"]
    done = {"correction": data.get("correction"), "cleaning": data.get("cleaning"), "repairs": repairs}
    return shares | told | done


def require_usable(data: dict[str, Any]) -> None:
    """Before anything is brought: what reads these lines later speaks of fields of a page, and here there are none."""
    asked = preparation(data)
    _require_divisible({name: asked[name] for name in (*SHARES, *DEALT) if name in asked})
    try:
        if data.get("mapping") is not None:
            parse_mapping(data["mapping"])
    except FacetError as error:
        raise not_a_run_file("Its mapping of columns has parts that are not known.") from error
    correction = asked["correction"]
    if correction is not None and not _is_of_texts(correction):
        raise not_a_run_file("Its correction of how a file is read is not made of names and texts.")
    _require_cleaning(asked["cleaning"])
    _require_repairs(asked["repairs"])


def _require_divisible(choices: dict[str, Any]) -> None:
    try:
        Choices.checked(**choices)
    except SettingError as error:
        written = ", ".join(f"{name}: {str(value)[:20]}" for name, value in choices.items())
        raise not_a_run_file(f"Its data cannot be divided with {written}.") from error


def _is_of_texts(correction: Any) -> bool:
    if not isinstance(correction, dict):
        return False
    return all(isinstance(name, str) and isinstance(text, str | None) for name, text in correction.items())


def _require_cleaning(cleaning: Any) -> None:
    why = "Its cleaning of the data has a choice that is not known."
    if not isinstance(cleaning, dict | None):
        raise not_a_run_file(why)
    try:
        parse_cleaning(cleaning)
    except SettingError as error:
        raise not_a_run_file(why) from error


def _require_repairs(repairs: Any) -> None:
    if repairs == []:
        return
    from facet.dataset.doctor.repair import require_known  # the doctor's libraries are needed for nothing else

    try:
        require_known(repairs)
    except SettingError as error:
        raise not_a_run_file("Its repairs of the data are not ones this version knows.") from error


def source_text(data: dict[str, Any], local_files: bool) -> str:
    """What is to be brought so that the data can be prepared anew, as a person writes it.

    `local_files`: a file of this name in the working folder may be taken, as at a terminal.
    Raises: `NotFoundError` when it cannot be had.
    """
    source = data.get("source") or {}
    if not isinstance(source, dict):
        raise not_a_run_file("Its source of data is not described.")
    if data.get("from_chat"):
        raise _from_chat(local_files)
    kind, where, revision = source.get("kind"), str(source.get("where", "")), source.get("revision")
    match kind:
        case "hub":
            name, separator, part = where.partition(":")
            return f"hub:{name}" + (f"@{revision}" if revision else "") + separator + part
        case "example":
            return f"example:{where}"
    if local_files and Path(where).is_file():
        return where
    raise NotFoundError(
        "The data of this run file is not here.",
        f"It came from a file called {where[:80] or '(no name)'}, which is not in this folder."
        if local_files
        else f"It came from a file called {where[:80] or '(no name)'}.",
        "Prepare that file first, then start again; or name a dataset with --data."
        if local_files
        else "Bring that file on the Data tab, press “Prepare”, then choose the run file again.",
    )


def _from_chat(local_files: bool) -> NotFoundError:
    return NotFoundError(
        "The data of this run file cannot be made again from its source.",
        "Answers that were judged in a chat were added to it, and a run file does not hold any examples.",
        "Bring the data itself, as `download-data` writes it where the run was; prepare it and name it with --data."
        if local_files
        else "Download the data where the run was, prepare it on the Data tab, and fill in the settings by hand.",
    )


def data_has_changed(local_files: bool) -> NotFoundError:
    return NotFoundError(
        "The data of this run file has changed.",
        "The source gives other rows than those the run learned from.",
        "Prepare the data yourself and name it with --data."
        if local_files
        else "Prepare the data yourself on the Data tab, and fill in the settings by hand.",
    )


def not_a_run_file(why: str) -> SettingError:
    return SettingError(
        "This is not a run file Facet can read.", why, "Use a facet-run.yaml from a download or an export."
    )
