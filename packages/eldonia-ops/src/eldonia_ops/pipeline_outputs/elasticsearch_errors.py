"""Why Elasticsearch refused something, from its answers."""

from typing import Any, Final

import httpx
import msgspec

_MOST_REASON: Final = 300


def reason_of(answer: httpx.Response) -> str:
    """The reason of a whole answer: its error, or the beginning of its text."""
    try:
        error = msgspec.json.decode(answer.content)["error"]
    except (ValueError, KeyError, TypeError):
        return answer.text[:_MOST_REASON]
    return item_reason({"error": error})


def item_reason(outcome: Any) -> str:
    """The reason of one item of a bulk answer."""
    error = outcome.get("error")
    if isinstance(error, dict):
        return f"{error.get('type', '')}: {error.get('reason', '')}"[:_MOST_REASON]
    return str(error or "")[:_MOST_REASON]
