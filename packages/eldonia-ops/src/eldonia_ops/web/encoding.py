"""The model's values as JSON: Unix milliseconds stay numbers, nanoseconds become decimal strings.

JavaScript and many JSON readers hold numbers as doubles, which cannot tell nanoseconds apart
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
    """Encode; NaN and infinities outside :func:`number` become null."""
    return _encoder.encode(value)


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
