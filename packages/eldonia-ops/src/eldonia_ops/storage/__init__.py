"""Telemetry and state on disk."""
