"""TLS of the main listener."""

from pathlib import Path

import pytest

from eldonia_ops.settings import examine_settings


def read(text: str):
    settings, found = examine_settings(text, Path("/etc/eldonia-ops.yml"), {"HOME": "/"})
    return settings, [one.message for one in found]


def test_the_address_follows_from_it() -> None:
    settings, found = read("listen: 0.0.0.0:8443\ntls: {acme: {domains: [ops.example, www.ops.example]}}\n")
    assert found == []
    assert (settings.tls.enabled, settings.address) == (True, "https://ops.example:8443")
    settings, found = read("tls: {cert_file: c.pem, key_file: k.pem}\n")
    assert (found, settings.tls.cert_file, settings.address) == ([], Path("/etc/c.pem"), "https://127.0.0.1:9600")
    settings, _ = read("tls: {cert_file: c.pem, key_file: k.pem}\nexternal_url: https://ops.example/\n")
    assert settings.address == "https://ops.example"
    settings, found = read("tls: {}\n")
    assert (found, settings.tls.enabled, settings.address) == ([], False, "http://127.0.0.1:9600")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tls: {cert_file: c.pem}", "cert_file and key_file belong together"),
        ("tls: {cert_file: c, key_file: k, acme: {domains: [a.b]}}", "tls has both cert_file and acme"),
        ("tls: {acme: {email: a@b}}", "acme names no domains"),
        ("tls: {acme: {domains: ['*.ops.example']}}", "'*.ops.example' is not the name of a host"),
        ("tls: {acme: {domains: [a.b], http_port: 0}}", "http_port must be a whole number, not '0'"),
    ],
)
def test_what_does_not_fit_together(text: str, message: str) -> None:
    _, found = read(text)
    assert found == [message]
