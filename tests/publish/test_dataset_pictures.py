"""Pictures travel inside the rows, so that others see them, and come home as files again."""

import io
import json
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
from PIL import Image

from facet.dataset.prepare import prepare
from facet.dataset.store import whole_examples
from facet.dataset.uploads import Uploads
from facet.errors import DataError
from facet.hub.hub import Hub
from facet.identity import LOCAL
from facet.workspace import write_json
from tests.publish.preparing import written

pytestmark = pytest.mark.hub
COLOURS = [(number * 8, 255 - number * 8, 40) for number in range(24)]
MAPPING = {"kind": "columns", "user": "question", "assistant": "answer", "images": "picture"}


@pytest.fixture
def shown(tmp_path):
    """A dataset whose rows show a square each, and some of them none."""
    pictures, folder = tmp_path / "pictures", tmp_path / "shown-0001"
    pictures.mkdir()
    folder.mkdir()
    rows = []
    for number, colour in enumerate(COLOURS):
        Image.new("RGB", (8, 8), colour).save(pictures / f"{number}.png")
        rows.append(
            {"question": f"Which colour, {number}?", "answer": f"{colour}", "picture": {"image": f"{number}.png"}}
        )
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    prepare(str(tmp_path / "rows.jsonl"), "rows.jsonl", None, MAPPING, str(folder), "Shown", images=str(pictures))
    write_json(folder / "about.json", {"name": "Shown", "owner": "local", "created": 1.0})
    return folder


PROGRAM = """
import json, sys
from datasets import load_dataset
part = load_dataset(sys.argv[1], split="train")
print(json.dumps([[row["messages"][-1]["content"], row["images"][0].getpixel((3, 3))] for row in part]))
"""


def test_others_see_the_pictures_of_each_row(data_ann, stand_in, shown, tmp_path):
    found = written(shown, tmp_path / "w")
    assert "image-text-to-text" in (found / "README.md").read_text()
    data_ann.press(written=found, private=False)
    home = {"HF_HOME": str(tmp_path / "hf"), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    how = {"env": stand_in.environment | home, "capture_output": True, "text": True, "cwd": tmp_path}
    done = subprocess.run([sys.executable, "-c", PROGRAM, "ann/sums"], **how)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout.splitlines()[-1])
    assert len(rows) == pq.read_metadata(shown / "train.parquet").num_rows
    assert all(answer == str(tuple(pixel)) for answer, pixel in rows)


def test_pictures_come_home_with_their_rows(data_ann, stand_in, shown, tmp_path, workspace):
    data_ann.press(written=written(shown, tmp_path / "w"), private=False)
    uploads = Uploads(workspace, Hub(tmp_path / "cache", endpoint=stand_in.url))
    upload = uploads.bring_hub(LOCAL, "ann/sums:default/all")
    again = tmp_path / "again"
    again.mkdir()
    how = {"mapping": None, "into": str(again), "name": "Again", "splits": "given"}
    summary = prepare(**uploads.readable(LOCAL, upload), **how)
    assert summary["splits"] == json.loads((shown / "dataset.json").read_text())["splits"]
    for part in ("train", "validation", "exam"):
        for _, example in whole_examples(again / f"{part}.parquet"):
            picture = Image.open(io.BytesIO((again / "images" / example["images"][0]).read_bytes()))
            assert str(picture.getpixel((3, 3))) == example["messages"][-1]["content"]


def test_a_picture_that_is_gone_or_lies_elsewhere_stops_it(shown, tmp_path):
    name = next(example["images"][0] for _, example in whole_examples(shown / "train.parquet"))
    (shown / "images" / name).unlink()
    with pytest.raises(DataError, match="A picture of this dataset is missing"):
        written(shown, tmp_path / "w")
    (tmp_path / "secret.png").write_bytes(b"mine alone")
    (shown / "images" / name).symlink_to(tmp_path / "secret.png")
    with pytest.raises(DataError, match="A picture of this dataset is missing"):
        written(shown, tmp_path / "w2")
