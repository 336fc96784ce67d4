import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from facet.errors import AccessError, CapacityError, DataError, NotFoundError

pytestmark = pytest.mark.hub
ROWS = b'{"question": "q", "answer": "a"}\n'


def test_a_dataset_of_plain_files_gives_its_train_part_at_a_pinned_version(stand_in, hub):
    repo = stand_in.add(
        "dataset",
        "ann/poems",
        {"train.jsonl": ROWS, "test.jsonl": b"{}", "README.md": "hello", "dataset_infos.json": "{}"},
        card={"license": ["mit"]},
    )
    fetched = hub.dataset_file("ann/poems")
    assert (fetched.path.read_bytes(), fetched.path.name, fetched.sha) == (ROWS, "train.jsonl", repo.sha)
    assert (fetched.split, fetched.config, fetched.licence) == ("train", None, "mit")
    assert fetched.words == f"This is the part train of ann/poems at version {repo.sha[:7]}."
    another = hub.dataset_file("ann/poems", repo.sha)  # for somebody else, at the same time
    fetched.discard()
    assert not fetched.path.exists()
    assert another.path.read_bytes() == ROWS


def test_many_people_fetch_one_dataset_at_once_and_each_gets_it_whole(stand_in, hub):
    stand_in.add("dataset", "ann/poems", {"train.jsonl": ROWS})
    stand_in.slow_seconds = 0.02

    def fetch(_: int) -> bytes:
        fetched = hub.dataset_file("ann/poems")
        try:
            return fetched.path.read_bytes()
        finally:
            fetched.discard()

    with ThreadPoolExecutor(8) as people:
        assert set(people.map(fetch, range(24))) == {ROWS}


def test_the_parts_declared_on_its_page_are_used(stand_in, hub):
    page = """---
license: mit
configs:
- config_name: de
  data_files:
  - split: train
    path: german/*.parquet
- config_name: en
  default: true
  data_files:
  - split: test
    path: "english/test.parquet"
  - split: train
    path: ["english/train-*.parquet"]
tags: [x]
---
configs: not these
"""
    files = {"README.md": page, "german/a.parquet": b"de", "english/test.parquet": b"t"}
    files |= {"english/train-00000-of-00002.parquet": b"1", "english/train-00001-of-00002.parquet": b"2"}
    stand_in.add("dataset", "ann/poems", files)
    english = hub.dataset_file("ann/poems")
    assert (english.config, english.path.read_bytes()) == ("en", b"1")
    assert "It comes in 2 files; this is the first of them (1 kB of 1 kB)." in english.words
    assert hub.dataset_file("ann/poems:de").path.read_bytes() == b"de"
    assert hub.dataset_file("ann/poems:en/test").path.read_bytes() == b"t"
    with pytest.raises(DataError, match=r"no part called “fr”\. Its parts are de, en"):
        hub.dataset_file("ann/poems:fr")
    with pytest.raises(DataError, match="hub:ann/poems:en/test"):
        hub.dataset_file("ann/poems:en/nothing")


def test_many_parts_without_a_default_are_named_for_the_person_to_choose(stand_in, hub):
    entries = "".join(f"- config_name: subject{number}\n  data_files: {number}.csv\n" for number in range(12))
    files = {"README.md": f"---\nconfigs:\n{entries}---\n"} | {f"{number}.csv": b"a,b\n1,2\n" for number in range(12)}
    stand_in.add("dataset", "ann/exams", files)
    with pytest.raises(DataError, match=r"It has 12 parts\. Its parts are subject0, .*subject9 and more") as caught:
        hub.dataset_file("ann/exams")
    assert "hub:ann/exams:subject0" in caught.value.next
    assert hub.dataset_file("ann/exams:subject11").path.name == "11.csv"


def test_a_dataset_without_a_train_part_says_what_was_read_instead(stand_in, hub):
    stand_in.add("dataset", "ann/poems", {"data/test-00000-of-00001.parquet": b"x"})
    assert hub.dataset_file("ann/poems").words.endswith("It has no part called train, so the part called test is read.")


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (
            ["data/train-00000-of-00001.parquet", "data/test-00000-of-00001.parquet"],
            "data/train-00000-of-00001.parquet",
        ),
        (["en/validation.csv", "en/training.csv"], "en/training.csv"),
        (["constrain.csv", "my_dev.csv"], "constrain.csv"),
        (["train/b.json", "train/a.json", "eval/c.json"], "train/a.json"),
        (["all.parquet", "notes.csv", "more.parquet"], "all.parquet"),
        ([".hidden/train.csv", "rows.TSV"], "rows.TSV"),
        (["train.jsonl.gz", "test.jsonl.gz", "metadata.json"], "train.jsonl.gz"),
        (["rows.csv", "about.txt", "more.txt", "pictures.zip"], "rows.csv"),
        (["LICENSE.txt", "README.txt", "poems.txt"], "poems.txt"),
        (["train.zip"], "train.zip"),
    ],
)
def test_without_a_declaration_file_names_decide(stand_in, hub, names, chosen):
    stand_in.add("dataset", "ann/poems", dict.fromkeys(names, ROWS))
    assert str(hub.dataset_file("ann/poems").path).endswith(chosen)


