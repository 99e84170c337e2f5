"""The shop's tables, on SQLite or PostgreSQL."""

import hashlib
import os
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from eldonia_telemetry.integrations.sqlalchemy import instrument
from shop import passwords

metadata = sa.MetaData()

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("email", sa.String(254), nullable=False, unique=True),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("password", sa.String(300), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)
sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("account_id", sa.ForeignKey("accounts.id"), nullable=False, index=True),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
)
works = sa.Table(
    "works",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("creator", sa.String(100), nullable=False),
    sa.Column("category", sa.String(30), nullable=False, index=True),
    sa.Column("price_yen", sa.Integer, nullable=False),
    sa.Column("stock", sa.Integer, sa.CheckConstraint("stock >= 0")),
)
orders = sa.Table(
    "orders",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("account_id", sa.ForeignKey("accounts.id"), nullable=False, index=True),
    sa.Column("work_id", sa.ForeignKey("works.id"), nullable=False),
    sa.Column("quantity", sa.Integer, nullable=False),
    sa.Column("amount_yen", sa.Integer, nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)
payments = sa.Table(
    "payments",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("order_id", sa.ForeignKey("orders.id"), nullable=False, unique=True),
    sa.Column("charge_id", sa.String(100), nullable=False),
    sa.Column("amount_yen", sa.Integer, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

DEMO_PASSWORD = "correct horse battery staple"  # noqa: S105  the invented customers' password
DEMO_CUSTOMERS = ("sakura", "haruto", "yui", "ren", "mio", "emma", "lucas", "amelie")

_CREATORS = ("Aoi Tanaka", "山本 光", "Noa Laurent", "Mateo Silva", "佐藤 凛", "Ingrid Dahl", "Kofi Mensah", "Lin Yue")
_SUBJECTS = (
    ("Harbour at first light", "illustration"),
    ("雨上がりの路地", "photo"),
    ("Paper cranes, folded twice", "illustration"),
    ("Night train to Aomori", "music"),
    ("Moss and stone", "photo"),
    ("夏祭りの音", "music"),
    ("Low-poly lighthouse", "model"),
    ("The cartographer's cat", "story"),
    ("Brush set: dry ink", "tool"),
    ("Clouds for lo-fi mornings", "music"),
    ("木漏れ日のスケッチ", "illustration"),
    ("Ceramic bowl, turntable scan", "model"),
)


def connect(url: str) -> sa.Engine:
    """An engine for ``sqlite:///path`` or ``postgresql://…``, observed by the telemetry library."""
    parsed = sa.make_url(url)
    if parsed.drivername in {"postgresql", "postgres"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    limits: dict[str, Any] = {"pool_size": 10, "max_overflow": 20, "pool_timeout": 3, "pool_pre_ping": True}
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(parsed, **limits)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    instrument(engine)
    return engine


def _prepare_sqlite(connection: Any, _: Any) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=3000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    # PostgreSQL has it; with it the slow-database switch runs the same statement on both.
    connection.create_function("pg_sleep", 1, time.sleep)


def prepare(engine: sa.Engine) -> None:
    """Create what is missing: tables, a catalogue of 96 works, eight customers."""
    metadata.create_all(engine)
    with engine.begin() as connection:
        if connection.scalar(sa.select(sa.func.count()).select_from(works)):
            return
        rows = []
        for number in range(96):
            title, category = _SUBJECTS[number % len(_SUBJECTS)]
            volume = number // len(_SUBJECTS) + 1
            rows.append(
                {
                    "title": title if volume == 1 else f"{title} ({volume})",
                    "creator": _CREATORS[(number * 5) % len(_CREATORS)],
                    "category": category,
                    "price_yen": 300 + (number * 370) % 5200,
                    "stock": 200 if number % 16 == 3 else None,  # a few are limited editions
                }
            )
        connection.execute(works.insert(), rows)
        now = int(time.time() * 1000)
        # One derivation for all of them keeps the first start short; real accounts get their own salt.
        shared = passwords.derive(DEMO_PASSWORD)
        connection.execute(
            accounts.insert(),
            [
                {"email": f"{name}@example.com", "name": name.title(), "password": shared, "created_at": now}
                for name in DEMO_CUSTOMERS
            ],
        )


def is_well(engine: sa.Engine) -> bool:
    """Whether the database answers."""
    try:
        with engine.connect() as connection:
            connection.execute(sa.text("SELECT 1"))
    except SQLAlchemyError:
        return False
    return True


def digest(token: str) -> str:
    """What is stored of a session token."""
    return hashlib.sha256(token.encode()).hexdigest()


def default_url(data_dir: str) -> str:
    """``SHOP_DATABASE_URL``, else an SQLite file in ``data_dir``."""
    return os.environ.get("SHOP_DATABASE_URL") or f"sqlite:///{os.path.join(data_dir, 'shop.db')}"
