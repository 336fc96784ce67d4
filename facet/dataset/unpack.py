"""What a person brought, opened once: archives unpacked, pictures taken out and checked, texts put together.

Runs in the limited child. It writes into one folder, under names of its own; names in archives are labels only.
"""

import bz2
import errno
import gzip
import json
import lzma
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

from facet.dataset import archive, budget, encoding, foreign
from facet.dataset.archive import Member
from facet.dataset.collection import Collection, FolderCollection, Plan, ZipCollection, plan
from facet.dataset.delimited import open_text
from facet.dataset.joined import Brought, groups, lines
from facet.dataset.label_folders import LabelledText, labelled_texts
from facet.dataset.parquet_pictures import has_pictures, without_pictures
from facet.dataset.picture_tables import PictureTables, labelled_pictures
from facet.dataset.pictures import FOLDER, Pictures
from facet.dataset.texts import PAGE_BREAK
from facet.errors import CapacityError, DataError

_PACKED: dict[bytes, tuple[str, Callable[..., IO[bytes]]]] = {
    b"\x1f\x8b": ("gzip", gzip.open),
    b"BZh": ("bzip2", bz2.open),
    b"\xfd7zXZ\0": ("xz", lzma.open),
}
_PACKED_NAMES = (".gz", ".gzip", ".bz2", ".xz")
_FAULTS = (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError)


def unpack(file: str, original_name: str, into: str, most_bytes: int | None = None) -> dict[str, Any]:
    """Open what was brought (a file, or a folder of files) into the folder `into`.

    Returns `files`: {path inside of `into`, name for a person, part} each, none when the file is good as it is;
    `choose`: whether these are several to choose one from, the usual one first; `has_images`: whether there is a folder
    `images`; `notes`: what to tell.
    Units: `most_bytes` is what may be written in all, where that is less than the budget.
    Raises: `DataError` for archives that are damaged, locked or made to do harm, and when nothing in them holds rows.
    """
    return _Unpacking(Path(file), original_name, Path(into), most_bytes).result()


