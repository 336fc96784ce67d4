"""Every way in which the name of a dataset, or what is behind it, can be wrong, and what is said then."""

import json
import socket
import sys

import pytest

from facet.dataset.from_hub import bring, first_rows, named
from facet.errors import AccessError, CapacityError, DataError, FacetError, HubError, NotFoundError, SettingError
from facet.hub.hub import Hub

pytestmark = pytest.mark.hub
ROWS = b'{"question": "q", "answer": "a"}\n'

NOT_A_NAME = [
    "",
    "   ",
    "x" * 300,
    "a",
    "a/b/c",
    "/etc",
    "/etc/passwd",
    "../x",
    "./data",
    "~",
    "C:\\x",
    "file:///etc/passwd",
    "http://127.0.0.1",
    "http://127.0.0.1/datasets/a/b",
    "https://evil.example/datasets/a/b",
    "https://huggingface.co.evil.example/datasets/a/b",
    "https://huggingface.co/datasets/../../etc",
    "https://huggingface.co/datasets/a/b/../../c",
    "hf://datasets/x/y",
    "a/b#x",
    "a/b?x",
    "a/b\0c",
    "a/b\nc/d",
    "a/🙂",
    "csv",
    "json",
    "text",
    "parquet",
    "a/b.git",
    "a/b--c",
    "a/..",
    "example:poems",
]


@pytest.mark.parametrize("text", NOT_A_NAME)
def test_what_is_no_name_is_refused_without_a_question_to_anybody(stand_in, hub, text):
    with pytest.raises((DataError, SettingError)) as caught:
        bring(hub, named(text))
    assert len(caught.value.args) == 3 and all(caught.value.args)
    assert not stand_in.asked


@pytest.mark.parametrize(
    ("text", "where", "revision"),
    [
        ("a/b", "a/b", None),
        ("  hub:a/b ", "a/b", None),
        ("a/b@main", "a/b", "main"),
        ("a/b@main:en/test", "a/b:en/test", "main"),
        ("datasets/a/b", "a/b", None),
        ("https://huggingface.co/datasets/a/b", "a/b", None),
        ("https://huggingface.co/datasets/a/b/", "a/b", None),
        ("https://hf.co/datasets/a/b?library=datasets#files", "a/b", None),
        ("https://huggingface.co/datasets/a/b/tree/v1.0", "a/b", "v1.0"),
        ("https://huggingface.co/datasets/a/b/blob/main/data/x.csv", "a/b", "main"),
        ("https://huggingface.co/datasets/a/b/tree/refs%2Fpr%2F1/data", "a/b", "refs/pr/1"),
        ("https://huggingface.co/datasets/a/b/viewer", "a/b", None),
        ("https://huggingface.co/datasets/a/b/viewer/en/train?row=5", "a/b:en/train", None),
    ],
)
def test_names_and_addresses_of_pages_mean_the_dataset(text, where, revision):
    source = named(text)
    assert (source.kind, source.where, source.revision) == ("hub", where, revision)


def test_a_branch_is_pinned_to_its_commit(stand_in, hub):
    repo = stand_in.add("dataset", "ann/poems", {"train.jsonl": ROWS})
    brought = bring(hub, named("ann/poems@main"))
    assert brought.revision == repo.sha and brought.source()["revision"] == repo.sha


