"""Running migrations with Alembic, which takes a while to import: only where there is something to run."""

import threading
from importlib.resources import as_file, files

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from eldonia_ops.storage.state.errors import StateVersionError

_alembic = threading.Lock()  # its environment is a global of the process


def run(connection: Connection, present: tuple[str, ...], target: str) -> None:
    """Run the migrations that are missing from ``present`` up to ``target``, or back to it.

    Raises:
        StateVersionError: the database has migrations that this version does not know.
    """
    with as_file(files("eldonia_ops.storage.state") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        scripts = ScriptDirectory.from_config(config)
        known = {script.revision for script in scripts.walk_revisions()}
        unknown = sorted(set(present) - known)
        if unknown:
            newest = scripts.get_current_head()
            raise StateVersionError(
                f"the state was written by a newer version of Eldonia Ops (it is at {', '.join(unknown)}, "
                f"this version knows up to {newest}); upgrade the program, or restore a backup made before the upgrade"
            )
        with _alembic:
            command.upgrade(config, target)
