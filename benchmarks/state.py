"""Commits of the state store: what every alert, incident and notification waits for."""

import asyncio
import contextlib
import itertools
import sqlite3
import tempfile
from pathlib import Path

from benchmarks.harness import Contender, Row, Table, alternate, rates
from benchmarks.postgresql import UnavailableError, postgresql_url
from eldonia_ops.model.alerts import LedgerEntry, Outgoing
from eldonia_ops.ports import StateTransaction
from eldonia_ops.storage.state import SqlStateStore, open_state_store

TITLE = "State transactions"


def run(quick: bool) -> list[Table]:
    """Transactions a second."""
    count = 5 if quick else 100
    numbers = itertools.count(1)
    notes = ["one transaction writes a state document, a row of the outbox and a line of the ledger, and is on disk"]

    def work(tx: StateTransaction) -> None:
        number = next(numbers)
        tx.machines.save("bench", f"group-{number % 50}", {"number": number, "text": "x" * 200}, deadline=number)
        tx.outbox.add(_outgoing(number))
        tx.ledger.append(LedgerEntry(0, number, f"{number:016x}", "HighErrorRate", "team", "sent", "the group was due"))

    def looked(tx: StateTransaction) -> None:
        assert tx.machines.load("bench", "group-1", dict) is not None

    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack, asyncio.Runner() as runner:
        bare = stack.enter_context(contextlib.closing(_bare_sqlite(Path(name) / "bare.db")))

        def by_hand() -> None:
            for _ in range(count):
                number = next(numbers)
                with bare:
                    bare.execute("INSERT INTO one VALUES (?, ?)", (number, "x" * 300))
                    bare.execute("INSERT INTO two VALUES (?, ?)", (number, "x" * 300))
                    bare.execute("INSERT INTO three VALUES (?, ?)", (number, "x" * 100))

        def contenders(store: SqlStateStore, what: str) -> list[Contender]:
            async def one_by_one() -> None:
                for _ in range(count):
                    await store.write(work)

            async def together() -> None:
                await asyncio.gather(*(store.write(work) for _ in range(count)))

            async def reading() -> None:
                for _ in range(count):
                    await store.read(looked)

            runner.run(store.write(lambda tx: tx.machines.save("bench", "group-1", {"number": 1})))
            return [
                Contender(f"{what}, one after the other", lambda: runner.run(one_by_one()), count),
                Contender(f"{what}, all at once", lambda: runner.run(together()), count),
                Contender(f"{what}, reads", lambda: runner.run(reading()), count),
            ]

        opened: list[SqlStateStore] = []
        try:
            opened.append(runner.run(open_state_store(f"sqlite:///{name}/state.db")))
            found = contenders(opened[0], "SQLite")
            try:
                opened.append(runner.run(open_state_store(stack.enter_context(postgresql_url()))))
                found += contenders(opened[1], "PostgreSQL")
            except UnavailableError as reason:
                notes.append(f"PostgreSQL is left out: {reason}")
            found.append(Contender("sqlite3 by hand, three inserts a commit (floor)", by_hand, count))
            measured = alternate(found, rounds=2 if quick else 7)
        finally:
            for store in opened:
                runner.run(store.close())
    table = rates(TITLE, measured, "transactions", notes=notes)
    table.rows = [Row(row.name, row.spread, row.unit) for row in table.rows]
    return [table]


def _bare_sqlite(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    for table in ("one", "two", "three"):
        connection.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, document TEXT)")
    connection.commit()
    return connection


def _outgoing(number: int) -> Outgoing:
    return Outgoing(
        id=0,
        idempotency_key=f"{number:032x}",
        receiver="team",
        integration="slack",
        index=0,
        order_key=f"team/slack/0:{number % 50}",
        payload={"text": "x" * 200},
        fingerprints=(f"{number:016x}",),
        created_at=number,
        next_attempt_at=number,
    )
