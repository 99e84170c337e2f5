"""Processors of addresses: ``uri_parts`` and ``urldecode``."""

from typing import Any, Final
from urllib.parse import SplitResult, unquote_plus, urlsplit

from eldonia_ops.protocols.elasticsearch.ingest.changes import Run
from eldonia_ops.protocols.elasticsearch.ingest.errors import ProcessorError
from eldonia_ops.protocols.elasticsearch.ingest.fields import MISSING, IngestDocument, java_name
from eldonia_ops.protocols.elasticsearch.ingest.options import Options

_LONGEST: Final = 65_536
_HEX: Final = frozenset("0123456789abcdefABCDEF")


def uri_parts(options: Options) -> Run:
    """``uri_parts``: the parts of an address under the names of ECS."""
    field, target = options.text("field"), options.text("target_field", "url")
    ignore, keep = options.flag("ignore_missing"), options.flag("keep_original", True)
    remove = options.flag("remove_if_successful")

    def run(document: IngestDocument) -> None:
        value = document.get(field) if ignore else document.need(field)
        if value is MISSING or (value is None and ignore):
            return
        parts = _parts(_text(value, field))
        if remove and field != target:
            document.remove(field)
        document.set(target, {**parts, "original": value} if keep else parts)

    return run


def _parts(text: str) -> dict[str, Any]:
    try:
        if len(text) > _LONGEST or not text.isprintable() or any(mark in text for mark in ' "<>\\^`{|}'):
            raise ValueError
        address = urlsplit(text)
        port = address.port
    except ValueError:
        raise ProcessorError(f"unable to parse URI [{text[:200]}]") from None
    found: dict[str, Any] = {"path": address.path}
    if address.scheme:
        found["scheme"] = address.scheme
    if host := _host(address):
        found["domain"] = host
    if port is not None:
        found["port"] = port
    if address.query:
        found["query"] = address.query
    if address.fragment:
        found["fragment"] = address.fragment
    user, _, _ = address.netloc.rpartition("@")
    if user:
        name, colon, password = user.partition(":")
        found |= {"user_info": user, "username": name, **({"password": password} if colon else {})}
    last = address.path.rpartition("/")[2]
    if "." in last:
        found["extension"] = last.rpartition(".")[2]
    return found


def _host(address: SplitResult) -> str:
    """The host as it is written: ``hostname`` would be in small letters."""
    host = address.netloc.rpartition("@")[2]
    if host.startswith("["):
        return host[: host.find("]") + 1]
    return host.partition(":")[0]


def url_decode(value: str) -> str:
    """What ``urldecode`` makes of a text."""
    # Each part behind a percent sign begins with two digits.
    if not all(_HEX.issuperset(part[:2]) and len(part) > 1 for part in value.split("%")[1:]):
        raise ProcessorError(f"Could not URL-decode value [{value[:200]}]")
    return unquote_plus(value)


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise ProcessorError(f"field [{field}] of type [{java_name(value)}] cannot be cast to [java.lang.String]")
    return value
