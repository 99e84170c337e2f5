"""Log records through the port, on every engine."""

import asyncio
import time
from typing import Any

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.model.logs import LogError, LogLevel, LogPerformance, LogRecord
from eldonia_ops.ports import LogQuery, TelemetryStore
from eldonia_ops.search import parse_search

# Recent, or retention would take the rows away again.
T0 = (int(time.time()) - 7200) * 1_000_000_000
SECOND = 1_000_000_000


def record(after: float, message: str, **fields: Any) -> LogRecord:
    return LogRecord(timestamp_ns=T0 + int(after * SECOND), message=message, **fields)


def query(**fields: Any) -> LogQuery:
    return LogQuery(**{"since_ns": T0 - 3600 * SECOND, "until_ns": T0 + 3600 * SECOND, **fields})


async def messages(store: TelemetryStore, **fields: Any) -> list[str]:
    return [found.message for found in (await store.search_logs(query(**fields))).records]


async def test_a_record_comes_back_as_it_went_in(store: TelemetryStore) -> None:
    given = record(
        0.123456789,
        "決済に失敗 \x00 'quoted' \\ \t \n \U0001f600",
        level=LogLevel.ERROR,
        service="shop",
        component="payments",
        operation="charge",
        user_id="u-1",
        session_id="s",
        request_id="r",
        ip_address="::1",
        user_agent="UA/1.0",
        trace_id="a" * 32,
        span_id="b" * 16,
        metadata={
            "float": 1.0,
            "int": 2**70,
            "null": None,
            "empty": {},
            "a.b": {"c": [1, "2", None]},
            "a": {"b": 1},
            "": 0,
        },
        error=LogError(name="E", message="m", stack="s\n", code="42"),
        performance=LogPerformance(duration=1.5, memory_usage=2.0, cpu_usage=0.25),
        environment="test",
        hostname="h",
        source="/var/log/x.log",
        offset=2**40,
        parse_error="no",
        tag="eldonia.shop.error",
    )
    await store.insert_logs([given])
    (found,) = (await store.search_logs(query())).records
    assert found.id > 0
    assert LogRecord(**{name: getattr(found, name) for name in LogRecord.__struct_fields__ if name != "id"}) == given
    assert isinstance(found.metadata["float"], float)


async def test_hostile_records_are_stored_and_do_not_take_others_with_them(store: TelemetryStore) -> None:
    hostile = [
        record(0, "\ud800 lone surrogate", service="\udfff", metadata={"\ud800": "\ud801"}),
        record(0, "not JSON", metadata={"nan": float("nan"), "inf": float("inf"), "set": {1}, "type": object}),
        record(0, "many keys", metadata={f"key.{n}": n for n in range(3000)}),
        record(0, "escaped twice", metadata={"a%2Eb": 1, "a.b": 2}),
        LogRecord(timestamp_ns=2**70, message="after time"),
        # Stored, and gone with the next merge: retention does not keep what is that old.
        LogRecord(timestamp_ns=-(2**70), message="before time"),
    ]
    await asyncio.gather(*[store.insert_logs([item]) for item in hostile], store.insert_logs([record(1, "fine")]))
    assert await messages(store) == ["fine", "escaped twice", "many keys", "not JSON", "? lone surrogate"]
    found = (await store.search_logs(query())).records[-1]
    assert (found.service, found.metadata) == ("?", {"?": "?"})
    everything = LogQuery(-(2**70), 2**70)
    assert (await store.log_histogram(everything)).total >= 5
    assert len((await store.search_logs(everything)).records) >= 5


async def test_deep_metadata_is_kept(store: TelemetryStore) -> None:
    deep: dict[str, Any] = {}
    for _ in range(200):
        deep = {"d": deep}
    await store.insert_logs([record(0, "deep", metadata=deep)])
    assert (await store.search_logs(query())).records[0].metadata == deep


async def test_words_are_found_in_any_order_and_case(store: TelemetryStore) -> None:
    await store.insert_logs(
        [
            record(0, "Payment GATEWAY timeout for order/123"),
            record(1, "gateway answered"),
            record(2, "ユーザーuser123がログインに失敗timeout"),
            record(3, "決済処理でエラーが発生しました。再試行します"),
            record(4, "Ошибка ОПЛАТЫ déjà VU"),
        ]
    )
    assert await messages(store, text="timeout gateway") == ["Payment GATEWAY timeout for order/123"]
    assert await messages(store, text="order/123") == ["Payment GATEWAY timeout for order/123"]
    assert len(await messages(store, text="TIMEOUT")) == 2
    assert await messages(store, text="gate") == []
    assert await messages(store, text="USER123") == ["ユーザーuser123がログインに失敗timeout"]
    for needle in ("エラー", "エラーが発生", "決済", "済", "エラー 決済", "しました。再試行"):
        assert await messages(store, text=needle) == ["決済処理でエラーが発生しました。再試行します"], needle
    assert await messages(store, text="ログイン timeout") == ["ユーザーuser123がログインに失敗timeout"]
    assert await messages(store, text="ーエ") == []
    assert await messages(store, text="DÉJÀ оплаты") == ["Ошибка ОПЛАТЫ déjà VU"]


async def test_a_hostile_needle_is_only_data(store: TelemetryStore) -> None:
    needles = ["'", "\\", "'; DROP TABLE logs; --", "{a:String}", "%", "\x00", "()", "\ud800", "日'\\", "a" * 5000, "…"]
    await store.insert_logs([record(0, "x y", request_id="r")])
    for needle in needles:
        await messages(store, text=needle)
        for field in ("trace_id", "request_id", "user_id", "component"):
            assert await messages(store, **{field: needle}) == [], (field, needle)
        assert await messages(store, services=(needle,)) == [], needle
        assert await store.source_position(needle) is None, needle
    assert len(await messages(store)) == 1


