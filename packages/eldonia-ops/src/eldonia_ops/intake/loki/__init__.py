"""Loki's push API: what Promtail, Grafana Alloy, Vector, Fluent Bit and loggers of many languages send to a Loki.

``POST /loki/api/v1/push`` (and ``/api/prom/push``, its older name) in JSON or in snappy and protobuf, with structured
metadata. 204 means that everything is stored. A request that is sent again is stored once: to Loki, too, a line with
the labels and the time of another is the same line.

Source: https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs
"""

from eldonia_ops.intake.loki.routes import INTAKE

__all__ = ["INTAKE"]
