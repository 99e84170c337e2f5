"""A collector: folders that programs use as queues, and how many files wait in them since when."""

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from eldonia_ops.collectors.collector import Collector, Independent, LoopPlan
from eldonia_ops.collectors.poll_loop import Reading, poll_plan
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.samples import MetricMetadata, MetricType
from eldonia_ops.settings import Settings
from eldonia_ops.settings.containers import Items
from eldonia_ops.settings.declaration import Setting
from eldonia_ops.settings.kinds import Period
from eldonia_ops.settings.texts import Glob

METADATA = (
    MetricMetadata("queue_folder_files", MetricType.GAUGE, "Files that wait in the folder."),
    MetricMetadata("queue_folder_oldest_seconds", MetricType.GAUGE, "How long the oldest of them has waited."),
)


@dataclass(frozen=True, slots=True)
class QueueFolder:
    """A folder to watch; ``interval`` is in milliseconds."""

    path: Annotated[str, Setting(Glob(what="path"), "The folder.")]
    interval: Annotated[int, Setting(Period(minimum=1_000), "Time from one look to the next.")] = 15_000


class QueueSource:
    """Looks into one folder."""

    def __init__(self, folder: QueueFolder) -> None:
        self._folder = folder

    async def measure(self) -> tuple[list[Reading], str]:
        """How many files wait, and since when."""
        try:
            # A disk may be slow: it must not hold up the event loop.
            ages = await asyncio.to_thread(self._ages)
        except OSError as error:
            return [("up", {}, 0.0)], f"the folder cannot be read: {error.strerror}"
        return [
            ("up", {}, 1.0),
            ("queue_folder_files", {}, float(len(ages))),
            ("queue_folder_oldest_seconds", {}, max(ages, default=0.0)),
        ], ""

    async def close(self) -> None:
        """Nothing is kept open."""

    def _ages(self) -> list[float]:
        now = time.time()
        with os.scandir(self._folder.path) as entries:
            return [max(0.0, now - entry.stat().st_mtime) for entry in entries if entry.is_file()]


def queue_plans(settings: Settings) -> Iterator[LoopPlan]:
    """A loop for each folder."""
    for folder in settings.collectors.get("queue_folders", ()):
        yield poll_plan(
            kind="queue_folder",
            name=folder.path,
            specification=folder,
            labels=Labels({"job": "queue_folder", "instance": folder.path}),
            source=lambda folder=folder: QueueSource(folder),
            interval_ms=folder.interval,
            metadata=METADATA,
            url=folder.path,
        )


COLLECTOR = Collector(
    kind="queue_folder",
    open=lambda _: Independent(queue_plans),
    section=Setting(Items(QueueFolder, "path", "queue folders"), "Folders that are used as queues."),
    titles={"en": "queue folder", "ja": "キューのフォルダ"},
)
