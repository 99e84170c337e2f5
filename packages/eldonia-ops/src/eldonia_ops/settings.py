"""Typed settings from eldonia-ops.yml."""
