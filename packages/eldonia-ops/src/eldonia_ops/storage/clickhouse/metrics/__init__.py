"""Metric samples: the last hours in memory, all of them in tables."""
