"""Who knows the key comes in, no one else does, and both sides find out."""

import hashlib
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.protocols.fluent_forward import (
    ForwardError,
    Helo,
    check_ping,
    check_pong,
    encode_helo,
    encode_ping,
    encode_pong,
    read_helo,
    read_ping,
)

NONCE, SALT, AUTH = b"\xff" * 16, b"\xfe" * 16, b"\xfd" * 16
USERS = {"eldonia": "correct horse"}


def pack(value: Any, **options: Any) -> bytes:
    return bytes(msgpack.packb(value, **options))  # pyright: ignore[reportArgumentType]


def came_in(server_key: str, client_key: str, *, auth: bytes = b"", name: str = "", password: str = "") -> str:
    """What either side finds wrong; '' when both are content."""
    helo = read_helo(encode_helo(Helo(NONCE, auth)))
    ping = read_ping(encode_ping(helo, "client", client_key, SALT, name, password))
    reason = check_ping(ping, helo, server_key, USERS)
    return check_pong(encode_pong(ping, helo, "server", server_key, reason), helo, "client", client_key, SALT)


def test_the_right_key_comes_in() -> None:
    assert came_in("key", "key") == ""
    assert came_in("key", "key", auth=AUTH, name="eldonia", password="correct horse") == ""


@given(st.text(max_size=20), st.text(max_size=20))
def test_another_key_does_not(server: str, client: str) -> None:
    assert (came_in(server, client) == "") == (server == client)


@pytest.mark.parametrize(("name", "password"), [("eldonia", ""), ("eldonia", "wrong"), ("", ""), ("other", "")])
def test_a_wrong_password_does_not_and_an_unknown_name_hears_the_same(name: str, password: str) -> None:
    reason = came_in("key", "key", auth=AUTH, name=name, password=password)
    assert reason == "the server refuses: username/password mismatch"


def test_a_wrong_key_says_nothing_of_the_password() -> None:
    reason = came_in("key", "other", auth=AUTH, name="eldonia", password="wrong")
    assert reason == "the server refuses: shared_key mismatch"


def test_a_server_that_does_not_know_the_key_is_found_out() -> None:
    helo = Helo(NONCE)
    ping = read_ping(encode_ping(helo, "client", "key", SALT))
    pong = encode_pong(ping, helo, "server", "guess")
    assert check_pong(pong, helo, "client", "key", SALT) == "the server does not know the shared key"
    assert "this client" in check_pong(encode_pong(ping, helo, "client", "key"), helo, "client", "key", SALT)


def test_the_digests_are_those_of_the_specification() -> None:
    body = encode_ping(Helo(NONCE, AUTH), "client", "key", SALT, "eldonia", "secret")
    found = msgpack.unpackb(body)
    assert found[:3] == ["PING", "client", SALT]
    assert found[3] == hashlib.sha512(SALT + b"client" + NONCE + b"key").hexdigest()
    assert found[4:] == ["eldonia", hashlib.sha512(AUTH + b"eldonia" + b"secret").hexdigest()]


def test_random_bytes_may_come_as_a_text_as_fluent_bit_writes_them() -> None:
    helo = Helo(NONCE)
    as_bytes = msgpack.unpackb(encode_ping(helo, "client", "key", SALT))
    as_text = pack(["PING", "client", SALT, *as_bytes[3:]], use_bin_type=False)
    assert check_ping(read_ping(as_text), helo, "key") == ""


@given(st.binary(max_size=100))
def test_anything_else_is_refused(garbage: bytes) -> None:
    for read in (read_helo, read_ping):
        with pytest.raises(ForwardError):
            read(garbage)


@pytest.mark.parametrize(
    "body", [["PING"], ["PING", 1, 2, 3, 4, 5], ["PONG", "a", "b", "c", "d", "e"], ["PING", "x" * 2_000]]
)
def test_half_a_ping_is_refused(body: list[object]) -> None:
    with pytest.raises(ForwardError):
        read_ping(pack(body))
