"""kill -9 under load, twenty times: each event that was acknowledged arrives, and only in one chunk."""

import asyncio
import json
import os
import random
import signal
import sys
from pathlib import Path

from http_receiver import http_receiver

PROGRAM = Path(__file__).parent / "buffering_program.py"
ROUNDS = 20


async def start(url: str, folder: Path, first: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, str(PROGRAM), url, str(folder), first, stdout=asyncio.subprocess.PIPE, limit=1 << 20
    )


async def test_nothing_is_lost(tmp_path: Path) -> None:
    chance = random.Random(7)
    acknowledged: set[int] = set()
    async with http_receiver() as server:
        # The server is in difficulties half of the time: chunks wait, and are killed while they wait.
        server.answers = [(chance.choice((200, 503)), "", {}) for _ in range(2_000)] + [(200, "", {})]
        for number in range(ROUNDS):
            process = await start(server.url, tmp_path / "buffer", str(number * 10_000_000))
            assert process.stdout is not None
            lines = [await process.stdout.readline()]  # it has begun
            reading = asyncio.ensure_future(process.stdout.read())
            await asyncio.sleep(chance.uniform(0.02, 0.4))
            process.send_signal(signal.SIGKILL)
            lines.append(await reading)
            await process.wait()
            text = b"".join(lines)
            acknowledged.update(int(line) for line in text[: text.rfind(b"\n") + 1].split())
        process = await start(server.url, tmp_path / "buffer", "drain")
        assert await asyncio.wait_for(process.wait(), 60) == 0
        # Others may look at the port: a test of `init` asks everything that listens on this machine for metrics.
        answered = [request for request in server.received if request.method == "POST"]
    chunks: dict[int, set[str]] = {}
    for request in answered:
        for record in json.loads(request.body):
            chunks.setdefault(record["n"], set()).add(request.headers["idempotency-key"])
    assert len(acknowledged) > ROUNDS * 100
    assert acknowledged <= chunks.keys()
    assert all(len(ids) == 1 for ids in chunks.values())  # what came twice came in the same chunk
    assert not list((tmp_path / "buffer").glob("*.chunk"))
    assert not (tmp_path / "buffer" / "broken").exists()
    assert os.listdir(tmp_path / "buffer") == [".lock"]
