"""Spans: their rows, and the statements that find traces."""
