"""The model's values as JSON: Unix milliseconds stay numbers, nanoseconds become decimal strings.

JavaScript and many JSON readers hold numbers as doubles, which cannot hold nanoseconds exactly
(OTLP's JSON encoding writes them as strings for the same reason).
"""

import math
from typing import Any

import msgspec
from starlette.responses import Response

from eldonia_ops.model.labels import Labels


def _plain(value: Any) -> Any:
    if isinstance(value, Labels):
        return dict(value.pairs)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise NotImplementedError(f"{type(value).__name__} has no JSON form")


_encoder = msgspec.json.Encoder(enc_hook=_plain)


def to_json(value: Any) -> bytes:
    """Encode; NaN and infinities outside :func:`number` become null, halves of characters U+FFFD."""
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:  # JSON that a client sent may hold lone surrogates, UTF-8 cannot
        return _encoder.encode(_whole(msgspec.to_builtins(value, enc_hook=_plain)))


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(item) for item in value]
    return value


def number(value: float) -> float | str:
    """A float as JSON can carry it: ``"NaN"``, ``"+Inf"`` and ``"-Inf"`` are strings."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"


class Json(Response):
    """A response that encodes with :func:`to_json`."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Encode the content."""
        return to_json(content)