def test_a_folder_of_the_same_name_here_is_never_read(stand_in, hub, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ann" / "poems").mkdir(parents=True)
    (tmp_path / "ann" / "poems" / "train.jsonl").write_text("local")
    with pytest.raises(NotFoundError):
        bring(hub, named("ann/poems"))
    stand_in.add("dataset", "ann/poems", {"train.jsonl": ROWS})
    assert bring(hub, named("ann/poems")).files[0]["path"].read_bytes() == ROWS


def asks(hub):
    """Every way to ask for a dataset."""
    return [
        lambda name, token=None: hub.dataset_look(name, token=token),
        lambda name, token=None: first_rows(hub, name, token=token),
        lambda name, token=None: bring(hub, named(name), token),
    ]


def test_missing_and_somebody_elses_are_the_same_words_also_after_its_owner_used_it(stand_in, hub):
    stand_in.add("dataset", "ann/diary", {"train.jsonl": ROWS}, private=True)
    owner, other = stand_in.token("ann"), stand_in.token("ben")
    for ask in asks(hub):
        ask("ann/diary", owner)
        for token in (other, None):
            told = []
            for name in ("ann/diary", "ann/nothing"):
                with pytest.raises(NotFoundError) as caught:
                    ask(name, token)
                told.append(str(caught.value).replace(name, "…"))
            assert told[0] == told[1]


def test_a_gated_dataset_names_the_page_where_its_terms_are_accepted(stand_in, hub):
    stand_in.add("dataset", "ann/gated", {"train.jsonl": ROWS}, gated="auto")
    token = stand_in.token("ben", scopes=["gated-repos"])
    for ask in asks(hub):
        for who in (None, token):
            with pytest.raises(AccessError) as caught:
                ask("ann/gated", who)
            assert "https://huggingface.co/datasets/ann/gated" in caught.value.next
    stand_in.accept("ben", "ann/gated")
    assert bring(hub, named("ann/gated"), token).source()["closed"] == "gated"


def test_a_moved_dataset_is_shown_under_its_new_name(stand_in, hub):
    stand_in.add("dataset", "ann/verses", {"train.jsonl": ROWS})
    stand_in.moved["ann/poems"] = "ann/verses"
    assert hub.dataset_look("ann/poems").repo == "ann/verses"
    brought = bring(hub, named("ann/poems"))
    assert brought.where == "ann/verses:default/train" and "ann/verses" in brought.words


def test_deleted_between_the_look_and_the_fetch(stand_in, hub):
    stand_in.add("dataset", "ann/poems", {"train.jsonl": ROWS})
    found = hub.dataset_look("ann/poems")
    del stand_in.repos["dataset", "ann/poems"]
    with pytest.raises(NotFoundError):
        hub.dataset_files(found.repo, found.sha)
    assert not list(hub.cache.glob("*"))


def test_made_anew_between_the_look_and_the_fetch_is_not_taken_for_the_same(stand_in, hub):
    stand_in.add("dataset", "ann/poems", {"train.jsonl": ROWS})
    found = hub.dataset_look("ann/poems")
    stand_in.add("dataset", "ann/poems", {"train.jsonl": b'{"other": 1}\n'})
    with pytest.raises(NotFoundError, match="could not find this version"):
        hub.dataset_files(found.repo, found.sha)


def test_a_disabled_dataset_is_closed(stand_in, hub):
    stand_in.add("dataset", "ann/poems", {"train.jsonl": ROWS})
    for ask in asks(hub):
        stand_in.plan("/api/datasets/ann/poems", 403, message="Access to this resource is disabled.", headers=DISABLED)
        with pytest.raises(HubError, match="The Hub has closed ann/poems"):
            ask("ann/poems")


DISABLED = {"X-Error-Message": "Access to this resource is disabled."}


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "no files at all"),
        ({"README.md": b"# Soon"}, r"It has \.md"),
        ({"poems.py": b"raise SystemExit('run')", "README.md": b""}, "made by a program"),
        ({"model.safetensors": b"x", "notes.md": b"x"}, "no file that Facet can read"),
    ],
)
def test_without_rows_it_says_what_there_is(stand_in, hub, files, words):
    stand_in.add("dataset", "ann/odd", files)
    for ask in asks(hub):
        with pytest.raises(DataError, match=words):
            ask("ann/odd")


@pytest.mark.parametrize("path", ["/etc/passwd", "http://127.0.0.1:1/x.csv", "hf://datasets/x/y/z.csv", "../../x.csv"])
def test_a_page_that_points_elsewhere_is_refused_and_nothing_elsewhere_is_asked(stand_in, hub, path):
    page = f"---\nconfigs:\n- config_name: default\n  data_files: {json.dumps(path)}\n---\n"
    stand_in.add("dataset", "ann/evil", {"README.md": page, "train.jsonl": ROWS})
    port, seen = int(stand_in.url.rsplit(":", 1)[1]), []
    watching = [True]
    sys.addaudithook(lambda event, args: seen.append(args[1]) if event == "socket.connect" and watching[0] else None)
    for ask in asks(hub):
        with pytest.raises(DataError, match="not its own"):
            ask("ann/evil")
    watching[0] = False
    assert {address[1] for address in seen if isinstance(address, tuple)} <= {port}


