"""``@type forward``: to another Fluentd, Fluent Bit, or one of us."""

from dataclasses import dataclass, field

from eldonia_ops.model.secret import Secret
from eldonia_ops.pipeline.buffer_settings import buffer_of
from eldonia_ops.pipeline.outputs.output import Output
from eldonia_ops.pipeline.outputs.tls import OutputTls
from eldonia_ops.pipeline.section import SectionReader
from eldonia_ops.pipeline.server_health import HeartbeatSettings


@dataclass(frozen=True, slots=True)
class ForwardServer:
    """One ``<server>``. A standby gets chunks only when no other server can be reached."""

    host: str
    port: int = 24_224
    name: str = ""
    shared_key: Secret = field(default_factory=Secret)
    username: str = ""
    password: Secret = field(default_factory=Secret)
    standby: bool = False
    weight: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardOutput(Output):
    """https://docs.fluentd.org/output/forward. Timeouts are in seconds. ``ack`` is always asked for when
    ``require_ack``; without it a chunk is done when the connection has taken it."""

    type: str = "forward"
    servers: tuple[ForwardServer, ...] = ()
    tls: OutputTls | None = None
    require_ack: bool = False
    ack_timeout: float = 190.0
    connect_timeout: float = 10.0
    send_timeout: float = 60.0
    recover_wait: float = 10.0
    compress: bool = False
    keepalive: bool = False
    self_hostname: str = ""
    shared_key: Secret = field(default_factory=Secret)
    whole_seconds: bool = False
    heartbeat: HeartbeatSettings = field(default_factory=HeartbeatSettings)

    @property
    def summary(self) -> str:
        """What is written where."""
        return "forward to " + ", ".join(f"{server.host}:{server.port}" for server in self.servers)


def forward_output(reader: SectionReader, id: str) -> ForwardOutput:
    """A ``<match>`` of type forward."""
    buffer = buffer_of(reader, keys=("tag",))
    hostname, shared_key = "", Secret()
    if (security := reader.one_section("security")) is not None:
        within = SectionReader(security, reader.problems)
        hostname, shared_key = within.string("self_hostname"), Secret(within.string("shared_key", required=True))
        within.finish()
    servers: list[ForwardServer] = []
    for section in reader.sections("server"):
        within = SectionReader(section, reader.problems)
        servers.append(
            ForwardServer(
                host=within.string("host", required=True),
                port=within.integer("port", 24_224, minimum=1),
                name=within.string("name"),
                shared_key=Secret(within.string("shared_key")),
                username=within.string("username"),
                password=Secret(within.string("password")),
                standby=within.boolean("standby", False),
                weight=within.integer("weight", 60, minimum=0),
            )
        )
        within.finish()
    if host := reader.string("host"):
        servers.append(ForwardServer(host, reader.integer("port", 24_224, minimum=1)))
    if not servers:
        reader.problem("forward needs a <server> section with a host")
    tls: OutputTls | None = None
    if reader.choice("transport", ("tcp", "tls"), "tcp") == "tls":
        authorities = reader.texts("tls_ca_cert_path") or reader.texts("tls_cert_path")
        if len(authorities) > 1:
            reader.problem("only one file of certificates can be given: put them into one", "tls_cert_path")
        insecure = reader.boolean("tls_insecure_mode", False)
        tls = OutputTls(
            authorities[0] if authorities else "",
            reader.string("tls_client_cert_path"),
            reader.string("tls_client_private_key_path"),
            verify=not insecure,
        )
    reader.ignore(
        "read_interval_msec", "read_length", "expire_dns_cache", "dns_round_robin", "tls_version", "tls_ciphers",
        "ignore_network_errors_at_startup", "verify_connection_at_startup", "send_keepalive_packet",
        "tls_allow_self_signed_cert", "tls_verify_hostname", "keepalive_timeout",
    )  # fmt: skip
    return ForwardOutput(
        id=id,
        place=reader.section.place,
        buffer=buffer,
        servers=tuple(servers),
        tls=tls,
        require_ack=reader.boolean("require_ack_response", False),
        ack_timeout=reader.seconds("ack_response_timeout", 190),
        connect_timeout=reader.seconds("connect_timeout", 10),
        send_timeout=reader.seconds("send_timeout", 60),
        recover_wait=reader.seconds("recover_wait", 10),
        compress=reader.choice("compress", ("text", "gzip"), "text") == "gzip",
        keepalive=reader.boolean("keepalive", False),
        self_hostname=hostname,
        shared_key=shared_key,
        whole_seconds=reader.boolean("time_as_integer", False),
        heartbeat=_heartbeat(reader),
    )


def _heartbeat(reader: SectionReader) -> HeartbeatSettings:
    kind = reader.choice("heartbeat_type", ("transport", "tcp", "udp", "none"), "transport")
    phi = reader.number("phi_threshold", 16, minimum=0)
    return HeartbeatSettings(
        kind="transport" if kind == "tcp" else kind,
        interval_ms=max(100, round(reader.seconds("heartbeat_interval", 1) * 1_000)),
        hard_timeout_ms=round(reader.seconds("hard_timeout", 60) * 1_000),
        phi_threshold=phi if reader.boolean("phi_failure_detector", True) else 0.0,
        recover_wait_ms=round(reader.seconds("recover_wait", 10) * 1_000),
    )
