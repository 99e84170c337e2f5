"""Run by Alembic for each upgrade; the caller hands in the connection and owns its transaction."""

from alembic import context

from eldonia_ops.storage.state.migrate import VERSION_TABLE
from eldonia_ops.storage.state.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
context.run_migrations()
