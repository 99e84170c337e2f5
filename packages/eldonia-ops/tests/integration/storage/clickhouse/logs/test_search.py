"""Searches in SQL find what their definition in Python says, on every engine."""

import json
import random
import time
from typing import Any

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.model.logs import LogError, LogLevel, LogPerformance, LogRecord
from eldonia_ops.ports import LogQuery, LogStore
from eldonia_ops.search import matches, parse_search
from eldonia_ops.storage.clickhouse import ClickhouseTelemetryStore
from eldonia_ops.storage.clickhouse.engines.engine import Engine, Parameter
from eldonia_ops.storage.clickhouse.logs.search import SearchSql, plain_text

# Recent, or retention would take the rows away again.
T0 = (int(time.time()) - 7200) * 1_000_000_000
WORDS = [
    *(
        "timed",
        "out",
        "timeout",
        "GATEWAY",
        "gate",
        "order/123",
        "order",
        "123",
        "10.0.0.1",
        "a_b",
        "x",
        "it's",
        "-",
        "->",
    ),
    *(
        "ユーザーuser1が",
        "ログイン",
        "に失敗",
        "決済処理で",
        "第3回",
        "エラー",
        "déjà",
        "ОПЛАТА",
        "\x00",
        "\\",
        "%",
        "(x)",
    ),
]
NEEDLES = [
    *(
        "timed",
        "TIMEOUT",
        "gateway",
        "gat*",
        "*way",
        "order/1*",
        "order*3",
        "123",
        "10.0.0.1",
        "0.0.1",
        "a_b",
        "a",
        "*",
    ),
    *('"timed out"', '"order 123"', '"out timed"', '"it\'s"', '"->"', r'"\\"', '"%"', '"(x)"', "/^timed/", "/o.t$/"),
    *(
        "ユーザー",
        "user1",
        "USER1が",
        "ログイン",
        "グイ",
        "ン",
        "決済*エラー",
        "第3回",
        "3",
        "エラ*",
        "Déjà",
        "оплата",
        "оплат*",
    ),
]
FIELDS = [
    *("level:error", "level>=warn", "level<info", "level!=debug", "level:info..warn", "level=warn", "level:*"),
    *(
        "user_id:alice",
        "user_id:(alice or bob)",
        "user_id:a*",
        "user_id:*",
        "user_id:/^b/",
        'user_id:"42"',
        "user_id>1",
    ),
    *(
        "service:shop",
        "service:s*p",
        "path:/api/*",
        "path:/health",
        "path:*/orders*",
        "path:/^.api/",
        'path:"/api/a b"',
    ),
    *("status>=500", "status:[200 TO 500]", "status:{200 TO 500}", "status:404..", "status:..404", "status:404"),
    *('status:"404"', "status:4*", "status:*", "user.plan:gold", "user.plan:*", '"user.plan":gold', "tags:*", "tags:x"),
    *(
        "ok:true",
        "note*=part",
        "note:日*",
        "note:\\*",
        "note:a\\*b*",
        "error.name:Timeout*",
        "performance.duration>100",
    ),
    *("performance.duration:[1 TO 100]", "message:timed", "message=timeout", "nope:*", "nope:x", "_exists_:path"),
]


def _record(rng: random.Random, number: int) -> LogRecord:
    metadata: dict[str, Any] = {}
    for name, values in {
        "path": ["/api/orders", "/api/a b", "/health", "/api/", ""],
        "status": [200, 404, 404.0, 500, 503.5, "404", True, None],
        "user": [{"plan": "gold"}, {"plan": "free"}, "x"],
        "user.plan": ["gold", 7],
        "tags": [["x"], []],
        "ok": [True, False, "true"],
        "note": ["a part of it", "日本語", "*", "a*b\nc", "a\\*b"],
    }.items():
        if rng.random() < 0.4:
            metadata[name] = rng.choice(values)
    return LogRecord(
        timestamp_ns=T0 + number,
        message=rng.choice([" ", "", "  ", "。"]).join(rng.choices(WORDS, k=rng.randint(0, 5))),
        level=rng.choice(list(LogLevel)),
        service=rng.choice(["shop", "ship", "stop", ""]),
        user_id=rng.choice(["alice", "bob", "42", ""]),
        request_id=str(number),
        metadata=metadata,
        error=rng.choice([None, LogError("TimeoutError", "x")]),
        performance=rng.choice([None, LogPerformance(duration=rng.choice([0.5, 100, 101]))]),
    )


