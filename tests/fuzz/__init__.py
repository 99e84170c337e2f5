"""Fuzzers of every codec, parser and query language: ``make fuzz``. How it works stands in README.md beside this."""
