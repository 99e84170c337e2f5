"""Alertmanager's configuration and API."""