def _search(rng: random.Random, depth: int = 0) -> str:
    parts: list[str] = []
    for _ in range(rng.randint(1, 3)):
        choice = rng.random()
        if choice < 0.25 and depth < 2:
            part = f"({_search(rng, depth + 1)})"
        else:
            part = rng.choice(NEEDLES if choice < 0.65 else FIELDS)
        parts.append(f"{rng.choice(['-', 'not ', '!']) if rng.random() < 0.3 else ''}{part}")
    return rng.choice([" ", " and ", " or "]).join(parts)


async def test_searches_find_what_they_mean(store: LogStore, engine_name: str) -> None:
    rng = random.Random(9)
    records = [_record(rng, number) for number in range(400)]
    await store.insert_logs(records)
    # The SQL is the same on all engines: what differs is how its parameters travel.
    each = [*NEEDLES, *FIELDS]
    searches = [*each, *[_search(rng) for _ in range(100)]] if engine_name == "chdb" else each[::4]
    some = 0
    for text in searches:
        tree = parse_search(text)
        page = await store.search_logs(LogQuery(T0, T0 + 10**9, search=tree, limit=1_000))
        expected = {record.request_id for record in records if matches(tree, record)}
        assert {record.request_id for record in page.records} == expected, text
        some += 0 < len(expected) < len(records)
    assert some > len(searches) / 2
    tree = parse_search("level>=warn gateway")
    histogram = await store.log_histogram(LogQuery(T0, T0 + 10**9, search=tree), 1)
    assert histogram.total == sum(matches(tree, record) for record in records)


async def test_plain_text_conditions_and_searches_are_joined(store: LogStore) -> None:
    records = [
        LogRecord(timestamp_ns=T0 + n, message=f"order {n} timed out", user_id=("alice", "bob")[n % 2])
        for n in range(4)
    ]
    await store.insert_logs(records)
    query = LogQuery(T0, T0 + 10**9, search=parse_search("order -3"), text="out: timed", user_id="bob")
    assert [record.message for record in (await store.search_logs(query)).records] == ["order 1 timed out"]


