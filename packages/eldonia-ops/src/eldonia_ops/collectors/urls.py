"""What of a URL may be shown, and what names its target."""

from typing import Final
from urllib.parse import urlsplit, urlunsplit

from eldonia_ops.model.concealed import without_secrets

_PORTS: Final = {"http": 80, "https": 443}


def default_instance(url: str) -> str:
    """``host:port`` of a URL, with the scheme's usual port where none is written."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return f"{host}:{parts.port or _PORTS.get(parts.scheme, 0)}"


def shown_url(url: str) -> str:
    """A URL without its user and password, and without the values of parameters that are secrets by their names."""
    parts = urlsplit(url)
    return without_secrets(urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])))
