"""Save points: whole or not there; the newest that verifies is used, and a spoiled one is put aside."""

from pathlib import Path

import pytest

from facet.work import checkpoint


def staged(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "adapter_model.safetensors").write_text(text)
    (folder / "optimizer.pt").write_text(text * 2)
    return folder


@pytest.fixture
def two(tmp_path: Path) -> Path:
    for step in (5, 10):
        checkpoint.seal(staged(tmp_path / f"s{step}", f"weights {step}"), tmp_path / "checkpoints", step, {"n": step})
    return tmp_path / "checkpoints"


def test_the_newest_save_point_is_found_with_its_facts(two):
    found, spoiled = checkpoint.newest(two)

    assert (found.step, found.facts, spoiled) == (10, {"n": 10}, [])


@pytest.mark.parametrize("harm", ["no manifest", "changed byte", "shorter", "missing file", "torn manifest"])
def test_a_spoiled_save_point_is_passed_by_and_put_aside(two, harm):
    newest = two / "000010"
    match harm:
        case "no manifest":
            (newest / "MANIFEST.json").unlink()
        case "changed byte":
            (newest / "optimizer.pt").write_text("weights 11weights 10")
        case "shorter":
            (newest / "optimizer.pt").write_text("w")
        case "missing file":
            (newest / "adapter_model.safetensors").unlink()
        case "torn manifest":
            (newest / "MANIFEST.json").write_text('{"step": 10, "fi')

    found, spoiled = checkpoint.newest(two)

    assert (found.step, spoiled) == (5, [10])
    assert not newest.exists() and (two / "quarantine").is_dir()


def test_nothing_usable_means_starting_anew(tmp_path):
    assert checkpoint.newest(tmp_path / "nothing") == (None, [])


def test_two_save_points_always_stay(two):
    checkpoint.seal(staged(two.parent / "s15", "weights 15"), two, 15, {})

    checkpoint.prune(two, keep=1)

    assert sorted(path.name for path in two.iterdir()) == ["000010", "000015"]


def test_the_same_step_can_be_saved_again_after_a_resume(two):
    checkpoint.seal(staged(two.parent / "again", "other"), two, 10, {"n": "again"})

    assert checkpoint.newest(two)[0].facts == {"n": "again"}


def test_the_save_point_of_a_named_step_stays_however_old_it_is(two):
    for step in (15, 20):
        checkpoint.seal(staged(two.parent / f"s{step}", f"weights {step}"), two, step, {})

    checkpoint.prune(two, also=[5])

    assert checkpoint.steps(two) == [5, 15, 20]
    assert checkpoint.at(two, 5).facts == {"n": 5} and checkpoint.at(two, 10) is None
