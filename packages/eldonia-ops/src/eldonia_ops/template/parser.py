"""Tokens to a tree, after the grammar of Go's text/template (https://pkg.go.dev/text/template)."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from eldonia_ops.model.errors import nearest
from eldonia_ops.template import literals
from eldonia_ops.template.errors import TemplateError
from eldonia_ops.template.lexer import Kind, Token, position, tokenize
from eldonia_ops.template.nodes import (
    Action,
    Break,
    Chain,
    Command,
    Continue,
    Definition,
    Dot,
    Field,
    Identifier,
    If,
    Invoke,
    Literal,
    Nil,
    Node,
    Pipeline,
    Range,
    Text,
    Variable,
    With,
)

MAX_DEPTH: Final = 60

MAX_VARIABLES: Final = 500
"""How many may be there at one place: each use looks for its own."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """One text: its own body, and what it defines by name."""

    main: Definition
    definitions: tuple[Definition, ...]


def parse_text(text: str, name: str, functions: Collection[str], variables: Collection[str] = ()) -> Parsed:
    """Parse one template text.

    ``functions`` are the names that may be called, ``variables`` those (with their dollar sign) that
    exist from the start beside ``$``.

    Raises:
        TemplateError: with line and column.
    """
    return _Parser(text, name, functions, variables).run()


class _Parser:
    def __init__(self, text: str, name: str, functions: Collection[str], variables: Collection[str]) -> None:
        self.text = text
        self.name = name
        self.functions = functions
        self.initial = ["$", *variables]
        self.variables = list(self.initial)
        self.tokens = tokenize(text, name)
        self.at = 0
        self.depth = 0
        self.loops = 0
        self.definitions: dict[str, Definition] = {}
        self.invokes: list[Invoke] = []

    # --- tokens

    def fail(self, message: str, token: Token | Node) -> TemplateError:
        return TemplateError(message, *position(self.text, token.offset), self.name)

    def peek(self) -> Token:
        return self.tokens[self.at]

    def next(self) -> Token:
        token = self.tokens[self.at]
        if token.kind is not Kind.END:
            self.at += 1
        return token

    def skip_space(self) -> Token:
        while self.tokens[self.at].kind is Kind.SPACE:
            self.at += 1
        return self.tokens[self.at]

    def next_solid(self) -> Token:
        self.skip_space()
        return self.next()

    def expect(self, kind: Kind, context: str) -> Token:
        token = self.next_solid()
        if token.kind is not kind:
            raise self.unexpected(token, context)
        return token

    def unexpected(self, token: Token, context: str) -> TemplateError:
        what = "end of template" if token.kind is Kind.END else repr(token.text)
        return self.fail(f"unexpected {what} in {context}", token)

    def keyword_ahead(self) -> str:
        """The keyword that opens the action at the current ``{{``, or ''."""
        ahead = self.at + 1
        while self.tokens[ahead].kind is Kind.SPACE:
            ahead += 1
        token = self.tokens[ahead]
        return token.text if token.kind is Kind.KEYWORD else ""

    def enter_keyword(self) -> Token:
        self.next()
        return self.next_solid()

    # --- bodies

    def run(self) -> Parsed:
        body: list[Node] = []
        while self.peek().kind is not Kind.END:
            if self.peek().kind is Kind.LEFT and self.keyword_ahead() == "define":
                self.define()
            else:
                body.append(self.item("template"))
        main = Definition(self.name, tuple(body), self.text, self.name, 0, tuple(self.invokes))
        return Parsed(main, tuple(self.definitions.values()))

    def item(self, context: str) -> Node:
        token = self.peek()
        if token.kind is Kind.TEXT:
            self.next()
            return Text(token.offset, token.text)
        return self.action(context)

    def action(self, context: str) -> Node:
        keyword = self.keyword_ahead()
        opening = self.peek()
        match keyword:
            case "":
                self.next()
                pipeline = self.pipeline("command", Kind.RIGHT)
                return Action(opening.offset, pipeline)
            case "if" | "with" | "range":
                self.enter_keyword()
                return self.control(keyword, opening)
            case "template":
                return self.template()
            case "block":
                return self.block()
            case "break" | "continue":
                token = self.enter_keyword()
                self.expect(Kind.RIGHT, keyword)
                if not self.loops:
                    raise self.fail(f"{{{{{keyword}}}}} outside {{{{range}}}}", token)
                return Break(opening.offset) if keyword == "break" else Continue(opening.offset)
            case _:
                token = self.enter_keyword()
                where = "" if context == "template" else f" in {context}"
                hint = " (define is only allowed outside of other actions)" if keyword == "define" else ""
                raise self.fail(f"unexpected {{{{{keyword}}}}}{where}{hint}", token)

    def body(self, context: str, opening: Token) -> tuple[tuple[Node, ...], str]:
        """Nodes up to ``end`` or ``else``, whose action has been entered but not left."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail("nested too deeply", opening)
        nodes: list[Node] = []
        while True:
            token = self.peek()
            if token.kind is Kind.END:
                raise self.fail(f"{{{{{context}}}}} is not closed: {{{{end}}}} is missing", opening)
            keyword = self.keyword_ahead() if token.kind is Kind.LEFT else ""
            if keyword in ("end", "else"):
                self.enter_keyword()
                self.depth -= 1
                return tuple(nodes), keyword
            nodes.append(self.item(context))

    def control(self, keyword: str, opening: Token) -> Node:
        """``if``, ``with`` or ``range``; the keyword has been read."""
        scope = len(self.variables)
        pipeline = self.pipeline(keyword, Kind.RIGHT)
        self.loops += keyword == "range"
        body, stop = self.body(keyword, opening)
        self.loops -= keyword == "range"
        otherwise: tuple[Node, ...] = ()
        if stop == "else":
            following = self.skip_space()
            if following.kind is Kind.KEYWORD and following.text == keyword and keyword in ("if", "with"):
                # `else if` is an if inside else; the one {{end}} closes both.
                self.next()
                self.depth += 1
                if self.depth > MAX_DEPTH:
                    raise self.fail("nested too deeply", following)
                otherwise = (self.control(keyword, following),)
                self.depth -= 1
                del self.variables[scope:]
                return _control(keyword, opening.offset, pipeline, body, otherwise)
            self.expect(Kind.RIGHT, "else")
            otherwise, stop = self.body(keyword, opening)
            if stop == "else":
                raise self.fail("expected {{end}}, found a second {{else}}", self.tokens[self.at - 1])
        self.expect(Kind.RIGHT, "end")
        del self.variables[scope:]
        return _control(keyword, opening.offset, pipeline, body, otherwise)

    def constant_name(self, context: str) -> str:
        token = self.next_solid()
        if token.kind not in (Kind.STRING, Kind.RAW_STRING):
            raise self.unexpected(token, f"{context} clause: its name must be a quoted text")
        return self.unquoted(token)

    def unquoted(self, token: Token) -> str:
        try:
            return literals.unquote(token.text)
        except ValueError as error:
            raise self.fail(str(error), token) from None

    def template(self) -> Node:
        token = self.enter_keyword()
        name = self.constant_name("template")
        pipeline = None
        if self.skip_space().kind is Kind.RIGHT:
            self.next()
        else:
            pipeline = self.pipeline("template clause", Kind.RIGHT)
        node = Invoke(token.offset, name, pipeline)
        self.invokes.append(node)
        return node

    def block(self) -> Node:
        token = self.enter_keyword()
        name = self.constant_name("block")
        pipeline = self.pipeline("block clause", Kind.RIGHT)
        self.definition(name, token, "block")
        node = Invoke(token.offset, name, pipeline)
        self.invokes.append(node)
        return node

    def define(self) -> None:
        token = self.enter_keyword()
        name = self.constant_name("define")
        self.expect(Kind.RIGHT, "define clause")
        self.definition(name, token, "define")

    def definition(self, name: str, token: Token, what: str) -> None:
        variables, self.variables = self.variables, ["$"]
        invokes, self.invokes = self.invokes, []
        loops, self.loops = self.loops, 0
        body, stop = self.body(what, token)
        if stop == "else":
            raise self.fail(f"unexpected {{{{else}}}} in {what} clause", self.tokens[self.at - 1])
        self.expect(Kind.RIGHT, "end")
        found = Definition(name, body, self.text, self.name, token.offset, tuple(self.invokes))
        self.variables, self.invokes, self.loops = variables, invokes, loops
        earlier = self.definitions.get(name)
        if earlier is None or earlier.blank:
            self.definitions[name] = found
        elif not found.blank:
            raise self.fail(f"template {name!r} is defined twice", token)

    # --- pipelines

    def pipeline(self, context: str, end: Kind) -> Pipeline:
        """A pipeline and the token that ends it."""
        start = self.skip_space()
        variables, assigns = self.declarations(context)
        commands: list[Command] = []
        while True:
            token = self.skip_space()
            if token.kind is end:
                self.next()
                break
            if token.kind in (Kind.RIGHT, Kind.RIGHT_PAREN, Kind.PIPE, Kind.COMMA, Kind.ASSIGN, Kind.DECLARE, Kind.END):
                raise self.unexpected(token, context)
            commands.append(self.command(context))  # as in Go, a `|` with nothing after it is passed over
        if not commands:
            raise self.fail(f"missing value for {context}", start)
        for command in commands[1:]:
            first = command.arguments[0]
            if isinstance(first, (Literal, Nil, Dot)):
                raise self.fail("a value that cannot be called follows |", first)
        if variables and not assigns:
            self.variables.extend(variables)
            if len(self.variables) > MAX_VARIABLES:
                raise self.fail(f"more than {MAX_VARIABLES} variables", start)
        return Pipeline(start.offset, tuple(commands), variables, assigns)

    def declarations(self, context: str) -> tuple[tuple[str, ...], bool]:
        mark = self.at
        names: list[Token] = []
        while self.skip_space().kind is Kind.VARIABLE:
            names.append(self.next())
            follower = self.skip_space()
            if follower.kind is Kind.COMMA:
                if context != "range" or len(names) > 1:
                    raise self.fail(f"too many variables to declare in {context}", follower)
                self.next()
                continue
            if follower.kind in (Kind.DECLARE, Kind.ASSIGN):
                self.next()
                assigns = follower.kind is Kind.ASSIGN
                if assigns:
                    for name in names:
                        self.check_variable(name)
                return tuple(name.text for name in names), assigns
            break
        self.at = mark
        return (), False

    def command(self, context: str) -> Command:
        start = self.skip_space()
        arguments: list[Node] = []
        while True:
            arguments.append(self.operand(context))
            token = self.peek()
            if token.kind is Kind.SPACE:
                token = self.skip_space()
                if token.kind not in (Kind.RIGHT, Kind.RIGHT_PAREN, Kind.PIPE, Kind.END):
                    continue
            if token.kind is Kind.PIPE:
                self.next()
                break
            if token.kind in (Kind.RIGHT, Kind.RIGHT_PAREN):
                break
            raise self.fail(
                "unclosed action" if token.kind is Kind.END else f"unexpected {token.text!r} in operand", token
            )
        if isinstance(arguments[0], Nil):
            raise self.fail("nil is not a command", arguments[0])
        return Command(start.offset, tuple(arguments))

    def operand(self, context: str) -> Node:
        token = self.peek()
        node = self.term(context)
        names: list[str] = []
        while self.peek().kind is Kind.FIELD:
            names.append(self.next().text[1:])
        if not names:
            return node
        match node:
            case Field(offset=offset, names=earlier):
                return Field(offset, (*earlier, *names))
            case Variable(offset=offset, name=name, names=earlier):
                return Variable(offset, name, (*earlier, *names))
            case Literal() | Nil() | Dot():
                raise self.fail(f"unexpected .{names[0]} after {token.text!r}", token)
            case _:
                return Chain(token.offset, node, tuple(names))

    def term(self, context: str) -> Node:
        token = self.next()
        try:
            match token.kind:
                case Kind.IDENTIFIER:
                    if token.text not in self.functions:
                        hint = nearest(token.text, self.functions)
                        raise self.fail(f"function {token.text!r} is not defined{f' ({hint})' if hint else ''}", token)
                    return Identifier(token.offset, token.text)
                case Kind.DOT:
                    return Dot(token.offset)
                case Kind.NIL:
                    return Nil(token.offset)
                case Kind.VARIABLE:
                    self.check_variable(token)
                    return Variable(token.offset, token.text, ())
                case Kind.FIELD:
                    return Field(token.offset, (token.text[1:],))
                case Kind.BOOL:
                    return Literal(token.offset, token.text == "true", token.text)
                case Kind.NUMBER:
                    return Literal(token.offset, literals.number(token.text), token.text)
                case Kind.CHAR:
                    return Literal(token.offset, literals.character(token.text), token.text)
                case Kind.STRING | Kind.RAW_STRING:
                    return Literal(token.offset, literals.unquote(token.text), token.text)
                case Kind.LEFT_PAREN:
                    self.depth += 1
                    if self.depth > MAX_DEPTH:
                        raise self.fail("nested too deeply", token)
                    inner = self.pipeline("parenthesized pipeline", Kind.RIGHT_PAREN)
                    self.depth -= 1
                    return inner
                case _:
                    raise self.unexpected(token, context)
        except TemplateError:
            raise
        except ValueError as error:
            raise self.fail(str(error), token) from None

    def check_variable(self, token: Token) -> None:
        if token.text not in self.variables:
            hint = nearest(token.text, self.variables)
            raise self.fail(f"undefined variable {token.text!r}{f' ({hint})' if hint else ''}", token)


def _control(
    keyword: str, offset: int, pipeline: Pipeline, body: tuple[Node, ...], otherwise: tuple[Node, ...]
) -> Node:
    node = {"if": If, "with": With, "range": Range}[keyword]
    return node(offset, pipeline, body, otherwise)
