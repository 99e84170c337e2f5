"""Fixtures that every folder of this package's tests may ask for."""

from postgresql import postgresql_server, postgresql_url

__all__ = ["postgresql_server", "postgresql_url"]
