"""The catalog of Elasticsearch's API: kept in the state, and in memory for a few seconds."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from eldonia_ops.model.index_catalog import CatalogEntry, EntryKind
from eldonia_ops.ports import StateStore, StateTransaction
from eldonia_ops.protocols.elasticsearch.catalog import MAX_ENTRIES, Catalog, check_stream_operation
from eldonia_ops.protocols.elasticsearch.date_names import resolved_name
from eldonia_ops.protocols.elasticsearch.document_check import MAX_FIELDS
from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError, exists_already, illegal_argument, rejected
from eldonia_ops.protocols.elasticsearch.index_names import check_index_name
from eldonia_ops.protocols.elasticsearch.mappings import fields_of, observed
from eldonia_ops.protocols.elasticsearch.templates import Made, merged

KEPT_MS: Final = 5_000
"""How long another process that writes to the same state may not be noticed."""

MAX_BODY: Final = 4 << 20
MAX_TOTAL: Final = 64 << 20
"""Characters of all entries together: they are in memory, and every sender of documents can declare some."""

_MOST_SEEN: Final = 10_000
_UNKNOWN: Final = (-1, 0, 0)
_encode: Final = msgspec.json.Encoder(order="sorted").encode


class IndexCatalog:
    """What is declared. ``others`` is the name of the index of records that came by other ways."""

    def __init__(self, state: StateStore, now: Callable[[], int], others: str = "logs") -> None:
        self._state = state
        self._now = now
        self.others = others
        self._catalog = Catalog(others)
        self._read_at = -KEPT_MS - 1
        self._stamp = _UNKNOWN
        self._lock = asyncio.Lock()
        self._reading = asyncio.Lock()
        self._seen: set[tuple[str, ...]] = set()

    async def current(self) -> Catalog:
        """The catalog as it is, or was five seconds ago."""
        if not 0 <= self._now() - self._read_at <= KEPT_MS:
            await self._read()
        return self._catalog

    async def put(self, kind: EntryKind, name: str, body: Mapping[str, Any]) -> None:
        """Store an entry, replacing the one of this kind and name.

        Raises:
            ElasticsearchError: there are too many, or it is too large.
        """
        await self.change([(kind, name, body)])

    async def change(
        self,
        stored: Sequence[tuple[EntryKind, str, Mapping[str, Any]]],
        dropped: Sequence[tuple[EntryKind, str]] = (),
    ) -> None:
        """Store and drop entries in one transaction.

        Raises:
            ElasticsearchError: there are too many, or one is too large.
        """
        now = self._now()
        bodies = [(kind, name, _encode(body).decode()) for kind, name, body in stored]
        for kind, name, text in bodies:
            if len(text) > MAX_BODY:
                raise illegal_argument(f"[{name}] is too large to be kept as {kind.value}: at most {MAX_BODY:,} bytes")

        known = self._catalog
        before = sum(len(one.text) for kind, name, _ in bodies if (one := known.get(kind, name)) is not None)
        grown = sum(len(text) for _, _, text in bodies) - before
        if grown > 0 and known.size + grown > MAX_TOTAL:
            raise illegal_argument(f"what is declared has more than {MAX_TOTAL:,} bytes: delete what is not used")

        def work(tx: StateTransaction) -> None:
            for kind, name in dropped:
                tx.index_catalog.delete(kind, name)
            for kind, name, text in bodies:
                old = tx.index_catalog.get(kind, name)
                if old is None and tx.index_catalog.count(kind) >= MAX_ENTRIES:
                    raise illegal_argument(
                        f"there are {MAX_ENTRIES:,} of kind [{kind.value}] already: delete those that are not used"
                    )
                created, version = (old.created_at, old.version + 1) if old is not None else (now, 1)
                tx.index_catalog.put(CatalogEntry(kind, name, text, created, now, version))

        await self._state.write(work)
        self._stamp = _UNKNOWN
        await self._read()

    async def drop(self, kind: EntryKind, name: str) -> bool:
        """Drop an entry; False when there is none."""
        found = await self._state.write(lambda tx: tx.index_catalog.delete(kind, name))
        self._stamp = _UNKNOWN
        await self._read()
        return found

    async def create_index(self, name: str, body: Mapping[str, Any] | None = None) -> None:
        """Create an index with what the request and the templates say.

        Raises:
            ElasticsearchError: it is there already, or cannot be.
        """
        async with self._lock:
            await self._read()
            catalog = self._catalog
            if name in catalog.all(EntryKind.INDEX) or name in catalog.all(EntryKind.DATA_STREAM):
                raise exists_already(f"index [{name}] already exists", name)
            if name in catalog.all(EntryKind.ALIAS):
                reason = "an index or data stream exists with the same name as the alias"
                raise ElasticsearchError(400, "invalid_index_name_exception", f"Invalid index name [{name}], {reason}")
            check_index_name(name)
            made = catalog.made(name)
            if made.data_stream:
                raise illegal_argument(
                    f"cannot create index with name [{name}], because it matches with template [{made.template}] that "
                    "creates data streams only, use create data stream api instead"
                )
            await self.change(self._index_entries(catalog, name, made, body or {}))

    async def create_stream(self, name: str) -> None:
        """Create a data stream.

        Raises:
            ElasticsearchError: it is there already, or no template is for data streams of this name.
        """
        async with self._lock:
            await self._read()
            if name in self._catalog.all(EntryKind.DATA_STREAM):
                raise exists_already(f"data_stream [{name}] already exists")
            check_index_name(name)
            made = self._catalog.made(name)
            if not made.data_stream:
                raise illegal_argument(f"no matching index template found for data stream [{name}]")
            await self.change(self._stream_entries(name, made))

    async def roll_over(self, stream: str) -> tuple[str, str]:
        """Give a data stream another index to write to; the old one's name and the new one's."""
        async with self._lock:
            await self._read()
            body = dict(self._catalog.all(EntryKind.DATA_STREAM)[stream].body)
            generation = int(body["generation"]) + 1
            name = self._backing(stream, generation)
            old = str(body["indices"][-1])
            body |= {"generation": generation, "indices": [*body["indices"], name]}
            made = self._catalog.made(stream)
            index = {"data_stream": stream, "settings": dict(made.settings), "mappings": dict(made.mappings)}
            await self.change([(EntryKind.INDEX, name, index), (EntryKind.DATA_STREAM, stream, body)])
            return old, name

    async def written(
        self, targets: Iterable[tuple[str, str]]
    ) -> tuple[dict[tuple[str, str], str], dict[tuple[str, str], ElasticsearchError]]:
        """The index that each pair of a name and an operation writes to, and why others cannot be written to.

        What is not there is created, as templates say.
        """
        found: dict[tuple[str, str], str] = {}
        faults: dict[tuple[str, str], ElasticsearchError] = {}
        for name, operation in targets:
            try:
                found[name, operation] = await self._written(name, operation)
            except ElasticsearchError as error:
                faults[name, operation] = error
        return found, faults

    async def observe(self, samples: Mapping[tuple[str, ...], Mapping[str, Any]]) -> None:
        """Learn the fields of indices by documents, each under its index and its keys.

        A tuple of keys is looked at once, and again when nothing is known of it for certain: a value was null, or an
        object, which has keys of its own. What is learned is kept when it is new.
        """
        new = {key: sample for key, sample in samples.items() if key not in self._seen}
        if not new:
            return
        if len(self._seen) > _MOST_SEEN:
            self._seen.clear()
        self._seen.update(
            key for key, sample in new.items() if not any(isinstance(v, dict | list | None) for v in sample.values())
        )
        changed: dict[str, dict[str, Any]] = {}
        for (index, *_), sample in new.items():
            declared = (await self.current()).get(EntryKind.INDEX, index)
            if declared is None:
                continue
            body = changed.get(index, dict(declared.body))
            old = body.get("observed") or {}
            found = merged(observed([sample]), old)
            if found != old and sum(1 for _ in fields_of(found)) <= 2 * MAX_FIELDS:
                changed[index] = {**body, "observed": found}
        if changed:
            # Documents are stored, whether or not their fields can be noted.
            with contextlib.suppress(ElasticsearchError):
                await self.change([(EntryKind.INDEX, index, body) for index, body in changed.items()])

    async def _written(self, name: str, operation: str) -> str:
        name = resolved_name(name, self._now())
        catalog = await self.current()
        if index := catalog.write_index(name, operation):
            return index
        check_index_name(name)
        if operation == "delete":
            raise ElasticsearchError(404, "index_not_found_exception", f"no such index [{name}]", {"index": name})
        made = catalog.made(name)
        try:
            if made.data_stream:
                check_stream_operation(operation)
                await self.create_stream(name)
            else:
                await self.create_index(name)
        except ElasticsearchError as error:
            if error.type != "resource_already_exists_exception":  # another request was first
                raise
        if index := (await self.current()).write_index(name, operation):
            return index
        raise rejected(f"the index [{name}] was deleted while it was written to: send it again")

    async def _read(self) -> None:
        # One after another: an older answer must not come behind a newer one.
        async with self._reading:
            await self._read_alone()

    async def _read_alone(self) -> None:
        known = self._stamp

        def work(tx: StateTransaction) -> tuple[tuple[int, int, int], list[CatalogEntry] | None]:
            stamp = tx.index_catalog.stamp()
            return stamp, None if stamp == known else tx.index_catalog.all()

        self._stamp, entries = await self._state.read(work)
        if entries is not None:
            self._catalog = Catalog.of(entries, self.others, self._catalog)
        self._read_at = self._now()

    def _index_entries(
        self, catalog: Catalog, name: str, made: Made, body: Mapping[str, Any]
    ) -> list[tuple[EntryKind, str, Mapping[str, Any]]]:
        from_body = Made(body.get("settings") or {}, body.get("mappings") or {}, body.get("aliases") or {})
        index = {
            "settings": {**made.settings, **from_body.settings},
            "mappings": {**made.mappings, **from_body.mappings},
        }
        entries: list[tuple[EntryKind, str, Mapping[str, Any]]] = [(EntryKind.INDEX, name, index)]
        for alias, stated in {**made.aliases, **from_body.aliases}.items():
            old = catalog.get(EntryKind.ALIAS, alias)
            members = dict(old.body.get("indices", {})) if old is not None else {}
            entries.append((EntryKind.ALIAS, alias, {"indices": {**members, name: stated or {}}}))
        return entries

    def _stream_entries(self, name: str, made: Made) -> list[tuple[EntryKind, str, Mapping[str, Any]]]:
        backing = self._backing(name, 1)
        index = {"data_stream": name, "settings": dict(made.settings), "mappings": dict(made.mappings)}
        stream = {
            "indices": [backing],
            "generation": 1,
            "template": made.template,
            "data_retention": made.retention,
        }
        return [(EntryKind.INDEX, backing, index), (EntryKind.DATA_STREAM, name, stream)]

    def _backing(self, stream: str, generation: int) -> str:
        day = datetime.fromtimestamp(self._now() / 1000, UTC)
        return f".ds-{stream}-{day:%Y.%m.%d}-{generation:06d}"
