"""How far a piece of work is, said to the process that waits for it."""

import json
import sys


def report(words: str) -> None:
    print(json.dumps({"progress": words}), file=sys.stderr, flush=True)
