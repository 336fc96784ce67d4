"""Licences of datasets: what a person may choose, and what the page of a source states."""

import re
from typing import Any, Final

UNKNOWN: Final = "unknown"
OTHER: Final = "other"
CC: Final = "https://creativecommons.org/licenses"
CHOICES: Final[dict[str, tuple[str, str]]] = {  # the Hub's word: name, link
    "cc-by-4.0": ("Creative Commons Attribution 4.0", f"{CC}/by/4.0/"),
    "cc-by-sa-4.0": ("Creative Commons Attribution-ShareAlike 4.0", f"{CC}/by-sa/4.0/"),
    "cc-by-nc-4.0": ("Creative Commons Attribution-NonCommercial 4.0", f"{CC}/by-nc/4.0/"),
    "cc-by-nc-sa-4.0": ("Creative Commons Attribution-NonCommercial-ShareAlike 4.0", f"{CC}/by-nc-sa/4.0/"),
    "cc-by-nd-4.0": ("Creative Commons Attribution-NoDerivatives 4.0", f"{CC}/by-nd/4.0/"),
    "cc-by-3.0": ("Creative Commons Attribution 3.0", f"{CC}/by/3.0/"),
    "cc-by-sa-3.0": ("Creative Commons Attribution-ShareAlike 3.0", f"{CC}/by-sa/3.0/"),
    "cc0-1.0": ("Creative Commons Zero: no rights kept", "https://creativecommons.org/publicdomain/zero/1.0/"),
    "odc-by": ("Open Data Commons Attribution", "https://opendatacommons.org/licenses/by/"),
    "odbl": ("Open Database License", "https://opendatacommons.org/licenses/odbl/"),
    "pddl": ("Open Data Commons Public Domain Dedication", "https://opendatacommons.org/licenses/pddl/"),
    "apache-2.0": ("Apache License 2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
    "mit": ("MIT License", "https://opensource.org/license/mit"),
    "bsd-3-clause": ("BSD 3-Clause License", "https://opensource.org/license/bsd-3-clause"),
    "gpl-3.0": ("GNU General Public License 3", "https://www.gnu.org/licenses/gpl-3.0.html"),
    "openrail": ("OpenRAIL", "https://www.licenses.ai"),
    "gemma": ("Gemma Terms of Use", "https://ai.google.dev/gemma/terms"),
}
STRICT: Final = frozenset(["cc-by-nd-4.0"])  # whose works may not be passed on changed


def card_licence(chosen: str | None, source: dict[str, Any]) -> dict[str, str]:
    """What the head of a card says: the licence a person chose, else that of the source, else that it is not known.

    >>> card_licence(None, {"licence": "my-own"})
    {'license': 'other', 'license_name': 'my-own'}
    """
    licence = str(chosen or source.get("licence") or UNKNOWN).strip().lower()
    if licence in CHOICES or licence == UNKNOWN:
        return {"license": licence}
    name = re.sub(r"[^a-z0-9.]+", "-", licence).strip("-.")[:60]
    return {"license": OTHER, "license_name": name if name and name != OTHER else "license-of-the-source"}


def licence_words(chosen: str | None, source: dict[str, Any]) -> str:
    """A paragraph of Markdown without a word of a stranger's in it."""
    front = card_licence(chosen, source)
    licence = front["license"]
    if licence == UNKNOWN:
        return "Its licence is not stated. Ask the one who published it before you use or share it."
    if licence == OTHER:
        return "It has a licence of its own: look at the page of its source before you use or share it."
    name, link = CHOICES[licence]
    return f"It is available under [{name}]({link})."


def warnings(chosen: str | None, source: dict[str, Any], public: bool) -> list[str]:
    """What a person should read before they publish data that came from somewhere else; nothing is forbidden here."""
    stated = str(source.get("licence") or "").strip().lower()
    found = []
    if source.get("closed") == "gated":
        found.append("Its source is not open to everyone: its terms may not allow you to share what you made of it.")
    if source.get("closed") == "private":
        found.append("Its source is private; the card names it. Publish only what may be seen.")
    if stated in STRICT:
        found.append(f"The source has the licence {stated}, which does not allow sharing a changed copy.")
    if chosen and stated and chosen.lower() != stated:
        found.append(
            f"The source has the licence {stated[:60]}, and you chose {chosen[:60]}. Usually its licence holds."
        )
    if not stated and not chosen and public:
        found.append("Without a licence nobody knows whether they may use it. Choose one if the data are yours.")
    return found
