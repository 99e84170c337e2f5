"""Rules by which log records go before ``retention.logs`` is over."""

from dataclasses import dataclass
from typing import Annotated, Any

from eldonia_ops.model.errors import Level
from eldonia_ops.settings.declaration import Setting
from eldonia_ops.settings.kinds import Clean, Period, Size
from eldonia_ops.settings.log_metrics import SearchText
from eldonia_ops.settings.reader import SettingsReader
from eldonia_ops.settings.texts import Text
from eldonia_ops.settings.units import DAY, MIB


@dataclass(frozen=True, slots=True)
class _MaybePeriod(Period):
    """A duration, 0 for none."""

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The milliseconds."""
        return default if reader.get(key) is None else Period.read(self, reader, key, default, required)

    def plain(self, value: Any, clean: Clean) -> Any:
        """Whole days, or nothing."""
        return Period.plain(self, value, clean) if value else None


@dataclass(frozen=True, slots=True)
class _MaybeSize(Size):
    """A number of bytes, 0 for none."""

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The bytes."""
        return default if reader.get(key) is None else Size.read(self, reader, key, default, required)

    def plain(self, value: Any, clean: Clean) -> Any:
        """With a unit, or nothing."""
        return Size.plain(self, value, clean) if value else None


@dataclass(frozen=True, slots=True)
class LogRetentionRule:
    """Records that a search finds are deleted when they are older than ``keep``, or when all of them take more than
    ``max_size``: then the oldest. Where several rules find a record, the strictest counts."""

    name: Annotated[str, Setting(Text(), "What pages, metrics and the audit log call it.")]
    search: Annotated[
        str,
        Setting(SearchText(), "Which records: `level:debug`, `service:shop -level:error`, `_index:web-*`. Empty: all."),
    ] = ""
    keep: Annotated[int, Setting(_MaybePeriod(minimum=DAY), "How long, in whole days of UTC.")] = 0
    max_size: Annotated[
        int,
        Setting(_MaybeSize(1 << 50), "How much room they may take on the disk, by what a record of their day takes."),
    ] = 0


def check_log_retention(reader: SettingsReader, rule: LogRetentionRule) -> None:
    """Note a rule that does nothing, and what is rounded up."""
    if reader.get("keep") is None and reader.get("max_size") is None:
        reader.problems.add(reader.node, f"{reader.what} needs keep or max_size", "write keep: 7d")
    if rule.keep % DAY:
        message = f"records are kept in whole days: keep becomes {-(-rule.keep // DAY)}d"
        reader.problems.add(reader.get("keep"), message, "write whole days, such as 7d", Level.WARNING)
    if rule.max_size and rule.max_size < MIB:
        reader.fault("max_size", "max_size is smaller than 1MiB", "sizes are estimates: leave some room")
