"""How fast rows become tokens, against `datasets.map` with the same template; and how much memory a large CSV takes.

    python tests/benchmarks/prepare.py --tokenizer FOLDER [--rows 100000] [--pairs 2]
    python tests/benchmarks/prepare.py --csv-gb 1

Both sides read the same JSONL file and end with token ids on disk. Ours also checks every row, splits it off for
validation and exam, and marks which tokens are learned. Each measurement is a process of its own, in the order ABBA;
figures are CPU-seconds of that process and its children.
"""

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
WORDS = [
    "time",
    "year",
    "people",
    "way",
    "day",
    "man",
    "thing",
    "woman",
    "life",
    "child",
    "world",
    "school",
    "state",
    "family",
    "student",
    "group",
    "country",
    "problem",
    "hand",
    "part",
    "place",
    "case",
    "week",
    "company",
    "system",
    "program",
    "question",
    "work",
    "government",
    "number",
    "night",
    "point",
    "home",
    "water",
    "room",
    "mother",
    "area",
    "money",
    "story",
    "fact",
    "month",
    "lot",
    "right",
    "study",
    "book",
    "eye",
    "job",
    "word",
    "business",
    "issue",
    "side",
    "kind",
    "head",
    "house",
    "service",
    "friend",
    "father",
    "power",
    "hour",
    "game",
    "line",
    "end",
    "member",
    "law",
    "car",
    "city",
    "community",
    "name",
    "president",
    "team",
    "minute",
    "idea",
    "body",
    "information",
    "back",
    "parent",
    "face",
    "others",
    "level",
    "office",
    "door",
    "health",
    "person",
    "art",
    "war",
    "history",
    "party",
    "result",
    "change",
    "morning",
    "reason",
    "research",
    "girl",
    "guy",
    "moment",
    "air",
    "teacher",
    "force",
    "education",
]


