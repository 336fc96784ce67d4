"""Chat templates that Facet knows, by hash: these, and no others, are rendered in its own processes."""

from functools import cache
from hashlib import sha256
from pathlib import Path

FOLDER = Path(__file__).parent / "chat_templates"  # Facet's own, for models that bring none
_STARTER = Path(__file__).parents[1] / "starter" / "chat_template.jinja"

# sha256 of the template without outer white space.
KNOWN = frozenset(
    (
        "ecd6ae513fe103f0eb62e8ab5bfa8d0fe45c1074fa398b089c93a7e70c15cfd6",  # Gemma 1
        "8d9e3a3c114fb2053ec500184677af4f7e5f8ec2582443cd535834e68b3ade29",  # Gemma 3, all sizes
        "33204f1acb5bd0002713e16a593847f24ceeafe711ed88bda2a352dc996a3373",  # Gemma 4, in the order they came out
        "55572b8d3c8342044e25874c73fe5234b661fa0a57a57f6ef75b58e03d7d959a",
        "781d10940fbc44be40064b5d43a056fc486c84ceaa55538226368b57314132bf",
        "2f1b4d75d067bae3fe44e676721c7f077d243bc007156cb9c2f8b5836613d082",
        "603a42db292c25278e9b23d94c7abbe77453f13e26a053c43c5c2f900b4136f7",
    )
)

# Of these, the ones that write every text once, whole or without its outer white space, whatever it says.
EVEN = frozenset(
    (
        "ecd6ae513fe103f0eb62e8ab5bfa8d0fe45c1074fa398b089c93a7e70c15cfd6",
        "8d9e3a3c114fb2053ec500184677af4f7e5f8ec2582443cd535834e68b3ade29",
    )
)


def is_trusted(template_sha: str) -> bool:
    return template_sha in KNOWN or template_sha == _starter_hash() or template_sha in _our_hashes()


def is_even(template_sha: str) -> bool:
    return template_sha in EVEN or template_sha == _starter_hash()


def starter_template() -> str:
    """The template that ships with Facet, in the shape of Gemma 3's."""
    return _STARTER.read_text("utf-8")


@cache
def _starter_hash() -> str:
    return sha256(starter_template().strip().encode()).hexdigest()


@cache
def _our_hashes() -> frozenset[str]:
    return frozenset(sha256(file.read_text("utf-8").strip().encode()).hexdigest() for file in FOLDER.glob("*.jinja"))
