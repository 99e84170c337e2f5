"""Which listeners the settings open, and what is refused."""

from pathlib import Path

import jsonschema
import pytest
import yaml

from eldonia_ops.intake import HttpListener, StreamListener
from eldonia_ops.intake.registry import built_in
from eldonia_ops.settings import ListenerSettings, Settings, parse_settings
from eldonia_ops.settings.listen import Listen
from eldonia_ops.settings.listeners import DIALECTS, conflicts, usual_listeners
from eldonia_ops.settings.load import examine_settings
from eldonia_ops.settings.schema import settings_schema
from eldonia_ops.settings.show import effective_settings

DOCUMENT = Path(__file__).parents[5] / "docs" / "configuration.md"
FILE = Path("/srv/eldonia-ops.yml")


def settings(text: str) -> Settings:
    return parse_settings(text, FILE, {"HOME": "/home/hana"})


def faults(text: str) -> list[str]:
    return [f"{one.line}: {one.message}" for one in examine_settings(text, FILE, {"HOME": "/home/hana"})[1]]


def test_none_is_open_unless_it_is_named() -> None:
    assert settings("").listeners == {}
    assert settings("listeners: {}").listeners == {}


def test_each_has_its_usual_port() -> None:
    names = ", ".join(f"{name}: {{}}" for name in DIALECTS)
    found = settings(f"listeners: {{{names}, otlp_http: {{}}}}").listeners
    assert {name: one.port for name, one in found.items()} == {
        "prometheus": 9090,
        "alertmanager": 9093,
        "jaeger": 16686,
        "otlp_http": 4318,
    }
    assert usual_listeners()["syslog"] == 514
    assert {one.address for one in found.values()} == {"127.0.0.1"}
    assert {one.anonymous for one in found.values()} == {"none"}


def test_everything_can_be_said_and_is_shown_again() -> None:
    text = (
        "listeners:\n  prometheus: {address: '::1', port: 0, anonymous: viewer}\n"
        "  otlp_http: {address: ops.example, tls: {cert_file: a.crt, key_file: a.key, client_ca_file: ca.crt}}\n"
    )
    found = settings(text)
    assert found.listeners["prometheus"] == ListenerSettings(0, "::1", "viewer")
    assert found.listeners["otlp_http"].key_file == Path("/srv/a.key")
    assert settings(effective_settings(found)).listeners == found.listeners
    jsonschema.validate(yaml.safe_load(text), settings_schema())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        # Protocols without a codec have no name.
        ("{elasticsearch: {}}", "unknown key 'elasticsearch' in listeners"),
        ("{prometheus: {prot: 1}}", "unknown key 'prot' in prometheus"),
        ("{prometheus: }", "prometheus is empty"),
        ("{prometheus: 9090}", "prometheus must be a mapping, not"),
        ("[prometheus]", "listeners must be a mapping, not"),
        ("{prometheus: {port: 65536}}", "port can be at most 65535"),
        ("{prometheus: {address: '127.0.0.1:9090'}}", "address is neither a host name nor an IP address"),
        ("{prometheus: {address: '1.2.3'}}", "address is neither a host name nor an IP address"),
        ("{prometheus: {address: '[::1]'}}", "address is neither a host name nor an IP address"),
        # What changes something is not given away.
        ("{alertmanager: {anonymous: responder}}", "anonymous cannot be"),
        ("{alertmanager: {anonymous: admin}}", "anonymous cannot be"),
        ("{alertmanager: {address: 0.0.0.0, anonymous: viewer}}", "requests without a token are let in on a loopback"),
        ("{alertmanager: {address: ops.example, anonymous: ingest}}", "requests without a token are let in on a"),
        # A protocol that cannot carry a token.
        ("{syslog: {}}", "syslog has no tokens: nothing could be sent to it"),
        ("{syslog: {anonymous: viewer}}", "syslog has no tokens: nothing could be sent to it"),
        ("{syslog: {address: 0.0.0.0}}", "syslog has no tokens: everybody could send to 0.0.0.0"),
        ("{syslog: {address: '::', tls: {cert_file: a, key_file: b}}}", "syslog has no tokens: everybody could send"),
        ("{forward: {}}", "forward has no tokens: nothing could be sent to it"),
        ("{forward: {address: 0.0.0.0}}", "forward has no tokens: everybody could send to 0.0.0.0"),
        ("{forward: {anonymous: ingest, users: [{username: a, password: b}]}}", "users need a shared_key"),
        ("{forward: {shared_key: a, users: [{username: a}]}}", "users[0] needs password"),
        ("{jaeger: {shared_key: a}}", "jaeger has no shared_key"),
        ("{syslog: {anonymous: ingest, shared_key: a}}", "syslog has no shared_key"),
        ("{jaeger: {udp_from: [10.0.0.0/8]}}", "jaeger takes no datagrams"),
        ("{jaeger: {port: 9090}, prometheus: {}}", "jaeger has the address of prometheus"),
        ("{jaeger: {port: 1, address: localhost}, prometheus: {port: 1}}", "jaeger has the address of prometheus"),
        ("{jaeger: {port: 1, address: 0.0.0.0}, prometheus: {port: 1}}", "jaeger has the address of prometheus"),
        ("{jaeger: {port: 9600}}", "jaeger has the address of listen"),
        ("{jaeger: {tls: {cert_file: a}}}", "cert_file and key_file belong together"),
        ("{jaeger: {tls: {client_ca_file: a}}}", "client_ca_file needs cert_file and key_file"),
    ],
)
def test_what_is_wrong_is_named_at_its_line(text: str, said: str) -> None:
    (found,) = faults(f"language: en\nlisteners: {text}\n")
    assert found.startswith("2: ")
    assert said in found


