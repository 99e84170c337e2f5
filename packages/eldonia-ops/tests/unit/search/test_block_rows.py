"""Rows of a block are found as its records are, whatever the search."""

from hypothesis import given, settings
from hypothesis import strategies as st

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.model.log_batch import LogBlock
from eldonia_ops.model.logs import LogLevel
from eldonia_ops.search import matches, parse_search
from eldonia_ops.search.block_rows import cheapest_first, column_of, matching_rows
from eldonia_ops.search.tree import AtLeast, TimeRange
from eldonia_ops.search.values import field_value

TERMS = (
    "error", "level>=warn", "level:info", "service:shop", "service:s*", "user_id:alice", "userId:bob", "user.id:alice",
    '"timed out"', "決済", "タイムアウト", "Straße", "status>=500", "status:500", "status:5*", 'status:"500"',
    "path:/api/*",
    "path=~^/a.*s$", "ok:true", "a.b:1", '"a.b":1', "a.b:*", "source:/var/log/a.log", "hostname:*", "error.name:*",
    "performance.duration>1", "app:shop", "exception.type:*", "message:*out*", "flag:(true or 1)", "component:*", "K",
)  # fmt: skip
MESSAGES = (
    "upstream timed out",
    "ERROR k 決済に失敗しました",
    "",
    "straße",
    "\u212a error",
    "x_error timeoutタイムアウト",
)


@st.composite
def searches(draw: st.DrawFn) -> str:
    def term(depth: int) -> str:
        kind = draw(st.integers(0, 3)) if depth else 0
        if kind == 1:
            return f"-({term(depth - 1)})"
        if kind in (2, 3):
            joint = " " if kind == 2 else " or "
            return f"({joint.join(term(depth - 1) for _ in range(draw(st.integers(2, 3))))})"
        return draw(st.sampled_from(TERMS))

    return term(3)


@st.composite
def blocks(draw: st.DrawFn) -> LogBlock:
    size = draw(st.integers(1, 8))

    def column(values: st.SearchStrategy) -> list:
        return draw(st.lists(values, min_size=size, max_size=size))

    own = {
        "service": st.sampled_from(("shop", "pay", "")),
        "user_id": st.sampled_from(("alice", "bob", "")),
        "source": st.sampled_from(("/var/log/a.log#1:2:ab", "b")),
        "hostname": st.sampled_from(("h1", "")),
    }
    texts, shared = {}, {}
    for name, values in own.items():
        where = draw(st.integers(0, 2))
        if where == 0:
            texts[name] = column(values)
        elif where == 1:
            shared[name] = draw(values)
    scalars = st.one_of(st.sampled_from((500, 500.0, "500", "504", 1, 1.0, True, None, "shop", "/api/orders", "alice")))
    keys = draw(st.lists(st.sampled_from(("status", "path", "ok", "a.b", "flag", "user.id", "app", "a")), unique=True))
    return LogBlock(
        timestamps_ns=column(st.integers(0, 10)),
        messages=column(st.sampled_from(MESSAGES)),
        levels=column(st.sampled_from(list(LogLevel))),
        offsets=list(range(size)),
        texts=texts,
        shared=shared,
        metadata={key: column(scalars) for key in keys},
    )


@settings(max_examples=400, deadline=None)
@given(blocks(), searches())
def test_rows_are_those_whose_records_match(block: LogBlock, text: str) -> None:
    node = parse_search(text)
    wanted = [row for row in range(len(block)) if matches(node, block.record(row))]
    assert list(matching_rows(node, block)) == wanted
    assert list(matching_rows(cheapest_first(node), block)) == wanted
    assert [row for row in range(len(block)) if matches(cheapest_first(node), block.record(row))] == wanted


@given(blocks())
def test_what_the_language_does_not_write(block: LogBlock) -> None:
    parts = tuple(parse_search(text) for text in ("level>=warn", "service:shop", "status>=500"))
    for node in (AtLeast(2, parts), TimeRange(3, 7)):
        wanted = [row for row in range(len(block)) if matches(node, block.record(row))]
        assert list(matching_rows(node, block)) == wanted


@given(
    blocks(), st.sampled_from(("status", "user.id", "user_id", "app", "source", "message", "level", "timestamp", "a.b"))
)
def test_columns_are_what_the_records_hold(block: LogBlock, name: str) -> None:
    field = FieldName(tuple(name.split(".")))
    column = column_of(block, field)
    assert [column.at(row) for row in range(len(block))] == [
        field_value(block.record(row), field) for row in range(len(block))
    ]
