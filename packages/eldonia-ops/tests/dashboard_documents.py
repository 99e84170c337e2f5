"""Documents of dashboards as Hypothesis makes them: whatever the types of the document allow."""

from typing import Any

from hypothesis import strategies as st
from msgspec import inspect

from eldonia_ops.dashboards.document import Dashboard

DURATIONS = st.sampled_from(["", "30s", "5m", "1h"])
INSTANTS = st.sampled_from(["now", "-6h", "-1h", "now-1d/d", "now/w", "2026-11-24T09:30:00Z"])
TEXTS = st.text("abc XYZ0:_/$.{}'\"あ\n", max_size=12)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
_DURATION_KEYS = {"interval", "time_from", "time_shift", "refresh", "auto_min", "connect"}
_SKIPPED = {("Panel", "id"), ("Query", "ref"), ("Panel", "grid"), ("Panel", "panels"), ("Panel", "collapsed")}
_ROOT: Any = inspect.type_info(Dashboard)


def documents(texts: st.SearchStrategy[str] = TEXTS) -> st.SearchStrategy[dict[str, Any]]:
    """Plain data of whole dashboards: panels outside of rows, then rows with panels; ids and refs are not given."""
    fields = {field.encode_name: field for field in _ROOT.fields}
    panel = _struct(_of(fields["panels"].type, "Panel"), texts).filter(lambda one: one.get("type") != "row")
    row = st.fixed_dictionaries(
        {"type": st.just("row"), "panels": st.lists(panel, max_size=2)},
        optional={"title": texts, "collapsed": st.booleans()},
    )
    return st.builds(
        lambda base, variables, panels, rows: {
            **base,
            "uid": "u",
            "title": base.get("title", "t"),
            "variables": list({one["name"]: one for one in variables}.values()),
            "panels": [*panels, *rows],
        },
        _struct(_ROOT, texts, {"variables", "panels", "uid"}),
        st.lists(_struct(_of(fields["variables"].type, "Variable"), texts), max_size=3),
        st.lists(panel, max_size=3),
        st.lists(row, max_size=2),
    )


def _of(kind: Any, name: str) -> Any:
    found = kind.item_type
    assert found.cls.__name__ == name
    return found


def _struct(kind: Any, texts: st.SearchStrategy[str], left_out: frozenset[str] | set[str] = frozenset()) -> Any:
    name = kind.cls.__name__
    required: dict[str, Any] = {} if kind.tag is None else {kind.tag_field: st.just(kind.tag)}
    optional: dict[str, Any] = {}
    for field in kind.fields:
        if (name, field.name) in _SKIPPED or field.encode_name in left_out:
            continue
        if name == "TimeRange":
            made = INSTANTS
        elif field.name in _DURATION_KEYS and not isinstance(field.type, inspect.LiteralType):
            made = DURATIONS
        elif (name, field.name) in (("Variable", "name"), ("Repeat", "variable")):
            made = NAMES
        else:
            made = _value(field.type, texts)
        (required if field.required else optional)[field.encode_name] = made
    return st.fixed_dictionaries(required, optional=optional)


def _value(kind: Any, texts: st.SearchStrategy[str]) -> Any:
    match kind:
        case inspect.StructType():
            return st.deferred(lambda: _struct(kind, texts))
        case inspect.UnionType():
            some = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
            return st.one_of([_value(one, texts) for one in some])
        case inspect.VarTupleType():
            return st.lists(_value(kind.item_type, texts), min_size=kind.min_length or 0, max_size=2)
        case inspect.DictType():
            return st.dictionaries(NAMES, _value(kind.value_type, texts), max_size=2)
        case inspect.LiteralType():
            return st.sampled_from(list(kind.values))
        case inspect.StrType():
            return texts.filter(lambda text: len(text) >= (kind.min_length or 0))
        case inspect.BoolType():
            return st.booleans()
        case inspect.IntType():
            least, most = kind.ge or 0, kind.le if kind.le is not None else (kind.lt or 1_000) - 1
            return st.integers(least, min(most, 1_000))
        case inspect.FloatType():
            least = kind.ge if kind.ge is not None else -1e6
            most = kind.le if kind.le is not None else 1e6
            return st.floats(least, most, allow_nan=False)
    raise NotImplementedError(kind)
