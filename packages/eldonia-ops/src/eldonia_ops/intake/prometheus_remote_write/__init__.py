"""Prometheus remote write 1.0, at ``/api/v1/write``.

Specification: https://prometheus.io/docs/specs/prw/remote_write_spec/. A body is a block of snappy around one
``prometheus.WriteRequest`` in protobuf.

What is taken is stored before the answer, 204. What cannot be taken is left out, and its neighbours are stored all the
same; the answer is then 400 with the first reason and how many samples it concerns, which senders do not repeat. What
could not be stored now is answered 503 with Retry-After, and senders repeat it. A request that comes again as a whole
changes nothing and is answered 204. Stale markers are kept, metadata is stored, exemplars are left out and counted.
Native histograms are stored like floats. Remote write 2.0 is answered 415, and its sender then falls back to 1.0.
"""

from eldonia_ops.intake.prometheus_remote_write.decode import Decoded, decode_write
from eldonia_ops.intake.prometheus_remote_write.routes import INTAKE

__all__ = ["INTAKE", "Decoded", "decode_write"]
