"""HTTP towards the receivers of outputs."""

from collections.abc import Mapping

import httpx

from eldonia_ops.alerting.http_config import Credential, TlsConfig
from eldonia_ops.http_client.credentials import UnresolvedError
from eldonia_ops.http_client.tls import tls_context
from eldonia_ops.model.secret import Secret
from eldonia_ops.pipeline.outputs.tls import OutputTls
from eldonia_ops.pipeline_outputs.running import OutputError

_MOST_ANSWER = 64 << 20


def tls_config(tls: OutputTls) -> TlsConfig:
    """The settings of TLS as the house's context takes them."""
    return TlsConfig(
        ca=Credential(file=tls.ca_file),
        cert=Credential(file=tls.cert_file),
        key=Credential(file=tls.key_file),
        server_name=tls.server_name,
        insecure_skip_verify=not tls.verify,
    )


def client_of(
    tls: OutputTls, *, connect: float, read: float, proxy: str = "", user: str = "", password: Secret | None = None
) -> httpx.AsyncClient:
    """A client for one receiver. Proxies of the environment are not used.

    Raises:
        OutputError: a certificate or key cannot be read.
    """
    try:
        context = tls_context(tls_config(tls), "the receiver")
    except UnresolvedError as error:
        raise OutputError(str(error)) from error
    auth = httpx.BasicAuth(user, password.reveal() if password is not None else "") if user else None
    return httpx.AsyncClient(
        verify=context,
        auth=auth,
        proxy=proxy or None,
        trust_env=False,
        timeout=httpx.Timeout(read, connect=connect),
        follow_redirects=False,
    )


async def request(
    client: httpx.AsyncClient, method: str, url: str, *, content: bytes = b"", headers: Mapping[str, str | bytes]
) -> httpx.Response:
    """One request with its answer.

    Raises:
        OutputError: there is no answer.
    """
    shown = url.partition("?")[0]
    try:
        async with client.stream(method, url, content=content, headers=_sent(headers)) as answer:
            body = bytearray()
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > _MOST_ANSWER:
                    raise OutputError(f"the answer of {shown} is longer than {_MOST_ANSWER >> 20} MiB")
            answer._content = bytes(body)  # what aread() would have set
            return answer
    except httpx.TimeoutException as error:
        raise OutputError(f"{shown} did not answer in time ({type(error).__name__})") from error
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise OutputError(f"{shown} is no valid address", retry=False) from error
    except httpx.HTTPError as error:
        raise OutputError(f"{shown} cannot be reached: {error or type(error).__name__}") from error


def _sent(headers: Mapping[str, str | bytes]) -> list[tuple[bytes, bytes]]:
    return [
        (name.encode("ascii"), value if isinstance(value, bytes) else value.encode()) for name, value in headers.items()
    ]
