"""The processors by their names."""

from collections.abc import Callable, Mapping
from typing import Final

from eldonia_ops.protocols.elasticsearch.ingest import addresses, changes, patterns, shapes
from eldonia_ops.protocols.elasticsearch.ingest.changes import Run
from eldonia_ops.protocols.elasticsearch.ingest.dates import date, date_index_name
from eldonia_ops.protocols.elasticsearch.ingest.delimited import csv
from eldonia_ops.protocols.elasticsearch.ingest.dissect import dissect
from eldonia_ops.protocols.elasticsearch.ingest.options import Options

PROCESSORS: Final[Mapping[str, Callable[[Options], Run]]] = {
    "append": changes.append,
    "bytes": changes.on_text(shapes.size_in_bytes),
    "convert": changes.convert,
    "csv": csv,
    "date": date,
    "date_index_name": date_index_name,
    "dissect": dissect,
    "dot_expander": shapes.dot_expander,
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
    "sort": shapes.sort,
    "split": patterns.split,
    "trim": changes.on_text(str.strip),
    "uppercase": changes.on_text(str.upper),
    "uri_parts": addresses.uri_parts,
    "urldecode": addresses.urldecode,
    "user_agent": changes.user_agent,
}

INSTEAD: Final[Mapping[str, str]] = {
    "script": "scripts are not run here: write it with set, rename, gsub, convert and conditions, or in the sender",
    "attachment": "take the text out of files in the sender",
    "circle": "shapes are not searched here: leave it out",
    "community_id": "have the sender compute it, as Filebeat's processor community_id does",
    "enrich": "join the data in the sender",
    "fingerprint": "have the sender compute it, as Filebeat's and Logstash's fingerprint do, or send an _id",
    "html_strip": "write it as gsub of <[^>]*>",
    "inference": "models are not run here",
    "network_direction": "write it as set with a condition, or use Filebeat's add_network_direction",
    "redact": "use gsub, or redaction of the platform's own pipeline (docs/pipeline.md)",
    "registered_domain": "use Filebeat's processor registered_domain",
    "reroute": "set [_index] with a condition",
    "set_security_user": "set the name in the sender: its token says who sent it",
    "terminate": "put the processors behind it under a condition",
}
"""Processors of Elasticsearch that we do not have, and what to do."""
