"""Passwords as scrypt digests (RFC 7914): ``scrypt$n$r$p$salt$digest``, hexadecimal."""

import hashlib
import hmac
import os
import secrets
import threading

_N = 2**14
_R = 8
_P = 1
_PLACES = threading.BoundedSemaphore(os.cpu_count() or 1)
"""Somebody who guesses passwords must not take the processors, and 16 MB each time, from everybody else."""


def derive(password: str) -> str:
    """A digest with a new salt. Takes some 40 ms of processor time on purpose."""
    salt = secrets.token_bytes(16)
    return f"scrypt${_N}${_R}${_P}${salt.hex()}${_scrypt(password, salt, _N, _R, _P).hex()}"


def matches(password: str, stored: str) -> bool:
    """Whether the password belongs to the stored digest; compared in constant time."""
    _, n, r, p, salt, expected = stored.split("$")
    found = _scrypt(password, bytes.fromhex(salt), int(n), int(r), int(p))
    return hmac.compare_digest(found, bytes.fromhex(expected))


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    with _PLACES:
        return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=64 * 1024 * 1024)


NO_ACCOUNT = derive(secrets.token_hex(16))
"""Compared with when the account does not exist, so that the answer takes as long as for one that does."""
