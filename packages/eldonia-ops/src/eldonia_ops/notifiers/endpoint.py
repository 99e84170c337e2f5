"""What every HTTP notifier does: resolve a secret, post within a time limit, classify the answer."""

import asyncio
import contextlib
import email.utils
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from eldonia_ops.alerting.receivers import Credential, HttpConfig
from eldonia_ops.ports import Delivery, DeliveryResult

TIMEOUT_SECONDS = 10.0
_MAX_DETAIL = 500
_LEAST_TELLING = 8
_LONGEST_PAUSE_SECONDS = 86_400
_MAX_BODY = 64 * 1024
_MAX_SECRET_FILE = 64 * 1024
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]+")


class UnresolvedError(RuntimeError):
    """A credential that is not there at present; the message says what is missing, never its value."""


def resolve(credential: Credential, what: str) -> str:
    """The secret behind a credential.

    Raises:
        UnresolvedError: it is missing, or its file cannot be read.
    """
    if credential.missing:
        raise UnresolvedError(f"no {what}: {credential.missing}")
    if credential.file:
        try:
            with Path(credential.file).open("rb") as file:
                value = file.read(_MAX_SECRET_FILE).decode().strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            raise UnresolvedError(f"no {what}: cannot read {credential.file}: {reason}") from None
        if not value:
            raise UnresolvedError(f"no {what}: {credential.file} is empty")
        return value
    if not credential.inline:
        raise UnresolvedError(f"no {what} is configured")
    return credential.inline.reveal()


def in_header(secret: str, what: str) -> str:
    """A secret that is about to travel in a header.

    Raises:
        UnresolvedError: no header can hold it; left to the HTTP library, its complaint would quote the secret.
    """
    if _HEADER_VALUE.fullmatch(secret) is None:
        raise UnresolvedError(f"the {what} holds a line break or what is not ASCII: is it the right file?")
    return secret


def shorten(text: str, *secrets: str) -> str:
    """A detail for people: one line, bounded, and without the secrets, nor the telling parts of secret addresses."""
    hidden = {part for secret in secrets if secret for part in _telling_parts(secret)}
    for part in sorted(hidden, key=len, reverse=True):
        text = text.replace(part, "<secret>")
    text = " ".join(text.split())
    return text if len(text) <= _MAX_DETAIL else text[: _MAX_DETAIL - 1] + "…"


def _telling_parts(secret: str) -> list[str]:
    """A secret, and of an address what a far side may quote alone: its path, query and password."""
    parts = [secret]
    if "://" in secret:
        try:
            split = urlsplit(secret)
            parts += [split.path, split.path.rpartition("/")[2], split.query, split.password or ""]
        except ValueError:
            pass  # no address after all
    return [part for part in parts if part == secret or len(part) >= _LEAST_TELLING]


def retry_after_ms(headers: Mapping[str, str]) -> int:
    """``Retry-After`` in ms: seconds, or a date measured against the answer's own ``Date``; 0 for none.

    At most a day, whatever the far side wishes.
    """
    value = headers.get("retry-after", "").strip()
    if value.isdecimal():
        return min(int(value[:10]), _LONGEST_PAUSE_SECONDS) * 1_000
    try:
        wanted = email.utils.parsedate_to_datetime(value)
        sent = email.utils.parsedate_to_datetime(headers.get("date", ""))
        return int(min(max(0.0, (wanted - sent).total_seconds()), _LONGEST_PAUSE_SECONDS) * 1_000)
    except (ValueError, TypeError):
        return 0