class _Unpacking:
    def __init__(self, file: Path, original_name: str, into: Path, most_bytes: int | None) -> None:
        self.file, self.name, self.into = file, original_name, into
        size = budget.MOST_FILE_BYTES if file.is_dir() else file.stat().st_size
        self.left = self.limit = min(budget.most_unpacked_bytes(size), most_bytes or budget.MOST_FILE_BYTES)
        self.pictures = Pictures(into / FOLDER, self.limit)
        self.files: list[dict[str, Any]] = []
        self.notes: list[str] = []
        self.choose = False

    def result(self) -> dict[str, Any]:
        self._open()
        self.pictures.require_some()
        return {
            "files": self.files,
            "choose": self.choose,
            "has_images": self.pictures.kept > 0,
            "notes": self.notes + self.pictures.words(),
        }

    def _open(self) -> None:
        if self.file.is_dir():
            self._collection(FolderCollection(self.file))
            return
        with open(self.file, "rb") as content:
            head = content.read(8)
        for start, (kind, opener) in _PACKED.items():
            if head.startswith(start):
                self._decompressed(kind, opener)
                return
        if head.startswith(foreign.ZIP) and foreign.zip_kind(self.file) == "archive":
            self._collection(ZipCollection(self.file))
        elif head.startswith(b"PAR1") and has_pictures(self.file):
            self._keep(self.file, self.name, None)

    def _decompressed(self, kind: str, opener: Callable[..., IO[bytes]]) -> None:
        name = self.name
        if name.lower().endswith(_PACKED_NAMES):
            name = name.rsplit(".", 1)[0]
        target = self._target()
        self._write(target, _inflated(self.file, kind, opener))
        self._keep(target, name, None)

    def _collection(self, found: Collection) -> None:
        chosen = plan(found.members)
        self.notes += chosen.notes
        if not chosen.files:
            self._labelled(found, chosen)
        elif len(chosen.files) > 1 and not chosen.choose and chosen.files[0][0].name.lower().endswith(_TEXT_NAMES):
            self._texts(found, chosen)
        else:
            self._tables(found, chosen)

    def _several(self, found: Collection, chosen: Plan) -> None:
        """Tables that nothing says belong together: those with the same columns do, of others one is chosen."""
        brought = []
        for member, _ in chosen.files:
            target = self._target()
            self._write(target, found.chunks(member.name))
            brought.append(Brought.of(target, member.name))
        together = groups(brought)
        self.choose = len(together) > 1
        if self.choose:
            self.notes.append(f"It holds {len(brought)} files with rows, and their columns differ. One is read.")
        for group in together:
            if len(group) == 1:
                self._keep(group[0].file, group[0].name, None)
                continue
            group.sort(key=lambda each: each.name)
            target, notes = self._target(), list[str]()
            self._write(target, lines(group, notes))
            self.notes += notes
            first = PurePosixPath(group[0].name).name if self.choose else self.name
            more = f" and {len(group) - 1} more" if self.choose else ""
            name = f"{PurePosixPath(first).stem}{more}.jsonl"
            self.files.append({"path": target.name, "name": name, "part": None})
            for each in group:
                each.file.unlink()

    def _tables(self, found: Collection, chosen: Plan) -> None:
        self.choose = chosen.choose
        if chosen.choose and not chosen.pictures:
            self._several(found, chosen)
            return
        if chosen.choose:
            self.notes.append(f"It holds {len(chosen.files)} files with rows, and one of them is read.")
        tables = PictureTables(found, chosen.pictures, self.pictures) if chosen.pictures else None
        for member, part in chosen.files:
            target = self._target()
            self._write(target, found.chunks(member.name))
            label = PurePosixPath(member.name)
            rewritten = tables.rewritten(target, label, self._target()) if tables else None
            if rewritten:
                self.files.append({"path": rewritten.name, "name": f"{label.with_suffix('')}.jsonl", "part": part})
                target.unlink()
            else:
                self._keep(target, member.name, part)
        if tables:
            self.notes += tables.words()

    def _labelled(self, found: Collection, chosen: Plan) -> None:
        for part, target in labelled_pictures(found, chosen.pictures, self.pictures, self._target):
            name = f"{part or PurePosixPath(self.name).stem}.jsonl"
            self.files.append({"path": target.name, "name": name, "part": part})

    def _texts(self, found: Collection, chosen: Plan) -> None:
        """Many small texts become one; a page break keeps them apart. Folders that are labels become a column."""
        if labelled := labelled_texts([member for member, _ in chosen.files]):
            self._with_labels(found, labelled)
            return
        target = self._target()
        markdown = all(member.name.lower().endswith((".md", ".markdown")) for member, _ in chosen.files)
        with open(target, "w", encoding="utf-8", errors="surrogateescape", newline="\n") as whole:
            for member, _ in sorted(chosen.files, key=lambda each: each[0].name):
                for piece in self._text(found, member):
                    whole.write(piece)
                whole.write(f"\n{PAGE_BREAK}\n")
        self.notes.append(f"{len(chosen.files):,} texts were put together, in the order of their names.")
        name = PurePosixPath(self.name).stem + (".md" if markdown else ".txt")
        self.files.append({"path": target.name, "name": name, "part": None})

    def _text(self, found: Collection, member: Member) -> Iterator[str]:
        file = self.into / "part"
        self._write(file, found.chunks(member.name))
        with open_text(file, encoding.detect(file)) as text:
            while piece := text.read(2**20):
                yield piece.replace("\r\n", "\n").removeprefix("\ufeff")
        file.unlink()

    def _with_labels(self, found: Collection, labelled: list[LabelledText]) -> None:
        """One row for each text, with the name of its folder; a file of rows for each part that folders name."""
        parts = list(dict.fromkeys(each.part for each in labelled))
        for part in sorted(parts, key=lambda part: part != "train"):
            target = self._target()
            with open(target, "w", encoding="utf-8") as rows:
                for each in (each for each in labelled if each.part == part):
                    text = "".join(self._text(found, each.member))
                    rows.write(json.dumps({"text": text, "label": each.label}) + "\n")
            name = f"{part or PurePosixPath(self.name).stem}.jsonl"
            self.files.append({"path": target.name, "name": name, "part": part if len(parts) > 1 else None})
        labels = sorted({each.label for each in labelled})
        named = ", ".join(f"“{label[:40]}”" for label in labels[:5]) + (" and others" if len(labels) > 5 else "")
        self.notes.append(f"{len(labelled):,} texts were read, each with the name of its folder as its label: {named}.")

    def _keep(self, file: Path, name: str, part: str | None) -> None:
        """Take a file with rows; pictures inside of it go into their folder."""
        if has_pictures(file):
            target = self._target()
            without_pictures(file, target, self.pictures)
            if file.parent == self.into:
                file.unlink()
            file = target
        self.files.append({"path": file.name, "name": name, "part": part})

    def _target(self) -> Path:
        number = next(number for number in range(1, 10**6) if not (self.into / f"rows-{number}").exists())
        (self.into / f"rows-{number}").touch()
        return self.into / f"rows-{number}"

    def _write(self, target: Path, pieces: Iterator[bytes]) -> None:
        with open(target, "wb") as out:
            for piece in pieces:
                self.left -= len(piece)
                if self.left < 0:
                    raise budget.unpacks_too_large(self.limit)
                out.write(piece)


_TEXT_NAMES = (".txt", ".md", ".markdown", ".text")


def _inflated(file: Path, kind: str, opener: Callable[..., IO[bytes]]) -> Iterator[bytes]:
    try:
        with opener(file, "rb") as content:
            yield from archive.pieces(content)
    except (DataError, CapacityError):
        raise
    except _FAULTS as error:
        if isinstance(error, OSError) and error.errno == errno.EIO:
            raise
        raise DataError(
            f"This {kind} file is damaged or cut short.",
            "Unpacking it stopped before its end.",
            "Download or pack it once more and upload the whole file.",
        ) from None
