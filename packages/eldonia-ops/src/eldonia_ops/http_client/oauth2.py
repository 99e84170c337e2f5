"""Access tokens by client credentials, kept until they expire.

Protocol: https://datatracker.ietf.org/doc/html/rfc6749#section-4.4. Whether a server wants the credentials as Basic
authentication or in the form is found out by trying, as Alertmanager does.
"""

import asyncio
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, quote_plus

import httpx
import msgspec

from eldonia_ops.alerting.http_config import OAuth2Config
from eldonia_ops.http_client.credentials import UnresolvedError, in_header, resolve, shorten

_EARLY_SECONDS: Final = 10.0
_LONGEST_SECONDS: Final = 365 * 86_400.0
_MAX_ANSWER: Final = 64 * 1024
_IN_HEADER, _IN_FORM = "header", "form"


@dataclass(slots=True)
class _Kept:
    authorization: str = ""
    until: float = 0.0
    style: str = ""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Tokens:
    """The tokens of all receivers, by what they are asked for with."""

    def __init__(self) -> None:
        self._kept: dict[OAuth2Config, _Kept] = {}

    async def authorization(
        self, config: OAuth2Config, client: httpx.AsyncClient, extensions: Mapping[str, Any], what: str
    ) -> str:
        """The value of the Authorization header. Many who ask at once cause one request.

        Raises:
            UnresolvedError: there is no token to be had; the message says why, without any secret.
            httpx.HTTPError: the server that gives them cannot be reached.
        """
        kept = self._kept.setdefault(config, _Kept())
        async with kept.lock:
            if not kept.authorization or time.monotonic() >= kept.until:
                await _fetch(config, kept, client, extensions, what)
            return kept.authorization

    def forget(self, config: OAuth2Config, authorization: str) -> None:
        """A receiver refuses this one: the next is asked for anew."""
        kept = self._kept.get(config)
        if kept is not None and kept.authorization == authorization:
            kept.authorization = ""


async def _fetch(
    config: OAuth2Config, kept: _Kept, client: httpx.AsyncClient, extensions: Mapping[str, Any], what: str
) -> None:
    url = resolve(config.token_url, f"token_url for {what}")
    secret = resolve(config.client_secret, f"client_secret for {what}") if config.client_secret else ""
    problem = ""
    for style in [kept.style] if kept.style else [_IN_HEADER, _IN_FORM]:
        form = {"grant_type": "client_credentials"}
        if config.scopes:
            form["scope"] = " ".join(config.scopes)
        form |= dict(config.endpoint_params)
        auth = None
        if style == _IN_HEADER:
            auth = httpx.BasicAuth(quote_plus(config.client_id), quote_plus(secret))
        else:
            form |= {"client_id": config.client_id, "client_secret": secret}
        headers = {"User-Agent": "eldonia-ops", "Accept-Encoding": "identity", "Accept": "application/json"}
        content = b""
        async with client.stream(
            "POST", url, data=form, headers=headers, auth=auth, extensions=dict(extensions)
        ) as response:
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > _MAX_ANSWER:
                    raise UnresolvedError(f"no token for {what}: the answer is larger than {_MAX_ANSWER} bytes")
        if response.is_success:
            kept.authorization, seconds = _read(content, response.headers.get("content-type", ""), what)
            kept.until = time.monotonic() + seconds - _EARLY_SECONDS
            kept.style = style
            return
        text = content.decode("utf-8", "replace")
        problem = f"{response.status_code} {shorten(text, url, secret, *dict(config.endpoint_params).values())}".strip()
    kept.style = ""
    raise UnresolvedError(f"no token for {what}: the server of token_url answered {problem}")


def _read(content: bytes, kind: str, what: str) -> tuple[str, float]:
    """The value of the Authorization header, and for how many seconds it is good."""
    try:
        if kind.startswith(("application/x-www-form-urlencoded", "text/plain")):
            found: Any = dict(parse_qsl(content.decode("utf-8", "replace")))
        else:
            found = msgspec.json.decode(content)
    except (msgspec.DecodeError, ValueError):
        found = None
    token = found.get("access_token") if isinstance(found, dict) else None
    if not isinstance(token, str) or not token:
        raise UnresolvedError(f"no token for {what}: the answer of the server of token_url holds none")
    kind = str(found.get("token_type") or "Bearer")
    kind = "Bearer" if kind.lower() == "bearer" else kind
    try:
        seconds = float(found.get("expires_in") or _LONGEST_SECONDS)
    except (TypeError, ValueError):
        seconds = 0.0
    value = in_header(f"{kind} {token}", f"token for {what}")
    return value, 0.0 if math.isnan(seconds) else min(seconds, _LONGEST_SECONDS)
