"""What the grammar alone does not say: types, arities, and where modifiers are allowed."""

from dataclasses import replace

from eldonia_ops.promql.ast import (
    TYPE_NAMES,
    Aggregate,
    At,
    Binary,
    Call,
    Cardinality,
    Duration,
    Expr,
    MatrixSelector,
    Subquery,
    Unary,
    ValueType,
    VectorSelector,
    children,
    unwrap,
    value_type,
)
from eldonia_ops.promql.errors import ParseError
from eldonia_ops.promql.lexer import Token
from eldonia_ops.promql.signatures import ANCHORABLE, COMPARISONS, FUNCTIONS, SET_OPERATORS, SMOOTHABLE


def depth(expr: Expr, query: str, limit: int) -> None:
    """Refuse trees too deep to walk by recursion.

    Raises:
        ParseError: the tree is deeper than ``limit``.
    """
    stack = [(expr, 1)]
    while stack:
        node, level = stack.pop()
        if level > limit:
            raise ParseError(f"nested deeper than {limit} levels", query, node.start, node.end)
        stack.extend((child, level + 1) for child in children(node))


def arity(call: Call, query: str) -> None:
    """Check the number of a call's arguments.

    Raises:
        ParseError: too few or too many.
    """
    signature, count = FUNCTIONS[call.function], len(call.args)
    most = signature.most
    if signature.least <= count and (most is None or count <= most):
        return
    if signature.least == most:
        wanted = str(most)
    elif count < signature.least:
        wanted = f"at least {signature.least}"
    else:
        wanted = f"at most {most}"
    message = f'expected {wanted} argument(s) in call to "{call.function}", got {count}'
    raise ParseError(message, query, call.start, call.end)


def binary(node: Binary, query: str, operator: Token, written: bool) -> Binary:
    """Settle a binary expression's matching once both sides are known.

    ``written`` says that the query has matching modifiers.

    Raises:
        ParseError: ``bool`` or a matching modifier where none is allowed, or operands of wrong types.
    """
    left, right = value_type(node.left), value_type(node.right)
    if node.return_bool and node.op not in COMPARISONS:
        raise ParseError("bool modifier can only be used on comparison operators", query, operator.start, operator.end)
    for side, side_type in ((node.left, left), (node.right, right)):
        if side_type not in (ValueType.SCALAR, ValueType.VECTOR):
            raise ParseError(
                f"binary expression must contain only scalar and instant vector types, got {TYPE_NAMES[side_type]}",
                query,
                side.start,
                side.end,
            )
    scalars = (left is ValueType.SCALAR) + (right is ValueType.SCALAR)
    if node.op in COMPARISONS and scalars == 2 and not node.return_bool:
        raise ParseError("comparisons between scalars must use BOOL modifier", query, operator.start, operator.end)
    if node.op in SET_OPERATORS and scalars:
        message = f'set operator "{node.op}" not allowed in binary scalar expression'
        raise ParseError(message, query, operator.start, operator.end)
    if scalars:
        if written:
            message = "vector matching only allowed between instant vectors"
            raise ParseError(message, query, operator.start, operator.end)
        return replace(node, matching=None)
    return node


def with_offset(expr: Expr, offset: Duration, query: str, word: Token, end: int) -> Expr:
    """Put an offset where it belongs: on the selector inside, or the subquery.

    Raises:
        ParseError: the operand takes none, or has one already.
    """
    match expr:
        case VectorSelector(offset=0) | Subquery(offset=0):
            return replace(expr, offset=offset, end=end)
        case MatrixSelector(selector=VectorSelector(offset=0) as selector):
            return replace(expr, selector=replace(selector, offset=offset), end=end)
        case VectorSelector() | Subquery() | MatrixSelector():
            raise ParseError("offset may not be set multiple times", query, word.start, end)
    message = "offset modifier must be preceded by an instant vector selector or range vector selector or a subquery"
    raise ParseError(message, query, word.start, end)