@pytest.mark.parametrize(
    "stated",
    [
        "http://127.0.0.1/steal",
        "https://example.com/x.csv",
        "hf://datasets/x/y/z.csv",
        "/etc/passwd",
        "~/.ssh/id_rsa",
        "../../etc/passwd",
        "data/../../x.csv",
        "C:\\\\x.csv",
        "*" * 50,
        "a" * 400,
    ],
)
@pytest.mark.parametrize("field", ["data_files", "data_dir"])
def test_a_page_cannot_point_out_of_its_repository(stand_in, hub, stated, field):
    page = f'---\nconfigs:\n- config_name: default\n  {field}: "{stated}"\n---\n'
    stand_in.add("dataset", "ann/evil", {"README.md": page, "train.csv": b"a,b\n"})
    stand_in.asked.clear()
    with pytest.raises(DataError):
        hub.dataset_file("ann/evil")
    assert {path for _, path, _ in stand_in.asked} <= {
        "/api/datasets/ann/evil",
        f"/datasets/ann/evil/resolve/{stand_in.repos['dataset', 'ann/evil'].sha}/README.md",
    }


@pytest.mark.parametrize(
    "block",
    [
        "configs: &a [1]\nx: *a",
        "configs:\n" + "".join(f"- &a{n} [*a{n - 1}, *a{n - 1}]\n" if n else "- &a0 [1, 1]\n" for n in range(30)),
        "configs: " + "[" * 20_000,
        "configs:\n" + "- " * 20_000,
        "configs:\n - " + "? " * 20_000,
        "configs:\n" + "- config_name: x\n" * 10_000,
    ],
)
def test_a_hostile_page_is_refused_quickly(stand_in, hub, block):
    stand_in.add("dataset", "ann/evil", {"README.md": f"---\n{block}\n---\n", "train.csv": b"a,b\n"})
    start = time.monotonic()
    with pytest.raises(DataError, match="cannot be read safely"):
        hub.dataset_file("ann/evil")
    assert time.monotonic() - start < 3


@pytest.mark.parametrize(
    "block",
    [
        "configs: 7",
        "configs: {a: 1}",
        "configs: ['x', 3]",
        "configs: [\n",
        "configs:\n- !!python/none x",
        "configs: " + "1" * 60_000,
        "configs: 2024-99-99",
        "x: 1",
    ],
)
def test_a_page_that_makes_no_sense_is_passed_over(stand_in, hub, block):
    stand_in.add("dataset", "ann/odd", {"README.md": f"---\n{block}\n---\n", "train.csv": b"a,b\n"})
    assert hub.dataset_file("ann/odd").path.name == "train.csv"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"poems.py": b"print()", "README.md": b""}, "made by a program"),
        ({"a.json.xz": b"x", "b.arrow": b"x"}, "It has .xz, .arrow"),
        ({}, "no files at all"),
    ],
)
def test_a_dataset_without_a_readable_file_says_what_it_has(stand_in, hub, files, words):
    stand_in.add("dataset", "ann/odd", files)
    with pytest.raises(DataError, match=words):
        hub.dataset_file("ann/odd")


def test_a_dataset_that_is_too_large_is_refused_with_both_numbers(stand_in, hub):
    repo = stand_in.add("dataset", "ann/web", {"train.parquet": b"x"})
    repo.sizes["train.parquet"] = 500_000_000_000
    with pytest.raises(CapacityError, match=r"has 500\.0 GB, and 2\.0 GB is the most"):
        hub.dataset_file("ann/web")


def test_gated_and_missing_datasets_are_refused(stand_in, hub):
    stand_in.add("dataset", "ann/gated", {"train.csv": b"a"}, gated="auto")
    with pytest.raises(AccessError):
        hub.dataset_file("ann/gated")
    with pytest.raises(NotFoundError):
        hub.dataset_file("ann/nothing")


def test_a_folder_of_the_same_name_here_is_never_read(stand_in, hub, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ann" / "poems").mkdir(parents=True)
    (tmp_path / "ann" / "poems" / "train.csv").write_text("local")
    stand_in.add("dataset", "ann/poems", {"train.csv": b"from the hub"})
    assert hub.dataset_file("ann/poems").path.read_bytes() == b"from the hub"
