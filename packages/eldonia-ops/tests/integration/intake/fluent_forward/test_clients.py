"""Clients from their own packages send to a running platform: nothing is lost, doubled or let in without the key."""

import contextlib
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from forward_platform import ForwardPlatform, forward_platform
from node_packages import run_node
from required_tools import requires_module, requires_tool, tool

SENDERS = Path(__file__).parent / "senders.cjs"
KEY = {"clientHostname": "web-1", "sharedKey": "sesame"}
fluent_sender = requires_module("fluent.sender")
fluent_handler = requires_module("fluent.handler")


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForwardPlatform]:
    with forward_platform(tmp_path_factory.mktemp("forward")) as found:
        yield found


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForwardPlatform]:
    folder = tmp_path_factory.mktemp("secured")
    names = (str(folder / "ops.key"), str(folder / "ops.crt"))
    subprocess.run(
        [
            tool("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", names[0], "-out", names[1],
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    listener = {
        "anonymous": "none",
        "shared_key": "sesame",
        "users": [{"username": "web", "password": "swordfish"}],
        "tls": {"cert_file": names[1], "key_file": names[0]},
    }
    with forward_platform(folder, listener) as found:
        yield found


def node(package: str, platform: ForwardPlatform, count: int, **options: Any) -> str:
    return run_node(SENDERS, package, str(platform.port), str(count), json.dumps(options), packages=(package,))


@pytest.mark.parametrize("precise", [False, True], ids=["seconds", "EventTime"])
def test_fluent_logger_of_python(platform: ForwardPlatform, precise: bool) -> None:
    name = f"py{precise}"
    sender = fluent_sender.FluentSender("shop", port=platform.port, nanosecond_precision=precise)
    began = time.time()
    for number in range(50):
        assert sender.emit(
            name, {"level": "error", "message": f"order {number}", "service": name, "deep": {"n": number}}
        )
    sender.close()
    found = platform.await_stored(50, service=name)
    assert {one["message"] for one in found} == {f"order {number}" for number in range(50)}
    one = found[0]
    assert (one["tag"], one["level"], one["source"]) == (f"shop.{name}", "error", "forward (127.0.0.1)")
    assert isinstance(one["metadata"]["deep"]["n"], int)
    assert abs(int(one["timestampNs"]) / 1e9 - began) < 30


def test_the_handler_of_fluent_logger_for_python(platform: ForwardPlatform) -> None:
    import logging

    handler = fluent_handler.FluentHandler("py.handler", port=platform.port, nanosecond_precision=True)
    handler.setFormatter(
        fluent_handler.FluentRecordFormatter({"level": "%(levelname)s", "logger": "%(name)s", "service": "handled"})
    )
    logger = logging.Logger("shop.orders")
    logger.addHandler(handler)
    logger.warning({"message": "out of stock", "sku": "a-1"})
    handler.close()
    (one,) = platform.await_stored(1, service="handled")
    assert (one["message"], one["level"], one["component"]) == ("out of stock", "warn", "shop.orders")
    assert one["metadata"]["sku"] == "a-1"


@requires_tool("node")
@pytest.mark.parametrize("mode", ["Message", "Forward", "PackedForward", "CompressedPackedForward"])
@pytest.mark.parametrize("ack", [False, True], ids=["no receipts", "receipts"])
def test_fluent_org_logger_of_node(platform: ForwardPlatform, mode: str, ack: bool) -> None:
    before = len(platform.stored(service="checkout"))
    options = {"eventMode": mode, **({"ack": {"ackTimeout": 20_000}} if ack else {})}
    node("@fluent-org/logger", platform, 100, **options)
    found = platform.await_stored(before + 100, service="checkout")[:100]
    assert {one["tag"] for one in found} == {"shop.orders"}
    assert sorted(one["metadata"]["n"] for one in found) == list(range(100))


@requires_tool("node")
@pytest.mark.parametrize("mode", ["Message", "PackedForward", "CompressedPackedForward"])
def test_fluent_logger_of_node(platform: ForwardPlatform, mode: str) -> None:
    before = len(platform.stored(service="checkout"))
    node("fluent-logger", platform, 60, eventMode=mode, requireAckResponse=True, ackResponseTimeout=20_000)
    platform.await_stored(before + 60, service="checkout")


@requires_tool("node")
@requires_tool("openssl")
@pytest.mark.parametrize("package", ["@fluent-org/logger", "fluent-logger"])
def test_with_key_user_and_tls(secured: ForwardPlatform, package: str) -> None:
    before = len(secured.stored(service="checkout"))
    options: dict[str, Any] = {"security": {**KEY, "username": "web", "password": "swordfish"}}
    if package == "fluent-logger":
        options |= {"tls": True, "tlsOptions": {"rejectUnauthorized": False}, "requireAckResponse": True}
    else:
        options |= {
            "ack": {"ackTimeout": 20_000},
            "socket": {
                "host": "127.0.0.1",
                "port": secured.port,
                "timeout": 20_000,
                "tls": {"rejectUnauthorized": False},
            },
        }
    node(package, secured, 30, **options)
    secured.await_stored(before + 30, service="checkout")


@requires_tool("node")
@requires_tool("openssl")
@pytest.mark.parametrize("wrong", [{"sharedKey": "guess"}, {"password": "guess"}, {"username": "nobody"}])
def test_nothing_of_one_who_does_not_know_key_or_password_is_taken(
    secured: ForwardPlatform, wrong: dict[str, str]
) -> None:
    before = len(secured.stored())
    security = {**KEY, "username": "web", "password": "swordfish", **wrong}
    options = {"tls": True, "tlsOptions": {"rejectUnauthorized": False}, "security": security, "reconnectInterval": 1e6}
    with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
        run_node(
            SENDERS,
            "fluent-logger",
            str(secured.port),
            "3",
            json.dumps(options),
            packages=("fluent-logger",),
            seconds=5,
        )
    assert len(secured.stored()) == before
    assert "the handshake failed: " in secured.log()


def test_heartbeats_over_udp_are_answered(platform: ForwardPlatform) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.settimeout(10)
        one.connect(("127.0.0.1", platform.port))
        one.send(b"\0")
        assert one.recv(10) == b"\0"


def test_events_in_json_by_hand(platform: ForwardPlatform) -> None:
    with socket.create_connection(("127.0.0.1", platform.port), 10) as one:
        one.sendall(b'["by.hand",1700000000.5,{"message":"typed","service":"hand"},{"chunk":"c"}]\n')
        one.settimeout(10)
        assert one.recv(100) == b'{"ack":"c"}'
    with platform.running.client() as http:
        answer = http.get("/api/ops/v1/logs", params={"service": "hand", "since": "-10000d"})
    assert answer.json()["records"] == []  # too long ago to be kept, and counted
    assert "a time too long ago" in json.dumps(platform.running.client().get("/api/ops/v1/refusals").json())
