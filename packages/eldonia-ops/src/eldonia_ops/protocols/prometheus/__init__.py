"""Prometheus' API, rules, text format and web configuration."""
