"""Prometheus' web configuration."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.model.errors import ConfigError
from eldonia_ops.protocols.prometheus.web_config import ServerTls, WebConfig, parse_web_config

HASH = "$2y$10$" + "a" * 53


def test_an_empty_file_asks_for_nothing() -> None:
    assert parse_web_config("", "web.yml") == WebConfig()


def test_users_and_certificate() -> None:
    text = f"""
basic_auth_users: {{hana: {HASH}}}
tls_server_config:
  cert_file: cert.pem
  key_file: /etc/key.pem
  client_ca_file: ca.pem
  client_auth_type: RequireAndVerifyClientCert
  min_version: TLS13
"""
    found = parse_web_config(text, "/etc/ops/web.yml")
    assert {name: secret.reveal() for name, secret in found.users.items()} == {"hana": HASH}
    assert HASH not in repr(found)
    assert found.tls == ServerTls("/etc/ops/cert.pem", "/etc/key.pem", "/etc/ops/ca.pem", "required", "TLS13")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("basic_auth_users: {hana: swordfish}", "1:19: error: the password of 'hana' is not a bcrypt hash"),
        (f"basic_auth_users: {{hana: {HASH.replace('$10$', '$31$')}}}", "has a cost above 16"),
        ("tls_server_config: {cert_file: a}", "tls_server_config needs key_file"),
        (
            "tls_server_config: {cert_file: a, key_file: b, client_auth_type: RequireAndVerifyClientCert}",
            "needs client_ca",
        ),
        ("tls_server_config: {cert_file: a, key_file: b, client_auth_type: RequireAnyClientCert}", "cannot be"),
        ("tls_server_config: {cert_file: a, key_file: b, max_version: TLS13}", "max_version"),
        ("http_server_config: {http2: true}", "not supported yet"),
        ("basic_auth: {}", "did you mean 'basic_auth_users'?"),
    ],
)
def test_what_cannot_be_used_is_an_error(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_web_config(text, "web.yml")
    assert said in str(caught.value)
    assert "swordfish" not in str(caught.value)


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    with contextlib.suppress(ConfigError):
        assert isinstance(parse_web_config(text, "web.yml"), WebConfig)