async def test_a_filter_finds_exactly_the_text_that_was_stored(store: TelemetryStore) -> None:
    names = ["a'b", "a\\b", "a\\'b", "\t\n\r\0\b\f", "a\\tb", '"', "日本\U0001f600", "\\N", "NULL", " "]
    await store.insert_logs([record(0, name, request_id=name, service=name, source=name) for name in names])
    for name in names:
        assert await messages(store, request_id=name) == [name]
        assert await messages(store, services=(name,)) == [name]
        assert await store.source_position(name) == 0


async def test_filters_are_joined(store: TelemetryStore) -> None:
    await store.insert_logs(
        [
            record(0, "a", level=LogLevel.ERROR, service="shop", trace_id="t1", parse_error="bad"),
            record(1, "b", level=LogLevel.WARN, service="shop", user_id="u1", component="cart"),
            record(2, "c", level=LogLevel.ERROR, service="gateway", request_id="r1"),
        ]
    )
    assert await messages(store, levels=(LogLevel.ERROR,)) == ["c", "a"]
    assert await messages(store, levels=(LogLevel.ERROR, LogLevel.WARN), services=("shop",)) == ["b", "a"]
    assert await messages(store, trace_id="t1") == ["a"]
    assert await messages(store, request_id="r1") == ["c"]
    assert await messages(store, user_id="u1", component="cart") == ["b"]
    assert await messages(store, parse_errors_only=True) == ["a"]
    assert await messages(store, since_ns=T0 + SECOND) == ["c", "b"]
    assert await messages(store, until_ns=T0 + SECOND) == ["a"]
    assert await store.log_services(T0, T0 + 10 * SECOND) == ["gateway", "shop"]
    assert await store.log_services(T0 + 2 * SECOND, T0 + 10 * SECOND) == ["gateway"]


async def test_pages_follow_one_another_even_within_one_instant(store: TelemetryStore) -> None:
    await store.insert_logs([record(n // 4, f"m{n}") for n in range(10)])
    seen: list[str] = []
    before = None
    while True:
        page = await store.search_logs(query(limit=3, before=before))
        seen += [found.message for found in page.records]
        if not page.more:
            break
        before = (page.records[-1].timestamp_ns, page.records[-1].id)
    assert seen == [f"m{n}" for n in reversed(range(10))]
    middle = (await store.search_logs(query(limit=6))).records[-1]
    newer = await store.search_logs(query(after=(middle.timestamp_ns, middle.id)))
    assert [found.message for found in newer.records] == ["m9", "m8", "m7", "m6", "m5"]
    assert not newer.more


async def test_histogram_counts_levels_over_time(store: TelemetryStore) -> None:
    levels = [LogLevel.ERROR, LogLevel.INFO, LogLevel.INFO]
    await store.insert_logs([record(n, "m", level=levels[n % 3]) for n in range(30)])
    found = await store.log_histogram(LogQuery(T0, T0 + 30 * SECOND), buckets=3)
    assert found.starts_ns == [T0, T0 + 10 * SECOND, T0 + 20 * SECOND]
    assert found.width_ns == 10 * SECOND
    assert found.counts == {"error": [4, 3, 3], "warn": [0] * 3, "info": [6, 7, 7], "debug": [0] * 3}
    assert found.total == 30


async def test_a_repeated_batch_is_dropped(store: TelemetryStore) -> None:
    for _ in range(2):
        await store.insert_logs([record(0, "once")], batch_key="file:0-10")
    await store.insert_logs([record(0, "once")], batch_key="file:10-20'\\")
    for _ in range(2):
        await store.insert_logs([record(5, "no key")])
    assert await messages(store) == ["no key", "no key", "once", "once"]


async def test_source_position_is_the_largest_offset(store: TelemetryStore) -> None:
    assert await store.source_position("f") is None
    await store.insert_logs([record(0, "a", source="f", offset=100), record(9, "b", source="f", offset=20)])
    assert await store.source_position("f") == 100


async def test_a_followed_file_is_found_and_counted_by_its_name(store: TelemetryStore) -> None:
    sources = ["/a.log#65024:10182547:10d8c45305a52acf", "/a.log#65024:7:10d8c45305a52acf~2", "/b#x.log", "tcp"]
    await store.insert_logs([record(n, f"m{n}", source=source) for n, source in enumerate(sources)])
    for text, found in (
        ("source:/a.log", ["m1", "m0"]), ("source:*.log", ["m2", "m1", "m0"]), ("source:/^.a.log$/", ["m1", "m0"]),
        ('-source:"/a.log"', ["m3", "m2"]), ("source:tcp", ["m3"]), ("source:*", ["m3", "m2", "m1", "m0"]),
    ):  # fmt: skip
        page = await store.search_logs(query(search=parse_search(text)))
        assert [one.message for one in page.records] == found, text
    values = await store.log_values(query(), FieldName(("source",)))
    assert [(one.value, one.count) for one in values] == [("/a.log", 2), ("/b#x.log", 1), ("tcp", 1)]
    assert await store.source_position(sources[1]) is not None, "the file is still known by what tells it apart"


async def test_ids_go_on_after_a_restart(open_store: Any) -> None:
    first = await open_store()
    await first.insert_logs([record(0, "a")] * 5)
    await first.close()
    second = await open_store()
    await second.insert_logs([record(0, "b")] * 5)
    ids = [found.id for found in (await second.search_logs(query())).records]
    assert ids == sorted(set(ids), reverse=True)
    assert len(ids) == 10
    assert max(ids) < 2**63
