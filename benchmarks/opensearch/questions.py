"""Questions about log lines, made at random from a seed."""

# ruff: noqa: E501  a question a line

import random
from collections.abc import Callable
from typing import Any

from benchmarks.opensearch.documents import CITIES, TAGS

Question = dict[str, Any]
SORT: list[Any] = [{"@timestamp": "desc"}, {"request_id.keyword": "asc"}]


class Questions:
    """Makes questions; ``lines`` are documents, of which values are taken."""

    def __init__(self, lines: list[dict[str, Any]], seed: int) -> None:
        self._lines = [line for line in lines if "status" in line]
        self._chance = random.Random(seed)

    def one(self) -> Question:
        """A search: a page of hits in a certain order, or aggregations, with a query."""
        query = self.query(2)
        question: Question = {"query": query, "track_total_hits": True}
        if self._chance.random() < 0.04:
            # Documents that have nested objects: those without are in the bucket of ours, too.
            skus = {"terms": {"field": "items.sku"}, "aggs": {"n": {"sum": {"field": "items.count"}}}}
            nested = {"nested": {"path": "items"}, "aggs": {"skus": skus}}
            return {"query": self._nested(), "track_total_hits": True, "size": 0, "aggs": {"a0": nested}}
        if self._chance.random() < 0.5:
            return question | {"size": 0, "aggs": self.aggregations(2)}
        question |= {"size": self._chance.choice([1, 10, 50]), "from": self._chance.choice([0, 0, 5])}
        sorts: list[list[Any]] = [
            SORT,
            [{"latency_ms": {"order": "desc"}}, *SORT],
            [{"service.keyword": "asc"}, {"status": {"order": "desc", "missing": "_first"}}, *SORT],
            [{"absent": {"order": "asc", "unmapped_type": "long"}}, *SORT],
        ]
        question["sort"] = self._chance.choice(sorts)
        question["_source"] = self._chance.choice([True, ["service", "status"], {"excludes": ["mess*", "*_id"]}, False])
        if self._chance.random() < 0.3:
            question["fields"] = [
                "status",
                {"field": "@timestamp", "format": "epoch_millis"},
                "lat*",
                "client.ip",
                "tags",
            ]
        return question

    def query(self, depth: int) -> Question:
        """A query, with others inside of it up to a depth."""
        makers: list[Callable[[], Question]] = [
            self._match, self._match, self._phrase, self._term, self._terms, self._range, self._time, self._exists,
            self._prefix, self._wildcard, self._regexp, self._lucene, self._simple, self._multi, lambda: {"match_all": {}},
            self._ids, self._nested, self._element, self._present,
        ]  # fmt: skip
        if depth and self._chance.random() < 0.5:
            return self._chance.choice([self._bool, self._bool, self._constant, self._dis_max, self._boosting])(depth)
        return self._chance.choice(makers)()

    def line(self) -> dict[str, Any]:
        """One of the documents."""
        return self._chance.choice(self._lines)

    def of_message(self) -> Question:
        """A query of the message."""
        found = self._chance.choice([self._match, self._phrase])()
        inner = next(iter(found.values())).get("message")
        # Of a phrase with slop ours marks all words between its ends.
        sloppy = isinstance(inner, dict) and "slop" in inner
        return found if inner is not None and not sloppy else {"match": {"message": self._words(1)[0]}}

    def _words(self, count: int, start: int | None = None) -> list[str]:
        words = [word for word in self.line()["message"].split() if word.isascii()]
        start = self._chance.randrange(max(1, len(words) - count)) if start is None else start
        return words[start : start + count]

    def _keyword(self) -> tuple[str, str]:
        name = self._chance.choice(["service", "level", "host", "method", "path", "user_id"])
        return f"{name}.keyword", self.line()[name]

    def _match(self) -> Question:
        if self._chance.random() < 0.3:
            name = self._chance.choice(["service", "level", "method", "status"])
            return {"match": {name: self.line()[name]}}
        options: Question = {"query": " ".join(self._words(self._chance.choice([1, 2, 3])))}
        match self._chance.randrange(3):
            case 0:
                options["operator"] = "and"
            case 1:
                options["minimum_should_match"] = self._chance.choice([2, "75%", "-1", "2<75%"])
            case _:
                pass
        return {"match": {"message": options}}

    def _phrase(self) -> Question:
        words = self._words(self._chance.choice([2, 3]))
        kind = self._chance.choice(["match_phrase", "match_phrase", "match_phrase_prefix", "match_bool_prefix"])
        text = " ".join(words)
        if kind != "match_phrase":
            text = text[: max(1, len(text) - 2)]
        elif self._chance.random() < 0.2:
            return {
                "match_phrase": {
                    "message": self._chance.choice(["接続がタイムアウトしました", "connection reset by peer"])
                }
            }
        if kind == "match_phrase" and self._chance.random() < 0.3:
            turned = " ".join(reversed(words[:2]))
            return {kind: {"message": {"query": turned, "slop": self._chance.choice([1, 2, 3])}}}
        if kind == "match_phrase_prefix":
            return {kind: {"message": {"query": text, "max_expansions": 100_000}}}  # theirs stops after 50 words
        return {kind: {"message": text}}

    def _term(self) -> Question:
        name, value = self._keyword()
        if self._chance.random() < 0.3:
            return {"term": {"status": self.line()["status"]}}
        if self._chance.random() < 0.3:
            return {"term": {name: {"value": value.upper(), "case_insensitive": True}}}
        return {"term": {name: value}}

    def _terms(self) -> Question:
        name, _ = self._keyword()
        return {"terms": {name: [self.line()[name.removesuffix(".keyword")] for _ in range(3)]}}

    def _range(self) -> Question:
        name = self._chance.choice(["status", "latency_ms"])
        low, high = sorted(self.line()[name] for _ in range(2))
        bounds = {self._chance.choice(["gt", "gte"]): low, self._chance.choice(["lt", "lte"]): high}
        if self._chance.random() < 0.3:
            bounds.popitem()
        if self._chance.random() < 0.2:
            return {"range": {"host.keyword": {"gte": "node-10", "lt": "node-3"}}}
        return {"range": {name: bounds}}

    def _time(self) -> Question:
        low, high = sorted(self.line()["@timestamp"] for _ in range(2))
        match self._chance.randrange(4):
            case 0:
                return {"range": {"@timestamp": {"gte": f"{high}||-1h/h", "lte": f"{high}||/h"}}}
            case 1:
                return {"range": {"@timestamp": {"gt": low[:16], "lt": high[:13]}}}
            case 2:
                return {"range": {"@timestamp": {"gte": low[:19], "lte": high[:19], "time_zone": "+01:00"}}}
            case _:
                return {"range": {"@timestamp": {"gte": low, "lt": high}}}

    def _exists(self) -> Question:
        return {"exists": {"field": self._chance.choice(["status", "absent", "message", "trace", "@timestamp"])}}

    def _prefix(self) -> Question:
        name, value = self._keyword()
        return {"prefix": {name: value[: self._chance.randrange(1, len(value))]}}

    def _wildcard(self) -> Question:
        name, value = self._keyword()
        place = self._chance.randrange(len(value))
        pattern = self._chance.choice(
            [f"{value[:place]}*", f"*{value[place:]}", f"{value[:place]}?{value[place + 1 :]}"]
        )
        return {"wildcard": {name: pattern}}

    def _regexp(self) -> Question:
        return self._chance.choice([
            {"regexp": {"host.keyword": "node-[0-3][05]"}},
            {"regexp": {"path.keyword": "/api/v[12]/.*"}},
            {"regexp": {"service.keyword": "c(a|h).*"}},
            {"regexp": {"service.keyword": {"value": "AUTH|cart", "case_insensitive": True}}},
            {"regexp": {"message": "connect.{3}"}},
        ])  # fmt: skip

    def _ids(self) -> Question:
        return {"ids": {"values": [str(self._chance.randrange(len(self._lines))) for _ in range(20)]}}

    def _nested(self) -> Question:
        inner = self._chance.choice([
            {"term": {"items.sku": "A-2"}},
            {"range": {"items.count": {"gte": 5, "lt": 12}}},
            {"bool": {"must": [{"term": {"items.sku": "B-1"}}, {"range": {"items.count": {"gt": 3}}}]}},
        ])  # fmt: skip
        return {"nested": {"path": "items", "query": inner}}

    def _element(self) -> Question:
        """Lists and objects."""
        return self._chance.choice([
            {"term": {"tags.keyword": self._chance.choice(TAGS)}},
            {"terms": {"tags.keyword": ["blue", "canary"]}},
            {"match": {"client.city": "Paulo"}},
            {"match_phrase": {"client.city": "São Paulo"}},
            {"exists": {"field": "tags"}},
            {"exists": {"field": "client.city"}},
            {"term": {"client.city.keyword": self._chance.choice(CITIES)}},
            {"prefix": {"client.ip.keyword": "10.0.3."}},
            {"term": {"ok": self._chance.choice([True, False, "true"])}},
            {"wildcard": {"client.city.keyword": {"value": "*r*i*"}}},
        ])  # fmt: skip

    def _present(self) -> Question:
        """Date math from the present."""
        return {"range": {"@timestamp": self._chance.choice([
            {"gte": "now-50y/y"}, {"lt": "now-40y/M"}, {"gte": "now-30y", "lte": "now+1d/d"}, {"gt": "now+1y"},
        ])}}  # fmt: skip

    def _lucene(self) -> Question:
        one, two, three = self._words(1)[0], self._words(1)[0], self._words(1)[0]
        low, high = sorted(self.line()["status"] for _ in range(2))
        text = self._chance.choice([
            f"{one} {two}", f"{one} AND {two}", f"{one} OR {two} AND {three}", f"+{one} -{two}", f"{one} NOT {two}",
            f"({one} OR {two}) AND level:error", f"status:[{low} TO {high}]", f"status:{{{low} TO *}} AND {one}",
            f"status:>={high}", f"message:{one[:3]}*", f'"{one} {two}" OR service:cart', "host.keyword:node-1?",
            f"_exists_:status && {one}", f"level:(error warn) {one}", f"message:/{one[:3]}.*/ AND {two}",
            f'service.keyword:"cart" || {three}', f"!{one}", f"{one} && !{two}",
        ])  # fmt: skip
        options: Question = {"query": text, "default_field": "message"}
        if self._chance.random() < 0.3:
            options["default_operator"] = "AND"
        return {"query_string": options}

    def _simple(self) -> Question:
        one, two, three = self._words(1)[0], self._words(1)[0], self._words(1)[0]
        text = self._chance.choice([
            f"{one} {two}", f"{one} + {two}", f"{one} | {two}", f"{one} -{two}", f'"{one} {two}" | {three}',
            f"{one[:3]}*", f"({one} | {two}) + {three}", f"{one} + -{two}", f"{one} +", f"({one}",
        ])  # fmt: skip
        options: Question = {"query": text, "fields": ["message"]}
        if self._chance.random() < 0.4:
            options["default_operator"] = "and"
        return {"simple_query_string": options}

    def _multi(self) -> Question:
        kind = self._chance.choice(["best_fields", "most_fields", "cross_fields", "phrase", "phrase_prefix"])
        return {"multi_match": {"query": " ".join(self._words(2)), "fields": ["message^2", "service"], "type": kind}}

    def _bool(self, depth: int) -> Question:
        found: Question = {}
        for key in ("must", "filter", "should", "must_not"):
            if self._chance.random() < 0.5:
                found[key] = [self.query(depth - 1) for _ in range(self._chance.randrange(1, 4))]
        if "should" in found and self._chance.random() < 0.4:
            found["minimum_should_match"] = self._chance.choice([1, 2, "50%"])
        return {"bool": found}

    def _constant(self, depth: int) -> Question:
        return {"constant_score": {"filter": self.query(depth - 1), "boost": 2}}

    def _dis_max(self, depth: int) -> Question:
        return {"dis_max": {"queries": [self.query(depth - 1) for _ in range(2)], "tie_breaker": 0.5}}

    def _boosting(self, depth: int) -> Question:
        positive, negative = self.query(depth - 1), self.query(depth - 1)
        return {"boosting": {"positive": positive, "negative": negative, "negative_boost": 0.5}}

    def aggregations(self, depth: int) -> Question:
        """One to three aggregations, with others inside of those that make buckets."""
        found: Question = {}
        for number in range(self._chance.randrange(1, 4)):
            if depth and self._chance.random() < 0.65:
                one = self._buckets()
                if self._chance.random() < 0.6:
                    one["aggs"] = {**one.get("aggs", {}), **self.aggregations(depth - 1)}
            else:
                one = self._metric()
            found[f"a{number}"] = one
        return found

    def _metric(self) -> Question:
        field = self._chance.choice(["status", "latency_ms", "absent"])
        kind = self._chance.choice(["avg", "min", "max", "sum", "value_count", "stats", "extended_stats"])
        return self._chance.choice([
            {kind: {"field": field}},
            {kind: {"field": "latency_ms", "missing": 3} if kind != "value_count" else {"field": "service.keyword"}},
            {"cardinality": {"field": self._chance.choice(["service.keyword", "level.keyword", "status"])}},
            {"percentiles": {"field": "latency_ms", "percents": [50, 95], "keyed": self._chance.random() < 0.5}},
            {"percentile_ranks": {"field": "latency_ms", "values": [10, 100]}},
            {"max": {"field": "@timestamp"}},
            {"top_hits": {"size": 2, "sort": SORT, "_source": ["service"]}},
        ])  # fmt: skip

    def _buckets(self) -> Question:
        zone = self._chance.choice(["UTC", "Asia/Tokyo", "America/New_York", "+09:00"])
        terms: Question = {
            "field": self._chance.choice(
                [
                    "service.keyword",
                    "level.keyword",
                    "host.keyword",
                    "status",
                    "tags.keyword",
                    "client.city.keyword",
                ]
            )
        }
        match self._chance.randrange(5):
            case 0:
                terms |= {"order": {"_key": self._chance.choice(["asc", "desc"])}, "size": 5}
            case 1:
                terms |= {"size": 100, "min_doc_count": 5}
            case 2:
                terms |= {"size": 50, "order": {"m": "desc"}}
            case 3 if terms["field"] != "status":
                terms |= {"include": "c.*|e.*|node-1.", "exclude": "cart"}
            case _:
                terms |= {"size": 100}
        counted: Question = {"terms": terms}
        if terms.get("order", {}).get("m"):
            counted["aggs"] = {"m": {"max": {"field": "latency_ms"}}}
        return self._chance.choice([
            counted,
            counted,
            {"date_histogram": {"field": "@timestamp", "fixed_interval": self._chance.choice(["30m", "1h", "90m"])}},
            {"date_histogram": {"field": "@timestamp", "calendar_interval": self._chance.choice(["hour", "1d", "month"]), "time_zone": zone, "min_doc_count": self._chance.choice([0, 1])}},
            {"date_histogram": {"field": "@timestamp", "fixed_interval": "2h", "offset": "30m", "format": "yyyy-MM-dd HH:mm", "keyed": True}},
            {"date_histogram": {"field": "@timestamp", "fixed_interval": "1h", "extended_bounds": {"min": "2026-11-27T22:00:00Z", "max": "2026-11-28T08:00:00Z"}}},
            {"histogram": {"field": "latency_ms", "interval": 50, "min_doc_count": 1}},
            {"histogram": {"field": "status", "interval": 100, "offset": 10, "extended_bounds": {"min": 0, "max": 700}}},
            {"range": {"field": "latency_ms", "keyed": self._chance.random() < 0.5, "ranges": [{"to": 10}, {"from": 10, "to": 100.5, "key": "mid"}, {"from": 50}]}},
            {"date_range": {"field": "@timestamp", "ranges": [{"to": "2026-11-28T02:00:00Z"}, {"from": "2026-11-28T01:00:00Z", "to": "2026-11-28T04:00:00Z||/h"}]}},
            {"filter": self.query(0)},
            {"filters": {"filters": {"one": self.query(0), "two": self.query(0)}, "other_bucket": True}},
            {"filters": {"filters": [self.query(0), self.query(0)]}},
            {"missing": {"field": self._chance.choice(["status", "absent", "tags.keyword", "client.city.keyword"])}},
            {"terms": {"field": "client.city.keyword", "missing": "nowhere", "order": [{"_count": "asc"}, {"_key": "asc"}]}},
        ])  # fmt: skip

    def composite(self) -> Question:
        """A composite aggregation, which is only allowed outermost."""
        sources: list[Question] = [
            {"s": {"terms": {"field": "service.keyword", "order": self._chance.choice(["asc", "desc"])}}},
            {"t": {"date_histogram": {"field": "@timestamp", "fixed_interval": "2h"}}},
            {"n": {"histogram": {"field": "status", "interval": 100}}},
            {"l": {"terms": {"field": "level.keyword"}}},
        ]
        some = self._chance.sample(sources, self._chance.randrange(1, 4))
        aggs = {"c": {"composite": {"size": 20, "sources": some}, "aggs": {"m": {"avg": {"field": "latency_ms"}}}}}
        return {"size": 0, "query": self.query(1), "track_total_hits": True, "aggs": aggs}
