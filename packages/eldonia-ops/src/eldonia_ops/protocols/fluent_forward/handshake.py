"""What server and client say before the first message: HELO, PING, PONG; and the receipts of chunks.

The server sends a nonce, the client a digest that only who knows the shared key can make of it, and, if the server
asks for users, one of a password. The server proves with its answer that it knows the key as well. Digests are SHA-512
in hexadecimal, and are compared in constant time. All randomness is given by the caller.
"""

import hashlib
import hmac
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from eldonia_ops.protocols.fluent_forward.errors import ForwardError
from eldonia_ops.protocols.fluent_forward.lenient import read_value

_MOST: Final = 4_096
_TEXT: Final = 1_024
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder().decode


@dataclass(frozen=True, slots=True)
class Helo:
    """What a server begins with. ``auth`` is the salt of passwords; empty when no user is asked for."""

    nonce: bytes
    auth: bytes = b""
    keepalive: bool = True


@dataclass(frozen=True, slots=True)
class Ping:
    """What a client answers. ``digest`` and ``password`` are hexadecimal digests."""

    hostname: str
    salt: bytes
    digest: str
    username: str = ""
    password: str = ""


def encode_helo(helo: Helo) -> bytes:
    """The first message of a server."""
    return _encode(("HELO", {"nonce": helo.nonce, "auth": helo.auth, "keepalive": helo.keepalive}))


def read_helo(body: bytes) -> Helo:
    """What a server began with.

    Raises:
        ForwardError: it is no HELO.
    """
    found = _message(body, "HELO", 2)
    option = found[1]
    if not isinstance(option, dict):
        raise ForwardError("a HELO has no options")
    return Helo(_bytes(option.get("nonce", b"")), _bytes(option.get("auth", b"")), option.get("keepalive") is not False)


def encode_ping(
    helo: Helo, hostname: str, shared_key: str, salt: bytes, username: str = "", password: str = ""
) -> bytes:
    """A client's answer to a HELO; ``salt`` are 16 random bytes."""
    key = _digest(salt, hostname.encode(), helo.nonce, shared_key.encode())
    secret = _digest(helo.auth, username.encode(), password.encode()) if helo.auth else ""
    return _encode(("PING", hostname, salt, key, username if helo.auth else "", secret))


def read_ping(body: bytes) -> Ping:
    """A client's answer.

    Raises:
        ForwardError: it is no PING.
    """
    found = _message(body, "PING", 6)
    hostname, digest, username, password = (_text(found[place]) for place in (1, 3, 4, 5))
    return Ping(hostname, _bytes(found[2]), digest, username, password)


def check_ping(ping: Ping, helo: Helo, shared_key: str, users: Mapping[str, str] | None = None) -> str:
    """Why a client may not come in; '' when it may. ``users`` are passwords by name, for a ``helo`` with a salt.

    The reason is a sentence for the client, the same for an unknown name as for a wrong password.
    """
    expected = _digest(ping.salt, ping.hostname.encode("utf-8", "replace"), helo.nonce, shared_key.encode())
    known = hmac.compare_digest(ping.digest.lower().encode("utf-8", "replace"), expected.encode())
    if helo.auth:
        password = (users or {}).get(ping.username)
        name = ping.username.encode("utf-8", "replace")
        wanted = _digest(helo.auth, name, (password or "").encode())
        right = hmac.compare_digest(ping.password.lower().encode("utf-8", "replace"), wanted.encode())
        if known and not (right and password is not None):
            return "username/password mismatch"
    return "" if known else "shared_key mismatch"


def encode_pong(ping: Ping, helo: Helo, hostname: str, shared_key: str, reason: str = "") -> bytes:
    """What a server answers to a PING; with a ``reason`` it lets no one in, and proves nothing."""
    if reason:
        return _encode(("PONG", False, reason, "", ""))
    digest = _digest(ping.salt, hostname.encode(), helo.nonce, shared_key.encode())
    return _encode(("PONG", True, "", hostname, digest))


def check_pong(body: bytes, helo: Helo, hostname: str, shared_key: str, salt: bytes) -> str:
    """Why a client should not go on: the server's reason, or that it does not know the key; '' when all is well.

    ``hostname`` and ``salt`` are the client's own, of its PING.

    Raises:
        ForwardError: it is no PONG.
    """
    found = _message(body, "PONG", 5)
    if found[1] is not True:
        return f"the server refuses: {_text(found[2])[:200]}"
    server = _text(found[3])
    if server == hostname:
        return "the server has the name of this client"
    expected = _digest(salt, server.encode("utf-8", "replace"), helo.nonce, shared_key.encode())
    right = hmac.compare_digest(_text(found[4]).lower().encode("utf-8", "replace"), expected.encode())
    return "" if right else "the server does not know the shared key"


def decode_ack(body: bytes) -> str:
    """The chunk that a receiver says is stored.

    Raises:
        ForwardError: it is no such answer.
    """
    try:
        found = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise ForwardError("the answer is no MessagePack") from None
    if not isinstance(found, dict) or "ack" not in found:
        raise ForwardError("the answer is no receipt")
    return _text(found["ack"])


def _message(body: bytes, name: str, items: int) -> list[Any]:
    if len(body) > _MOST:
        raise ForwardError(f"instead of {name} there came something long")
    try:
        # Fluent Bit writes random bytes as a text.
        found = read_value(body, raw=True)
    except (IndexError, struct.error):
        raise ForwardError(f"instead of {name} there came what cannot be read") from None
    if not isinstance(found, list) or len(found) < items or _word(found[0]) != name:
        raise ForwardError(f"instead of {name} there came something else")
    return found


def _word(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _text(value: Any) -> str:
    word = _word(value)
    if not isinstance(word, str) or len(word) > _TEXT:
        raise ForwardError("a field of the handshake is no short text")
    return word


def _bytes(value: Any) -> bytes:
    found = value.encode("utf-8", "replace") if isinstance(value, str) else value
    if not isinstance(found, bytes) or len(found) > _TEXT:
        raise ForwardError("a field of the handshake is no short text")
    return found


def _digest(*parts: bytes) -> str:
    return hashlib.sha512(b"".join(parts)).hexdigest()
