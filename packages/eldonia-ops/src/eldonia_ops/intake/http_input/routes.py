"""The addresses, which are tags, and what is answered: Fluentd's clients read a status and a line of text."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote

from eldonia_ops.intake import (
    Fault,
    HttpListener,
    Intake,
    IntakeAnswer,
    IntakeError,
    IntakePlatform,
    IntakeRequest,
    IntakeRoute,
)
from eldonia_ops.intake.http_input.decode import decode_events
from eldonia_ops.model.foreign import MAX_KEY_BYTES, bounded_text
from eldonia_ops.model.log_batch import LogBatch
from eldonia_ops.protocols.logs.documents import document_records
from eldonia_ops.protocols.packed_body import unpack
from eldonia_ops.protocols.plain_values import NS

_MOST_SECONDS: Final = 2**63 // NS


def fault(_headers: Mapping[str, str], problem: Fault) -> IntakeAnswer:
    """The status in words, and a line of text."""
    words = HTTPStatus(problem.status).phrase
    body = f"{problem.status} {words}\n{problem.message}\n"
    return IntakeAnswer(problem.status, body.encode(), "text/plain; charset=utf-8")


async def accept(platform: IntakePlatform, request: IntakeRequest) -> IntakeAnswer:
    """Store the events of a request."""
    records = await platform.aside(lambda: _decoded(platform, request))
    receipt = await platform.logs.logs(records)
    platform.refused("logs", request.sender, receipt.by_reason)
    if receipt.refused and not receipt.stored:
        return fault(request.headers, Fault(400, receipt.refused[0].reason))
    return IntakeAnswer(200, b"", "text/plain")


def _decoded(platform: IntakePlatform, request: IntakeRequest) -> LogBatch:
    tag = _tag(request.path)
    body = unpack(request.body, request.encoding, platform.limits.unpacked)
    events = decode_events(request.content_type, body)
    now = platform.now_ns()
    at = _time(request.query["time"]) if "time" in request.query else now
    return document_records(events, [at] * len(events), now, tag=tag, source=f"http_input {request.sender}")


def _tag(path: str) -> str:
    """The tag of a path: ``/app/log`` is ``app.log``."""
    tag = bounded_text(".".join(part for part in unquote(path).split("/") if part), MAX_KEY_BYTES)
    if not tag:
        raise IntakeError("the path is the tag of the events: send them to /TAG")
    return tag


def _time(stated: str) -> int:
    """Unix nanoseconds of the parameter ``time``, Unix seconds with or without a fraction."""
    try:
        seconds = float(stated) if len(stated) <= 32 else -1.0
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < _MOST_SECONDS:
        raise IntakeError("the parameter time is no number of Unix seconds")
    return int(seconds * 1e6) * 1_000


INTAKE: Final = Intake(
    "http_input",
    (IntakeRoute("/{tag:path}", "logs", accept, methods=("POST", "PUT"), apart=True),),
    fault,
    listeners=(HttpListener("http_input", 9880),),
)
"""The intake."""
