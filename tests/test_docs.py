"""The documents say what is true: settings, commands, files and versions they name exist."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from facet.cli.main import parser
from facet.guide import PAGES
from facet.recipe.methods import METHODS
from facet.recipe.reference import reference

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
GUIDE = "".join(page.text for page in PAGES)
COMMANDS = re.findall(r"^python -m facet .*$", README + GUIDE, re.M)


def test_the_settings_reference_is_what_the_recipe_says_now():
    """To write it anew: python -m facet settings > docs/settings.md"""
    assert (ROOT / "docs" / "settings.md").read_text("utf-8").strip() == reference(*METHODS).strip()


@pytest.mark.parametrize("line", dict.fromkeys(COMMANDS))
def test_every_command_of_the_readme_and_the_guide_is_understood(line):
    words = shlex.split(line.split("#")[0].strip())
    parser().parse_args(words[3:])


@pytest.mark.parametrize("name", re.findall(r"\]\(((?!http)[^)#]+)\)", README))
def test_every_file_the_readme_points_to_is_there(name):
    assert (ROOT / name).is_file()


def test_the_front_matter_of_the_space_agrees_with_the_requirements():
    front = yaml.safe_load(README.split("---")[1])
    requirements = (ROOT / "requirements.txt").read_text()

    assert f"gradio[oauth]=={front['sdk_version']}" in requirements
    assert (ROOT / front["app_file"]).is_file() and front["sdk"] == "gradio"
    assert len(front["short_description"]) <= 60
    assert f'python_full_version == "{front["python_version"]}"' in requirements


def test_the_repository_speaks_of_the_project_alone():
    foreign = re.compile(r"/work/|/tmp/venv|/root/|\bsubagent\b|\bsession's tools\b|\bTODO[:(]|\bFIXME\b")
    spoken = [
        path for path in ROOT.rglob("*") if path.suffix in (".py", ".md", ".css", ".toml", ".txt") and path.is_file()
    ]
    ours = [path for path in spoken if not {".venv", "node_modules", ".git"} & set(path.parts)]
    guilty = [f"{path.name}: {found.group()}" for path in ours if path != Path(__file__).resolve()
              and (found := foreign.search(path.read_text("utf-8")))]  # fmt: skip

    assert guilty == []
