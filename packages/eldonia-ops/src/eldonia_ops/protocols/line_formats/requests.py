"""Requests in access logs and in messages about them: ``GET /path?x=1 HTTP/1.1``."""

import re
from typing import Any, Final

_REQUEST: Final = re.compile(r"([A-Z]{3,20}) (\S{1,8000}) (HTTP/\d(?:\.\d)?)", re.ASCII)


def request_facts(text: str) -> dict[str, Any]:
    """``method``, ``path`` (without its query) and ``protocol``; ``request`` for what is no request, such as bytes of
    TLS sent to a plain port."""
    match = _REQUEST.fullmatch(text)
    if match is None:
        return {"request": text} if text not in ("", "-") else {}
    path, mark, query = match[2].partition("?")
    found = {"method": match[1], "path": path, "protocol": match[3]}
    if mark:
        found["query"] = query
    return found
