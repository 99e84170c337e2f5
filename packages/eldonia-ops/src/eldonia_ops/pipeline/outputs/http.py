"""``@type http``: chunks as requests to a server."""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from eldonia_ops.model.secret import Secret
from eldonia_ops.pipeline.buffer_settings import buffer_of
from eldonia_ops.pipeline.chunk_keys import unknown_placeholders
from eldonia_ops.pipeline.formatters import Formatter, formatter_of
from eldonia_ops.pipeline.outputs.output import Output
from eldonia_ops.pipeline.outputs.tls import PLAIN, OutputTls, read_tls
from eldonia_ops.pipeline.section import Parameter, Section, SectionReader

_RETRYABLE: Final = (429, 502, 503, 504)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOutput(Output):
    """https://docs.fluentd.org/output/http. ``retryable`` are statuses after which a chunk is sent again; other errors
    of the server are for good while ``errors_are_final``. Values of headers are secrets. Timeouts are in seconds."""

    type: str = "http"
    endpoint: str = ""
    method: str = "POST"
    content_type: str = ""
    json_array: bool = False
    headers: tuple[tuple[str, Secret], ...] = ()
    headers_from_placeholders: tuple[tuple[str, str], ...] = ()
    compress: bool = False
    proxy: str = ""
    open_timeout: float = 10.0
    read_timeout: float = 60.0
    tls: OutputTls = PLAIN
    retryable: tuple[int, ...] = _RETRYABLE
    errors_are_final: bool = True
    user: str = ""
    password: Secret = field(default_factory=Secret)
    formatter: Formatter | None = None

    @property
    def summary(self) -> str:
        """What is written where."""
        return f"{self.method} {self.endpoint.partition('?')[0]}"


def http_output(reader: SectionReader, id: str) -> HttpOutput:
    """A ``<match>`` of type http."""
    endpoint = reader.string("endpoint", required=True)
    if endpoint and not endpoint.startswith(("http://", "https://")):
        reader.problem("endpoint must begin with http:// or https://", "endpoint")
    buffer = buffer_of(reader)
    endpoint, user, password = _apart(endpoint)
    for sentence in unknown_placeholders(endpoint, buffer):
        reader.problem(sentence, "endpoint")
    section = reader.one_section("format") or Section("format", "", {}, (), reader.section.place)
    if not section.type:
        parameters = {**section.parameters, "@type": Parameter("@type", "json")}
        section = Section("format", "", parameters, (), section.place)
    inner = SectionReader(section, reader.problems)
    formatter = formatter_of(inner)
    inner.finish()
    json_array = reader.boolean("json_array", False)
    if json_array and section.type != "json":
        reader.problem("json_array needs <format> of type json", "json_array")
    if (auth := reader.one_section("auth")) is not None:
        within = SectionReader(auth, reader.problems)
        if within.choice("method", ("basic",), "basic") == "basic":
            user, password = within.string("username"), Secret(within.string("password"))
        within.finish()
    reader.ignore("tls_version", "tls_ciphers", "ssl_timeout", "reuse_connections", "allowed_hosts")
    retryable = tuple(int(code) for code in reader.texts("retryable_response_codes") if code.isdecimal())
    return HttpOutput(
        id=id,
        place=reader.section.place,
        buffer=buffer,
        endpoint=endpoint,
        method=reader.choice("http_method", ("post", "put"), "post").upper(),
        content_type=reader.string("content_type") or ("application/json" if json_array else ""),
        json_array=json_array,
        headers=tuple((str(name), Secret(str(value))) for name, value in reader.mapping("headers").items()),
        headers_from_placeholders=tuple(
            (str(name), str(value)) for name, value in reader.mapping("headers_from_placeholders").items()
        ),
        compress=reader.choice("compress", ("text", "gzip"), "text") == "gzip",
        proxy=reader.string("proxy"),
        open_timeout=reader.seconds("open_timeout", 10),
        read_timeout=reader.seconds("read_timeout", 60),
        tls=read_tls(
            reader,
            ca="tls_ca_cert_path",
            cert="tls_client_cert_path",
            key="tls_private_key_path",
            verify=reader.choice("tls_verify_mode", ("none", "peer"), "peer") == "peer",
            password="tls_private_key_passphrase",  # noqa: S106
        ),
        retryable=retryable or _RETRYABLE,
        errors_are_final=reader.boolean("error_response_as_unrecoverable", True),
        user=user,
        password=password,
        formatter=formatter,
    )


def _apart(endpoint: str) -> tuple[str, str, Secret]:
    """An address without the name and the password in it, and these: addresses are shown on pages and in the log."""
    scheme, separator, rest = endpoint.partition("://")
    end = next((at for at, char in enumerate(rest) if char in "/?#"), len(rest))
    credentials, at, host = rest[:end].rpartition("@")
    if not at:
        return endpoint, "", Secret()
    user, _, password = credentials.partition(":")
    return f"{scheme}{separator}{host}{rest[end:]}", unquote(user), Secret(unquote(password))