def with_at(expr: Expr, at: At, query: str, sign: Token, end: int) -> Expr:
    """Put an ``@`` where it belongs.

    Raises:
        ParseError: the operand takes none, or has one already.
    """
    match expr:
        case VectorSelector(at=None) | Subquery(at=None):
            return replace(expr, at=at, end=end)
        case MatrixSelector(selector=VectorSelector(at=None) as selector):
            return replace(expr, selector=replace(selector, at=at), end=end)
        case VectorSelector() | Subquery() | MatrixSelector():
            raise ParseError("@ <timestamp> may not be set multiple times", query, sign.start, end)
    message = "@ modifier must be preceded by an instant vector selector or range vector selector or a subquery"
    raise ParseError(message, query, sign.start, end)


def with_modifier(expr: Expr, modifier: str, query: str, word: Token, end: int) -> Expr:
    """Mark a selector as ``anchored`` or ``smoothed``.

    Raises:
        ParseError: the operand is no selector, has a modifier already, or is an anchored instant selector.
    """
    match expr:
        case VectorSelector(modifier="") if modifier == "smoothed":
            return replace(expr, modifier=modifier, end=end)
        case MatrixSelector(selector=VectorSelector(modifier="") as selector):
            return replace(expr, selector=replace(selector, modifier=modifier), end=end)
        case VectorSelector(modifier="") if modifier == "anchored":
            message = "anchored modifier must be preceded by a range vector selector"
        case VectorSelector() | MatrixSelector():
            message = "anchored and smoothed modifiers may not be combined or repeated"
        case _:
            message = f"{modifier} modifier must be preceded by a selector"
    raise ParseError(message, query, word.start, end)


def subquery_operand(expr: Expr, query: str) -> None:
    """Check the expression before ``[range:step]``.

    Raises:
        ParseError: it is not an instant vector.
    """
    found = value_type(expr)
    if found is not ValueType.VECTOR:
        message = f"subquery is only allowed on instant vector, got {TYPE_NAMES[found]} instead"
        raise ParseError(message, query, expr.start, expr.end)


def types(expr: Expr, query: str) -> None:
    """Check the types of arguments, operands and parameters throughout a tree.

    Raises:
        ParseError: the first that does not fit.
    """
    for child in children(expr):
        types(child, query)
    match expr:
        case Call():
            _call(expr, query)
        case Aggregate():
            _expect(expr.expr, ValueType.VECTOR, "aggregation expression", query)
            if expr.param is not None:
                wanted = ValueType.STRING if expr.op == "count_values" else ValueType.SCALAR
                _expect(expr.param, wanted, "aggregation parameter", query)
        case Unary():
            found = value_type(expr.expr)
            if found not in (ValueType.SCALAR, ValueType.VECTOR):
                message = (
                    "unary expression only allowed on expressions of type scalar or instant vector, "
                    f"got {TYPE_NAMES[found]}"
                )
                raise ParseError(message, query, expr.start, expr.end)
        case Binary() if expr.op in SET_OPERATORS:
            assert expr.matching is None or expr.matching.cardinality is Cardinality.MANY_TO_MANY


def _call(call: Call, query: str) -> None:
    signature = FUNCTIONS[call.function]
    for index, arg in enumerate(call.args):
        wanted = ValueType(signature.args[min(index, len(signature.args) - 1)])
        _expect(arg, wanted, f'call to function "{call.function}"', query)
    if call.function == "info" and len(call.args) == 2 and not isinstance(unwrap(call.args[1]), VectorSelector):
        raise ParseError("expected label selectors only", query, call.args[1].start, call.args[1].end)
    for arg in call.args:
        inner = unwrap(arg)
        if not isinstance(inner, MatrixSelector) or not inner.selector.modifier:
            continue
        modifier = inner.selector.modifier
        allowed = ANCHORABLE if modifier == "anchored" else SMOOTHABLE
        if call.function not in allowed:
            message = f"{modifier} modifier can only be used with: {', '.join(allowed)} - not with {call.function}"
            raise ParseError(message, query, arg.start, arg.end)


def _expect(expr: Expr, wanted: ValueType, context: str, query: str) -> None:
    found = value_type(expr)
    if found is not wanted:
        message = f"expected type {TYPE_NAMES[wanted]} in {context}, got {TYPE_NAMES[found]}"
        raise ParseError(message, query, expr.start, expr.end)
