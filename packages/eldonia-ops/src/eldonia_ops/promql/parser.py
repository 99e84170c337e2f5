"""Tokens to a tree: a Pratt parser, since errors need places and precedence is a table.

Grammar: Prometheus' promql/parser/generated_parser.y, float language with the experimental functions,
duration arithmetic, ``fill`` and ``anchored``/``smoothed`` modifiers.
"""

import math
import re
from typing import Final

from eldonia_ops.model.durations import parse_duration
from eldonia_ops.model.errors import nearest
from eldonia_ops.model.labels import METRIC_NAME
from eldonia_ops.model.matchers import Matcher, MatchOp
from eldonia_ops.promql import check
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
    children,
)
from eldonia_ops.promql.duration_expr import constant, milliseconds
from eldonia_ops.promql.errors import ParseError, UnsupportedSyntaxError
from eldonia_ops.promql.lexer import Kind, Token, tokenize
from eldonia_ops.promql.signatures import AGGREGATIONS, FUNCTIONS, PARAMETRIC, PRECEDENCE, SET_OPERATORS

MAX_QUERY_LENGTH: Final = 65_536
MAX_DEPTH: Final = 100

_LABEL_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MATCH_OPS: Final = {"=": MatchOp.EQUAL, "!=": MatchOp.NOT_EQUAL, "=~": MatchOp.REGEX, "!~": MatchOp.NOT_REGEX}
_NO_METRIC_NAMES: Final = frozenset({"on", "ignoring", "group_left", "group_right", "bool", "atan2"})
"""Words that Prometheus' grammar takes for nothing else; all others may name a metric."""


def parse(query: str) -> Expr:
    """Parse and type-check a query.

    Raises:
        ParseError: the text is not PromQL, its types do not fit, it is longer than 65,536 characters or
            nests deeper than 100 levels.
    """
    if len(query) > MAX_QUERY_LENGTH:
        raise ParseError(f"query is longer than {MAX_QUERY_LENGTH} characters", query[:MAX_QUERY_LENGTH], 0)
    _check_characters(query)
    parser = _Parser(query)
    if parser.token.kind is Kind.END:
        raise ParseError("no expression found in input", query, 0)
    expr = parser.expression(0)
    if parser.token.kind is not Kind.END:
        raise parser.unexpected("")
    check.depth(expr, query, MAX_DEPTH)
    check.types(expr, query)
    return expr


def parse_selector(text: str) -> tuple[Matcher, ...]:
    """The matchers of a plain instant vector selector, as ``match[]`` parameters hold it.

    Raises:
        ParseError: the text is not a selector, or has an offset or ``@``.
    """
    expr = parse(text)
    if not isinstance(expr, VectorSelector) or expr.offset != 0 or expr.at is not None or expr.modifier:
        raise ParseError('expected a plain series selector such as up{job="x"}', text, 0, len(text))
    return expr.matchers


def _check_characters(query: str) -> None:
    """Refuse halves of characters: JSON and URLs can smuggle them in, and neither RE2 nor an answer can hold them."""
    try:
        query.encode()
    except UnicodeEncodeError as error:
        raise ParseError("invalid UTF-8 character in query", query, error.start) from None