def test_three_configurations_of_ten_splits_are_for_a_person_to_choose(stand_in, hub):
    splits = [f"train_{number}" for number in range(10)]
    entries = "".join(
        f"- config_name: {name}\n  data_files:\n"
        + "".join(f"  - split: {split}\n    path: {name}/{split}.jsonl\n" for split in splits)
        for name in ("de", "en", "fr")
    )
    files = {f"{name}/{split}.jsonl": ROWS for name in ("de", "en", "fr") for split in splits}
    stand_in.add("dataset", "ann/poems", files | {"README.md": f"---\nconfigs:\n{entries}---\n"})
    found = hub.dataset_look("ann/poems")
    assert found.default is None and [len(config.splits) for config in found.configs] == [10, 10, 10]
    for ask in asks(hub)[1:]:
        with pytest.raises(DataError, match=r"It has 3 parts\. Its parts are de, en, fr\.") as caught:
            ask("ann/poems")
        assert "hub:ann/poems:de" in caught.value.next
    assert bring(hub, named("ann/poems:en/train_7")).files[0]["name"] == "en/train_7.jsonl"
    with pytest.raises(DataError, match="no part called “train_10”"):
        bring(hub, named("ann/poems:en/train_10"))


@pytest.mark.parametrize("name", ["train.jsonl", "train.csv"])
def test_half_a_terabyte_is_looked_at_and_not_fetched(stand_in, hub, name):
    rows = ROWS if name.endswith("jsonl") else b"question,answer\n"
    repo = stand_in.add("dataset", "ann/web", {name: rows * 200_000})
    repo.sizes[name] = 500_000_000_000
    assert hub.dataset_look("ann/web").configs[0].splits[0].size_gb == 500
    seen = first_rows(hub, "ann/web")
    assert seen.rows and seen.words.endswith("which has 500.0 GB; the rest has not been fetched.")
    stand_in.asked.clear()
    if name.endswith("jsonl"):
        with pytest.raises(CapacityError, match="not enough room on the disk"):
            bring(hub, named("ann/web"), most_gb=1e6)
    with pytest.raises(CapacityError if name.endswith("csv") else HubError):
        bring(hub, named("ann/web"), most_gb=0.1)  # the stated size is not the true one
    assert len([path for _, path, _ in stand_in.asked if path.endswith(name)]) == name.endswith("jsonl")


def test_asked_too_often_says_when_to_try_again(stand_in, hub):
    stand_in.add("dataset", "ann/poems", {"train.jsonl": ROWS})
    for ask in asks(hub):
        stand_in.planned.clear()
        stand_in.plan("/api/datasets/ann/poems", 429, times=99, retry_after=900)
        with pytest.raises(HubError, match=r"asks us to wait.*Try again in five minutes"):
            ask("ann/poems")
        stand_in.planned.clear()
        ask("ann/poems")


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_hub_with_a_problem_of_its_own_says_so(stand_in, hub, status):
    stand_in.add("dataset", "ann/poems", {"train.jsonl": ROWS})
    stand_in.faults["/api/datasets"] = status
    for ask in asks(hub):
        with pytest.raises(HubError):
            ask("ann/poems")


def test_without_a_hub_nothing_hangs_and_nothing_of_others_is_shown(stand_in, hub):
    stand_in.add("dataset", "ann/diary", {"train.jsonl": ROWS}, private=True)
    bring(hub, named("ann/diary"), stand_in.token("ann"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        gone = Hub(hub.cache, endpoint=f"http://127.0.0.1:{free.getsockname()[1]}")
        for ask in asks(gone):
            with pytest.raises(HubError, match="could not be reached"):
                ask("ann/diary")


def test_nothing_is_left_behind_by_all_that_went_wrong(stand_in, hub):
    stand_in.add("dataset", "ann/poems", {"train.jsonl": ROWS, "README.md": b"---\nconfigs: 7\n---\n"})
    for trouble in (401, 403, 404, 429, "truncate"):
        for ask in asks(hub)[1:]:
            stand_in.planned.clear()
            stand_in.plan("/resolve/", trouble, times=9, retry_after=900)
            with pytest.raises(FacetError):
                ask("ann/poems")
    assert not list(hub.cache.glob("*"))
