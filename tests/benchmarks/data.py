"""From a file to data that can be trained on, against the script one would write: rows a second, and memory.

    python tests/benchmarks/data.py [--rows 10000 100000] [--formats jsonl csv] [--pairs 1] [--theirs-most 100000]

Both sides read the file, leave out what is empty, find rows that are nearly the same, keep a validation part and an
exam aside, write the parts to disk, and count every row's tokens with the starter model's template. Ours also looks at
the file first, keeps near-duplicates on one side of the split, and lists what it left out. The script uses pandas,
transformers and MinHash: datasketch where it is installed, else the same computation with numpy, which is faster;
the first line says which.
Each measurement is a process of its own, in the order ABBA; figures are CPU-seconds of that process.
"""

import argparse
import csv
import importlib.util
import json
import os
import random
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import islice, pairwise
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "facet" / "starter" / "model"
PROSE = ROOT / "facet" / "starter" / "prose.txt"
MAPPING = {"kind": "question_answer", "user": "question", "assistant": "answer"}
QUIET = {
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}
PERMUTATIONS, BANDS = 128, 32


# --- ours


def ours(file: Path, work: Path) -> dict:
    from facet.dataset.look import look
    from facet.dataset.prepare import prepare
    from facet.dataset.render import Renderer
    from facet.dataset.store import examples

    clock = [time.process_time()]
    mapping = look(str(file), file.name)["shape"]["mapping"]
    clock.append(time.process_time())
    summary = prepare(str(file), file.name, None, mapping, str(work), "benchmark")
    clock.append(time.process_time())
    renderer, tokens = Renderer.load(MODEL), 0
    for part in ("train", "validation", "exam"):
        rows = examples(work / f"{part}.parquet")
        while batch := [messages for _, messages in islice(rows, 1000)]:
            tokens += sum(len(each.ids) for each in renderer.render_many(batch))
    clock.append(time.process_time())
    steps = _steps(("look", "prepare", "tokenise"), clock)
    return {"rows": summary["used"], "tokens": tokens, "steps": steps}


def _steps(names: tuple[str, ...], clock: list[float]) -> dict[str, float]:
    """CPU-seconds of each step."""
    return dict(zip(names, (later - earlier for earlier, later in pairwise(clock)), strict=True))


# --- theirs


def theirs(file: Path, work: Path) -> dict:
    import pandas as pd
    from transformers import AutoTokenizer

    clock = [time.process_time()]
    read = pd.read_csv(file) if file.suffix == ".csv" else pd.read_json(file, lines=True)
    rows = read[["question", "answer"]].dropna()
    rows = rows[(rows.question.str.strip() != "") & (rows.answer.str.strip() != "")]
    clock.append(time.process_time())
    texts = (rows.question + "\n" + rows.answer).tolist()
    rows = rows[[not near for near in near_duplicates(texts)]].sample(frac=1.0, random_state=0)
    clock.append(time.process_time())
    aside = len(rows) // 10
    for name, part in (("exam", rows[:aside]), ("validation", rows[aside : 2 * aside]), ("train", rows[2 * aside :])):
        part.to_parquet(work / f"{name}.parquet")
    clock.append(time.process_time())
    tokenizer, tokens = AutoTokenizer.from_pretrained(MODEL), 0
    for start in range(0, len(rows), 1000):
        pairs = rows[start : start + 1000].itertuples(index=False)
        chats = [
            [{"role": "user", "content": pair.question}, {"role": "assistant", "content": pair.answer}]
            for pair in pairs
        ]
        tokens += sum(map(len, tokenizer.apply_chat_template(chats, tokenize=True, return_dict=True)["input_ids"]))
    clock.append(time.process_time())
    steps = _steps(("read", "near-duplicates", "write", "tokenise"), clock)
    return {"rows": len(rows), "tokens": tokens, "steps": steps}


def near_duplicates(texts: list[str]) -> list[bool]:
    """Whether each text is like an earlier one, as the usual recipe finds it (MinHash of words, 32 bands)."""
    try:
        from datasketch import MinHash, MinHashLSH
    except ImportError:
        return _with_numpy(texts)
    index = MinHashLSH(threshold=0.8, num_perm=PERMUTATIONS)
    found = []
    for number, text in enumerate(texts):
        sketch = MinHash(num_perm=PERMUTATIONS)
        sketch.update_batch([word.encode() for word in set(text.lower().split())])
        found.append(bool(index.query(sketch)))
        if not found[-1]:
            index.insert(str(number), sketch)
    return found


def minhash() -> str:
    installed = importlib.util.find_spec("datasketch") and importlib.util.find_spec("scipy")
    return "datasketch" if installed else "numpy, as datasketch computes it"


