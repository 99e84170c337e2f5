"""Endpoints looked at from outside."""
