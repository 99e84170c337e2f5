"""A writing process is killed; what it had acknowledged is there."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from eldonia_ops.storage.state import open_state_store

WRITER = """
import asyncio, sys
from eldonia_ops.model.alerts import LedgerEntry, Outgoing
from eldonia_ops.storage.state import open_state_store

async def main():
    store = await open_state_store(sys.argv[1])
    for number in range(100_000):
        def work(t):
            t.outbox.add(Outgoing(0, f"k{number}", "r", "slack", 0, "q", {"n": number}))
            t.ledger.append(LedgerEntry(0, number, "f", "A", "r", "sent", ""))
        await store.write(work)
        print(number, flush=True)

asyncio.run(main())
"""


async def test_kill_loses_nothing_acknowledged(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/state.db"
    for kill_round in range(3):
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITER, url, stdout=asyncio.subprocess.PIPE, env={**os.environ}
        )
        assert child.stdout is not None
        acknowledged = -1
        for _ in range(20 + 7 * kill_round):
            acknowledged = int(await asyncio.wait_for(child.stdout.readline(), 30))
        child.send_signal(signal.SIGKILL)
        rest = await child.stdout.read()
        await child.wait()
        whole = [line for line in rest.split(b"\n")[:-1] if line]
        acknowledged = int(whole[-1]) if whole else acknowledged
        store = await open_state_store(url)
        outbox = await store.read(lambda t: t.outbox.find(limit=10_000))
        ledger = await store.read(lambda t: t.ledger.find(limit=10_000))
        await store.close()
        keys = {row.idempotency_key for row in outbox}
        assert {f"k{number}" for number in range(acknowledged + 1)} <= keys
        # The two rows of one transaction came together or not at all (earlier rounds repeat their keys).
        assert {line.at for line in ledger} == {int(key[1:]) for key in keys}
