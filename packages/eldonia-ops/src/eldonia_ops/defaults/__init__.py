"""Data files that the platform ships: read them with importlib.resources."""
