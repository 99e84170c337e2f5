"""Sends chunks to Elasticsearch or OpenSearch as bulk requests, and looks at what became of each document.

https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
"""

import gzip
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import httpx
import msgspec

from eldonia_ops.pipeline.buffer import Chunk
from eldonia_ops.pipeline.buffer_settings import BufferSettings
from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline.outputs.documents import Document, Documents
from eldonia_ops.pipeline.outputs.elasticsearch import ElasticsearchOutput
from eldonia_ops.pipeline_outputs.client import client_of, request
from eldonia_ops.pipeline_outputs.elasticsearch_errors import item_reason, reason_of
from eldonia_ops.pipeline_outputs.index_setup import prepare_indices
from eldonia_ops.pipeline_outputs.running import OutputError

logger = logging.getLogger(__name__)

_LATER: Final = frozenset((429, 500, 502, 503, 504))
_FINAL: Final = frozenset((400, 405, 406, 411, 414, 415))
_REMEMBERED: Final = 64

_Numbered = tuple[int, str, Event, Document]


class ElasticsearchDelivery:
    """Sends for one output. Documents that were taken, or refused for good, are not sent again with a chunk's rest."""

    def __init__(
        self,
        output: ElasticsearchOutput,
        settings: BufferSettings,
        errors: Callable[[Batch, str], Awaitable[None]],
        now_ms: Callable[[], int],
    ) -> None:
        self._output = output
        self._documents = Documents(output, settings)
        self._errors = errors
        self._now_ms = now_ms
        self._client: httpx.AsyncClient | None = None
        self._url = 0
        self._prepared = False
        self._done: OrderedDict[str, set[int]] = OrderedDict()

    async def deliver(self, chunk: Chunk, batches: Sequence[Batch]) -> None:
        """Send what was not sent before of a chunk."""
        await self._prepare()
        done = self._done.setdefault(chunk.id, set())
        while len(self._done) > _REMEMBERED:
            self._done.popitem(last=False)
        waiting = self._numbered(chunk, batches, done)
        failures: list[str] = []
        while waiting:
            part, size = 0, 0
            while part < len(waiting) and (not part or size + waiting[part][3].size <= self._output.bulk_bytes):
                size += waiting[part][3].size
                part += 1
            failures += await self._send(waiting[:part], done)
            waiting = waiting[part:]
        if failures:
            raise OutputError(f"{len(failures)} documents are to be sent again: {failures[0]}")
        self._done.pop(chunk.id, None)

    def _numbered(self, chunk: Chunk, batches: Sequence[Batch], done: set[int]) -> list[_Numbered]:
        found: list[_Numbered] = []
        number = 0
        for batch in batches:
            for event in batch.events:
                if number not in done:
                    document = self._documents.document(chunk.key, chunk.id, number, batch.tag, event)
                    found.append((number, batch.tag, event, document))
                number += 1
        return found

    async def _send(self, documents: Sequence[_Numbered], done: set[int]) -> list[str]:
        """Send documents in one request, or in more where one is too large; returns why some have to come again."""
        body = b"".join(b"%b\n%b\n" % (one[3].action, one[3].source) for one in documents)
        headers = {"Content-Type": "application/x-ndjson"}
        if self._output.compress:
            body = gzip.compress(body, 3, mtime=0)
            headers["Content-Encoding"] = "gzip"
        path = f"_bulk?pipeline={self._output.pipeline}" if self._output.pipeline else "_bulk"
        answer = await self._request("POST", path, body, headers)
        if answer.status_code == 413:
            if len(documents) == 1:
                await self._refuse([documents[0]], "the document is too large", done)
                return []
            middle = len(documents) // 2
            return await self._send(documents[:middle], done) + await self._send(documents[middle:], done)
        if not 200 <= answer.status_code < 300:
            raise OutputError(
                f"bulk was answered with {answer.status_code}: {reason_of(answer)}",
                retry=answer.status_code not in _FINAL,
            )
        try:
            items = msgspec.json.decode(answer.content)["items"]
            outcomes = [next(iter(item.values())) for item in items]
        except (ValueError, KeyError, TypeError, StopIteration, AttributeError) as error:
            raise OutputError("the answer to bulk cannot be read") from error
        if len(outcomes) != len(documents):
            raise OutputError(f"bulk of {len(documents)} documents was answered for {len(outcomes)}")
        return await self._outcomes(documents, outcomes, done)

    async def _outcomes(self, documents: Sequence[_Numbered], outcomes: Sequence[Any], done: set[int]) -> list[str]:
        later: list[str] = []
        refused: dict[str, list[_Numbered]] = {}
        for document, outcome in zip(documents, outcomes, strict=True):
            status = outcome.get("status", 0)
            # A document of this id exists already: it came before, and its answer was lost.
            if 200 <= status < 300 or (status == 409 and self._output.write_operation == "create"):
                done.add(document[0])
            elif status in _LATER:
                later.append(f"{status} {item_reason(outcome)}")
            else:
                refused.setdefault(f"{status} {item_reason(outcome)}", []).append(document)
        for reason, ones in refused.items():
            await self._refuse(ones, reason, done)
        return later

    async def _refuse(self, documents: Sequence[_Numbered], reason: str, done: set[int]) -> None:
        """Hand documents to ``@ERROR`` that will never be taken."""
        logger.warning("%s refused %d documents: %s", self._output.id, len(documents), reason)
        by_tag: dict[str, list[_Numbered]] = {}
        for document in documents:
            by_tag.setdefault(document[1], []).append(document)
        for tag, ones in by_tag.items():
            await self._errors(Batch(tag, tuple(one[2] for one in ones), self._output.id), reason)
            done.update(one[0] for one in ones)

    async def _prepare(self) -> None:
        if not self._prepared:
            await prepare_indices(self._output.setup, self._request, self._now_ms())
            self._prepared = True

    async def _request(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        output = self._output
        if self._client is None:
            self._client = client_of(
                output.tls,
                connect=output.request_timeout,
                read=output.request_timeout,
                user=output.user,
                password=output.password,
            )
        headers = {**headers, **{name: value.reveal() for name, value in output.headers}}
        if output.api_key:
            headers["Authorization"] = f"ApiKey {output.api_key.reveal()}"
        base = output.urls[self._url % len(output.urls)]
        try:
            return await request(self._client, method, f"{base}/{path}", content=body, headers=headers)
        except OutputError:
            self._url += 1  # another server has its turn at the next attempt
            raise

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None
