"""The addresses that are pushed to, and what is answered: Loki's clients read a status and a line of text."""

import hashlib
from collections.abc import Mapping
from typing import Final

from eldonia_ops.intake import (
    Fault,
    HttpListener,
    Intake,
    IntakeAnswer,
    IntakePlatform,
    IntakeRequest,
    IntakeRoute,
)
from eldonia_ops.intake.loki.decode import decode_push_json, decode_push_protobuf
from eldonia_ops.intake.loki.records import push_records
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.protocols.packed_body import unpack, unpack_snappy


def fault(_headers: Mapping[str, str], problem: Fault) -> IntakeAnswer:
    """A line of text, which clients write to their log."""
    return IntakeAnswer(problem.status, f"{problem.message}\n".encode(), "text/plain; charset=utf-8")


async def accept(platform: IntakePlatform, request: IntakeRequest) -> IntakeAnswer:
    """Store a push. Lines that are refused are counted in the answer, and the others are stored."""
    records, key = await platform.aside(lambda: _decoded(platform, request))
    receipt = await platform.logs.logs(records, batch_key=key)
    platform.refused("logs", request.sender, receipt.by_reason)
    if not receipt.refused:
        return IntakeAnswer(204)
    reason = receipt.refused[0].reason
    message = f"{reason} ({len(receipt.refused)} lines refused, {receipt.stored} stored)"
    return fault(request.headers, Fault(400, message))


def _decoded(platform: IntakePlatform, request: IntakeRequest) -> tuple[list[LogRecord], str]:
    source, most = f"loki {request.sender}", platform.limits.unpacked
    if request.content_type.partition(";")[0].strip().lower() == "application/json":
        body = unpack(request.body, request.encoding, most)
        streams = decode_push_json(body)
    else:
        # Snappy is a part of the format, with or without a header that says so.
        encoding = "identity" if request.encoding == "snappy" else request.encoding
        body = unpack_snappy(unpack(request.body, encoding, most), most)
        streams = decode_push_protobuf(body)
    return push_records(streams, source), f"loki {hashlib.blake2b(body, digest_size=20).hexdigest()}"


INTAKE: Final = Intake(
    "loki",
    (IntakeRoute("/loki/api/v1/push", "logs", accept), IntakeRoute("/api/prom/push", "logs", accept)),
    fault,
    prefix="/loki/",
    listeners=(HttpListener("loki", 3100),),
)
"""The intake."""