def ours(file: Path, tokenizer: Path, work: Path) -> int:
    import pyarrow as pa

    from facet.dataset.prepare import prepare
    from facet.dataset.render import Renderer
    from facet.dataset.store import examples

    mapping = {"kind": "question_answer", "user": "question", "assistant": "answer"}
    prepare(str(file), file.name, None, mapping, str(work), "benchmark")
    renderer = Renderer.load(tokenizer)
    schema = pa.schema([("input_ids", pa.list_(pa.int32())), ("trained", pa.list_(pa.bool_()))])
    rows = 0
    for part in ("train", "validation", "exam"):
        with pa.OSFile(str(work / f"{part}.arrow"), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
            for batch in _batches(examples(work / f"{part}.parquet"), 1000):
                rendered = renderer.render_many([messages for _, messages in batch])
                columns = [pa.array([each.ids for each in rendered]), pa.array([each.trained for each in rendered])]
                writer.write_batch(pa.record_batch([columns[0].cast(schema.types[0]), columns[1]], schema=schema))
                rows += len(batch)
    return rows


def _batches(items, size: int):
    batch = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def theirs(file: Path, tokenizer: Path, work: Path) -> int:
    from datasets import load_dataset
    from transformers import AutoTokenizer

    tokens = AutoTokenizer.from_pretrained(tokenizer)
    rows = load_dataset("json", data_files=str(file), split="train", cache_dir=str(work))

    def tokenize(batch):
        conversations = [
            [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
            for question, answer in zip(batch["question"], batch["answer"], strict=True)
        ]
        return {"input_ids": tokens.apply_chat_template(conversations, tokenize=True, return_dict=True)["input_ids"]}

    return len(rows.map(tokenize, batched=True, remove_columns=rows.column_names))


def measure(side: str, file: Path, tokenizer: Path) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as work:
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "HF_HUB_OFFLINE": "1",
            "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
            "TOKENIZERS_PARALLELISM": "false",
        }
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.monotonic()
        places = ["--file", str(file), "--tokenizer", str(tokenizer), "--work", work]
        command = [sys.executable, __file__, "--side", side, *places]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        answer = json.loads(done.stdout.strip().splitlines()[-1])
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {**answer, "cpu": cpu, "seconds": time.monotonic() - started}


def compare(rows: int, pairs: int, tokenizer: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.jsonl"
        write_rows(file, rows)
        ratios: list[float] = []
        for pair in range(pairs):
            found: dict[str, list[float]] = {"ours": [], "theirs": []}
            for side in ("ours", "theirs", "theirs", "ours"):
                result = measure(side, file, tokenizer)
                found[side].append(result["cpu"])
                speed = result["rows"] / result["cpu"]
                print(
                    f"{side:7} {result['rows']:,.0f} rows, {result['cpu']:.1f} CPU-s ({speed:,.0f} rows per CPU-s), "
                    f"{result['seconds']:.1f} s, peak {result['peak_mb']:,.0f} MB"
                )
            ratios.append(sum(found["theirs"]) / sum(found["ours"]))
            print(f"pair {pair + 1}: ours is {ratios[-1]:.2f} times as fast")
        spread = max(ratios) - min(ratios)
        mean = statistics.mean(ratios)
        print(f"datasets.map takes {mean:.2f} times our CPU-seconds (spread {spread:.2f}, {pairs} pairs)")


def write_rows(file: Path, rows: int) -> None:
    rng = random.Random(1)
    with open(file, "w", encoding="utf-8") as out:
        for number in range(rows):
            question = f"{number}: {' '.join(rng.choices(WORDS, k=rng.randint(8, 40)))}?"
            answer = ". ".join(" ".join(rng.choices(WORDS, k=rng.randint(5, 20))) for _ in range(rng.randint(1, 9)))
            out.write(json.dumps({"question": question, "answer": answer + "."}) + "\n")


def large_csv(gigabytes: float) -> None:
    """Prepare one large CSV in the limited child, as the page does, and say what memory it took."""
    sys.path.insert(0, str(ROOT))
    from facet.dataset import limited

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "large.csv"
        rows = write_csv(file, gigabytes)
        (Path(folder) / "made").mkdir()
        mapping = {"kind": "question_answer", "user": "question", "assistant": "answer"}
        arguments = {"file": str(file), "original_name": file.name, "correction": None, "mapping": mapping}
        started = time.monotonic()
        for function, more in (("look", None), ("prepare", {"into": str(Path(folder) / "made"), "name": "large"})):
            sent = {**arguments, **more} if more else {k: arguments[k] for k in ("file", "original_name", "correction")}
            limited.call(function, sent, seconds=3600)
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            print(
                f"{function}: {file.stat().st_size / 1e9:.2f} GB, {rows:,} rows, {time.monotonic() - started:.0f} s, "
                f"peak of the child so far {peak:,.0f} MB"
            )


def write_csv(file: Path, gigabytes: float) -> int:
    rng = random.Random(2)
    bodies = [" ".join(rng.choices(WORDS, k=150)) for _ in range(500)]
    rows = 0
    with open(file, "w", encoding="utf-8") as out:
        out.write("id,question,answer\n")
        while out.tell() < gigabytes * 1e9:
            lines = (
                f'{rows + n},"What is {rows + n}, {WORDS[n % 90]}?","{bodies[n % 500]} {rows + n}"\n'
                for n in range(1000)
            )
            out.writelines(lines)
            rows += 1000
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--pairs", type=int, default=2)
    parser.add_argument("--tokenizer", type=Path, default=ROOT.parent / "shared" / "tokenizers" / "gemma3")
    parser.add_argument("--csv-gb", type=float)
    parser.add_argument("--side", choices=["ours", "theirs"], help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        rows = {"ours": ours, "theirs": theirs}[options.side](options.file, options.tokenizer, options.work)
        print(json.dumps({"rows": rows, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
    elif options.csv_gb:
        large_csv(options.csv_gb)
    else:
        compare(options.rows, options.pairs, options.tokenizer)


if __name__ == "__main__":
    main()
