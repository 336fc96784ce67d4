"""`export`: a tuned model to take home."""

import argparse
from pathlib import Path
from typing import Any

from facet.identity import LOCAL
from facet.studio import Studio

Answer = dict[str, Any]
PRECISIONS = ("f32", "f16", "bf16", "q8_0")


def add_export(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("run", metavar="RUN")
    place = verb.add_mutually_exclusive_group(required=True)
    place.add_argument("--to", metavar="FOLDER", help="the adapter and everything around it, in a new folder")
    place.add_argument("--gguf", metavar="FILE", help="one file with the starting model in it, for llama.cpp")
    verb.add_argument("--precision", choices=PRECISIONS, default="q8_0", help="of --gguf; default: %(default)s")


def export(options: argparse.Namespace) -> Answer:
    studio = Studio.from_environment()
    if options.gguf:
        file = Path(options.gguf).expanduser().resolve()
        studio.export_gguf(LOCAL, options.run, file, options.precision)
        return {"file": str(file), "bytes": file.stat().st_size, "words": f"{file}"}
    folder = studio.export(LOCAL, options.run, Path(options.to).expanduser().resolve())
    return {"folder": str(folder), "words": f"{folder}\nIts README.md says how to use it."}
