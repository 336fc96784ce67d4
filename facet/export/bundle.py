"""A finished run as a folder or a zip, from an allow-list.

Adapter or whole model, tokenizer, template, card, curve and run file.
"""

import os
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facet.errors import DataError, SettingError
from facet.exam import providers
from facet.exam.judged import Judged, agreement_words
from facet.exam.metric_words import METRICS, written
from facet.exam.outcome import Outcome
from facet.exam.rubric import RUBRIC
from facet.gemma.licences import licence_of
from facet.gemma.models import STARTER
from facet.model.tuned import ADAPTER, TOKENIZER_FILES, digest, digest_said, is_whole, tuned_files, tuned_in
from facet.publish.card import HUB_ID, CardFacts, card
from facet.publish.curve import svg
from facet.publish.judged_by import JudgedBy
from facet.publish.tested import Tested
from facet.train.runs import RunCard
from facet.work.task import Task
from facet.workspace import replacing, write_text

CURVES = {"loss": "training", "validation_loss": "validation"}


@dataclass(frozen=True)
class Bundle:
    """What goes into the folder, and what it is made from."""

    run: RunCard
    task: Task
    base: Path  # folder of the base model
    generation: str
    run_file: str
    exam: Outcome | None = None  # of its newest finished test
    repo: str = ""  # where it is going to be published
    judged: Judged | None = None  # what a judge found in that test


def export(bundle: Bundle, to: Path) -> Path:
    """Write everything into `to`, which must be empty or new. Half an export is never left under that name.

    Raises: `SettingError` for a folder in use or an unfinished run; `DataError` when the adapter is damaged.
    """
    require_whole(bundle)
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise SettingError(
            "This folder is in use.",
            f"There is already something called {to.name}.",
            "Name a new or an empty folder.",
        )
    part = to.with_name(f".{to.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        _fill(bundle, part)
        if to.exists():
            to.rmdir()
        part.rename(to)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return to


def require_whole(bundle: Bundle) -> None:
    """Raises: `SettingError` for an unfinished run, `DataError` when the adapter is not the one training wrote."""
    if not bundle.run.has_model:
        raise SettingError(
            "This run has no model to take home yet.",
            f"Its training is {bundle.run.progress.stage}.",
            "Wait until it is finished, or press “Stop and keep”.",
        )
    tuned = tuned_in(bundle.task.folder)
    if tuned is None or not _has_digest(tuned, digest_said(bundle.run.progress.outputs)):
        raise DataError(
            "The tuned model on this disk is damaged.",
            "Its file is not the one that training wrote.",
            "Train again; the data and the settings are kept in the run.",
        )


def _has_digest(tuned: Path, expected: str) -> bool:
    try:
        return digest(tuned) == expected
    except (OSError, ValueError, KeyError):
        return False


def _fill(bundle: Bundle, folder: Path) -> None:
    tuned = _tuned(bundle)
    for file in tuned_files(tuned):
        shutil.copyfile(file, folder / file.name)
    for name in TOKENIZER_FILES:
        place = tuned if is_whole(tuned) else bundle.base
        if (place / name).is_file():
            shutil.copyfile(place / name, folder / name)
    if bundle.run.base_model == STARTER and not is_whole(tuned):  # it is nowhere else to be had
        shutil.copytree(bundle.base, folder / "base")
    write_text(folder / "curve.svg", svg(curves(bundle.run)))
    write_text(folder / "facet-run.yaml", bundle.run_file)
    licence = licence_of(bundle.run.base_model, bundle.generation)
    if licence.notice:
        write_text(folder / "NOTICE", licence.notice)
    write_text(folder / "README.md", card(card_facts(bundle)))


def _tuned(bundle: Bundle) -> Path:
    return tuned_in(bundle.task.folder) or bundle.task.folder / ADAPTER


def curves(run: RunCard) -> dict[str, list[tuple[int, float]]]:
    return {words: run.progress.curves[name] for name, words in CURVES.items() if name in run.progress.curves}


def card_facts(bundle: Bundle) -> CardFacts:
    request, execution = bundle.task.request, bundle.task.execution() or {}
    return CardFacts(
        name=bundle.run.name,
        base_model=bundle.run.base_model,
        base_revision=request["base"]["revision"],
        generation=bundle.generation,
        recipe=bundle.run.recipe.model_dump(),
        dataset=bundle.run.dataset,
        curves=curves(bundle.run),
        results=_results(bundle.exam),
        tested=_tested(bundle.exam),
        judged=_judged(bundle.judged),
        versions=execution.get("versions", {}),
        run_file=bundle.run_file,
        device=bundle.run.progress.where,
        minutes=float(bundle.run.progress.outputs.get("minutes", 0.0)),
        imported=bundle.run.imported,
        whole=is_whole(_tuned(bundle)),
        method=request.get("method", "sft"),
        continues=bundle.run.continues,
        repo=bundle.repo,
    )


def _results(found: Outcome | None) -> dict[str, Any] | None:
    """Loss and perplexity of both sides, by part."""
    if found is None:
        return None
    sides = {key: "base" if one.is_untouched else "tuned" for key, one in found.contestants.items()}
    return {
        part: {
            sides[key]: {"loss": one.loss, "perplexity": one.perplexity, "tokens": one.tokens, "rows": one.rows}
            for key, one in scored.items()
        }
        for part, scored in found.parts.items()
    }


def _tested(found: Outcome | None) -> Tested | None:
    if found is None or not found.verdicts:
        return None
    part = "exam" if "exam" in found.parts else next(iter(found.parts))
    verdict = next(one for one in found.verdicts if one.part == part)
    before, after = found.parts[part][verdict.a], found.parts[part][verdict.b]
    rows = [
        (metric.label, written(name, before.metrics[name]), written(name, after.metrics[name]))
        for name, metric in METRICS.items()
        if name in before.metrics and name in after.metrics
    ]
    light = found.lights.get(verdict.b)
    said = (light.colour, light.words) if light else None
    return Tested(part, after.rows, verdict.words, found.type.reason, rows, said, found.notes)


def _judged(found: Judged | None) -> JudgedBy | None:
    """Of a model on this machine only a name that everybody knows is told: others are a person's own."""
    if found is None:
        return None
    said = found.assignment
    known = providers.named(said.provider)
    is_public = known is not providers.LOCAL or said.model == STARTER or HUB_ID.fullmatch(said.model) is not None
    return JudgedBy(
        judge=known.name,
        model=said.model if is_public else "",
        questions=len(said.rows),
        part=said.part,
        pairs=said.mode == "pairs",
        usual=said.rubric == RUBRIC,
        rubric=RUBRIC,
        agreement=agreement_words(found),
        verdicts=[one.words for one in found.verdicts],
        marks=[(one.name, one.mean) for one in found.marks.values() if one.mean is not None],
        notes=found.notes,
    )


def zipped(folder: Path, into: Path) -> Path:
    """One zip of an exported folder, with equal bytes for equal contents."""
    with replacing(into) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            name = zipfile.ZipInfo(f"{into.stem}/{file.relative_to(folder).as_posix()}", (2026, 1, 1, 0, 0, 0))
            name.external_attr = 0o644 << 16
            name.compress_type = zipfile.ZIP_DEFLATED
            with open(file, "rb") as source, archive.open(name, "w", force_zip64=os.path.getsize(file) > 2**31) as out:
                shutil.copyfileobj(source, out, 1 << 20)
    return into
