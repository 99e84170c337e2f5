"""The handshake with a client: it proves that it knows the key, and who it is, before anything is taken of it."""

import asyncio
import secrets
import socket
from typing import Final

from eldonia_ops.intake import StreamConnection
from eldonia_ops.protocols.fluent_forward import (
    ForwardError,
    ForwardFrames,
    Helo,
    check_ping,
    encode_helo,
    encode_pong,
    read_ping,
)

_SECONDS: Final = 10.0
_MOST: Final = 8_192
_SALT: Final = 16


async def greet(connection: StreamConnection) -> bytes:
    """Say HELO, check the PING, answer PONG; returns what the client has sent behind its PING.

    Raises:
        ForwardError: it does not know the key or the password, or says something else, or nothing for 10 seconds.
    """
    credentials = connection.credentials
    helo = Helo(secrets.token_bytes(_SALT), secrets.token_bytes(_SALT) if credentials.users else b"")
    await connection.write(encode_helo(helo))
    frames, received = ForwardFrames(_MOST), bytearray()
    try:
        async with asyncio.timeout(_SECONDS):
            while True:
                data = await connection.read(_MOST)
                if not data:
                    raise ForwardError("the connection ended before the handshake did")
                received += data
                found = list(frames.feed(data))
                if found:
                    break
    except TimeoutError:
        raise ForwardError(f"nothing that ends the handshake came within {_SECONDS:.0f} seconds") from None
    ping = read_ping(found[0].body)
    key = credentials.shared_key.reveal()
    users = {name: password.reveal() for name, password in credentials.users.items()}
    reason = check_ping(ping, helo, key, users)
    await connection.write(encode_pong(ping, helo, socket.gethostname(), key, reason))
    if reason:
        raise ForwardError(f"the handshake failed: {reason}")
    begin = received.index(found[0].body) + len(found[0].body)
    return bytes(received[begin:])