class Answer:
    """A response that arrived: ``status``, ``text`` (bounded), ``headers``."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str]) -> None:
        self.status = status
        self.text = text
        self.headers = headers

    @property
    def json(self) -> Any:
        """The body as JSON, or None."""
        try:
            return msgspec.json.decode(self.text)
        except msgspec.DecodeError:
            return None


async def post(
    client: httpx.AsyncClient,
    url: str,
    body: Any,
    *,
    what: str,
    http: HttpConfig,
    timeout_seconds: float = TIMEOUT_SECONDS,
    headers: Mapping[str, str] | None = None,
    secrets: tuple[str, ...] = (),
) -> Answer | Delivery:
    """POST JSON. Returns the answer, or the Delivery that a failure to get one amounts to."""
    if http.unsupported:
        return Delivery(DeliveryResult.REJECTED, f"nothing is sent to {what}: {http.unsupported}")
    try:
        sent = {
            "Content-Type": "application/json",
            "User-Agent": "eldonia-ops",
            "Accept-Encoding": "identity",  # what was not compressed cannot unfold
            **(headers or {}),
        }
        auth: httpx.BasicAuth | None = None
        if http.authorization:
            credential = f"authorization for {what}"
            token = in_header(resolve(http.authorization, credential), credential)
            sent["Authorization"] = f"{http.authorization_type} {token}"
            secrets = (*secrets, token)
        elif http.basic_username:
            password = resolve(http.basic_password, f"password for {what}") if http.basic_password else ""
            auth = httpx.BasicAuth(http.basic_username, password)
            secrets = (*secrets, password)
        proxy = resolve(http.proxy_url, f"proxy for {what}") if http.proxy_url else ""
        secrets = (*secrets, proxy)
        async with (
            asyncio.timeout(timeout_seconds),
            _client_for(http, client, proxy) as used,
            used.stream(
                "POST",
                url,
                content=msgspec.json.encode(body),
                headers=sent,
                auth=auth,
                timeout=timeout_seconds,
                follow_redirects=http.follow_redirects,
            ) as response,
        ):
            content = b""
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > _MAX_BODY:
                    break
            return Answer(response.status_code, content[:_MAX_BODY].decode("utf-8", "replace"), response.headers)
    except UnresolvedError as error:
        return Delivery(DeliveryResult.RETRY, str(error))
    except (httpx.TimeoutException, TimeoutError):
        return Delivery(DeliveryResult.RETRY, f"{what} did not answer within {timeout_seconds:g} s")
    except (ssl.SSLError, OSError) as error:
        # Files of tls_config; what is wrong with a connection comes as an httpx.HTTPError.
        return Delivery(DeliveryResult.RETRY, f"tls_config for {what}: {error.strerror or type(error).__name__}")
    except httpx.TooManyRedirects:
        return Delivery(DeliveryResult.REJECTED, f"{what} redirects without end")
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        return Delivery(DeliveryResult.REJECTED, f"the address of {what} is not valid")
    except httpx.HTTPError as error:
        return Delivery(
            DeliveryResult.RETRY, f"cannot reach {what}: {shorten(str(error) or type(error).__name__, url, *secrets)}"
        )


@contextlib.asynccontextmanager
async def _client_for(http: HttpConfig, shared: httpx.AsyncClient, proxy: str) -> AsyncIterator[httpx.AsyncClient]:
    """The shared client, or one for this request where a proxy or certificates of its own are asked for.

    Certificates are read anew each time, so that renewed ones are taken.
    """
    if not (proxy or http.ca_file or http.cert_file or http.insecure_skip_verify):
        yield shared
        return
    verify = ssl.create_default_context(cafile=http.ca_file or None)
    if http.cert_file:
        verify.load_cert_chain(http.cert_file, http.key_file or None)
    if http.insecure_skip_verify:
        verify.check_hostname = False
        verify.verify_mode = ssl.CERT_NONE
    async with httpx.AsyncClient(verify=verify, proxy=proxy or None, trust_env=False) as own:
        yield own


def classify(answer: Answer, what: str, *secrets: str) -> Delivery:
    """2xx is delivered; 408, 425, 429 and 5xx are worth another try; the rest is rejected."""
    if 200 <= answer.status < 300:
        return Delivery(DeliveryResult.DELIVERED, f"{what} answered {answer.status}")
    detail = f"{what} answered {answer.status}"
    said = shorten(answer.text, *secrets)
    if said:
        detail += f": {said}"
    again = answer.status in (408, 425, 429) or answer.status >= 500
    if again:
        return Delivery(DeliveryResult.RETRY, detail, retry_after_ms(answer.headers))
    return Delivery(DeliveryResult.REJECTED, detail)
