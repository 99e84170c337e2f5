"""Inputs that listen: ``forward``, ``syslog``, ``tcp`` and ``udp``."""

from dataclasses import dataclass, field
from typing import Final

from eldonia_ops.model.secret import Secret
from eldonia_ops.pipeline.inputs.input import Input
from eldonia_ops.pipeline.old_parse import parse_section, read_parser
from eldonia_ops.pipeline.parsers import Parser, parser_of
from eldonia_ops.pipeline.section import Parameter, Place, Section, SectionReader
from eldonia_ops.pipeline.tag_pattern import TagPattern

_TLS: Final = (
    "version", "min_version", "max_version", "ciphers", "insecure", "ca_path", "cert_path", "private_key_path",
    "private_key_passphrase", "client_cert_auth", "ca_cert_path", "ca_private_key_path", "ca_private_key_passphrase",
    "generate_private_key_length", "generate_cert_country", "generate_cert_state", "generate_cert_locality",
    "generate_cert_common_name", "generate_cert_expiration", "generate_cert_digest", "ensure_fips",
    "cert_verifier", "linger_timeout", "receive_buffer_size", "send_keepalive_packet",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTransport:
    """The ``<transport>`` section: ``tcp``, ``udp`` or ``tls``, for which there are the paths of PEM files."""

    protocol: str = "tcp"
    cert_file: str = ""
    key_file: str = ""
    client_ca_file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerInput(Input):
    """An input that listens at ``bind``:``port``."""

    bind: str = "0.0.0.0"  # noqa: S104
    port: int = 0
    transport: ServerTransport = ServerTransport()

    @property
    def summary(self) -> str:
        """What is read."""
        return f"{self.type} at {self.bind}:{self.port} ({self.transport.protocol})"


@dataclass(frozen=True, slots=True)
class ForwardClient:
    """One ``<client>`` of ``<security>``: who comes from ``network`` has this key and is one of ``users``."""

    network: str = ""
    shared_key: Secret = field(default_factory=Secret)
    users: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardInput(ServerInput):
    """``@type forward``. ``tag`` replaces that of the sender, ``add_tag_prefix`` comes before it."""

    type: str = "forward"
    tag: str = ""
    add_tag_prefix: str = ""
    self_hostname: str = ""
    shared_key: Secret = field(default_factory=Secret)
    users: tuple[tuple[str, Secret], ...] = ()
    allow_anonymous_source: bool = True
    clients: tuple[ForwardClient, ...] = ()
    source_address_key: str = ""
    source_hostname_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamInput(ServerInput):
    """``@type tcp`` and ``udp``: texts with a delimiter behind each, or one in each datagram."""

    tag: str = ""
    parser: Parser | None = field(default=None, compare=False)
    delimiter: str = "\n"
    source_address_key: str = ""
    source_hostname_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyslogInput(ServerInput):
    """``@type syslog``: tags are ``tag.facility.severity``."""

    type: str = "syslog"
    tag: str = ""
    parser: Parser | None = field(default=None, compare=False)
    octet_counting: bool = False
    severity_key: str = ""
    facility_key: str = ""
    source_address_key: str = ""
    source_hostname_key: str = ""


def forward_input(reader: SectionReader, id: str, label: str, place: Place) -> ForwardInput:
    """A ``<source>`` of type forward."""
    reader.ignore(
        "backlog", "linger_timeout", "blocking_timeout", "resolve_hostname", "deny_keepalive", "send_keepalive_packet",
        "chunk_size_warn_limit", "chunk_size_limit", "decompression_size_limit", "skip_invalid_event",
    )  # fmt: skip
    tag, prefix = reader.string("tag"), reader.string("add_tag_prefix")
    tags, shown = _tags(f"{prefix}.{tag}" if prefix and tag else tag), tag
    if prefix and not tag:
        tags, shown = TagPattern.of_texts([[f"{prefix}.", None]]), f"{prefix}.**"
    security = _security(reader)
    return ForwardInput(
        id=id,
        label=label,
        place=place,
        bind=reader.string("bind", "0.0.0.0"),  # noqa: S104
        port=reader.integer("port", 24_224, minimum=1),
        transport=server_transport(reader),
        tag=tag,
        add_tag_prefix=prefix,
        source_address_key=reader.string("source_address_key"),
        source_hostname_key=reader.string("source_hostname_key"),
        tags=tags,
        tags_shown=shown or "any tag",
        **security,
    )


def _security(reader: SectionReader) -> dict:
    section = reader.one_section("security")
    if section is None:
        return {}
    inside = SectionReader(section, reader.problems)
    users = tuple(
        (one.string("username", required=True), Secret(one.string("password", required=True)))
        for one in _readers(inside, "user")
    )
    clients = tuple(
        ForwardClient(one.string("network") or one.string("host"), Secret(one.string("shared_key")), one.texts("users"))
        for one in _readers(inside, "client")
    )
    authenticates = inside.boolean("user_auth", False)
    if authenticates and not users:
        inside.problem("user_auth needs a <user> section", "user_auth")
    found = {
        "self_hostname": inside.string("self_hostname", required=True),
        "shared_key": Secret(inside.string("shared_key", required=True)),
        "users": users if authenticates else (),
        "clients": clients,
        "allow_anonymous_source": inside.boolean("allow_anonymous_source", True),
    }
    inside.finish()
    return found


def _readers(reader: SectionReader, name: str) -> list[SectionReader]:
    return [SectionReader(section, reader.problems) for section in reader.sections(name)]


def stream_input(reader: SectionReader, id: str, label: str, place: Place) -> StreamInput:
    """A ``<source>`` of type tcp or udp."""
    kind = reader.section.type
    reader.ignore(
        "message_length_limit", "body_size_limit", "blocking_timeout", "remove_newline", "receive_buffer_size",
        "send_keepalive_packet",
    )  # fmt: skip
    for section in reader.sections("security"):
        reader.problem(f"<{section.name}> of {kind} is not supported", hint="bind to an address that only they reach")
    tag = reader.string("tag", required=True)
    return StreamInput(
        type=kind,
        id=id,
        label=label,
        place=place,
        bind=reader.string("bind", "0.0.0.0"),  # noqa: S104
        port=reader.integer("port", 5_170 if kind == "tcp" else 5_160, minimum=1),
        transport=server_transport(reader, kind),
        tag=tag,
        parser=read_parser(reader, own=("delimiter",)),
        delimiter=reader.string("delimiter", "\n").replace("\\n", "\n").replace("\\0", "\0"),
        source_address_key=reader.string("source_address_key"),
        source_hostname_key=reader.string("source_hostname_key") or reader.string("source_host_key"),
        tags=_tags(tag),
        tags_shown=tag,
    )


def syslog_input(reader: SectionReader, id: str, label: str, place: Place) -> SyslogInput:
    """A ``<source>`` of type syslog."""
    reader.ignore(
        "resolve_hostname", "send_keepalive_packet", "message_length_limit", "blocking_timeout", "delimiter",
        "emit_unmatched_lines",
    )  # fmt: skip
    tag = reader.string("tag", required=True)
    named = reader.string("source_hostname_key")
    if reader.boolean("include_source_host", False):
        named = named or reader.string("source_host_key", "source_host")
    reader.ignore("source_host_key")
    return SyslogInput(
        id=id,
        label=label,
        place=place,
        bind=reader.string("bind", "0.0.0.0"),  # noqa: S104
        port=reader.integer("port", 5_140, minimum=1),
        transport=server_transport(reader, reader.choice("protocol_type", ("udp", "tcp"), "udp")),
        tag=tag,
        parser=_syslog_parser(reader),
        octet_counting=reader.choice("frame_type", ("traditional", "octet_count"), "traditional") == "octet_count",
        severity_key=reader.string("severity_key") or reader.string("priority_key"),
        facility_key=reader.string("facility_key"),
        source_address_key=reader.string("source_address_key"),
        source_hostname_key=named,
        tags=TagPattern.of_texts([[f"{tag}.", None, ".", None]]),
        tags_shown=f"{tag}.FACILITY.SEVERITY",
    )


def _syslog_parser(reader: SectionReader) -> Parser | None:
    """As in Fluentd, messages have their priority unless the section says that they do not."""
    section = parse_section(reader, default="syslog")
    assert section is not None
    parameters = {"with_priority": Parameter("with_priority", "true", section.place), **section.parameters}
    inside = SectionReader(Section("parse", "", parameters, section.sections, section.place), reader.problems)
    if section.type != "syslog":
        inside.ignore("with_priority")
    parser = parser_of(inside)
    if parser is not None:
        inside.finish()
    return parser


def _tags(tag: str) -> TagPattern | None:
    return TagPattern.of_texts([[tag]]) if tag else None


def server_transport(reader: SectionReader, default: str = "tcp") -> ServerTransport:
    """The ``<transport>`` section of a source that listens."""
    section = reader.one_section("transport")
    if section is None:
        return ServerTransport(protocol=default)
    inside = SectionReader(
        Section("transport", "", section.parameters, section.sections, section.place), reader.problems
    )
    inside.ignore(*_TLS)
    protocol = section.argument.strip() or default
    if protocol not in ("tcp", "udp", "tls"):
        inside.problem(f"there is no transport {protocol}", hint="tcp, udp or tls")
    found = ServerTransport(
        protocol=protocol,
        cert_file=inside.string("cert_path"),
        key_file=inside.string("private_key_path"),
        client_ca_file=inside.string("ca_path") if inside.boolean("client_cert_auth", False) else "",
    )
    if protocol == "tls" and not (found.cert_file and found.key_file):
        message = "certificates are not made up here: cert_path and private_key_path are needed"
        inside.problem(message, hint="make them once: openssl req -x509 -newkey rsa:2048 -nodes …")
    inside.finish()
    return found
