"""Ports: bound, served, secured, changed while they are open."""
