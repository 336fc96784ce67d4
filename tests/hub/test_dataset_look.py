"""What a dataset of the Hub has, before anything big is fetched, and the files of the parts chosen."""

import re

import pytest

from facet.errors import AccessError, CapacityError, DataError, HubError, NotFoundError
from facet.hub.dataset_fetch import find
from facet.hub.globs import Names
from tests.hub_stand_in import StandInHub

pytestmark = pytest.mark.hub
ROWS = b'{"question": "q", "answer": "a"}\n'
PAGE = """---
license: cc-by-4.0
configs:
- config_name: de
  data_files:
  - split: train
    path: german/*.jsonl
- config_name: en
  default: true
  data_files:
  - split: train_sft
    path: english/sft-*.jsonl
  - split: train_gen
    path: english/gen.jsonl
  - split: dev
    path: english/dev.jsonl
  - split: test
    path: english/test.jsonl
- config_name: pictures
  data_files: pictures/*.tar
---
"""
FILES = {
    "README.md": PAGE,
    "german/a.jsonl": ROWS,
    **{f"english/sft-{number}.jsonl": ROWS * (number + 1) for number in range(4)},
    "english/gen.jsonl": ROWS,
    "english/dev.jsonl": ROWS * 2,
    "english/test.jsonl": ROWS * 3,
    "pictures/1.tar": b"x",
}


@pytest.fixture
def poems(stand_in):
    return stand_in.add("dataset", "ann/poems", FILES, card={"license": "cc-by-4.0"})


def test_a_look_tells_every_part_with_its_size_and_fetches_no_rows(stand_in, hub, poems):
    found = hub.dataset_look("ann/poems")
    assert (found.repo, found.sha, found.licence) == ("ann/poems", poems.sha, "cc-by-4.0")
    assert [(config.name, config.default) for config in found.configs] == [("de", False), ("en", True)]
    english = found.default
    assert [(split.name, len(split.files), split.part) for split in english.splits] == [
        ("train_sft", 4, "train"),
        ("train_gen", 1, "train"),
        ("dev", 1, "validation"),
        ("test", 1, "exam"),
    ]
    assert english.splits[0].size_gb == pytest.approx(len(ROWS) * 10 / 1e9)
    assert found.words == ("1 of its 3 parts have no file that Facet reads.",)
    fetched = [path for _, path, _ in stand_in.asked if "/resolve/" in path]
    assert fetched and all(path.endswith("README.md") for path in fetched)


def test_every_split_comes_with_the_part_it_becomes(hub, poems):
    fetched = hub.dataset_files("ann/poems", poems.sha, None, "all")
    assert [(file.name, file.part) for file in fetched.files] == [
        *((f"english/sft-{number}.jsonl", "train") for number in range(4)),
        ("english/dev.jsonl", "validation"),
        ("english/test.jsonl", "exam"),
    ]
    assert all(file.path.read_bytes() == poems.files[file.name] for file in fetched.files)
    assert (fetched.config, fetched.split, fetched.closed) == ("en", "all", None)
    assert "These are the parts en, train_sft, dev, test of ann/poems" in fetched.words
    assert "Left aside: train_gen." in fetched.words
    fetched.discard()
    assert not fetched.alone.exists()


def test_one_split_is_nobodys_part_because_it_is_all_there_is(hub, poems):
    fetched = hub.dataset_files("ann/poems", None, "en", "dev")
    assert [(file.name, file.part) for file in fetched.files] == [("english/dev.jsonl", None)]
    assert "no part called train" not in fetched.words


def test_splits_whose_names_say_nothing_all_belong_to_the_whole(stand_in, hub):
    stand_in.add("dataset", "ann/topics", {"README.md": TOPICS, "m.csv": b"a,b\n1,2\n", "c.csv": b"a,b\n3,4\n"})
    fetched = hub.dataset_files("ann/topics", split="all")
    assert [(file.name, file.part) for file in fetched.files] == [("m.csv", None), ("c.csv", None)]
    assert hub.dataset_files("ann/topics").words.endswith(
        "It has no part called train, so the part called math is read."
    )


TOPICS = "---\nconfigs:\n- config_name: default\n  data_files: {math: m.csv, code: c.csv}\n---\n"


def test_of_a_large_dataset_as_many_files_come_as_fit_and_the_rest_is_said(stand_in, hub):
    names = [f"data/train-{number:05}-of-00040.parquet" for number in range(40)]
    repo = stand_in.add("dataset", "ann/web", dict.fromkeys(names, b"x") | {"data/test-00000-of-00001.parquet": b"y"})
    repo.sizes |= dict.fromkeys(repo.files, 400_000_000)
    with pytest.raises(HubError):  # the stated sizes are not true ones
        hub.dataset_files("ann/web", split="all")
    found = find("ann/web", None, None, stand_in.url, hub.cache, 5.0)
    plan = found._plan(found.splits(None)[1], 1.7, None)
    assert {split: len(files) for split, files in plan.items()} == {"train": 3, "test": 1}
    words = " ".join(found._words(None, found.splits(None)[1], plan, []))
    assert "train comes in 40 files; these are the first 3 (1.2 GB of 16.0 GB)." in words
    with pytest.raises(CapacityError, match=r"first files of its 2 parts have 0\.8 GB, and 0\.5 GB is the most"):
        hub.dataset_files("ann/web", split="all", most_gb=0.5)


