"""One order of a certificate, with its challenges. Everything here blocks: it runs on a thread of its own."""

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import requests
from acme import challenges, client, crypto_util, errors, messages
from cryptography.hazmat.primitives.asymmetric import rsa
from josepy.errors import Error as JoseError
from josepy.jwk import JWKRSA

from eldonia_ops import __version__
from eldonia_ops.app.acme.store import CertificateStore, key_pem, new_key
from eldonia_ops.settings.tls import AcmeSettings

_SECONDS: Final = 120
_PATH: Final = "/.well-known/acme-challenge/"


class OrderError(RuntimeError):
    """There is no certificate; the message says why, in a sentence."""


def order(settings: AcmeSettings, store: CertificateStore) -> None:
    """Fetch a certificate and keep it.

    Raises:
        OrderError: the server refused, could not be reached, or could not reach us.
    """
    try:
        acme = _client(settings, store)
        key = key_pem(new_key())
        # The library's own types say less than it gives.
        found: Any = acme.new_order(crypto_util.make_csr(key, list(settings.domains)))
        answers: dict[str, str] = {}
        asked: list[tuple[Any, Any]] = []
        for authorization in found.authorizations:
            if authorization.body.status == messages.STATUS_VALID:
                continue  # of an order before
            chosen = next(one for one in authorization.body.challenges if isinstance(one.chall, challenges.HTTP01))
            response, validation = chosen.response_and_validation(acme.net.key)
            answers[chosen.chall.path] = validation
            asked.append((chosen, response))
        with _answering(settings, answers):
            for chosen, response in asked:
                acme.answer_challenge(chosen, response)
            done = acme.poll_and_finalize(found, datetime.now() + timedelta(seconds=_SECONDS))
    except StopIteration:
        raise OrderError(f"{settings.directory} offers no HTTP-01") from None
    except errors.ValidationError as error:
        raise OrderError(_refused(error)) from None
    except (errors.Error, messages.Error, requests.RequestException, ValueError) as error:
        raise OrderError(f"{settings.directory}: {str(error)[:300] or type(error).__name__}") from None
    store.put(key, done.fullchain_pem.encode())


def _client(settings: AcmeSettings, store: CertificateStore) -> client.ClientV2:
    """A client with the account that is kept, or with a new one."""
    kept = _account(store)
    key = kept[0] if kept else JWKRSA(key=rsa.generate_private_key(public_exponent=65_537, key_size=2048))
    trusted: Any = str(settings.directory_ca_file) if settings.directory_ca_file else True
    network = client.ClientNetwork(key, user_agent=f"eldonia-ops/{__version__}", timeout=30)
    network.session.verify = trusted
    network.verify_ssl = trusted
    directory = client.ClientV2.get_directory(settings.directory, network)
    acme = client.ClientV2(directory, network)
    if kept:
        network.account = kept[1]
        return acme
    wanted = messages.NewRegistration.from_data(email=settings.email or None, terms_of_service_agreed=True)
    account = acme.new_account(wanted)
    store.put_account(json.dumps({"key": json.loads(key.json_dumps()), "uri": account.uri}))
    return acme


def _account(store: CertificateStore) -> tuple[Any, Any] | None:
    try:
        kept = json.loads(store.account.read_text())
        key = JWKRSA.from_json(kept["key"])
        return key, messages.RegistrationResource(body=messages.Registration(), uri=kept["uri"])
    except (OSError, ValueError, KeyError, JoseError):
        return None


def _refused(error: errors.ValidationError) -> str:
    """What the server says of each name."""
    parts: list[str] = []
    failed: Any = error.failed_authzrs
    for authorization in failed:
        name = authorization.body.identifier.value
        details = [str(one.error.detail) for one in authorization.body.challenges if one.error]
        parts.append(f"{name}: {'; '.join(details) or 'refused'}")
    return "the server could not verify " + ", ".join(parts)[:500]


@contextlib.contextmanager
def _answering(settings: AcmeSettings, answers: Mapping[str, str]) -> Iterator[None]:
    """A server that answers challenges and nothing else, until the context is left.

    Raises:
        OrderError: the port is taken.
    """

    class Challenges(BaseHTTPRequestHandler):
        timeout = 10
        server_version, sys_version = "eldonia-ops", ""

        def do_GET(self) -> None:
            answer = answers.get(self.path, "").encode()
            self.send_response(200 if answer else 404)
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            """Requests are not logged: the server's own answer says what it saw."""

    try:
        server = ThreadingHTTPServer((settings.http_address, settings.http_port), Challenges)
    except OSError as error:
        where = f"{settings.http_address or 'every address'}, port {settings.http_port}"
        raise OrderError(f"challenges cannot be answered at {where}: {error.strerror}") from None
    thread = threading.Thread(target=server.serve_forever, name="acme challenges", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
