"""The code flows as the data does: who may import whom."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "facet"
FILES = sorted(PACKAGE.rglob("*.py"))
HEAVY = {"torch", "transformers", "trl", "peft", "datasets", "accelerate"}
ROOMS: dict[str, set[str]] = {
    "work": {"work", "errors", "workspace"},
    "bucket": {"bucket", "errors", "identity", "workspace"},
    "gemma": {"gemma", "errors"},
    "hub": {"hub", "errors", "gemma", "workspace", "identity"},
    "recipe": {"recipe", "errors", "gemma"},
    "dataset": {"dataset", "errors", "workspace", "hub", "gemma", "identity", "starter", "work"},
    "track": {"track", "work", "errors", "workspace"},
    "compute": {"compute", "work", "errors", "identity", "workspace"},
    "model": {
        "model",
        "export",
        "dataset",
        "recipe",
        "work",
        "gemma",
        "hub",
        "errors",
        "identity",
        "starter",
        "workspace",
    },
    "train": {"train", "dataset", "recipe", "model", "work", "gemma", "errors", "identity", "workspace"},
    "exam": {"exam", "train", "dataset", "recipe", "model", "work", "gemma", "errors", "identity", "workspace"},
}


def imports(path: Path, top_level_only: bool = False) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    nodes = tree.body if top_level_only else ast.walk(tree)
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def roots(path: Path, **how: bool) -> set[str]:
    return {name.split(".")[0] for name in imports(path, **how)}


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_what_lies_before_it(path):
    allowed = ROOMS.get(room(path))
    if allowed is not None:
        inner = {name.split(".")[1] for name in imports(path) if name.startswith("facet.") and name.count(".")}
        assert inner <= allowed
    if room(path) in ("ui", "cli", "studio.py", "__main__.py"):
        assert not roots(path) & HEAVY
    if room(path) != "ui":
        assert "gradio" not in roots(path)
    if room(path) not in ("hub", "publish"):
        assert "huggingface_hub" not in roots(path)
    if path.name not in ("to_trl.py", "trainer.py", "exact.py", "job.py"):
        assert "trl" not in roots(path)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_trusts_code_or_pickles_that_came_with_a_model(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.keyword) and node.arg in ("trust_remote_code", "shell"):
            assert isinstance(node.value, ast.Constant) and node.value.value is False
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("eval", "exec")
    assert not roots(path) & {"pickle", "dill", "joblib"}


def test_the_whole_studio_and_its_command_line_load_without_torch():
    code = "import facet.studio, facet.cli.main, sys; print([m for m in ('torch','transformers','peft','trl') if m in sys.modules])"  # noqa: E501
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PACKAGE.parent, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_error_a_person_may_meet_has_three_sentences(path):
    kinds = {
        "FacetError",
        "DataError",
        "SettingError",
        "AccessError",
        "CapacityError",
        "HubError",
        "TrainingError",
        "NotFoundError",
    }
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds:
            assert len(node.args) + len(node.keywords) == 3 or any(isinstance(arg, ast.Starred) for arg in node.args)
            for arg in node.args:
                if isinstance(arg, ast.Constant):
                    assert arg.value.rstrip().endswith((".", "!", "?", "”")), arg.value
