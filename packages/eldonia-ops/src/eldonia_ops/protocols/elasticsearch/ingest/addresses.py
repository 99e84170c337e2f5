"""Processors that read addresses of the web: ``uri_parts`` and ``urldecode``."""

import re
from typing import Any, Final
from urllib.parse import SplitResult, unquote, unquote_plus, urlsplit

from eldonia_ops.protocols.elasticsearch.ingest.changes import Run, over
from eldonia_ops.protocols.elasticsearch.ingest.errors import ProcessorError
from eldonia_ops.protocols.elasticsearch.ingest.fields import MISSING, IngestDocument, java_name
from eldonia_ops.protocols.elasticsearch.ingest.options import Options

_LENIENT: Final = frozenset({"http", "https", "ftp", "file", "jar"})
"""Schemes whose addresses may hold signs that an address may not hold by RFC 2396, as Java's URL has them."""
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_LONGEST: Final = 65_536
_REFUSED: Final = re.compile(r"[\x00-\x20\x7f<>\"{}|\\^`]|%(?![0-9A-Fa-f]{2})", re.ASCII)


def uri_parts(options: Options) -> Run:
    """``uri_parts``: an address as an object of its parts."""
    field, target = options.text("field"), options.text("target_field", "url")
    keep, remove = options.flag("keep_original", True), options.flag("remove_if_successful")
    ignore = options.flag("ignore_missing")

    def run(document: IngestDocument) -> None:
        text = document.get(field) if ignore else document.need(field)
        if text is MISSING or (text is None and ignore):
            return
        if not isinstance(text, str):
            raise ProcessorError(f"field [{field}] of type [{java_name(text)}] cannot be cast to [java.lang.String]")
        parts = _parts(text)
        if keep:
            parts["original"] = text
        if remove and target != field:
            document.remove(field)
        document.set(target, parts)

    return run


def _parts(text: str) -> dict[str, Any]:
    try:
        if len(text) > _LONGEST:
            raise ValueError
        found = urlsplit(text)
        port = found.port
    except ValueError:
        raise ProcessorError(f"unable to parse URI [{text[:200]}]") from None
    if found.scheme not in _LENIENT and _REFUSED.search(text):
        raise ProcessorError(f"unable to parse URI [{text[:200]}]")
    decoded = unquote if found.scheme not in _LENIENT or not _REFUSED.search(text) else str
    path = decoded(found.path)
    _, dot, extension = path.rpartition("/")[2].rpartition(".")
    user = found.netloc.rpartition("@")[0]
    parts = {
        "scheme": found.scheme,
        "domain": _domain(found),
        "fragment": decoded(found.fragment),
        "query": decoded(found.query),
        "user_info": user,
        "username": user.partition(":")[0] if ":" in user else "",
        "password": user.partition(":")[2],
        "extension": extension if dot else "",
    }
    numbers = {} if port is None else {"port": port}
    return {"path": path, **{key: value for key, value in parts.items() if value}, **numbers}


def _domain(found: SplitResult) -> str:
    """The name of the host as it was written."""
    host = found.netloc.rpartition("@")[2]
    return host.partition("]")[0] + "]" if host[:1] == "[" else host.partition(":")[0]


def urldecode(options: Options) -> Run:
    """``urldecode``: ``%20`` and ``+`` as the signs that they are for."""

    def decoded(value: Any) -> str:
        if not isinstance(value, str):
            raise ProcessorError(f"value of type [{java_name(value)}] cannot be cast to [java.lang.String]")
        # Each part behind a percent sign begins with two digits.
        if not all(len(part) > 1 and _HEX.issuperset(part[:2]) for part in value.split("%")[1:]):
            raise ProcessorError(f"Could not URL-decode value [{value[:200]}]")
        return unquote_plus(value)

    return over(options, decoded)
