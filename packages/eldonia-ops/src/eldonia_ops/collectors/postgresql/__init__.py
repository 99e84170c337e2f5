"""Servers of PostgreSQL."""
