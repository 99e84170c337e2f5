"""Fluentd's forward protocol: what Fluentd, Fluent Bit, docker's ``fluentd`` driver and loggers of many languages send.

All modes are taken: message, forward, packed forward, compressed (gzip, zstd), and JSON. A chunk is acknowledged when
its events are durable, and one that is sent again is stored once. The codec is
:mod:`eldonia_ops.protocols.fluent_forward`; what the keys of a record mean is the same as in a line of a file.
"""

from eldonia_ops.intake.fluent_forward.serve import INTAKE

__all__ = ["INTAKE"]
