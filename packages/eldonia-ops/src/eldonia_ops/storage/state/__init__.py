"""Relational state in SQLite or PostgreSQL."""
