"""Where :mod:`eldonia_ops.model.timestamps` was before the pipeline needed it as well."""

from eldonia_ops.model.timestamps import LATEST_NS, NS, epoch_ns, leading_timestamp, parse_timestamp, parse_timestamps

__all__ = ["LATEST_NS", "NS", "epoch_ns", "leading_timestamp", "parse_timestamp", "parse_timestamps"]
