"""Bringing a database to the form that this version of the code expects."""

import threading
from importlib.resources import as_file, files

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from eldonia_ops.storage.state.errors import StateVersionError

VERSION_TABLE = "schema_version"
_alembic = threading.Lock()  # its environment is a global of the process
_LOCK = 0x656C646F6E6961  # any number that others are unlikely to lock on: "eldonia" in ASCII


def migrate(connection: Connection, target: str = "head") -> None:
    """Run the missing migrations inside the transaction that ``connection`` has begun.

    Either all of them commit with it or none does; processes that start together take turns.

    Raises:
        StateVersionError: the database has migrations that this version does not know.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    with as_file(files("eldonia_ops.storage.state") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        scripts = ScriptDirectory.from_config(config)
        known = {script.revision for script in scripts.walk_revisions()}
        present = current_revisions(connection)
        unknown = sorted(set(present) - known)
        if unknown:
            newest = scripts.get_current_head()
            raise StateVersionError(
                f"the state was written by a newer version of Eldonia Ops (it is at {', '.join(unknown)}, "
                f"this version knows up to {newest}); upgrade the program, or restore a backup made before the upgrade"
            )
        if set(present) != set(scripts.get_heads()) or target != "head":
            with _alembic:
                command.upgrade(config, target)


def current_revisions(connection: Connection) -> tuple[str, ...]:
    """The migrations that the database is at; empty for a new one."""
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return context.get_current_heads()
