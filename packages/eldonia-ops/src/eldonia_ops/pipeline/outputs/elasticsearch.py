"""``@type elasticsearch`` and ``opensearch``, and their data streams: chunks as bulk requests.

The names are those of fluent-plugin-elasticsearch (https://github.com/uken/fluent-plugin-elasticsearch) and
fluent-plugin-opensearch.
"""

from dataclasses import dataclass, field
from typing import Final

from eldonia_ops.model.errors import Level
from eldonia_ops.model.secret import Secret
from eldonia_ops.pipeline.buffer_settings import buffer_of
from eldonia_ops.pipeline.chunk_keys import unknown_placeholders
from eldonia_ops.pipeline.outputs.index_setup import IndexSetup, index_setup, stream_setup
from eldonia_ops.pipeline.outputs.output import Output
from eldonia_ops.pipeline.outputs.tls import PLAIN, OutputTls, read_tls
from eldonia_ops.pipeline.section import SectionReader

# What those plug-ins have for reasons that do not hold here.
_WITHOUT_EFFECT: Final = (
    "reload_connections", "reload_on_failure", "reconnect_on_error", "resurrect_after", "sniffer_class_name",
    "selector_class_name", "reload_after", "http_backend", "http_backend_excon_nonblock", "validate_client_version",
    "prefer_oj_serializer", "verify_es_version_at_startup", "default_elasticsearch_version", "log_es_400_reason",
    "with_transporter_log", "type_name", "suppress_type_name", "content_type", "include_index_in_url", "retry_tag",
    "max_retry_putting_template", "fail_on_putting_template_retry_exceed", "max_retry_get_es_version",
    "fail_on_detecting_es_version_retry_exceed", "unrecoverable_error_types", "suppress_doc_wrap",
    "ignore_exceptions", "exception_backup", "truncate_caches_interval",
    "catch_transport_exception_on_retry", "target_index_affinity", "ssl_version", "ssl_max_version",
    "ssl_min_version", "time_parse_error_tag", "emit_error_for_missing_id", "default_opensearch_version",
    "verify_os_version_at_startup", "max_retry_get_os_version", "target_type_key",
)  # fmt: skip
# What would change what is written, and is not done.
_NOT_DONE: Final = (
    "cloud_id", "cloud_auth", "parent_key", "remove_keys_on_update", "remove_keys_on_update_key", "client_key_pass",
    "endpoint",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ElasticsearchOutput(Output):
    """``urls`` are base addresses without credentials. ``index`` may have placeholders; with ``logstash_format`` the
    index is prefix, separator and the date of each event. ``data_stream``: documents are created in the data stream
    ``index``. ``setup`` is done before the first bulk.
    """

    type: str = "elasticsearch"
    urls: tuple[str, ...] = ("http://localhost:9200",)
    user: str = ""
    password: Secret = field(default_factory=Secret)
    api_key: Secret = field(default_factory=Secret)
    headers: tuple[tuple[str, Secret], ...] = ()
    tls: OutputTls = PLAIN
    request_timeout: float = 5.0
    index: str = "fluentd"
    logstash_format: bool = False
    logstash_prefix: str = "logstash"
    logstash_separator: str = "-"
    logstash_dateformat: str = "%Y.%m.%d"
    utc_index: bool = True
    target_index_key: str = ""
    time_key: str = ""
    time_key_format: str = ""
    time_precision: int = 9
    with_timestamp: bool = False
    exclude_timestamp: bool = False
    include_tag_key: bool = False
    tag_key: str = "tag"
    id_key: str = ""
    routing_key: str = ""
    write_operation: str = "index"
    remove_keys: tuple[str, ...] = ()
    flatten_separator: str = ""
    pipeline: str = ""
    data_stream: bool = False
    setup: IndexSetup = field(default_factory=IndexSetup)
    bulk_bytes: int = 20 << 20
    compress: bool = False

    @property
    def summary(self) -> str:
        """What is written where."""
        index = self.index
        if self.logstash_format:
            index = f"{self.logstash_prefix}{self.logstash_separator}{self.logstash_dateformat}"
        return f"{'data stream' if self.data_stream else 'index'} {index} at {', '.join(self.urls)}"


def elasticsearch_output(reader: SectionReader, id: str) -> ElasticsearchOutput:
    """A ``<match>`` of type elasticsearch, opensearch, or their data streams."""
    kind = reader.section.type
    reader.ignore(*_WITHOUT_EFFECT)
    for name in _NOT_DONE:
        if reader.value(name) not in (None, "", "false", False):
            reader.problem(f"{name} is not supported by this output", name, level=Level.WARNING)
    buffer = buffer_of(reader, keys=("tag",))
    stream = kind.endswith("_data_stream")
    logstash = reader.boolean("logstash_format", False)
    prefix = reader.string("logstash_prefix", reader.string("index_prefix", "logstash"))
    index = reader.string("data_stream_name", required=True) if stream else reader.string("index_name", "fluentd")
    for name, text in (("logstash_prefix", prefix if logstash else ""), ("index_name", "" if logstash else index)):
        for sentence in unknown_placeholders(text, buffer):
            reader.problem(sentence, name)
    if logstash and reader.value("index_name") is not None:
        message = "index_name has no effect: with logstash_format the index is logstash_prefix and the date"
        reader.problem(message, "index_name", level=Level.WARNING)
    operation = reader.choice("write_operation", ("index", "create", "update", "upsert"), "index")
    id_key = reader.string("id_key")
    if operation in ("update", "upsert") and not id_key:
        reader.problem(f"write_operation {operation} needs id_key", "write_operation")
    separator = reader.string("flatten_hashes_separator", "_")
    setup = stream_setup(reader, index, kind) if stream else index_setup(reader, index, prefix if logstash else "")
    if setup.rollover is not None and reader.boolean("enable_ilm", False):
        logstash, index = False, setup.rollover.alias  # the day is in the names behind the alias
    return ElasticsearchOutput(
        id=id,
        type=kind,
        place=reader.section.place,
        buffer=buffer,
        urls=_urls(reader),
        user=reader.string("user"),
        password=Secret(reader.string("password")),
        api_key=Secret(reader.string("api_key")),
        headers=tuple((str(name), Secret(str(value))) for name, value in reader.mapping("custom_headers").items()),
        tls=read_tls(
            reader,
            ca="ca_file",
            cert="client_cert",
            key="client_key",
            verify=reader.boolean("ssl_verify", True),
            password="client_key_pass",  # noqa: S106
        ),
        request_timeout=reader.seconds("request_timeout", 5),
        index=index,
        logstash_format=logstash and not stream,
        logstash_prefix=prefix,
        logstash_separator=reader.string("logstash_prefix_separator", "-"),
        logstash_dateformat=reader.string("logstash_dateformat", "%Y.%m.%d"),
        utc_index=reader.boolean("utc_index", True),
        target_index_key=reader.string("target_index_key"),
        time_key=reader.string("time_key"),
        time_key_format=reader.string("time_key_format"),
        time_precision=min(9, reader.integer("time_precision", 9, minimum=0)),
        with_timestamp=logstash or stream or reader.boolean("include_timestamp", False),
        exclude_timestamp=reader.boolean("time_key_exclude_timestamp", False),
        include_tag_key=reader.boolean("include_tag_key", False),
        tag_key=reader.string("tag_key", "tag"),
        id_key=id_key,
        routing_key=reader.string("routing_key"),
        write_operation="create" if stream else operation,
        remove_keys=reader.texts("remove_keys"),
        flatten_separator=separator if reader.boolean("flatten_hashes", False) else "",
        pipeline=reader.string("pipeline"),
        data_stream=stream,
        setup=setup,
        bulk_bytes=_bulk_bytes(reader),
        compress=reader.string("compression_level", "no_compression") != "no_compression",
    )


def _bulk_bytes(reader: SectionReader) -> int:
    written = reader.string("bulk_message_request_threshold")
    if not written or written.startswith("-"):
        return 20 << 20
    return max(1, reader.size("bulk_message_request_threshold", 20 << 20))


def _urls(reader: SectionReader) -> tuple[str, ...]:
    scheme = reader.choice("scheme", ("http", "https"), "http")
    port = reader.integer("port", 9_200, minimum=1)
    path = reader.string("path").strip("/")
    suffix = f"/{path}" if path else ""
    hosts = reader.texts("hosts") or reader.texts("host", ("localhost",))
    found: list[str] = []
    for host in hosts:
        if "@" in host:
            reader.problem("credentials belong in user and password, not in the address", "hosts")
            host = host.rpartition("@")[2]
        if host.startswith(("http://", "https://")):
            found.append(host.rstrip("/") + suffix)
            continue
        bare = host.strip("[]")
        if bare.count(":") > 1:
            found.append(f"{scheme}://[{bare}]:{port}{suffix}")
        else:
            found.append(f"{scheme}://{host if ':' in host else f'{host}:{port}'}{suffix}")
    return tuple(found)
