"""Every kind of data file in the catalogue: what is refused says why, where and what to do; the rest is read."""

import json

import pytest

from facet.dataset import budget
from facet.dataset.look import look
from facet.dataset.prepare import prepare
from facet.dataset.unpack import unpack
from facet.errors import FacetError
from tests.dataset.catalogue import CASES, Read, Refused, Skipped
from tests.dataset.conftest import Made

EACH = [
    pytest.param(number, case, id=f"{number:02}-{at}")
    for number, found in CASES.items()
    for at, case in enumerate(found)
]
MOST_ROWS = {35: 50, 65: 50}


def all_the_way(file, case, tmp_path) -> tuple[str, Made]:
    """What a person meets from bringing a file to having a dataset, and everything said on the way."""
    into, made = tmp_path / "opened", tmp_path / "made"
    into.mkdir()
    made.mkdir()
    place, name = file(case.content() if callable(case.content) else case.content, case.name), case.name
    found = unpack(str(place), name, str(into))
    if found["files"]:
        place, name = into / found["files"][0]["path"], found["files"][0]["name"]
    seen = look(str(place), name)
    if seen["shape"] is None:
        raise FacetError.from_dict(seen["complaint"])
    summary = prepare(str(place), name, None, seen["shape"]["mapping"], str(made), "Test")
    said = [
        *found["notes"],
        *seen["warnings"],
        *summary["repaired"],
        *summary["reasons"],
        *summary["notes"],
        seen["shape"]["words"],
    ]
    return " ".join([*said, f"'duplicates': {summary['duplicates']}"]), Made(summary, made)


@pytest.mark.parametrize(("number", "case"), EACH)
def test_a_file_of_the_catalogue_is_met_in_its_way(file, tmp_path, monkeypatch, number, case):
    monkeypatch.setattr(budget, "MOST_ROWS", MOST_ROWS.get(number, budget.MOST_ROWS))
    if isinstance(case, Refused):
        with pytest.raises(FacetError) as refused:
            all_the_way(file, case, tmp_path)
        what, why, next_step = refused.value.args
        assert case.cause in f"{what} {why}" and case.place in f"{what} {why}" and case.next in next_step
        assert all(each.endswith(".") for each in (what, why, next_step))
        assert not any(word in str(refused.value) for word in ("Error", "Exception", "Traceback", "None,"))
        assert len(str(refused.value).split()) <= 60
        return
    said, made = all_the_way(file, case, tmp_path)
    assert made.answers() == case.answers
    if isinstance(case, Skipped):
        assert case.reason in said and made.summary["unusable"] > 0
        assert {each["words"] for each in made.problems} == set(made.summary["reasons"])
    if isinstance(case, Read):
        assert case.said in said and made.summary["unusable"] == 0


def test_the_catalogue_is_complete():
    assert list(CASES) == list(range(1, 73))
    assert json.dumps([len(found) for found in CASES.values()]).count("0,") == 0
