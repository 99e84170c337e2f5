"""A write-ahead log: what was appended survives ``kill -9`` and a power cut until it is released."""

from eldonia_ops.storage.wal.codec import Record
from eldonia_ops.storage.wal.log import WriteAheadLog

__all__ = ["Record", "WriteAheadLog"]
