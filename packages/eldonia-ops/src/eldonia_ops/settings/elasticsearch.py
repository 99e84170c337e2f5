"""Elasticsearch's API."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final

from eldonia_ops.settings.declaration import Setting
from eldonia_ops.settings.reader import SettingsReader
from eldonia_ops.settings.texts import Text

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,100}+")


@dataclass(frozen=True, slots=True)
class IndexName(Text):
    """The name of an index: lower case, digits, dot, dash and underscore."""

    what: str = "name of an index"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The name."""
        found = reader.string(key, default, required=required)
        if _NAME.fullmatch(found):
            return found
        reader.fault(key, f"{key} is no name of an index", "use lower case, digits, dot, dash and underscore")
        return default


@dataclass(frozen=True, slots=True)
class ElasticsearchSettings:
    """What the API shows."""

    index: Annotated[
        str,
        Setting(IndexName(), "The index that records are in which came by other ways: tails, OTLP, syslog, …"),
    ] = "logs"
