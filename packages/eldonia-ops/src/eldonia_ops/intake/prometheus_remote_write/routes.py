"""The address that Prometheus' ``remote_write`` sends to, and what it is answered."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from eldonia_ops.intake import (
    Fault,
    Intake,
    IntakeAnswer,
    IntakePlatform,
    IntakeRequest,
    IntakeRoute,
    UnsupportedError,
)
from eldonia_ops.intake.prometheus_remote_write.decode import EXEMPLAR, Decoded, decode_write

_MEDIA_TYPE: Final = "application/x-protobuf"
_MESSAGE: Final = "prometheus.WriteRequest"
_VERSION_HEADER: Final = "x-prometheus-remote-write-version"
_ONLY: Final = "only remote write 1.0 is supported"


def fault(headers: Mapping[str, str], problem: Fault) -> IntakeAnswer:
    """A line of text, which Prometheus writes to its log."""
    return IntakeAnswer(problem.status, f"{problem.message}\n".encode(), "text/plain; charset=utf-8")


def check_headers(request: IntakeRequest) -> None:
    """Refuse what is not remote write 1.0.

    A sender that names no version is taken for one of 1.0: older ones do not.

    Raises:
        UnsupportedError: another format, compression or version; the message says which is wanted.
    """
    media, _, parameters = request.content_type.partition(";")
    if media.strip().lower() != _MEDIA_TYPE:
        raise UnsupportedError(f"send Content-Type: {_MEDIA_TYPE}; {_ONLY}")
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        message = value.strip().strip('"')
        if name.strip().lower() == "proto" and message != _MESSAGE:
            raise UnsupportedError(f"the message {message[:100]!r} is not supported; {_ONLY} ({_MESSAGE})")
    version = request.headers.get(_VERSION_HEADER, "0.1.0").strip()
    if version.partition(".")[0] not in ("0", "1"):
        raise UnsupportedError(f"version {version[:20]!r} is not supported; {_ONLY}")
    if request.encoding != "snappy":
        raise UnsupportedError("send Content-Encoding: snappy (the block format)")


async def accept(platform: IntakePlatform, request: IntakeRequest) -> IntakeAnswer:
    """Store a request; the module's package says what is answered."""
    check_headers(request)
    decoded = await platform.aside(lambda: decode_write(request.body, platform.limits))
    by_store = await platform.samples.samples(decoded.samples, decoded.metadata)
    refused = decoded.refused + Counter(by_store)
    platform.refused("metrics", request.sender, refused + Counter({EXEMPLAR: decoded.exemplars}))
    if not refused:
        return IntakeAnswer(204)
    problem = Fault(400, _sentence(decoded, by_store))
    return fault(request.headers, problem)


def _sentence(decoded: Decoded, by_store: Mapping[str, int]) -> str:
    """The first reason, how many samples were refused for any, and how many are stored."""
    first = decoded.first or next(iter(by_store))
    stored = len(decoded.samples) - sum(by_store.values())
    refused = sum(decoded.refused.values()) + sum(by_store.values())
    return f"{first} ({refused} refused, {stored} stored)"


INTAKE: Final = Intake(
    "prometheus_remote_write", (IntakeRoute("/api/v1/write", "metrics", accept),), fault, dialect="prometheus"
)
"""The intake."""
