"""Paths on this site, for after a sign-in."""

from urllib.parse import quote


def local_path(path: str) -> str:
    """A path on this site, whatever was asked for: never another host, never the sign-in itself."""
    if not path.startswith("/") or path.startswith(("//", "/\\", "/sign-", "/join")) or not path.isprintable():
        return "/"
    return quote(path, safe="/?&=%:+,;@!~*'()$-._#[]")
