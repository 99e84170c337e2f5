"""Bringing a database to the form that this version of the code expects."""

from importlib.resources import files

from sqlalchemy import Connection, inspect, text

VERSION_TABLE = "schema_version"
_LOCK = 0x656C646F6E6961  # any number that others are unlikely to lock on: "eldonia" in ASCII


def migrate(connection: Connection, target: str = "head") -> None:
    """Run the missing migrations inside the transaction that ``connection`` has begun.

    Either all of them commit with it or none does; processes that start together take turns.

    Raises:
        StateVersionError: the database has migrations that this version does not know.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    present = current_revisions(connection)
    if target == "head" and present == (newest_revision(),):
        return
    from eldonia_ops.storage.state import migration_run

    migration_run.run(connection, present, target)


def current_revisions(connection: Connection) -> tuple[str, ...]:
    """The migrations that the database is at; empty for a new one."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return ()
    return tuple(connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalars())  # noqa: S608 - ours


def newest_revision() -> str:
    """The revision that this version of the code expects: migrations follow one another, and so do their files' names,
    which begin with their revisions."""
    folder = files("eldonia_ops.storage.state") / "migrations" / "versions"
    return max(item.name.partition("_")[0] for item in folder.iterdir() if item.name.endswith(".py"))
