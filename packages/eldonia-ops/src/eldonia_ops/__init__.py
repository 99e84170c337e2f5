"""Eldonia Ops: metrics, logs, traces, alerts, incidents and recovery in one process."""

__version__ = "0.1.0"
