"""A ``prometheus.yml`` as the sections of the settings that say the same, and what of it is not taken, with the reason.

Format: https://prometheus.io/docs/prometheus/latest/configuration/configuration/. Values stay the nodes of that file,
so whatever reads them afterwards names its lines.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from eldonia_ops.model.errors import Level
from eldonia_ops.protocols.yaml_document import (
    MappingReader,
    Problems,
    YamlNode,
    belongs_to,
    load,
    mapping_of,
    sequence_of,
    text_of,
)

_SCRAPE_INTERVAL: Final = "1m"
"""Prometheus' own; the settings have another one."""
_RENAMED: Final = {
    "scrape_interval": "interval",
    "scrape_timeout": "timeout",
    "metrics_path": "path",
}
_SAME: Final = frozenset(
    {
        "scheme", "honor_labels", "honor_timestamps", "authorization", "bearer_token", "bearer_token_file", "oauth2",
        "proxy_url", "no_proxy", "proxy_from_environment", "proxy_connect_header", "follow_redirects", "static_configs",
        "relabel_configs", "metric_relabel_configs", "params", "tls_config",
    }
)  # fmt: skip
_HARMLESS: Final = frozenset(
    {"enable_compression", "enable_http2", "track_timestamps_staleness", "metric_name_validation_scheme"}
)
"""Keys of a scrape that change nothing here that anybody could see."""
_BOUNDS: Final = "limits.scrape_samples, limits.labels and limits.label_value bound every scrape"
_JOB_HINTS: Final = {
    **dict.fromkeys(
        (
            "sample_limit", "label_limit", "label_name_length_limit", "label_value_length_limit", "target_limit",
            "body_size_limit", "keep_dropped_targets",
        ),
        _BOUNDS,
    ),
    "scrape_protocols": "text and OpenMetrics are asked for, and what the target answers is read",
    "fallback_scrape_protocol": "an answer without a content type is read as text",
    "scrape_native_histograms": "native histograms come by remote write and OTLP",
    "scrape_classic_histograms": "classic histograms are stored as they are",
    "native_histogram_bucket_limit": "native histograms come by remote write and OTLP",
    "native_histogram_min_bucket_factor": "native histograms come by remote write and OTLP",
    "file_sd_configs": "write the targets into static_configs",
}  # fmt: skip
_TOP_HINTS: Final = {
    "remote_write": "send to this platform instead: it takes remote write at /api/v1/write",
    "remote_read": "samples are read from this platform's own store",
    "storage": "write retention and limits in eldonia-ops.yml",
    "tracing": "the platform does not trace itself",
    "otlp": "OTLP is taken at /v1/metrics, /v1/logs and /v1/traces as it is",
    "runtime": "it is for Go programs",
    "scrape_config_files": "name them with scrape in eldonia-ops.yml",
}
_GLOBAL_HINTS: Final = {
    **dict.fromkeys(
        (
            "sample_limit", "label_limit", "label_name_length_limit", "label_value_length_limit", "target_limit",
            "body_size_limit", "keep_dropped_targets",
        ),
        _BOUNDS,
    ),
    "query_log_file": "slow queries are in the platform's own metrics",
    "scrape_failure_log_file": "failures are on the targets page",
    "rule_query_offset": "write query_offset at the groups that need it",
    "metric_name_validation_scheme": "names may be any UTF-8",
    "scrape_protocols": "text and OpenMetrics are asked for, and what the target answers is read",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class PrometheusText:
    """The text of a prometheus.yml. ``file`` is what messages call it, ``folder`` where its relative paths begin."""

    file: str
    text: str
    folder: Path


@dataclass(slots=True)
class Translated:
    """Sections of the settings, and in words what they hold. ``rule_files`` are the places of its patterns."""

    document: YamlNode
    taken: tuple[str, ...] = ()
    rule_files: dict[str, tuple[str, int, int]] = field(default_factory=dict[str, tuple[str, int, int]])


def translated(given: PrometheusText, problems: Problems) -> Translated | None:
    """The settings that the file means; None for an empty one. What is not taken is a warning at its line.

    Raises:
        ConfigError: the text is not YAML.
    """
    root = load(given.text, given.file, problems)
    if root is None:
        return None
    belongs_to(root, given.file)
    return _Reader(root, given, problems).read()


class _Reader:
    def __init__(self, root: YamlNode, given: PrometheusText, problems: Problems) -> None:
        self._root = root
        self._given = given
        self._problems = problems
        self._targets = 0

    def read(self) -> Translated:
        root = MappingReader(self._root, self._problems, "the prometheus.yml")
        common = root.mapping("global") or MappingReader(_nothing(self._root), self._problems, "global")
        interval = common.get("scrape_interval") or text_of(_SCRAPE_INTERVAL, self._root)
        timeout = common.get("scrape_timeout")
        read = [self._job(node, interval, timeout) for node in root.elements("scrape_configs")]
        jobs = [job for job in read if job is not None]
        rules = dict(self._rules(root, common))
        external = rules.get("labels")
        self._left(common, _GLOBAL_HINTS, "global")
        self._alerting(root.get("alerting"))
        self._left(root, _TOP_HINTS, "")
        pairs = [(text_of("scrape", self._root), sequence_of(jobs, self._root))] if jobs else []
        if rules:
            inside = [(text_of(key, value), value) for key, value in rules.items()]
            pairs.append((text_of("rules", self._root), mapping_of(inside, self._root)))
        files = rules["files"].elements() if "files" in rules else []
        words = [
            f"{_many(len(jobs), 'scrape job')} with {_many(self._targets, 'static target')}" if jobs else "",
            _many(len(files), "pattern") + " of rule files" if files else "",
            f"external labels of alerts: {', '.join(key.text for key, _ in external.pairs)}" if external else "",
        ]
        places = {node.text: (self._given.file, node.line, node.column) for node in files}
        return Translated(mapping_of(pairs, self._root), tuple(filter(None, words)), places)

    def _rules(self, root: MappingReader, common: MappingReader) -> Iterator[tuple[str, YamlNode]]:
        patterns = [node for node in root.elements("rule_files") if node.is_scalar]
        if patterns:
            files = [text_of(str(self._given.folder / node.text), node) for node in patterns]
            yield "files", sequence_of(files, patterns[0])
        interval = common.get("evaluation_interval")
        yield "evaluation_interval", interval or text_of(_SCRAPE_INTERVAL, self._root)
        labels = common.get("external_labels")
        if labels is not None and labels.is_mapping and labels.pairs:
            yield "labels", labels

    def _job(self, node: YamlNode, interval: YamlNode, timeout: YamlNode | None) -> YamlNode | None:
        """A job of ours; None for one whose targets all come from what is not taken, or that has none."""
        reader = MappingReader(node, self._problems, "a scrape_config")
        pairs: list[tuple[YamlNode, YamlNode]] = []

        def put(key: str, value: YamlNode | None) -> None:
            if value is not None:
                pairs.append((text_of(key, value), value))

        put("job", reader.get("job_name", required=True))
        values = {key.text: value for key, value in node.pairs}
        for key, ours in _RENAMED.items():
            put(ours, reader.get(key))
        if "scrape_interval" not in values:
            put("interval", interval)
        if "scrape_timeout" not in values:
            put("timeout", timeout)
        for key in sorted(_SAME & values.keys()):
            put(key, reader.get(key))
        put("basic_auth", self._without(reader.get("basic_auth"), "username_file", "write username"))
        put("http_headers", self._headers(reader.get("http_headers")))
        for key in _HARMLESS & values.keys():
            reader.get(key)
        static = reader.get("static_configs")
        self._targets += sum(
            len(targets.elements())
            for group in (static.elements() if static is not None else [])
            for key, targets in group.pairs
            if key.text == "targets"
        )
        name = values["job_name"].text if "job_name" in values else "?"
        self._left(reader, _JOB_HINTS, f"job {name}: ")
        if static is None:
            self._problems.add(node, f"job {name} is left out: nothing of it says what to scrape", "", Level.WARNING)
            return None
        return mapping_of(pairs, node)

    def _headers(self, node: YamlNode | None) -> YamlNode | None:
        """Prometheus has lists of values, of secrets and of files for each; here a header has one value."""
        if node is None or not node.is_mapping:
            return node
        pairs: list[tuple[YamlNode, YamlNode]] = []
        for name, value in node.pairs:
            given = [one for _, held in value.pairs for one in held.elements() if held.is_sequence]
            files = any(key.text == "files" for key, _ in value.pairs)
            if files or len(given) != 1:
                message = f"http_headers.{name.text}: only a header with one value is taken"
                self._problems.add(value, message, "write values: [x] or secrets: [x]", Level.WARNING)
            if given and not files:
                pairs.append((name, given[0]))
        return mapping_of(pairs, node)

    def _without(self, node: YamlNode | None, key: str, hint: str) -> YamlNode | None:
        if node is None or not any(name.text == key for name, _ in node.pairs):
            return node
        self._problems.add(node, f"{key} is not taken", hint, Level.WARNING)
        return mapping_of([(name, value) for name, value in node.pairs if name.text != key], node)

    def _alerting(self, node: YamlNode | None) -> None:
        if node is not None:
            hint = "its routing is taken with --alertmanager.config.file"
            message = "alerting is not taken: this platform routes alerts itself"
            self._problems.add(node, message, hint, Level.WARNING)

    def _left(self, reader: MappingReader, hints: dict[str, str], where: str) -> None:
        """Name what nothing has asked for; a key that Prometheus lacks too is a fault."""
        for key, _ in reader.node.pairs:
            if reader.was_asked(key.text):
                continue
            prefix = f"{where}." if where == "global" else where
            name = key.text
            if name in hints:
                self._problems.add(key, f"{prefix}{name} is not taken", hints[name], Level.WARNING)
            elif name.endswith("_sd_configs"):
                hint = "write static_configs, or let the applications send OTLP or remote write"
                self._problems.add(key, f"{prefix}{name}: service discovery is not taken", hint, Level.WARNING)
            else:
                self._problems.add(key, f"{prefix}{name} is nothing that Prometheus' file is known to hold")


def _nothing(like: YamlNode) -> YamlNode:
    return mapping_of([], like)


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
