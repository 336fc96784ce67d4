"""What a card looks like once it is a page."""

from markdown_it import MarkdownIt


def structure(text):
    """The elements of the page in order, without their words."""
    body = text.split("---\n", 2)[2]
    return [token.type for token in MarkdownIt("gfm-like", {"linkify": False}).parse(body)]


def html(text):
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text)
