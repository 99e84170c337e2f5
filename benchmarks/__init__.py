"""Measurements of what Eldonia Ops does, beside what others do: ``python -m benchmarks``."""
