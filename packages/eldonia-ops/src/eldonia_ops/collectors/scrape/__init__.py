"""Targets that expose metrics over HTTP."""