def _with_numpy(texts: list[str]) -> list[bool]:
    """What datasketch computes: each word hashed once, then permuted; the least of each permutation is kept."""
    import hashlib

    import numpy as np

    rng = np.random.RandomState(1)
    prime, most = np.uint64((1 << 61) - 1), np.uint64((1 << 32) - 1)
    first = rng.randint(1, (1 << 61) - 1, PERMUTATIONS, dtype=np.uint64)
    second = rng.randint(0, (1 << 61) - 1, PERMUTATIONS, dtype=np.uint64)
    tables: list[set[bytes]] = [set() for _ in range(BANDS)]
    found = []
    for text in texts:
        words = {int.from_bytes(hashlib.sha1(word.encode()).digest()[:4], "little") for word in text.lower().split()}
        hashes = np.array(list(words), dtype=np.uint64)[:, None]
        sketch = (((hashes * first + second) % prime) & most).min(axis=0).astype(np.uint32)
        bands = [sketch[start::BANDS].tobytes() for start in range(BANDS)]
        found.append(any(band in table for band, table in zip(bands, tables, strict=True)))
        if not found[-1]:
            for band, table in zip(bands, tables, strict=True):
                table.add(band)
    return found


# --- measuring


def write_rows(file: Path, rows: int) -> None:
    """Questions and answers of English words at random; one in fifty nearly repeats an earlier one."""
    rng = random.Random(1)
    words = sorted(set(re.findall(r"[a-z]{2,}", PROSE.read_text("utf-8").lower())))
    earlier: list[tuple[str, str]] = []
    with open(file, "w", encoding="utf-8", newline="") as out:
        table = csv.writer(out)
        if file.suffix == ".csv":
            table.writerow(("question", "answer"))
        for number in range(rows):
            question = f"{' '.join(rng.choices(words, k=rng.randint(6, 25))).capitalize()}?"
            answer = (
                f"{'. '.join(' '.join(rng.choices(words, k=rng.randint(5, 20))) for _ in range(rng.randint(1, 5)))}."
            )
            if number % 50 == 49:
                question, answer = rng.choice(earlier)
                answer += f" {rng.choice(words)}."
            elif len(earlier) < 1000:
                earlier.append((question, answer))
            if file.suffix == ".csv":
                table.writerow((question, answer))
            else:
                out.write(json.dumps({"question": question, "answer": answer}) + "\n")


def measure(side: str, file: Path) -> dict:
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, **QUIET, "PYTHONPATH": path}
    with tempfile.TemporaryDirectory(dir=file.parent) as work:
        command = [sys.executable, "-P", __file__, "--side", side, "--file", str(file), "--work", work]
        started = time.monotonic()
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    answer = json.loads(done.stdout.decode().strip().splitlines()[-1])
    answer["seconds"] = time.monotonic() - started
    steps = ", ".join(f"{name} {seconds:.1f}" for name, seconds in answer["steps"].items())
    speed = answer["rows"] / answer["cpu"]
    print(
        f"  {side:6} {answer['rows']:>9,} rows  {answer['cpu']:8.1f} CPU-s  {speed:9,.0f} rows/CPU-s  "
        f"{answer['seconds']:7.1f} s  peak {answer['peak_mb']:6,.0f} MB   ({steps})",
        flush=True,
    )
    return answer


def compare(rows: int, format: str, pairs: int, with_theirs: bool) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"rows.{format}"
        write_rows(file, rows)
        print(f"{rows:,} rows of {format.upper()}, {file.stat().st_size / 1e6:,.0f} MB", flush=True)
        found: dict[str, list[dict]] = {"ours": [], "theirs": []}
        ratios = []
        for _ in range(pairs):
            order = ("ours", "theirs", "theirs", "ours") if with_theirs else ("ours",)
            batch = {side: [] for side in order}
            for side in order:
                batch[side].append(measure(side, file))
            for side, results in batch.items():
                found[side] += results
            if with_theirs:
                ratios.append(sum(r["cpu"] for r in batch["theirs"]) / sum(r["cpu"] for r in batch["ours"]))
    if ratios:
        mean, spread = statistics.mean(ratios), max(ratios) - min(ratios)
        print(f"  the script takes {mean:.1f} times our CPU-seconds (spread {spread:.1f}, {pairs} pairs)")
    return {side: results for side, results in found.items() if results}


def growth(found: dict[tuple[str, int], dict]) -> None:
    """How time and memory grow with the number of rows."""
    print("\nformat   rows        side     rows/CPU-s   peak MB   ms for a further row")
    before: dict[tuple[str, str], tuple[int, float]] = {}
    for (format, rows), sides in found.items():
        for side, results in sides.items():
            cpu = statistics.mean(result["cpu"] for result in results)
            peak = max(result["peak_mb"] for result in results)
            earlier_rows, earlier_cpu = before.get((format, side), (0, 0.0))
            further = 1000 * (cpu - earlier_cpu) / (rows - earlier_rows)
            print(f"{format:8} {rows:<11,} {side:8} {rows / cpu:10,.0f} {peak:9,.0f}   {further:.3f}")
            before[format, side] = (rows, cpu)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--formats", nargs="+", choices=["jsonl", "csv"], default=["jsonl", "csv"])
    parser.add_argument("--pairs", type=int, default=1)
    parser.add_argument("--theirs-most", type=int, default=100_000, help="the script is not run on more rows than this")
    parser.add_argument("--side", choices=["ours", "theirs"], help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        answer = {"ours": ours, "theirs": theirs}[options.side](options.file, options.work)
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(json.dumps({**answer, "cpu": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / 1024}))
        return
    print(f"near-duplicates in the script: {minhash()}", flush=True)
    found = {
        (format, rows): compare(rows, format, options.pairs, rows <= options.theirs_most)
        for format in options.formats
        for rows in options.rows
    }
    growth(found)


if __name__ == "__main__":
    main()
