"""What copies on a bucket cost: `python -m tests.benchmarks.bucket`. CPU-seconds and seconds, each with its spread.

The bucket is a folder here. A real mount adds a trip over the network to each touch; it is imitated by a sleep.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from facet.bucket import snapshot
from facet.bucket.copies import Copies
from facet.bucket.mount import Bucket
from facet.work.checkpoint import prune
from tests.bucket.bucket_folders import ANN, BOB, Place, finish, run, save_point

RUNS = 100
ADAPTER = 300_000  # bytes
ROUNDS = 5


class Far(Bucket):
    """Every touch takes a trip. Files are read and written at the disk's own speed."""

    TRIP = 0.03  # seconds

    def _names(self, folder: Path) -> list[str]:
        time.sleep(self.TRIP)
        return super()._names(folder)

    def read(self, *where: Any) -> Any:
        time.sleep(self.TRIP)
        return super().read(*where)

    def chunks(self, address: Any, held: Any) -> Iterator[bytes]:
        if held.blob:
            time.sleep(self.TRIP)
        return super().chunks(address, held)

    def has(self, *what: Any) -> bool:
        time.sleep(self.TRIP)
        return super().has(*what)

    def _put(self, *what: Any) -> str:
        time.sleep(3 * self.TRIP)  # make, close, read back
        return super()._put(*what)


def measured(what: str, act: Callable[[], None], before: Callable[[], None] = lambda: None) -> None:
    seconds, cpu = [], []
    for _ in range(ROUNDS):
        before()
        began, spent = time.perf_counter(), time.process_time()
        act()
        seconds.append(time.perf_counter() - began)
        cpu.append(time.process_time() - spent)
    low, high = min(seconds), max(seconds)
    spread = f"({low:.3f} to {high:.3f})"
    print(f"{what:58} {statistics.median(seconds):7.3f} s {spread}, {statistics.median(cpu):.3f} CPU-s")


def everything(place: Place) -> None:
    copies = place.copies()
    copies.start()
    copies.stop()


def brought_back(place: Place, bucket: Bucket) -> None:
    copies = Copies(place.workspace, bucket)
    copies._copy_all = lambda: None  # type: ignore[method-assign]
    copies.start()
    copies.stop()
    assert len(place.workspace.all(ANN, "runs")) == RUNS


def look(place: Place) -> None:
    for address, folder in snapshot.everything_here(place.home).items():
        snapshot.signature(address, folder)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="facet-bench-") as folder:
        place = Place(Path(folder))
        for _ in range(RUNS):
            finish(run(place.workspace, ANN), ADAPTER)
        began = time.perf_counter()
        everything(place)
        print(f"first copy of {RUNS} runs: {time.perf_counter() - began:.2f} s, {len(place.files())} files, "
              f"{sum(file.stat().st_size for file in place.files()) / 1e6:.0f} MB")  # fmt: skip
        near, far = Bucket(place.mount), Far(place.mount)
        measured(f"restore of {RUNS} runs with 300 kB adapters", lambda: brought_back(place, near), place.lose_the_disk)
        measured("the same, 30 ms a touch", lambda: brought_back(place, far), place.lose_the_disk)
        measured(f"a look at {RUNS} unchanged runs", lambda: look(place))
        for size, words in ((40_000, "40 kB"), (100_000_000, "100 MB")):
            for bucket, how in ((near, "near"), (far, "30 ms a touch")):
                save_points(place, bucket, size, f"copy of a save point of twice {words}, {how}")


def save_points(place: Place, bucket: Bucket, size: int, words: str) -> None:
    """The folder is what a worker leaves: the two newest stay."""
    going, steps = run(place.workspace, BOB), iter(range(1, 99))
    copies = Copies(place.workspace, bucket)
    copies._take_the_lock()
    copies._round()

    def work() -> None:
        save_point(going, next(steps), size)
        prune(going / "checkpoints")

    measured(words, copies._round, work)
    copies._lock.release()
    place.workspace.delete(BOB, "runs", going.name)


if __name__ == "__main__":
    main()
