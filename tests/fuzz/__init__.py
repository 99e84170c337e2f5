"""Fuzzers of every codec, parser and query language: ``make fuzz``. README.md beside this says how it works."""
