"""What was handed out to a person is taken back with everything else of theirs."""

from facet.identity import Person
from facet.ui.downloads import handed_out, take_back

ANN, BOB = Person("hf-ann", "Ann", "signed-in", ("visitor-ann",)), Person("hf-bob", "Bob", "signed-in")


def given(tmp_path, name, person):
    file = tmp_path / name
    file.write_bytes(b"zip")
    return handed_out(file, person)


def test_only_their_own_files_go_and_those_from_before_the_sign_in_too(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    mine = given(tmp_path, "a.zip", ANN)
    before = given(tmp_path, "b.zip", Person("visitor-ann", "Visitor", "visitor"))
    theirs = given(tmp_path, "c.zip", BOB)
    take_back(ANN)
    assert (mine.exists(), before.exists(), theirs.exists()) == (False, False, True)
