"""Sends chunks as requests to a server."""

import gzip
import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote, urlsplit

import httpx

from eldonia_ops.pipeline.buffer import Chunk
from eldonia_ops.pipeline.buffer_settings import BufferSettings
from eldonia_ops.pipeline.chunk_keys import Placeholders
from eldonia_ops.pipeline.event import Batch
from eldonia_ops.pipeline.outputs.http import HttpOutput
from eldonia_ops.pipeline_outputs.client import client_of, request
from eldonia_ops.pipeline_outputs.file import formatted
from eldonia_ops.pipeline_outputs.running import OutputError

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class HttpDelivery:
    """Sends for one http output. ``Idempotency-Key`` is the chunk's id, so that a receiver can see it come twice."""

    def __init__(self, output: HttpOutput, settings: BufferSettings) -> None:
        assert output.formatter is not None
        self._output = output
        self._formatter = output.formatter
        self._endpoint = Placeholders(output.endpoint, settings)
        self._expanded = [(name, Placeholders(value, settings)) for name, value in output.headers_from_placeholders]
        self._client: httpx.AsyncClient | None = None

    async def deliver(self, chunk: Chunk, batches: Sequence[Batch]) -> None:
        """Send a chunk; it is written when the server answers with a status of 200 to 299."""
        output = self._output
        content = self._content(batches)
        tag = batches[0].tag if batches else ""
        url = self._endpoint.expand(chunk.key, chunk.id, tag=tag, written=_in_address)
        if "%" in urlsplit(url).netloc.rpartition("@")[2]:
            raise OutputError("a tag or a field in the address is no name of a server", retry=False)
        headers: dict[str, str | bytes] = {
            "Content-Type": output.content_type or self._formatter.content_type,
            "Idempotency-Key": chunk.id,
            **{name: value.reveal() for name, value in output.headers},
            **{name: _header(value.expand(chunk.key, chunk.id, tag=tag)) for name, value in self._expanded},
        }
        if output.compress:
            content = gzip.compress(content, 6, mtime=0)
            headers["Content-Encoding"] = "gzip"
        if self._client is None:
            self._client = client_of(
                output.tls,
                connect=output.open_timeout,
                read=output.read_timeout,
                proxy=output.proxy,
                user=output.user,
                password=output.password,
            )
        answer = await request(self._client, output.method, url, content=content, headers=headers)
        if 200 <= answer.status_code < 300:
            return
        message = f"{url.partition('?')[0]} answered {answer.status_code}: {answer.text[:200]}"
        retry = answer.status_code in output.retryable or not output.errors_are_final
        raise OutputError(message, retry=retry)

    def _content(self, batches: Sequence[Batch]) -> bytes:
        if not self._output.json_array:
            return formatted(self._formatter, batches)
        write = self._formatter.format
        events = (write(batch.tag, event.time_ns, event.record) for batch in batches for event in batch.events)
        return b"[" + b",".join(event.rstrip(b"\n") for event in events) + b"]"

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None


def _in_address(value: str) -> str:
    """A tag or a field in an address: its sender must choose neither the server nor another place there."""
    if value in (".", ".."):
        raise OutputError(f"an address with {value} in the place of a name is not asked", retry=False)
    return quote(value, safe="")


def _header(value: str) -> bytes:
    """A value of a header, in one line: one that cannot be sent would keep all behind it from being sent."""
    return _CONTROL.sub(" ", value).strip().encode("utf-8", "replace")
