"""Questions that are more than one search: pages, points in time, several at once, documents by their ids, errors."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from benchmarks.opensearch.documents import Document
from benchmarks.opensearch.questions import SORT, Question, Questions
from benchmarks.opensearch.sides import FILTERED, INDEX, Side

_PAGES: Final = 5
_FIELDS: Final = ("service", "latency_ms", "lat*", "client.*", "items.*", "ok", "absent", "tags,status", "@timestamp")


@dataclass(frozen=True, slots=True)
class Operation:
    """A question: what it is called, how it is shown, and how a server is asked it."""

    kind: str
    shown: str
    run: Callable[[Side], Any]


def search(question: Question, kind: str = "_search", name: str = INDEX) -> Operation:
    """One search."""
    shown = f"{name} {json.dumps(question, ensure_ascii=False)}"
    return Operation(kind, shown, lambda side: side.ask("POST", f"/{name}/_search", question))


class Operations:
    """Makes them at random from a seed."""

    def __init__(self, lines: list[Document], seed: int) -> None:
        self._lines = lines
        self._questions = Questions(lines, seed + 1_000)
        self._chance = random.Random(seed)

    def one(self, number: int) -> Operation:
        """The kinds come in turn."""
        kinds = (
            self._count, self._msearch, self._mget, self._document, self._field_caps, self._scroll, self._point,
            self._address, self._highlight, self._alias, self._error, self._metadata,
        )  # fmt: skip
        return kinds[number % len(kinds)]()

    def _count(self) -> Operation:
        body = {"query": self._questions.query(2)}
        return Operation("_count", json.dumps(body), lambda side: side.ask("POST", f"/{INDEX}/_count", body))

    def _msearch(self) -> Operation:
        parts: list[Any] = []
        for _ in range(3):
            parts += ({"index": INDEX}, self._questions.one())
        parts += ({"index": "absent"}, {})
        text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in parts)
        return Operation("_msearch", text, lambda side: side.ask("POST", "/_msearch", text.encode()))

    def _mget(self) -> Operation:
        ids = [str(self._chance.randrange(len(self._lines) + 100)) for _ in range(5)]
        filter = self._chance.choice([True, False, ["service", "client"], {"excludes": ["client.*", "message"]}])
        body: Any = {"docs": [{"_id": id, "_source": filter} for id in ids]}
        return Operation("_mget", json.dumps(body), lambda side: side.ask("POST", f"/{INDEX}/_mget", body))

    def _document(self) -> Operation:
        id = self._chance.randrange(len(self._lines) + 500)
        path = self._chance.choice([f"_doc/{id}", f"_source/{id}", f"_doc/{id}?_source=false"])
        path = self._chance.choice([path, f"_doc/{id}?_source_includes=client,ser*&_source_excludes=*.ip"])
        return Operation("_doc", path, lambda side: side.ask("GET", f"/{INDEX}/{path}"))

    def _field_caps(self) -> Operation:
        path = f"/{INDEX}/_field_caps?fields={self._chance.choice(_FIELDS)}"
        return Operation("_field_caps", path, lambda side: side.ask("GET", path))

    def _paged(self) -> Question:
        body: Question = {"query": self._questions.query(2), "size": self._chance.choice([20, 100])}
        return body | {"sort": self._chance.choice([SORT, [{"latency_ms": "asc"}, *SORT]]), "_source": ["service"]}

    def _scroll(self) -> Operation:
        body = self._paged()

        def run(side: Side) -> list[Any]:
            pages = [side.ask("POST", f"/{INDEX}/_search?scroll=1m", body)]
            while len(pages) < _PAGES and pages[-1].get("hits", {}).get("hits"):
                following = {"scroll": "1m", "scroll_id": pages[-1]["_scroll_id"]}
                pages.append(side.ask("POST", "/_search/scroll", following))
            if "_scroll_id" in pages[0]:
                side.ask("DELETE", "/_search/scroll", {"scroll_id": [pages[-1]["_scroll_id"]]})
            return pages

        return Operation("scroll", json.dumps(body), run)

    def _point(self) -> Operation:
        body = {**self._paged(), "track_total_hits": self._chance.choice([True, False])}

        def run(side: Side) -> list[Any]:
            id = side.ask("POST", f"/{INDEX}/_search/point_in_time?keep_alive=1m")["pit_id"]
            pages: list[Any] = []
            after: list[Any] = []
            while len(pages) < _PAGES:
                own = {**body, "pit": {"id": id, "keep_alive": "1m"}, **({"search_after": after} if after else {})}
                pages.append(side.ask("POST", "/_search", own))
                if not (hits := pages[-1].get("hits", {}).get("hits")):
                    break
                # What orders equals in a point in time is each server's own.
                after = hits[-1]["sort"]
                for hit in hits:
                    hit["sort"] = hit["sort"][: len(body["sort"])]
            side.ask("DELETE", "/_search/point_in_time", {"pit_id": [id]})
            return pages

        return Operation("search_after with a point in time", json.dumps(body), run)

    def _address(self) -> Operation:
        line = self._questions.line()
        text = self._chance.choice([
            f"level:{line['level']}", f"message:{line['message'].split()[0]} AND ok:true", "client.city:東京",
            f'service.keyword:"{line["service"]}"', "status:>=500 OR tags:canary", "NOT _exists_:status",
        ])  # fmt: skip
        more = self._chance.choice(["", "&_source=false", "&_source_includes=level,client", "&track_total_hits=true"])
        path = f"q={quote(text)}&size=7&sort=@timestamp:desc,request_id.keyword{more}"
        return Operation("q=", path, lambda side: side.ask("GET", f"/{INDEX}/_search?{path}"))

    def _highlight(self) -> Operation:
        options: Question = {"number_of_fragments": 0}
        if self._chance.random() < 0.5:
            options |= {"pre_tags": ["<b>"], "post_tags": ["</b>"]}
        wanted = {"fields": {"message": options}}
        query = self._questions.of_message()
        return search({"query": query, "size": 20, "sort": SORT, "_source": False, "highlight": wanted}, "highlight")

    def _alias(self) -> Operation:
        question = self._questions.one()
        if self._chance.random() < 0.3:
            body = {"query": question["query"]}
            return Operation(
                "alias with a filter", f"_count {body}", lambda side: side.ask("POST", f"/{FILTERED}/_count", body)
            )
        return search(question, "alias with a filter", FILTERED)

    def _error(self) -> Operation:
        method, path, body = self._chance.choice(_BAD)
        return Operation("errors", f"{method} {path} {body}", lambda side: side.ask(method, path, body))

    def _metadata(self) -> Operation:
        path = self._chance.choice([
            f"/{INDEX}/_mapping/field/latency_ms", f"/{INDEX}/_mapping/field/service", f"/{INDEX}/_alias/{FILTERED}",
            f"/_alias/{FILTERED}", f"/{INDEX}/_validate/query?q=level:error", "/absent/_mapping", "/_alias/absent",
        ])  # fmt: skip
        return Operation("mappings and aliases", path, lambda side: side.ask("GET", path))


_SEARCH: Final = f"/{INDEX}/_search"
_BAD: Final[tuple[tuple[str, str, Any], ...]] = (
    ("POST", _SEARCH, {"query": {"nothing": {"a": 1}}}),
    ("POST", _SEARCH, {"query": {"match": {"a": "x", "b": "y"}}}),
    ("POST", _SEARCH, {"query": {"match_all": {}, "term": {"a": 1}}}),
    ("POST", _SEARCH, {"query": {"range": {"@timestamp": {"gte": "yesterday"}}}}),
    ("POST", _SEARCH, {"query": {"range": {"@timestamp": {"above": 5}}}}),
    ("POST", _SEARCH, {"query": {"query_string": {"query": "(level:error"}}}),
    ("POST", _SEARCH, {"query": {"query_string": {"query": "message:[a TO"}}}),
    ("POST", _SEARCH, {"query": {"bool": {"must": {"terms": {"a": 5}}}}}),
    ("POST", _SEARCH, {"query": {"bool": {"maybe": []}}}),
    ("POST", _SEARCH, {"query": {"nested": {"path": "items"}}}),
    ("POST", _SEARCH, {"query": {"match": {"status": {"query": "x y", "operator": "xor"}}}}),
    ("POST", _SEARCH, {"from": 9_000, "size": 2_000}),
    ("POST", _SEARCH, {"size": -5}),
    ("POST", _SEARCH, {"sort": [{"@timestamp": {"order": "sideways"}}]}),
    ("POST", _SEARCH, {"unknown_key": 5}),
    ("POST", _SEARCH, {"search_after": [5], "size": 1}),
    ("POST", _SEARCH, {"aggs": {"a": {"nothing": {"field": "x"}}}}),
    ("POST", _SEARCH, {"aggs": {"a": {}}}),
    ("POST", _SEARCH, {"aggs": {"a": {"date_histogram": {"field": "@timestamp"}}}}),
    ("POST", _SEARCH, {"aggs": {"a": {"date_histogram": {"field": "@timestamp", "calendar_interval": "2d"}}}}),
    ("POST", _SEARCH, {"aggs": {"a": {"histogram": {"field": "latency_ms", "interval": 0}}}}),
    ("POST", _SEARCH, {"aggs": {"a": {"terms": {"field": "service.keyword", "size": 0}}}}),
    ("POST", _SEARCH, {"aggs": {"a": {"terms": {"field": "service.keyword", "order": {"absent": "asc"}}}}}),
    ("POST", _SEARCH, {"aggs": {"a": {"filters": {}}}}),
    ("POST", _SEARCH, {"aggs": {"a": {"percentiles": {"field": "latency_ms", "percents": [500]}}}}),
    ("POST", _SEARCH, b'{"query": {'),
    ("POST", _SEARCH, b"[]"),
    ("POST", "/absent/_search", {}),
    ("POST", "/absent/_count", {}),
    ("POST", "/absent,compare/_search?ignore_unavailable=true", {"size": 0, "track_total_hits": True}),
    ("POST", "/absent-*/_search", {"size": 0}),
    ("POST", "/absent-*/_search?allow_no_indices=false", {"size": 0}),
    ("POST", f"/{INDEX}/_count", {"size": 5}),
    ("POST", "/_search/scroll", {"scroll_id": "abc"}),
    ("POST", "/_search/scroll", {}),
    ("POST", f"/{INDEX}/_search?scroll=1m", {"from": 5}),
    ("POST", f"/{INDEX}/_search?scroll=abc", {}),
    ("POST", f"/{INDEX}/_search/point_in_time", None),
    ("GET", "/absent/_doc/1", None),
    ("GET", f"/{INDEX}/_doc/absent", None),
    ("GET", f"/{INDEX}/_source/absent", None),
    ("POST", f"/{INDEX}/_mget", {"docs": []}),
    ("POST", f"/{INDEX}/_update/absent", {"doc": {"a": 1}}),
    ("POST", f"/{INDEX}/_update/1", {"a": 1}),
    ("PUT", f"/{INDEX}/_create/1", {"a": 1}),
    ("DELETE", f"/{INDEX}/_doc/absent", None),
    ("PUT", f"/{INDEX}", {}),
    ("PUT", "/Upper", {}),
    ("PUT", "/_under", {}),
    ("POST", "/_bulk", b'{"index":{"_index":"compare","_id":"x"}}\n{"a":1}'),
    ("POST", "/_bulk", b'{"insert":{}}\n{"a":1}\n'),
    ("POST", "/_bulk", b""),
    ("POST", f"/{INDEX}/_doc/x", b'{"a": '),
    ("GET", f"/{INDEX}/_field_caps", None),
    ("GET", f"/{INDEX}/_nothing", None),
    ("PATCH", f"/{INDEX}", None),
    ("GET", "/_index_template/absent", None),
    ("DELETE", "/_index_template/absent", None),
    ("GET", "/_ingest/pipeline/absent", None),
    ("POST", "/_aliases", {"actions": [{"remove": {"index": INDEX, "alias": "absent"}}]}),
    ("POST", "/_aliases", {"actions": []}),
    ("POST", "/_aliases", {"actions": [{"add": {"index": "absent", "alias": "a"}}]}),
)
"""Requests that are refused, or that change nothing."""
