"""Certificates from a real ACME server (Pebble, by Let's Encrypt), while the platform runs."""

import contextlib
import json
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import yaml
from local_server import free_port, running_server
from required_tools import requires_module, tool

requires_module("acme")
from eldonia_ops.app.acme.store import CertificateStore  # noqa: E402


@dataclass(frozen=True, slots=True)
class Pebble:
    """An ACME server. It asks for challenges at ``http_port``; ``certificate`` is its own."""

    directory: str
    management: str
    http_port: int
    certificate: Path

    def root(self) -> str:
        """The authority of what it issues."""
        return httpx.get(f"{self.management}/roots/0", verify=False, trust_env=False).text


@pytest.fixture
def pebble(tmp_path: Path) -> Iterator[Pebble]:
    program = tool("pebble")
    own = CertificateStore(tmp_path / "pebble", ("localhost",), "x")
    (tmp_path / "pebble").mkdir()
    certificate = own.stand_in()
    port, management, http_port = free_port(), free_port(), free_port()
    settings = {
        "listenAddress": f"127.0.0.1:{port}",
        "managementListenAddress": f"127.0.0.1:{management}",
        "certificate": str(certificate),
        "privateKey": str(certificate),
        "httpPort": http_port,
        "tlsPort": free_port(),
        "ocspResponderURL": "",
        "externalAccountBindingRequired": False,
    }
    file = tmp_path / "pebble.json"
    file.write_text(json.dumps({"pebble": settings}))
    with running_server(["env", "PEBBLE_VA_NOSLEEP=1", program, "-config", file], port):
        yield Pebble(f"https://localhost:{port}/dir", f"https://127.0.0.1:{management}", http_port, certificate)


@contextlib.contextmanager
def platform(folder: Path, acme: dict[str, object]) -> Iterator[int]:
    """`eldonia-ops serve` with TLS by ACME; the value is its port."""
    port = free_port()
    text = {
        "listen": f"127.0.0.1:{port}",
        "data": "data",
        "host": {"enabled": False},
        "tls": {"acme": {"domains": ["localhost"], "email": "ops@example.com", "http_address": "127.0.0.1", **acme}},
    }
    (folder / "eldonia-ops.yml").write_text(yaml.safe_dump(text))
    with (folder / "serve.log").open("ab") as log:
        command = [sys.executable, "-m", "eldonia_ops", "serve", "--config", str(folder / "eldonia-ops.yml")]
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=dict(os.environ))
    try:
        yield port
    finally:
        process.terminate()
        process.wait(30)


def answered(port: int, root: str | None) -> bool:
    """Whether the platform answers over TLS that is verified by a root; by none: with any certificate."""
    context = ssl.create_default_context(cadata=root)
    if root is None:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        found = httpx.get(f"https://localhost:{port}/-/ready", verify=context, trust_env=False, timeout=5)
    except httpx.HTTPError:
        return False
    return found.status_code == 200


def wait_for(condition, seconds: float = 90) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.2)


def test_a_certificate_is_fetched_used_and_kept(tmp_path: Path, pebble: Pebble) -> None:
    folder = tmp_path / "ops"
    folder.mkdir()
    acme: dict[str, object] = {
        "directory": pebble.directory,
        "http_port": pebble.http_port,
        "directory_ca_file": str(pebble.certificate),
    }
    root = pebble.root()
    with platform(folder, acme) as port:
        wait_for(lambda: answered(port, root))
    files = {one.name: one for one in (folder / "data" / "acme").iterdir()}
    assert {one.stat().st_mode & 0o777 for one in files.values()} == {0o600}
    assert not any("self-signed" in name for name in files)
    (certificate,) = (one for one in files.values() if one.suffix == ".pem")
    first = certificate.read_bytes()
    assert "a certificate for localhost is in use" in (folder / "serve.log").read_text()
    assert "https://127.0.0.1" in (folder / "serve.log").read_text()
    # The next start has it at once, and asks for none.
    with platform(folder, acme) as port:
        wait_for(lambda: answered(port, None))
        assert answered(port, root)
    assert certificate.read_bytes() == first
    assert (folder / "serve.log").read_text().count("a certificate for localhost is in use") == 1
    # One whose time is two thirds over is renewed with the account that there is.
    certificate.unlink()
    account = next(one for name, one in files.items() if name.startswith("account"))
    before = account.read_bytes()
    with platform(folder, acme) as port:
        wait_for(lambda: answered(port, root))
    assert certificate.read_bytes() != first
    assert account.read_bytes() == before


def test_what_the_server_cannot_verify_is_said_and_the_pages_are_there_all_the_same(
    tmp_path: Path, pebble: Pebble
) -> None:
    folder = tmp_path / "ops"
    folder.mkdir()
    acme: dict[str, object] = {
        "directory": pebble.directory,
        "http_port": free_port(),  # not where the server asks
        "directory_ca_file": str(pebble.certificate),
    }
    with platform(folder, acme) as port:
        wait_for(lambda: answered(port, None))
        wait_for(lambda: "could not verify localhost" in (folder / "serve.log").read_text())
        assert answered(port, None)
