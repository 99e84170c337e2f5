"""The processors by their names."""

from collections.abc import Callable, Mapping
from typing import Final

from eldonia_ops.protocols.elasticsearch.ingest import addresses, changes, patterns
from eldonia_ops.protocols.elasticsearch.ingest.changes import Run
from eldonia_ops.protocols.elasticsearch.ingest.dates import date
from eldonia_ops.protocols.elasticsearch.ingest.options import Options

PROCESSORS: Final[Mapping[str, Callable[[Options], Run]]] = {
    "append": changes.append,
    "convert": changes.convert,
    "date": date,
    "dot_expander": changes.dot_expander,
    "drop": changes.drop,
    "fail": changes.fail,
    "geoip": changes.geoip,
    "grok": patterns.grok,
    "gsub": patterns.gsub,
    "join": changes.join,
    "json": patterns.json,
    "kv": patterns.key_values,
    "lowercase": changes.on_text(str.lower),
    "remove": changes.remove,
    "rename": changes.rename,
    "set": changes.set_field,
    "split": patterns.split,
    "trim": changes.on_text(str.strip),
    "uppercase": changes.on_text(str.upper),
    "uri_parts": addresses.uri_parts,
    "urldecode": addresses.urldecode,
    "user_agent": changes.user_agent,
}

INSTEAD: Final[Mapping[str, str]] = {
    "script": "scripts are not run here: write it with set, rename, gsub, convert and conditions, or in the sender",
    "dissect": "write it as grok",
    "csv": "write it as grok, or use the csv parser of a pipeline of Eldonia Ops",
    "foreach": "gsub, lowercase, uppercase, trim and convert take lists as they are",
    "enrich": "join the data in the sender",
    "inference": "models are not run here",
}
"""Processors of Elasticsearch that we do not have, and what to do."""
