"""Near-duplicates among many rows, against datasketch's MinHash and LSH: speed, memory, recall and precision.

    python tests/benchmarks/near_duplicates.py [--rows 10000 100000] [--pairs 2] [--million] [--theirs PYTHON]

Both sides get the same texts, of which a fifth are planted twins and two fifths come from templates. datasketch is no
dependency: `--theirs` names an interpreter that has it. Each measurement is a process of its own, in the order ABBA.
"""

import argparse
import json
import random
import re
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.doctor import twins  # noqa: E402

_THRESHOLD = 0.8
_PERMUTATIONS = 128


def ours(texts: list[str]) -> list[int]:
    from facet.dataset.near import Sketches

    sketches = Sketches()
    sketches.add_many(texts)
    return sketches.clusters(_THRESHOLD).tolist()


def theirs(texts: list[str]) -> list[int]:
    """As its documentation does it, with the same pieces of four letters."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=_THRESHOLD, num_perm=_PERMUTATIONS)
    found = list(range(len(texts)))
    for at, text in enumerate(texts):
        plain = " ".join(re.sub(r"[\W_]+", " ", text.lower()).split())
        sketch = MinHash(num_perm=_PERMUTATIONS)
        sketch.update_batch([plain[start : start + 4].encode() for start in range(max(1, len(plain) - 3))])
        near = index.query(sketch)
        found[at] = min((found[int(each)] for each in near), default=at)
        index.insert(str(at), sketch)
    return found


def one(side: str, rows: int) -> None:
    texts, pairs = twins.planted(rows, random.Random(1))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    found = {"ours": ours, "theirs": theirs}[side](texts)
    seconds = time.process_time() - started
    twin_of: dict[int, set[int]] = {}
    for a, b, _ in pairs:
        twin_of.setdefault(a, set()).add(b)
        twin_of.setdefault(b, set()).add(a)
    grouped = [at for at, first in enumerate(found) if first != at]
    right = sum(any(found[at] == found[other] for other in twin_of.get(at, ())) for at in grouped)
    answer = {
        "rows": len(texts),
        "seconds": seconds,
        "mb": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
        "recall": sum(found[a] == found[b] for a, b, _ in pairs) / len(pairs),
        "precision": right / max(1, len(grouped)),
    }
    print(json.dumps(answer))


def measure(side: str, rows: int, python: str) -> dict[str, float]:
    command = [python, __file__, "--side", side, "--rows", str(rows)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    result = json.loads(done.stdout.strip().splitlines()[-1])
    print(
        f"{side:7} {result['rows']:>9,} rows: {result['seconds']:7.1f} CPU-s "
        f"({result['rows'] / result['seconds']:,.0f} rows/s), {result['mb']:,.0f} MB more, "
        f"recall {result['recall']:.3f}, precision {result['precision']:.3f}"
    )
    return result


def compare(rows: int, pairs: int, python: str | None) -> None:
    if python is None:
        measure("ours", rows, sys.executable)
        return
    ratios, memory = [], []
    for _ in range(pairs):
        found: dict[str, list[dict[str, float]]] = {"ours": [], "theirs": []}
        for side in ("ours", "theirs", "theirs", "ours"):
            found[side].append(measure(side, rows, sys.executable if side == "ours" else python))
        ratios.append(sum(each["seconds"] for each in found["theirs"]) / sum(each["seconds"] for each in found["ours"]))
        memory.append(max(each["mb"] for each in found["theirs"]) / max(each["mb"] for each in found["ours"]))
    spread = max(ratios) - min(ratios)
    print(
        f"{rows:,} rows: datasketch takes {statistics.mean(ratios):.1f} times our seconds (spread {spread:.1f}, "
        f"{pairs} pairs) and {statistics.mean(memory):.1f} times our memory"
    )


def has_datasketch(python: str) -> bool:
    return subprocess.run([python, "-c", "import datasketch"], capture_output=True).returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--pairs", type=int, default=2)
    parser.add_argument("--million", action="store_true", help="ours alone with a million rows")
    parser.add_argument("--theirs", default=sys.executable, help="an interpreter that has datasketch")
    parser.add_argument("--side", choices=["ours", "theirs"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        one(options.side, options.rows[0])
        return
    python = options.theirs if has_datasketch(options.theirs) else None
    if python is None:
        print("datasketch is not there: only ours is measured")
    for rows in options.rows:
        compare(rows, options.pairs, python)
    if options.million:
        measure("ours", 1_000_000, sys.executable)


if __name__ == "__main__":
    main()
