"""Points in time and scrolls. Both are texts that say everything themselves: nothing is kept for them.

A point in time is the largest id of a record when it was opened: later records have larger ones. A scroll is a point in
time with the rest of its search.
"""

import base64
import binascii
import re
import zlib
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from eldonia_ops.protocols.elasticsearch.query.errors import DslError, illegal
from eldonia_ops.protocols.elasticsearch.query.meant import Meant, unpacked
from eldonia_ops.protocols.elasticsearch.query.shapes import object_of

_LONGEST: Final = 1 << 20
_KEEP: Final = re.compile(r"([0-9]{1,9})(d|h|m|s|ms|micros|nanos)")
_UNITS: Final = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1, "micros": 0, "nanos": 0}
_MOST_KEPT_MS: Final = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class PointInTime:
    """Records as they were; ``id`` is what the client sends."""

    id: str
    meant: Meant
    last_id: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Scroll:
    """A search that goes on: its body and parameters, and where it is."""

    meant: Meant
    body: dict[str, Any]
    parameters: dict[str, str]
    last_id: int
    keep_ms: int
    until_ms: int
    after: list[Any] | None = None
    seen: int = 0


def keep_alive(text: Any, name: str = "keep_alive") -> int:
    """A duration such as ``5m`` in milliseconds.

    Raises:
        DslError: it is none, or longer than a day.
    """
    found = _KEEP.fullmatch(str(text))
    if not found:
        raise illegal(
            f"failed to parse setting [{name}] with value [{text}] as a time value: unit is missing or unrecognized"
        )
    ms = int(found[1]) * _UNITS[found[2]]
    if ms > _MOST_KEPT_MS:
        raise illegal(f"Keep alive for request ({text}) is too large. It must be less than (1d).")
    return ms


def opened(meant: Meant, last_id: int, keep_ms: int, now_ns: int) -> PointInTime:
    """A point in time of now."""
    until = now_ns // 1_000_000 + keep_ms
    return PointInTime(_packed(["p", meant.packed(), last_id, until]), meant, last_id, until)


def read_point(value: Any, now_ns: int) -> PointInTime:
    """``{"id": "…", "keep_alive": "1m"}``. With ``keep_alive`` it is kept for so long from now on.

    Raises:
        DslError: it is none, or has expired.
    """
    given = object_of(value, "pit")
    id = given.get("id")
    if not isinstance(id, str):
        raise illegal("point int time id is not provided")
    parts = _unpacked(id)
    match parts:
        case ["p", packed, int(last_id), int(until)] if (meant := unpacked(packed)) is not None:
            pass
        case _:
            raise _malformed(id)
    if until < now_ns // 1_000_000:
        raise missing_context(id)
    if given.get("keep_alive"):
        return opened(meant, last_id, keep_alive(given["keep_alive"]), now_ns)
    return PointInTime(id, meant, last_id, until)


def scroll_id(scroll: Scroll) -> str:
    """The text of a scroll."""
    one = scroll
    return _packed(
        ["s", one.meant.packed(), one.body, one.parameters, one.last_id, one.keep_ms, one.until_ms, one.after, one.seen]
    )


def read_scroll(id: Any, now_ns: int) -> Scroll:
    """The scroll of a text.

    Raises:
        DslError: it is none, or has expired.
    """
    parts = _unpacked(str(id))
    match parts:
        case ["s", packed, dict(body), dict(given), int(last), int(keep), int(until), after, int(seen)]:
            if (meant := unpacked(packed)) is None:
                raise _malformed(str(id))
            if until < now_ns // 1_000_000:
                raise missing_context(str(id))
            parameters = {str(key): str(value) for key, value in given.items()}
            return Scroll(meant, body, parameters, last, keep, until, after if isinstance(after, list) else None, seen)
        case _:
            raise _malformed(str(id))


def missing_context(id: str) -> DslError:
    """A scroll or point in time that is no more."""
    return DslError(
        "search_context_missing_exception", f"No search context found for id [{id[:64]}]", status=404, of_phase=True
    )


def _packed(parts: list[Any]) -> str:
    return base64.urlsafe_b64encode(zlib.compress(msgspec.json.encode(parts), 6)).decode()


def _unpacked(text: str) -> Any:
    try:
        packed = base64.b64decode(text, altchars=b"-_", validate=True)
        reader = zlib.decompressobj()
        found = reader.decompress(packed, _LONGEST)
        return msgspec.json.decode(found) if reader.eof else None
    except (ValueError, binascii.Error, zlib.error, RecursionError):
        return None


def _malformed(id: str) -> DslError:
    return illegal(f"invalid id: [{id[:64]}]: a scroll or a point in time has been opened by a search here")
