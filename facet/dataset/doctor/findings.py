"""What the doctor says: a finding, the rows that show it, and the repairs that are offered."""

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from facet.dataset.values import clip

Severity = Literal["error", "warning", "note"]
MOST_ROWS = 20
_MOST_SHOWN = 300
_OF_ONE = {"are": "is", "have": "has", "hold": "holds", "say": "says", "ask": "asks", "spell": "spells"}
_ONE = re.compile(rf"^(1 of [\d,]+ examples \([^)]*\)) ({'|'.join(_OF_ONE)})\b")


@dataclass
class Tally:
    """Counts rows and keeps the first few to show."""

    count: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, part: str, row: int, text: str, why: str | None = None) -> None:
        self.count += 1
        if len(self.rows) < MOST_ROWS:
            shown = {"row": row, "part": part, "text": clip(text, _MOST_SHOWN)}
            self.rows.append({**shown, "why": why} if why else shown)


def fix(label: str, words: str, kind: str, **parameters: Any) -> dict[str, Any]:
    """A repair as it is offered: what its button says, what it does, and the rule itself."""
    return {"label": label, "words": words, "repair": {"kind": kind, **parameters}}


def finding(
    code: str,
    title: str,
    words: str,
    tally: Tally,
    total: int,
    severity: Severity = "warning",
    repairs: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """`share` is of all `total` examples."""
    return {
        "code": code,
        "title": title,
        "words": _ONE.sub(lambda found: f"{found[1]} {_OF_ONE[found[2]]}", words),
        "count": tally.count,
        "share": tally.count / total if total else 0.0,
        "severity": severity,
        "rows": tally.rows,
        "repairs": repairs or [],
    }


def rows_words(count: int, total: int, approximately: bool = False) -> str:
    """“3 of 120 examples (2.5 %)”."""
    share = 100 * count / total if total else 0
    shown = f"{share:.0f}" if share >= 10 else f"{share:.1f}" if share >= 0.1 else "less than 0.1"
    return f"{'About ' if approximately else ''}{count:,} of {total:,} examples ({shown} %)"
