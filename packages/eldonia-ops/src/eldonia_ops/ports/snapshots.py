"""What can be copied while it is written."""

from pathlib import Path
from typing import Protocol

from eldonia_ops.model.snapshots import SnapshotFile


class Snapshots(Protocol):
    """A store whose files can be kept as they are at one instant."""

    async def snapshot(self, scratch: Path, data: Path) -> list[SnapshotFile]:
        """Files that hold all that was acknowledged before the call; some of what came during the call may be in them.

        They stay as they are until :meth:`give_up_snapshot`. ``scratch`` is an empty folder on the disk of the data
        folder ``data``, for hard links and copies; the caller removes it. What is kept on a server is left out.

        Raises:
            StoreError, TelemetryError: the disk is full, or the store failed.
        """
        ...

    async def give_up_snapshot(self) -> None:
        """The files of the last snapshot are not needed any more. Idempotent."""
        ...
