"""The platform is killed under load, again and again; clients send again what was not acknowledged. Counted: nothing is
lost, nothing is there twice."""

import os
import random
import socket
import threading
import time
import uuid
from collections import Counter
from pathlib import Path

from forward_platform import forward_platform
from local_server import free_port

from eldonia_ops.protocols.fluent_forward import (
    Compression,
    decode_ack,
    encode_event,
    encode_forward,
    encode_packed,
)

ROUNDS = int(os.environ.get("ELDONIA_KILLS", "5"))
SENDERS = 3
EVENTS = 40


class Sender(threading.Thread):
    """Sends chunks one behind another, each until it is acknowledged."""

    def __init__(self, number: int, port: int, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self._number = number
        self._port = port
        self._stop_asked = stop
        self._connection: socket.socket | None = None
        self.acknowledged: list[str] = []
        self.sent_again = 0

    def run(self) -> None:
        turn = 0
        while not self._stop_asked.is_set():
            names = [f"{self._number}-{turn}-{event}" for event in range(EVENTS)]
            message, chunk = self._message(turn, names)
            while not self._delivered(message, chunk):
                self.sent_again += 1
                time.sleep(0.05)
            self.acknowledged += names
            turn += 1

    def _message(self, turn: int, names: list[str]) -> tuple[bytes, str]:
        chunk = uuid.uuid4().hex
        now = time.time_ns()
        events = [
            (now + n, {"level": "info", "message": name, "service": "kill", "n": n}) for n, name in enumerate(names)
        ]
        if turn % 3 == 0:
            return encode_forward("kill.forward", events, chunk=chunk), chunk
        body = b"".join(encode_event(*one) for one in events)
        compression = Compression.GZIP if turn % 3 == 1 else Compression.NONE
        return encode_packed("kill.packed", body, count=EVENTS, chunk=chunk, compression=compression), chunk

    def _delivered(self, message: bytes, chunk: str) -> bool:
        try:
            if self._connection is None:
                self._connection = socket.create_connection(("127.0.0.1", self._port), 2)
                self._connection.settimeout(10)
            self._connection.sendall(message)
            frames = b""
            while data := self._connection.recv(1_000):
                frames += data
                if frames.endswith(chunk.encode()):
                    assert decode_ack(frames) == chunk
                    return True
        except OSError:
            pass
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        return False


def test_nothing_is_lost_or_doubled_when_the_platform_is_killed(tmp_path: Path) -> None:
    port, stop = free_port(), threading.Event()
    senders = [Sender(number, port, stop) for number in range(SENDERS)]
    moments = random.Random(7)
    for sender in senders:
        sender.start()
    for _ in range(ROUNDS):
        with forward_platform(tmp_path, port=port) as platform:
            time.sleep(moments.uniform(0.3, 1.5))
            platform.running.kill()
    with forward_platform(tmp_path, port=port) as platform:
        time.sleep(0.5)
        stop.set()
        for sender in senders:
            sender.join(30)
            assert not sender.is_alive()
        acknowledged = [name for sender in senders for name in sender.acknowledged]
        found = Counter(one["message"] for one in platform.stored(service="kill"))
    assert sum(sender.sent_again for sender in senders) >= ROUNDS
    assert len(acknowledged) > ROUNDS * EVENTS
    assert found == Counter(acknowledged)
