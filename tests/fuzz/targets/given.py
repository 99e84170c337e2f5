"""What several targets make of their input, and what they ask of an output."""

from typing import Any

import msgspec


def file_text(data: bytes) -> str:
    """A text as it comes from a file or a request, where UTF-8 has been checked or repaired."""
    return data.decode("utf-8", "replace")


def any_text(data: bytes) -> str:
    """A text that may also hold lone surrogates, as JSON and Python programs can express them."""
    return data.decode("utf-8", "surrogateescape")


def document(data: bytes) -> Any:
    """The JSON value in the input, else the input as one text."""
    try:
        return msgspec.json.decode(data)
    except (ValueError, RecursionError):
        return any_text(data)


def mapping(data: bytes) -> dict[str, Any]:
    """The JSON object in the input, else an object that holds what there is."""
    found = document(data)
    return found if isinstance(found, dict) else {"value": found}


def halves(data: bytes, parts: int = 2) -> list[bytes]:
    """The input cut at its first bytes 0x1e (record separator); as many parts as wanted, the last ones may be empty."""
    found = data.split(b"\x1e", parts - 1)
    return found + [b""] * (parts - len(found))


def bounded(size: int, data: bytes, *, times: int, plus: int) -> None:
    """Fail when an output is larger than ``times`` its input and ``plus``."""
    limit = times * len(data) + plus
    assert size <= limit, f"an output of {size} for an input of {len(data)} bytes, at most {limit} expected"
