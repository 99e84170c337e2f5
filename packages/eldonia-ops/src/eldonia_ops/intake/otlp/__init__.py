"""OTLP/HTTP: traces, logs and metrics in protobuf or JSON.

Specification: https://opentelemetry.io/docs/specs/otlp/. The body comes decompressed; what arrives for a
signal is decoded by :func:`decode_traces`, :func:`decode_logs` or :func:`decode_metrics`, and
:func:`encode_response` writes the answer. :data:`INTAKE` is all of it, behind its three addresses. Parts that cannot
be used are counted and named, the rest is taken.
"""

from eldonia_ops.intake.otlp.logs import decode_logs
from eldonia_ops.intake.otlp.messages import (
    Encoding,
    OtlpError,
    Rejections,
    TooManyError,
    encode_error,
    encode_response,
    encoding_of,
)
from eldonia_ops.intake.otlp.metrics import decode_metrics
from eldonia_ops.intake.otlp.routes import INTAKE
from eldonia_ops.intake.otlp.traces import decode_traces

__all__ = [
    "INTAKE",
    "Encoding",
    "OtlpError",
    "Rejections",
    "TooManyError",
    "decode_logs",
    "decode_metrics",
    "decode_traces",
    "encode_error",
    "encode_response",
    "encoding_of",
]