def test_what_only_a_person_may_read_is_marked_as_theirs(stand_in, hub):
    token = stand_in.token("ann", scopes=["read-repos", "gated-repos"])
    stand_in.add("dataset", "ann/diary", {"train.jsonl": ROWS}, private=True)
    stand_in.add("dataset", "ben/licensed", {"train.jsonl": ROWS}, gated="auto")
    stand_in.accept("ann", "ben/licensed")
    assert hub.dataset_look("ann/diary", token=token).private
    assert hub.dataset_files("ann/diary", token=token).closed == "private"
    gated = hub.dataset_look("ben/licensed", token=token)
    assert gated.gated and "accepted its terms" in gated.words[0]
    assert hub.dataset_files("ben/licensed", token=token).closed == "gated"
    for name, error in (("ann/diary", NotFoundError), ("ben/licensed", AccessError)):
        for ask in (hub.dataset_look, hub.dataset_files, hub.dataset_beginning):
            with pytest.raises(error):
                ask(name)
    assert [path for path in hub.cache.iterdir() if path.is_dir()] == [
        path for path in hub.cache.iterdir() if (path / "train.jsonl").is_file()
    ]


def test_another_commit_in_the_meantime_changes_nothing(hub, poems):
    sha = hub.dataset_look("ann/poems").sha
    poems.push({"german/a.jsonl": b"{}\n", "README.md": "no parts any more"})
    assert hub.dataset_files("ann/poems", sha, "de").path.read_bytes() == ROWS


@pytest.mark.parametrize("data_dir", ["english", "./english/", "/english"])
def test_a_folder_on_the_page_goes_before_its_patterns(stand_in, hub, data_dir):
    page = f"---\nconfigs:\n- config_name: x\n  data_dir: {data_dir}\n  data_files: '*.jsonl'\n---\n"
    stand_in.add("dataset", "ann/more", {"README.md": page, "english/a.jsonl": ROWS, "other.jsonl": b"{}"})
    if data_dir.startswith("/"):
        with pytest.raises(DataError, match="not its own"):
            hub.dataset_look("ann/more")
    else:
        assert hub.dataset_files("ann/more").files[0].name == "english/a.jsonl"


def test_patterns_of_strangers_take_no_longer_than_their_length():
    names = Names(["a" * 255 + "b", *(f"data/{number}/train-{number}.csv" for number in range(2000))])
    assert names.matching("*a*a*a*a*a*a*a*c") == []
    assert len(names.matching("data/**/train-*.csv")) == 2000
    assert names.matching("data/*/train-1[0-1].csv") == ["data/10/train-10.csv", "data/11/train-11.csv"]
    assert names.matching("**/nothing") == names.matching("data/*") == []


def test_a_page_of_very_many_patterns_for_very_many_files_is_refused(stand_in, hub, monkeypatch):
    monkeypatch.setattr("facet.hub.globs.MOST_COMPARISONS", 1000)
    page = "---\nconfigs:\n" + "".join(f"- config_name: c{n}\n  data_files: '*{n}*'\n" for n in range(100)) + "---\n"
    stand_in.add("dataset", "ann/evil", {"README.md": page} | {f"{number}.csv": b"a" for number in range(50)})
    with pytest.raises(DataError, match="cannot be read in good time"):
        hub.dataset_look("ann/evil")


@pytest.mark.parametrize("ignores", [False, True])
def test_a_piece_of_a_file_is_exactly_that_piece(stand_in: StandInHub, hub, ignores):
    data = b"".join(b"%07d\n" % number for number in range(700_000))
    stand_in.add("dataset", "ann/long", {"train.csv": data})
    stand_in.ignores_ranges = ignores
    start = hub.dataset_beginning("ann/long")
    assert start.pieces[0].read_bytes() == data[:1_000_000] and not start.is_whole
    start.fetch(4_000_000, 4_000_100)
    assert start.pieces[4_000_000].read_bytes() == data[4_000_000:4_000_100]
    start.discard()
    assert not start.folder.exists()


@pytest.mark.parametrize(
    ("trouble", "error"),
    [(429, HubError), (500, HubError), (403, AccessError), ("cut", HubError), ("truncate", HubError)],
)
def test_a_piece_that_does_not_come_is_told_in_plain_words(stand_in, hub, trouble, error):
    stand_in.add("dataset", "ann/long", {"train.csv": b"a,b\n" * 2_000_000})
    stand_in.plan(r"/resolve/.*train\.csv", trouble, times=9, retry_after=900 if trouble == 429 else 0)
    with pytest.raises(error) as caught:
        hub.dataset_beginning("ann/long")
    assert re.match(r"[A-Z]", caught.value.what) and len(caught.value.args) == 3
    assert not list(hub.cache.glob("*"))


def test_a_piece_that_is_shorter_than_asked_is_not_taken_for_the_whole(stand_in, hub):
    stand_in.add("dataset", "ann/long", {"train.csv": b"a,b\n" * 2_000_000})
    stand_in.broken["train.csv"] = b"a,b\n" * 1000
    with pytest.raises(HubError, match="What arrived is not what the Hub has"):
        hub.dataset_beginning("ann/long")


def test_of_one_file_of_lines_that_is_too_large_the_beginning_comes(stand_in, hub):
    data = b"".join(b'{"question": "q%07d", "answer": "a"}\n' % number for number in range(100_000))
    stand_in.add("dataset", "ann/long", {"train.jsonl": data})
    told = []
    fetched = hub.dataset_files("ann/long", most_gb=0.001, progress=lambda *gb: told.append(gb))
    here = fetched.path.read_bytes()
    assert data.startswith(here) and here.endswith(b"}\n") and 999_000 < len(here) <= 1_000_000
    assert fetched.words.endswith("The file train.jsonl has 4 MB; its first 1 MB are here.")
    assert told[-1] == (0.001, 0.001)
    stand_in.add("dataset", "ann/one", {"train.jsonl": b"x" * 2_000_000})
    with pytest.raises(CapacityError):
        hub.dataset_files("ann/one", most_gb=0.001)
    assert len(list(hub.cache.iterdir())) == 1