def test_a_protocol_without_tokens_may_ask_for_certificates_instead() -> None:
    text = "{syslog: {address: 0.0.0.0, tls: {cert_file: a, key_file: b, client_ca_file: c}}}"
    assert faults(f"listeners: {text}\n") == []
    assert faults("listeners: {syslog: {anonymous: ingest}}\n") == []


def test_the_key_of_forward_opens_it_anywhere_and_is_never_shown() -> None:
    text = (
        "listeners: {forward: {address: 0.0.0.0, shared_key: sesame, users: [{username: web-1, password: swordfish}]}}"
    )
    assert faults(text) == []
    found = settings(text).listeners["forward"]
    assert (found.port, found.shared_key.reveal()) == (24224, "sesame")
    assert [(one.username, one.password.reveal()) for one in found.users] == [("web-1", "swordfish")]
    shown = effective_settings(settings(text))
    assert "web-1" in shown
    assert "sesame" not in shown + repr(found)
    assert "swordfish" not in shown + repr(found)
    jsonschema.validate(yaml.safe_load(text), settings_schema())


def test_equal_ports_of_different_addresses_and_free_ports_are_no_conflict() -> None:
    text = (
        "{jaeger: {port: 1, address: 127.0.0.2}, prometheus: {port: 1}, otlp_http: {port: 0}, alertmanager: {port: 0}}"
    )
    assert faults(f"listeners: {text}\n") == []
    assert list(conflicts({"jaeger": ListenerSettings(9600)}, Listen("0.0.0.0", 9600))) == [("listen", "jaeger")]


def test_without_listeners_no_intake_is_imported() -> None:
    """A command that reads settings does not load the codecs."""
    import subprocess
    import sys

    code = (
        "import sys, pathlib; from eldonia_ops.settings import parse_settings\n"
        "parse_settings('listeners: {}', None, {'HOME': '/'})\n"
        "print([one for one in sys.modules if one.startswith('eldonia_ops.intake.')])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "['eldonia_ops.intake.registry']"


def test_the_document_names_each_with_its_port() -> None:
    text = DOCUMENT.read_text("utf-8")
    for name, port in usual_listeners().items():
        assert f"| `{name}` | {port} |" in text


def test_no_intake_has_the_name_of_a_dialect_and_no_two_a_port() -> None:
    own = [one for intake in built_in() for one in intake.listeners]
    assert {type(one) for one in own} <= {HttpListener, StreamListener}
    assert not {one.name for one in own} & set(DIALECTS)
    ports = [*DIALECTS.values(), *(one.port for one in own)]
    assert len(set(ports)) == len(ports)
    assert all(intake.dialect in ("", *DIALECTS) for intake in built_in())
