"""What every HTTP notifier does: resolve a secret, post within a time limit, classify the answer."""

import asyncio
import contextlib
import email.utils
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import msgspec

from eldonia_ops.alerting.http_config import Credential, HttpConfig, OAuth2Config, ProxyConfig, TlsConfig
from eldonia_ops.http_client.connections import HttpClient
from eldonia_ops.http_client.credentials import UnresolvedError, in_header, resolve, shorten
from eldonia_ops.http_client.exchange import text_of
from eldonia_ops.ports import Delivery, DeliveryResult

TIMEOUT_SECONDS = 10.0
_LONGEST_PAUSE_SECONDS = 86_400
_MAX_BODY = 64 * 1024
_REDIRECTS = (301, 302, 303, 307, 308)


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
    """A response that arrived: ``status``, ``text`` (bounded), ``headers``. ``secrets`` went with the request: an
    unfriendly far side may quote them."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str], secrets: tuple[str, ...] = ()) -> None:
        self.status = status
        self.text = text
        self.headers = headers
        self.secrets = secrets

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
    """POST JSON. Returns the answer, or the Delivery that a failure to get one amounts to.

    ``client`` is a :class:`HttpClient`; with another one, settings that need connections of their own get them
    for this request only.
    """
    if http.unsupported:
        return Delivery(DeliveryResult.REJECTED, f"nothing is sent to {what}: {http.unsupported}")
    request = _Request(url, msgspec.json.encode(body), what, http, timeout_seconds, headers or {}, [url, *secrets])
    try:
        async with asyncio.timeout(timeout_seconds), _client_for(http, client) as used:
            answer = await request.send(used)
            if answer.status == 401 and http.oauth2 and isinstance(used, HttpClient):
                used.tokens.forget(http.oauth2, request.authorization)  # it may have been revoked
                answer = await request.send(used)
            return answer
    except UnresolvedError as error:
        return Delivery(DeliveryResult.RETRY, str(error))
    except (httpx.TimeoutException, TimeoutError):
        return Delivery(DeliveryResult.RETRY, f"{what} did not answer within {timeout_seconds:g} s")
    except OSError as error:
        # Of our own files; what is wrong with a connection comes as an httpx.HTTPError.
        return Delivery(DeliveryResult.RETRY, f"cannot send to {what}: {error.strerror or type(error).__name__}")
    except httpx.TooManyRedirects:
        return Delivery(DeliveryResult.REJECTED, f"{what} redirects without end")
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        return Delivery(DeliveryResult.REJECTED, f"the address of {what} is not valid")
    except httpx.HTTPError as error:
        return Delivery(
            DeliveryResult.RETRY,
            f"cannot reach {what}: {shorten(str(error) or type(error).__name__, *request.secrets)}",
        )


class _Request:
    """One message to a receiver; ``secrets`` grows by what is read for it."""

    def __init__(
        self,
        url: str,
        content: bytes,
        what: str,
        http: HttpConfig,
        timeout_seconds: float,
        headers: Mapping[str, str],
        secrets: list[str],
    ) -> None:
        self.url = url
        self.content = content
        self.what = what
        self.http = http
        self.timeout_seconds = timeout_seconds
        self.headers = headers
        self.secrets = secrets
        self.authorization = ""

    async def send(self, client: httpx.AsyncClient) -> Answer:
        """Send it, with all that ``http_config`` says, and read the answer."""
        http, what = self.http, self.what
        headers = self._headers()
        auth: httpx.BasicAuth | None = None
        extensions: dict[str, Any] = {}
        if http.authorization:
            credential = f"authorization for {what}"
            token = in_header(self._secret(resolve(http.authorization, credential)), credential)
            self.authorization = f"{http.authorization_type} {token}"
        elif http.basic_username or http.basic_username_file:
            username = http.basic_username
            if http.basic_username_file:
                username = resolve(Credential(file=http.basic_username_file), f"username for {what}")
            password = resolve(http.basic_password, f"password for {what}") if http.basic_password else ""
            auth = httpx.BasicAuth(username, self._secret(password))
        if isinstance(client, HttpClient):
            if http.proxy.url:
                self._secret(resolve(http.proxy.url, f"proxy for {what}"))
            if http.oauth2:
                self.authorization = await self._token(client, http.oauth2)
            extensions = await client.extensions(http.tls, http.proxy, what)
        if self.authorization:
            headers = [pair for pair in headers if pair[0].lower() != "authorization"]
            headers.append(("Authorization", self.authorization))
        if auth is None and isinstance(client, HttpClient):
            raw = await client.exchange(self.url, headers, self.content, extensions, _MAX_BODY)
            # A redirect means that the message was not processed: httpx sends it again, and follows.
            if raw is not None and not (http.follow_redirects and raw.status in _REDIRECTS):
                text, received = text_of(raw, _MAX_BODY)
                return Answer(raw.status, text, received, tuple(self.secrets))
        async with client.stream(
            "POST",
            self.url,
            content=self.content,
            headers=headers,
            auth=auth,
            timeout=self.timeout_seconds,
            follow_redirects=http.follow_redirects,
            extensions=extensions,
        ) as response:
            content = b""
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > _MAX_BODY:
                    break
        text = content[:_MAX_BODY].decode("utf-8", "replace")
        return Answer(response.status_code, text, response.headers, tuple(self.secrets))

    def _headers(self) -> list[tuple[str, str]]:
        """Those of every message, and those of ``http_headers``, which take the place of ours and may be repeated."""
        own: list[tuple[str, str]] = []
        for name, value in self.http.headers:
            what = f"header {name} for {self.what}"
            own.append((name, in_header(self._secret(resolve(value, what)), what)))
        taken = {name.lower() for name, _ in own}
        ours = {
            "Content-Type": "application/json",
            "User-Agent": "eldonia-ops",
            "Accept-Encoding": "identity",  # what was not compressed cannot unfold
            **self.headers,
        }
        return [*((name, value) for name, value in ours.items() if name.lower() not in taken), *own]

    async def _token(self, client: HttpClient, oauth2: OAuth2Config) -> str:
        what = f"oauth2 for {self.what}"
        for credential in (oauth2.client_secret, oauth2.token_url, oauth2.proxy.url):
            if credential:
                self._secret(resolve(credential, what))
        extensions = await client.extensions(oauth2.tls, oauth2.proxy, what)
        authorization = await client.tokens.authorization(oauth2, client, extensions, what)
        self._secret(authorization.partition(" ")[2])
        return authorization

    def _secret(self, text: str) -> str:
        self.secrets.append(text)
        return text


@contextlib.asynccontextmanager
async def _client_for(http: HttpConfig, shared: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    is_plain = (http.tls, http.proxy, http.oauth2) == (TlsConfig(), ProxyConfig(), None)
    if is_plain or isinstance(shared, HttpClient):
        yield shared
        return
    async with HttpClient() as own:
        yield own


def classify(answer: Answer, what: str, *secrets: str) -> Delivery:
    """2xx is delivered; 408, 425, 429 and 5xx are worth another try; the rest is rejected."""
    if 200 <= answer.status < 300:
        return Delivery(DeliveryResult.DELIVERED, f"{what} answered {answer.status}")
    detail = f"{what} answered {answer.status}"
    said = shorten(answer.text, *answer.secrets, *secrets)
    if said:
        detail += f": {said}"
    again = answer.status in (408, 425, 429) or answer.status >= 500
    if again:
        return Delivery(DeliveryResult.RETRY, detail, retry_after_ms(answer.headers))
    return Delivery(DeliveryResult.REJECTED, detail)
