"""Markdown, as people write it in postmortems, to HTML that cannot carry script."""

import html
from typing import Any, Final

from markdown_it import MarkdownIt

_MOST_STEPS: Final = 200_000
"""Places at which the parser may look for a construct: a text of 100,000 characters has some thousands."""
_LONGEST_OUTPUT: Final = 4_000_000
"""Characters: a reference may be used again and again, and a table filled up to its widest row."""
_MOST_MARKS: Final = 20_000
"""Characters that may open or close emphasis, a link or code: pairs among them are looked for far and wide."""


class _TooMuchError(Exception):
    """The text would take too long."""


def _count(state: Any, *_: Any) -> bool:
    """A rule before all others that recognises nothing and counts."""
    state.env["steps"] = state.env.get("steps", 0) + 1
    if state.env["steps"] > _MOST_STEPS:
        raise _TooMuchError
    return False


_renderer: Final = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])
_renderer.inline.ruler.before("text", "count", _count)
_renderer.block.ruler.before("table", "count", _count, {"alt": []})


def to_html(text: str) -> str:
    """Render CommonMark with tables. Raw HTML is shown as text; ``javascript:`` and the like are no links.

    A text that is made to take long is shown as it is written. It may take a second: call it on a thread.
    """
    try:
        if sum(text.count(mark) for mark in "*_[`<~") > _MOST_MARKS:
            raise _TooMuchError
        env: dict[str, Any] = {}
        tokens = _renderer.parse(text, env)
        if sum(map(_size, tokens)) > _LONGEST_OUTPUT:
            raise _TooMuchError
        return _renderer.renderer.render(tokens, _renderer.options, env)
    except (_TooMuchError, RecursionError):
        return f"<pre>{html.escape(text)}</pre>\n"


def _size(token: Any) -> int:
    own = len(token.content) + len(token.tag) + sum(len(str(value)) for value in token.attrs.values())
    return own + 20 + sum(map(_size, token.children or ()))
