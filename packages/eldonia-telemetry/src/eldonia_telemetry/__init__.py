"""Logs, metrics, traces and security events for Python services."""
