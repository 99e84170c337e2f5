"""Markdown, as people write it in postmortems, to HTML that cannot carry script."""

from typing import Final

from markdown_it import MarkdownIt

_renderer: Final = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])


def to_html(text: str) -> str:
    """Render CommonMark with tables. Raw HTML is shown as text; ``javascript:`` and the like are no links."""
    return _renderer.render(text)
