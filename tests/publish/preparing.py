"""A prepared dataset of a few rows, and someone who presses “Publish” under it."""

import json

from facet.dataset.prepare import prepare
from facet.publish.dataset_repo import DataTerms, publish_dataset, write_dataset
from facet.publish.repo import Target
from facet.workspace import write_json

ROWS = [{"question": f"What is {number} and one?", "answer": f"It is {number + 1}, Ann."} for number in range(60)]
HUB = {"kind": "hub", "where": "ben/sums:en/train", "revision": "0123456789abcdef" * 2 + "01234567", "licence": "mit"}


def prepared(place, rows=ROWS, source=None, **options):
    """A dataset folder below `place`, made of these rows."""
    place.mkdir(parents=True, exist_ok=True)
    file = place / "sums.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    folder = place / "sums-0001"
    folder.mkdir()
    prepare(str(file), "sums.jsonl", None, None, str(folder), "Sums", source=source, **options)
    write_json(folder / "about.json", {"name": "Sums", "owner": "local", "created": 1.0})
    return folder


def public_files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class DataPresser:
    """`written` is the folder that is published; `told` and `waited` are what the page would have shown and done."""

    def __init__(self, hub, written, token=None):
        self.hub, self.written = hub, written
        self.token = token or hub.token("ann", scopes=["contribute-repos"])
        self.told, self.waited = [], []

    def press(self, repo="ann/sums", *, written=None, **target):
        return publish_dataset(
            written or self.written,
            Target(repo, **target),
            self.token,
            lambda words, share: self.told.append((words, share)),
            self.hub.url,
            sleep=self.waited.append,
        )

    def repo(self, name="ann/sums"):
        return self.hub.repos["dataset", name]

    def files(self, name="ann/sums"):
        """What the Hub has, less what it put there by itself."""
        return {path: data for path, data in self.repo(name).files.items() if path != ".gitattributes"}

    def versions(self, name="ann/sums"):
        """Commits of ours, newest first."""
        return self.repo(name).history[:-1]


def written(dataset_folder, to, repo="ann/sums", licence="cc-by-4.0", languages=("en",)):
    return write_dataset(dataset_folder, to, repo, DataTerms(licence, languages))
