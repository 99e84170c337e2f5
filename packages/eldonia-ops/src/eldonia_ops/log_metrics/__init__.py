"""Counters, gauges and histograms made of log records as they come in. Pure."""

from eldonia_ops.log_metrics.counting import LogCounts
from eldonia_ops.log_metrics.definition import LogMetric, LogMetricType

__all__ = ["LogCounts", "LogMetric", "LogMetricType"]