async def test_the_oldest_come_first_when_asked_for(store: LogStore) -> None:
    await store.insert_logs([LogRecord(timestamp_ns=T0 + n // 2, message=str(n)) for n in range(6)])
    middle = (await store.search_logs(LogQuery(T0, T0 + 10**9))).records[3]
    query = LogQuery(T0, T0 + 10**9, after=(middle.timestamp_ns, middle.id), oldest_first=True, limit=2)
    page = await store.search_logs(query)
    assert ([record.message for record in page.records], page.more) == (["3", "4"], True)


async def test_the_most_frequent_values_of_a_field(store: LogStore) -> None:
    records = [
        LogRecord(
            timestamp_ns=T0 + n,
            message="x",
            level=LogLevel.ERROR if n < 3 else LogLevel.INFO,
            user_id=["alice", "Albert", "bob", ""][n % 4],
            metadata={"status": [200, 404, "404", [1], None][n % 5], "big": "x" * 1_001, "user.id": n},
            performance=LogPerformance(duration=2.5),
        )
        for n in range(10)
    ]
    await store.insert_logs(records)

    async def values(*segments: str, **more: Any) -> list[tuple[str, int]]:
        query = LogQuery(T0, T0 + 10**9, search=more.pop("search", parse_search("")))
        return [(one.value, one.count) for one in await store.log_values(query, FieldName(segments), **more)]

    assert await values("level") == [("info", 7), ("error", 3)]
    assert await values("user_id") == [("Albert", 3), ("alice", 3), ("bob", 2)]
    assert await values("user_id", prefix="AL") == [("Albert", 3), ("alice", 3)]
    assert await values("user_id", limit=1) == [("Albert", 3)]
    assert await values("user_id", search=parse_search("level:error")) == [("Albert", 1), ("alice", 1), ("bob", 1)]
    assert await values("status") == [("404", 4), ("200", 2)]
    assert await values("performance", "duration") == [("2.5", 10)]
    assert await values("big") == []
    assert len(await values("user", "id", limit=20)) == 10
    assert await values("nope") == []


async def test_which_attributes_there_are(store: ClickhouseTelemetryStore) -> None:
    await store.insert_logs(
        [
            LogRecord(timestamp_ns=T0, message="a", metadata={"path": 1, "user": {"plan": 2}, "user.id": 3}),
            LogRecord(timestamp_ns=T0 + 1, message="b", metadata={"path": 1, "service": 2, "two words": 3}),
        ]
    )
    query = LogQuery(T0, T0 + 10**9)
    found = {one.name: one.count for one in await store.log_fields(query)}
    assert found == {
        FieldName(("path",)): 2,
        FieldName(("user", "plan")): 1,
        FieldName(("user", "id")): 1,
        FieldName(("service",), exact=True): 1,
        FieldName(("two words",), exact=True): 1,
    }
    assert [one.name.name for one in await store.log_fields(query, limit=1)] == ["path"]
    for name in found:
        assert await store.log_values(query, name), name


async def test_words_are_looked_up_in_the_index(store: ClickhouseTelemetryStore, engine: Engine) -> None:
    await store.insert_logs([LogRecord(timestamp_ns=T0 + n, message=f"word{n} 決済{n}") for n in range(50)])
    await store.search_logs(LogQuery(T0, T0 + 10**9))  # what was accepted is stored before it is read

    async def indexes(conditions: list[str], parameters: dict[str, Parameter]) -> set[str]:
        sql = f"EXPLAIN indexes = 1, json = 1 SELECT id FROM logs WHERE {' AND '.join(conditions)}"
        explained = json.loads(await engine.query(sql, parameters, format="TSVRaw"))
        return _used(explained)

    for text, expected in {
        "word7": {"words"},
        '"word7 word8"': {"words"},
        "word7 -word8 level:error": {"words"},
        "word7*word9 word1": {"words"},
        "決済": {"characters"},
        "決済word1": {"characters", "words"},
        "user_id:alice": {"users"},
        "word7 user_id:alice": {"words", "users"},
    }.items():
        parameters: dict[str, Parameter] = {}
        assert expected <= await indexes(SearchSql(parameters).conjuncts(parse_search(text)), parameters), text
    parameters = {}
    assert "words" in await indexes(SearchSql(parameters).conjuncts(plain_text("word7, word8")), parameters)


def _used(explained: Any) -> set[str]:
    """The names of skip indexes in a plan."""
    if isinstance(explained, list):
        return set().union(*map(_used, explained))
    if not isinstance(explained, dict):
        return set()
    own = {explained["Name"]} if explained.get("Type") == "Skip" else set()
    return own.union(*map(_used, explained.values()))


_CHARACTERS = "決済処理でエラーが発生注文订单失败用户登录超时数据库連線逾時カタカナー々"


async def test_pieces_of_japanese_and_chinese_are_found_among_ascii(store: LogStore, engine_name: str) -> None:
    rng = random.Random(21)

    def piece() -> str:
        if rng.random() < 0.6:
            return "".join(rng.choices(_CHARACTERS, k=rng.randint(1, 8)))
        return rng.choice(["order", "42", "user1", " ", "、", "-", "ERROR", "：", "/api/v1", "\n"])

    messages = ["".join(piece() for _ in range(rng.randint(1, 8))) for _ in range(300)]
    await store.insert_logs([LogRecord(timestamp_ns=T0 + n, message=text) for n, text in enumerate(messages)])
    found = 0
    for _ in range(150 if engine_name == "chdb" else 20):
        text = rng.choice(messages)
        begin = rng.randrange(len(text))
        part = text[begin : begin + rng.randint(1, 6)].strip()
        if not part or '"' in part:
            continue
        tree = parse_search(f'"{part}"')
        page = await store.search_logs(LogQuery(T0, T0 + 10**9, search=tree, limit=1_000))
        expected = {one for one in messages if matches(tree, LogRecord(timestamp_ns=1, message=one))}
        assert {record.message for record in page.records} == expected, part
        if not any(character.isascii() and character.isalnum() for character in part):
            assert text in expected, part  # a piece of text is found, whatever is around it
        found += bool(expected)
    assert found > 10