class _Parser:
    def __init__(self, query: str) -> None:
        self.query = query
        self.tokens = tokenize(query)
        self.index = 0
        self.depth = 0
        self.lenient = False
        self.heights: dict[int, int] = {}

    # --- tokens ---

    @property
    def token(self) -> Token:
        return self.tokens[self.index]

    @property
    def following(self) -> Token:
        return self.tokens[min(self.index + 1, len(self.tokens) - 1)]

    @property
    def last_end(self) -> int:
        return self.tokens[self.index - 1].end if self.index else 0

    def advance(self) -> Token:
        token = self.token
        if token.kind is not Kind.END:
            self.index += 1
        return token

    def at_operator(self, *texts: str) -> bool:
        return self.token.kind is Kind.OPERATOR and self.token.text in texts

    def take(self, text: str) -> bool:
        if self.at_operator(text):
            self.advance()
            return True
        return False

    def expect(self, text: str, context: str) -> Token:
        if not self.at_operator(text):
            raise self.unexpected(context, f'expected "{text}"')
        return self.advance()

    def unexpected(self, context: str, wanted: str = "") -> ParseError:
        message = f"unexpected {self.token.describe()}"
        if context:
            message += f" in {context}"
        if wanted:
            message += f", {wanted}"
        return ParseError(message, self.query, self.token.start, max(self.token.end, self.token.start + 1))

    def fail(self, message: str, start: int, end: int | None = None) -> ParseError:
        return ParseError(message, self.query, start, end)

    # --- expressions ---

    def expression(self, least: int) -> Expr:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail(f"nested deeper than {MAX_DEPTH} levels", self.token.start)
        left = self.unary()
        while True:
            op = self.token.word if self.token.kind is Kind.WORD else self.token.text
            power = PRECEDENCE.get(op, 0) if self.token.kind in (Kind.WORD, Kind.OPERATOR) else 0
            if power == 0 or power < least:
                if self.at_operator("=~", "!~", "="):
                    raise self.unexpected("", "which is only allowed inside {...}")
                break
            operator = self.advance()
            if op in ("<", ">") and self.at_operator("/") and self.token.start == operator.end:
                op = f"{op}/"
                self.advance()
            left = self.binary(left, op, operator, power)
        self.depth -= 1
        return left

    def binary(self, left: Expr, op: str, operator: Token, power: int) -> Expr:
        return_bool = False
        if self.token.word == "bool":
            self.advance()
            return_bool = True
        matching, written = self.matching(op)
        right = self.expression(power if op == "^" else power + 1)
        node = Binary(op, left, right, return_bool, matching, start=left.start, end=right.end)
        height = 1 + max(self.height(left), self.height(right))
        if height > MAX_DEPTH:
            raise self.fail(f"nested deeper than {MAX_DEPTH} levels", operator.start, operator.end)
        checked = check.binary(node, self.query, operator, written)
        self.heights[id(checked)] = height
        return checked

    def height(self, node: Expr) -> int:
        """How deep a tree is; long chains of operators are remembered, so this never goes deep itself."""
        known = self.heights.get(id(node))
        return known or 1 + max((self.height(child) for child in children(node)), default=0)

    def matching(self, op: str) -> tuple[Matching, bool]:
        """The modifiers between an operator and its right side, and whether any was written."""
        start = self.index
        cardinality = Cardinality.MANY_TO_MANY if op in SET_OPERATORS else Cardinality.ONE_TO_ONE
        on, labels, include = False, (), ()
        if self.token.word in ("on", "ignoring") and self.following.text == "(":
            on = self.advance().word == "on"
            labels = self.label_list("grouping opts")
            if self.token.word in ("group_left", "group_right"):
                group = self.advance()
                if op in SET_OPERATORS:
                    raise self.fail(f'no grouping allowed for "{op}" operation', group.start, group.end)
                cardinality = Cardinality.MANY_TO_ONE if group.word == "group_left" else Cardinality.ONE_TO_MANY
                if self.at_operator("("):
                    include = self.label_list("grouping opts")
        elif self.token.word in ("group_left", "group_right"):
            raise self.unexpected("", "which must follow on(...) or ignoring(...)")
        fills: dict[str, float | None] = {"fill_left": None, "fill_right": None}
        while self.token.word in ("fill", "fill_left", "fill_right") and self.following.text == "(":
            word = self.advance()
            if op in SET_OPERATORS:
                raise self.fail(f'filling in missing series not allowed for "{op}" operation', word.start, word.end)
            self.expect("(", "fill modifier")
            value = self.signed_number("fill modifier")
            self.expect(")", "fill modifier")
            for key in fills:
                if word.word in ("fill", key):
                    fills[key] = value
        if on:
            for name in include:
                if name in labels:
                    raise self.fail(
                        f'label "{name}" must not occur in ON and GROUP clause at once', self.tokens[start].start
                    )
        matching = Matching(cardinality, on, labels, include, fills["fill_left"], fills["fill_right"])
        return matching, self.index > start

    def unary(self) -> Expr:
        if self.at_operator("+", "-"):
            sign = self.advance()
            operand = self.expression(PRECEDENCE["^"])
            if isinstance(operand, NumberLiteral):
                value = -operand.value if sign.text == "-" else operand.value
                return NumberLiteral(value, start=sign.start, end=operand.end)
            return Unary(sign.text, operand, start=sign.start, end=operand.end)
        return self.postfix(self.primary())

    def primary(self) -> Expr:
        token = self.token
        match token.kind:
            case Kind.NUMBER | Kind.DURATION:
                self.advance()
                return NumberLiteral(self.number_value(token), start=token.start, end=token.end)
            case Kind.STRING:
                self.advance()
                return StringLiteral(token.text, start=token.start, end=token.end)
            case Kind.WORD:
                return self.word()
            case Kind.OPERATOR if token.text == "(":
                self.advance()
                inner = self.expression(0)
                close = self.expect(")", "paren expression")
                return Paren(inner, start=token.start, end=close.end)
            case Kind.OPERATOR if token.text == "{":
                return self.selector()
            case _:
                raise self.unexpected("", "expected an expression")

    def word(self) -> Expr:
        token = self.token
        word, after = token.word, self.following
        if (
            word in AGGREGATIONS
            and (after.text == "(" or after.word in ("by", "without"))
            and after.kind
            in (
                Kind.OPERATOR,
                Kind.WORD,
            )
        ):
            return self.aggregate()
        if after.kind is Kind.OPERATOR and after.text == "(":
            return self.call()
        if word in ("inf", "nan"):
            self.advance()
            return NumberLiteral(math.inf if word == "inf" else math.nan, start=token.start, end=token.end)
        if word in _NO_METRIC_NAMES:
            raise self.unexpected("", "expected an expression")
        return self.selector()

    def call(self) -> Expr:
        token = self.advance()
        name = token.text if token.text in FUNCTIONS else token.word
        if name == "start_timestamp":
            message = "start_timestamp needs start timestamps, which are not evaluated"
            raise UnsupportedSyntaxError(message, self.query, token.start, token.end)
        signature = FUNCTIONS.get(name)
        if signature is None:
            hint = nearest(token.text, (*FUNCTIONS, *AGGREGATIONS))
            message = f'unknown function with name "{token.text}"' + (f", {hint}" if hint else "")
            raise self.fail(message, token.start, token.end)
        args, end = self.arguments("function call", name)
        node = Call(name, args, start=token.start, end=end)
        check.arity(node, self.query)
        return node

    def arguments(self, context: str, function: str = "") -> tuple[tuple[Expr, ...], int]:
        self.expect("(", context)
        args: list[Expr] = []
        while not self.at_operator(")"):
            # What info() selects its series by need not match anything in particular.
            outer, self.lenient = self.lenient, function == "info" and len(args) == 1
            args.append(self.expression(0))
            self.lenient = outer
            if self.at_operator(")"):
                break
            if not self.at_operator(","):
                raise self.unexpected(context, 'expected "," or ")"')
            comma = self.advance()
            if self.at_operator(")"):
                raise self.fail(f"trailing commas not allowed in {context} args", comma.start, comma.end)
        return tuple(args), self.expect(")", context).end

    def aggregate(self) -> Expr:
        token = self.advance()
        op = token.word
        grouping: tuple[str, ...] | None = None
        without = False
        if self.token.word in ("by", "without"):
            without = self.advance().word == "without"
            grouping = self.label_list("grouping opts")
        args, end = self.arguments("aggregation")
        if grouping is None and self.token.word in ("by", "without"):
            without = self.advance().word == "without"
            grouping = self.label_list("grouping opts")
            end = self.last_end
        wanted = 2 if op in PARAMETRIC else 1
        if len(args) != wanted:
            message = (
                "no arguments for aggregate expression provided"
                if not args
                else f"wrong number of arguments for aggregate expression provided, expected {wanted}, got {len(args)}"
            )
            raise self.fail(message, token.start, end)
        param = args[0] if wanted == 2 else None
        return Aggregate(op, args[-1], param, grouping or (), without, start=token.start, end=end)

    def label_list(self, context: str) -> tuple[str, ...]:
        self.expect("(", context)
        names: list[str] = []
        while not self.at_operator(")"):
            token = self.advance()
            if token.kind is Kind.STRING or (token.kind is Kind.WORD and _LABEL_NAME.fullmatch(token.text)):
                names.append(token.text)
            else:
                self.index -= token.kind is not Kind.END
                raise self.unexpected(context, "expected label")
            if not self.take(",") and not self.at_operator(")"):
                raise self.unexpected(context, 'expected "," or ")"')
        self.expect(")", context)
        return tuple(names)

    # --- selectors and what follows an operand ---

    def selector(self) -> VectorSelector:
        start = self.token.start
        matchers: list[Matcher] = []
        name = ""
        if self.token.kind is Kind.WORD:
            name = self.advance().text
        if self.take("{"):
            while not self.at_operator("}"):
                matcher, quoted_name = self.matcher()
                if quoted_name:
                    if name:
                        raise self.fail(
                            f'metric name must not be set twice: "{name}" or "{quoted_name}"', start, self.last_end
                        )
                    name = quoted_name
                if matcher is not None:
                    matchers.append(matcher)
                if not self.take(",") and not self.at_operator("}"):
                    raise self.unexpected("label matching", 'expected "," or "}"')
            self.expect("}", "label matching")
        if name:
            for matcher in matchers:
                if matcher.name == METRIC_NAME:
                    raise self.fail(
                        f'metric name must not be set twice: "{name}" or "{matcher.value}"', start, self.last_end
                    )
            matchers.insert(0, Matcher(METRIC_NAME, MatchOp.EQUAL, name))
        elif not self.lenient and all(matcher.matches_value("") for matcher in matchers):
            raise self.fail("vector selector must contain at least one non-empty matcher", start, self.last_end)
        return VectorSelector(tuple(matchers), start=start, end=self.last_end)

    def matcher(self) -> tuple[Matcher | None, str]:
        token = self.token
        if token.kind is Kind.STRING:
            self.advance()
            if not self.at_operator(*_MATCH_OPS):
                return None, token.text
        elif token.kind is Kind.WORD and _LABEL_NAME.fullmatch(token.text):
            self.advance()
        else:
            raise self.unexpected("label matching", 'expected identifier or "}"')
        if not self.at_operator(*_MATCH_OPS):
            raise self.unexpected("label matching", "expected label matching operator")
        op = _MATCH_OPS[self.advance().text]
        if self.token.kind is not Kind.STRING:
            raise self.unexpected("label matching", "expected string")
        value = self.advance()
        try:
            return Matcher(token.text, op, value.text), ""
        except ValueError as error:
            raise self.fail(str(error), value.start, value.end) from None

    def postfix(self, expr: Expr) -> Expr:
        while True:
            if self.at_operator("["):
                expr = self.brackets(expr)
            elif self.token.word == "offset":
                word = self.advance()
                expr = check.with_offset(expr, self.offset(), self.query, word, self.last_end)
            elif self.at_operator("@"):
                sign = self.advance()
                expr = check.with_at(expr, self.at(sign), self.query, sign, self.last_end)
            elif self.token.word in ("anchored", "smoothed"):
                word = self.advance()
                expr = check.with_modifier(expr, word.word, self.query, word, self.last_end)
            else:
                return expr

    def brackets(self, expr: Expr) -> Expr:
        opening = self.advance()
        if self.at_operator("]", ":"):
            raise self.fail("missing unit character in duration or number expected", self.token.start)
        length = self.duration(0, "range")
        if self.take(":"):
            step = None if self.at_operator("]") else self.duration(0, "subquery step")
            close = self.expect("]", "subquery selector")
            check.subquery_operand(expr, self.query)
            return Subquery(expr, length, step, start=expr.start, end=close.end)
        close = self.expect("]", "subquery or range selector")
        if not isinstance(expr, VectorSelector):
            raise self.fail("ranges only allowed for vector selectors", opening.start, close.end)
        if expr.offset != 0:
            raise self.fail("no offset modifiers allowed before range", expr.start, close.end)
        if expr.at is not None:
            raise self.fail("no @ modifiers allowed before range", expr.start, close.end)
        return MatrixSelector(expr, length, start=expr.start, end=close.end)

    def at(self, sign: Token) -> At:
        if self.token.word in ("start", "end") and self.following.text == "(":
            word = self.advance()
            self.expect("(", "@ modifier")
            self.expect(")", "@ modifier")
            return At(0, word.word, start=sign.start, end=self.last_end)
        value = self.signed_number("@ modifier")
        if not math.isfinite(value) or abs(value) > 2**53:
            raise self.fail("timestamp out of bounds for @ modifier", sign.start, self.last_end)
        return At(round(value * 1000), start=sign.start, end=self.last_end)

    def signed_number(self, context: str) -> float:
        negative = False
        while self.at_operator("+", "-"):
            negative ^= self.advance().text == "-"
        token = self.token
        if token.word in ("inf", "nan"):
            value = math.inf if token.word == "inf" else math.nan
        elif token.kind in (Kind.NUMBER, Kind.DURATION):
            value = self.number_value(token)
        else:
            raise self.unexpected(context, "expected a number")
        self.advance()
        return -value if negative else value

    def number_value(self, token: Token) -> float:
        try:
            if token.kind is Kind.DURATION:
                return parse_duration(token.text) / 1000
            if token.text[:2] in ("0x", "0X"):
                return float(int(token.text, 16))
            return float(token.text)
        except (ValueError, OverflowError) as error:
            raise self.fail(str(error), token.start, token.end) from None

    # --- durations ---

    def offset(self) -> Duration:
        """A duration after ``offset``: one signed operand; arithmetic needs parentheses."""
        start = self.token.start
        sign = ""
        if self.at_operator("+", "-"):
            sign = self.advance().text
        operand = self.duration_operand("offset")
        return self.folded(DurationExpr("neg", (operand,)) if sign == "-" else operand, start)

    def duration(self, least: int, context: str) -> Duration:
        start = self.token.start
        folded = self.folded(self.duration_arithmetic(least, context), start)
        if isinstance(folded, int) and folded <= 0:
            raise self.fail("duration must be greater than 0", start, self.last_end)
        return folded

    def folded(self, expr: DurationExpr, start: int) -> Duration:
        try:
            return milliseconds(expr, 0, 0) if constant(expr) else expr
        except ValueError as error:
            raise self.fail(str(error), start, self.last_end) from None

    def duration_arithmetic(self, least: int, context: str) -> DurationExpr:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail(f"nested deeper than {MAX_DEPTH} levels", self.token.start)
        if self.at_operator("+", "-"):
            negative = self.advance().text == "-"
            left = self.duration_arithmetic(PRECEDENCE["^"], context)
            left = DurationExpr("neg", (left,)) if negative else left
        else:
            left = self.duration_operand(context)
        while self.at_operator("+", "-", "*", "/", "%", "^"):
            op = self.token.text
            power = PRECEDENCE[op]
            if power < least:
                break
            self.advance()
            right = self.duration_arithmetic(power if op == "^" else power + 1, context)
            left = DurationExpr(op, (left, right))
        self.depth -= 1
        return left

    def duration_operand(self, context: str) -> DurationExpr:
        token = self.token
        if token.kind in (Kind.NUMBER, Kind.DURATION):
            self.advance()
            return DurationExpr("number", (), self.number_value(token))
        if self.take("("):
            inner = self.duration_arithmetic(0, context)
            self.expect(")", context)
            return inner
        if token.word in ("step", "range") and self.following.text == "(":
            self.advance()
            self.expect("(", context)
            self.expect(")", context)
            return DurationExpr(token.word)
        if token.word in ("min_of", "max_of") and self.following.text == "(":
            self.advance()
            self.expect("(", context)
            first = self.duration_arithmetic(0, context)
            self.expect(",", context)
            second = self.duration_arithmetic(0, context)
            self.expect(")", context)
            return DurationExpr(token.word, (first, second))
        raise self.unexpected(context, "expected a duration such as 5m")
