"""A tree back to text, in one canonical spelling that parses to an equal tree."""

import math

from eldonia_ops.model.durations import format_duration
from eldonia_ops.model.labels import METRIC_NAME
from eldonia_ops.model.matchers import Matcher, MatchOp
from eldonia_ops.promql.ast import (
    Aggregate,
    At,
    Binary,
    Call,
    Cardinality,
    Duration,
    DurationExpr,
    Expr,
    Matching,
    MatrixSelector,
    NumberLiteral,
    Paren,
    StringLiteral,
    Subquery,
    Unary,
    VectorSelector,
)
from eldonia_ops.promql.lexer import Kind, tokenize
from eldonia_ops.promql.signatures import AGGREGATIONS


def format_expr(expr: Expr) -> str:
    """The canonical text of a tree. ``parse(format_expr(tree)) == tree`` for every tree that a parse made."""
    match expr:
        case NumberLiteral():
            return format_number(expr.value)
        case StringLiteral():
            return _quote(expr.value)
        case VectorSelector():
            return _selector(expr) + _modifiers(expr.offset, expr.at) + (f" {expr.modifier}" if expr.modifier else "")
        case MatrixSelector():
            inner = expr.selector
            modifier = f" {inner.modifier}" if inner.modifier else ""
            return f"{_selector(inner)}[{_duration(expr.range)}]{_modifiers(inner.offset, inner.at)}{modifier}"
        case Subquery():
            step = "" if expr.step is None else _duration(expr.step)
            return f"{format_expr(expr.expr)}[{_duration(expr.range)}:{step}]{_modifiers(expr.offset, expr.at)}"
        case Call():
            return f"{expr.function}({', '.join(format_expr(arg) for arg in expr.args)})"
        case Aggregate():
            return _aggregate(expr)
        case Binary():
            extra = (" bool" if expr.return_bool else "") + (_matching(expr.matching) if expr.matching else "")
            return f"{format_expr(expr.left)} {expr.op}{extra} {format_expr(expr.right)}"
        case Unary():
            return f"{expr.op}{format_expr(expr.expr)}"
        case Paren():
            return f"({format_expr(expr.expr)})"


def format_number(value: float) -> str:
    """A float as PromQL and the exposition format spell it: shortest form, ``+Inf``, ``-Inf``, ``NaN``."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value == int(value) and abs(value) < 1e21:
        return f"-{-int(value)}" if value < 0 or math.copysign(1, value) < 0 else str(int(value))
    return repr(value)


def _quote(text: str) -> str:
    parts = ['"']
    for char in text:
        code = ord(char)
        if char in ('"', "\\"):
            parts.append("\\" + char)
        elif char == "\n":
            parts.append("\\n")
        elif 0xDC80 <= code <= 0xDCFF:
            parts.append(f"\\x{code - 0xDC00:02x}")
        elif code < 0x20 or code == 0x7F:
            parts.append(f"\\x{code:02x}")
        else:
            parts.append(char)
    return "".join(parts) + '"'


def _is_word(text: str, colons: bool) -> bool:
    if not colons and ":" in text:
        return False
    try:
        tokens = tokenize(text)
    except ValueError:
        return False
    return len(tokens) == 2 and tokens[0].kind is Kind.WORD and tokens[0].text == text


def _label(name: str) -> str:
    return name if _is_word(name, colons=False) else _quote(name)


def _labels(names: tuple[str, ...]) -> str:
    return ", ".join(_label(name) for name in names)


_AMBIGUOUS = AGGREGATIONS | {
    "offset", "bool", "on", "ignoring", "by", "without", "group_left", "group_right", "and", "or", "unless",
    "atan2", "inf", "nan", "anchored", "smoothed", "fill", "fill_left", "fill_right",
}  # fmt: skip


def _selector(selector: VectorSelector) -> str:
    matchers = list(selector.matchers)
    name = ""
    parts: list[str] = []
    named = [item for item in matchers if item.name == METRIC_NAME]
    if len(named) == 1 and named[0].op is MatchOp.EQUAL and named[0].value:
        matchers.remove(named[0])
        if _is_word(named[0].value, colons=True) and named[0].value.lower() not in _AMBIGUOUS:
            name = named[0].value
        else:
            parts.append(_quote(named[0].value))
    parts += [_matcher(item) for item in matchers]
    return f"{name}{{{','.join(parts)}}}" if parts else name


def _matcher(matcher: Matcher) -> str:
    return f"{_label(matcher.name)}{matcher.op.value}{_quote(matcher.value)}"


def _modifiers(offset: Duration, at: At | None) -> str:
    text = ""
    if at is not None:
        text += f" @ {at.anchor}()" if at.anchor else f" @ {_timestamp(at.timestamp_ms)}"
    if isinstance(offset, DurationExpr):
        text += f" offset ({_duration(offset)})"
    elif offset:
        text += f" offset {'-' if offset < 0 else ''}{format_duration(abs(offset))}"
    return text


def _timestamp(ms: int) -> str:
    return f"{'-' if ms < 0 else ''}{abs(ms) // 1000}.{abs(ms) % 1000:03d}"


def _duration(duration: Duration) -> str:
    if isinstance(duration, int):
        return format_duration(duration)
    match duration.op:
        case "number":
            return format_number(duration.value)
        case "step" | "range":
            return f"{duration.op}()"
        case "min_of" | "max_of":
            return f"{duration.op}({', '.join(_duration(item) for item in duration.args)})"
        case "neg":
            return f"-({_duration(duration.args[0])})"
        case _:
            left, right = (f"({_duration(item)})" if len(item.args) == 2 or item.op == "neg" else _duration(item)
                           for item in duration.args)  # fmt: skip
            return f"{left} {duration.op} {right}"


def _aggregate(expr: Aggregate) -> str:
    clause = ""
    if expr.without:
        clause = f" without ({_labels(expr.grouping)}) "
    elif expr.grouping:
        clause = f" by ({_labels(expr.grouping)}) "
    param = "" if expr.param is None else f"{format_expr(expr.param)}, "
    return f"{expr.op}{clause}({param}{format_expr(expr.expr)})"


def _matching(matching: Matching) -> str:
    text = ""
    grouped = matching.cardinality in (Cardinality.MANY_TO_ONE, Cardinality.ONE_TO_MANY)
    if matching.on or matching.labels or grouped:
        text += f" {'on' if matching.on else 'ignoring'} ({_labels(matching.labels)})"
    if grouped:
        side = "group_left" if matching.cardinality is Cardinality.MANY_TO_ONE else "group_right"
        text += f" {side} ({_labels(matching.include)})"
    left, right = matching.fill_left, matching.fill_right
    same = left is not None and right is not None and (left == right or (math.isnan(left) and math.isnan(right)))
    if same and left is not None:
        return text + f" fill ({format_number(left)})"
    if left is not None:
        text += f" fill_left ({format_number(left)})"
    if right is not None:
        text += f" fill_right ({format_number(right)})"
    return text
