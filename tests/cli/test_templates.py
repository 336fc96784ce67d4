"""`train --template`."""

import pytest

from facet.cli.train import template_in
from facet.dataset.templates import NAMES, source_of
from facet.errors import SettingError


@pytest.mark.parametrize("name", NAMES)
def test_a_ready_template_is_named(name):
    assert source_of(template_in(name)).strip()


def test_a_template_of_ones_own_is_read_from_a_file(tmp_path):
    (tmp_path / "mine.jinja").write_text("{{ messages }}")
    assert template_in(str(tmp_path / "mine.jinja")) == "{{ messages }}"


@pytest.mark.parametrize("bad", ["no-such-name", "/", "\0"])
def test_anything_else_is_refused(bad):
    with pytest.raises(SettingError, match="neither one of gemma3"):
        template_in(bad)
