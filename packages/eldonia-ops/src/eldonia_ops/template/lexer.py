"""Template text to tokens.

The token rules are those of Go's text/template (https://pkg.go.dev/text/template, text/template/parse):
actions are between ``{{`` and ``}}``, ``{{- `` and `` -}}`` trim white space beside them, comments
are ``{{/* ... */}}``.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from eldonia_ops.template.errors import TemplateError

MAX_CHARACTERS: Final = 1_000_000
_SPACE: Final = " \t\r\n"


class Kind(Enum):
    """What a token is."""

    TEXT = auto()
    LEFT = auto()
    RIGHT = auto()
    SPACE = auto()
    IDENTIFIER = auto()
    KEYWORD = auto()
    FIELD = auto()
    VARIABLE = auto()
    DOT = auto()
    NIL = auto()
    BOOL = auto()
    NUMBER = auto()
    CHAR = auto()
    STRING = auto()
    RAW_STRING = auto()
    PIPE = auto()
    LEFT_PAREN = auto()
    RIGHT_PAREN = auto()
    ASSIGN = auto()
    DECLARE = auto()
    COMMA = auto()
    END = auto()


KEYWORDS: Final = frozenset(
    {"if", "else", "end", "range", "with", "define", "template", "block", "break", "continue"},
)


@dataclass(frozen=True, slots=True)
class Token:
    """One token; ``offset`` is its 0-based place in the text."""

    kind: Kind
    text: str
    offset: int


_INSIDE = re.compile(
    r"""
      (?P<space>[ \t\r\n]+)
    | (?P<declare>:=)
    | (?P<assign>=)
    | (?P<pipe>\|)
    | (?P<comma>,)
    | (?P<string>"(?:[^"\\\n]|\\.)*")
    | (?P<raw>`[^`]*`)
    | (?P<char>'(?:[^'\\\n]|\\.)+')
    | (?P<number>[+-]?(?:
          0[xX][0-9a-fA-F_]+(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]+)?
        | 0[bB][01_]+ | 0[oO][0-7_]+
        | (?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9_]+)?)i?)
    | (?P<variable>\$\w*)
    | (?P<field>\.[^\W\d]\w*)
    | (?P<dot>\.)
    | (?P<word>[^\W\d]\w*)
    | (?P<left>\()
    | (?P<right>\))
    """,
    re.VERBOSE,
)
_KINDS: Final = {
    "space": Kind.SPACE,
    "declare": Kind.DECLARE,
    "assign": Kind.ASSIGN,
    "pipe": Kind.PIPE,
    "comma": Kind.COMMA,
    "string": Kind.STRING,
    "raw": Kind.RAW_STRING,
    "char": Kind.CHAR,
    "number": Kind.NUMBER,
    "variable": Kind.VARIABLE,
    "field": Kind.FIELD,
    "dot": Kind.DOT,
    "left": Kind.LEFT_PAREN,
    "right": Kind.RIGHT_PAREN,
}
# What may follow a field, a variable, a word or a literal without a space between.
_TERMINATORS: Final = frozenset(" \t\r\n.,|:()}")


def position(text: str, offset: int) -> tuple[int, int]:
    """The 1-based line and column of a 0-based offset."""
    line = text.count("\n", 0, offset) + 1
    return line, offset - (text.rfind("\n", 0, offset) + 1) + 1


def tokenize(text: str, name: str = "") -> list[Token]:
    """Split a template into tokens, the last of which is :attr:`Kind.END`.

    Raises:
        TemplateError: an action, comment or literal does not end, a character does not belong in an
            action, or the text is longer than :data:`MAX_CHARACTERS`.
    """
    if len(text) > MAX_CHARACTERS:
        raise TemplateError(f"template longer than {MAX_CHARACTERS} characters", template=name)
    return _Lexer(text, name).run()


class _Lexer:
    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name
        self.tokens: list[Token] = []

    def fail(self, message: str, offset: int) -> TemplateError:
        return TemplateError(message, *position(self.text, offset), self.name)

    def run(self) -> list[Token]:
        text = self.text
        at = 0
        trim_next = False
        while True:
            start = text.find("{{", at)
            literal = text[at:] if start < 0 else text[at:start]
            literal_at = at
            if trim_next:
                stripped = literal.lstrip(_SPACE)
                literal_at += len(literal) - len(stripped)
                literal = stripped
            inside = start + 2
            trims_left = (
                start >= 0 and text[inside : inside + 1] == "-" and text[inside + 1 : inside + 2] in set(_SPACE)
            )
            if trims_left:
                literal = literal.rstrip(_SPACE)
                inside += 2
            if literal:
                self.tokens.append(Token(Kind.TEXT, literal, literal_at))
            if start < 0:
                self.tokens.append(Token(Kind.END, "", len(text)))
                return self.tokens
            if text.startswith("/*", inside):
                at, trim_next = self.comment(start, inside)
            else:
                self.tokens.append(Token(Kind.LEFT, "{{", start))
                at, trim_next = self.action(start, inside)

    def comment(self, start: int, inside: int) -> tuple[int, bool]:
        end = self.text.find("*/", inside + 2)
        if end < 0:
            raise self.fail("comment is not closed with */", start)
        rest = end + 2
        if self.text.startswith("}}", rest):
            return rest + 2, False
        if self.text[rest : rest + 1] in set(_SPACE) and self.text.startswith("-}}", rest + 1):
            return rest + 4, True
        raise self.fail("a comment must end its action: write */}} or */ -}}", end)

    def action(self, start: int, at: int) -> tuple[int, bool]:
        text = self.text
        depth = 0
        while True:
            if text.startswith("}}", at):
                if depth:
                    raise self.fail("unclosed left paren", at)
                self.tokens.append(Token(Kind.RIGHT, "}}", at))
                return at + 2, False
            if text[at : at + 1] in set(_SPACE) and text.startswith("-}}", at + 1):
                if depth:
                    raise self.fail("unclosed left paren", at)
                self.tokens.append(Token(Kind.RIGHT, "-}}", at + 1))
                return at + 4, True
            if at >= len(text):
                raise self.fail("unclosed action: }} is missing", start)
            match = _INSIDE.match(text, at)
            if match is None or match.lastgroup is None:
                raise self.unexpected(at)
            group, word = match.lastgroup, match.group()
            if group == "space":
                word = self.leave_trim_marker(word, match.end())
            end = at + len(word)
            self.check_end(group, end)
            if group == "left":
                depth += 1
            elif group == "right":
                depth -= 1
                if depth < 0:
                    raise self.fail("unexpected right paren", at)
            if word:
                self.tokens.append(Token(self.kind_of(group, word), word, at))
            at = end

    def leave_trim_marker(self, spaces: str, end: int) -> str:
        """White space before ``-}}``: the last of it belongs to the marker."""
        return spaces[:-1] if self.text.startswith("-}}", end) else spaces

    def check_end(self, group: str, end: int) -> None:
        following = self.text[end : end + 1]
        if not following:
            return
        if group in ("variable", "field", "word") and following not in _TERMINATORS:
            raise self.fail(f"bad character {following!r}", end)
        if group == "number" and (following.isalnum() or following == "_"):
            raise self.fail("bad number syntax", end)

    def kind_of(self, group: str, word: str) -> Kind:
        if group != "word":
            return _KINDS[group]
        if word in KEYWORDS:
            return Kind.KEYWORD
        if word in ("true", "false"):
            return Kind.BOOL
        return Kind.NIL if word == "nil" else Kind.IDENTIFIER

    def unexpected(self, at: int) -> TemplateError:
        character = self.text[at]
        if character in "\"'":
            return self.fail(
                "unterminated quoted string" if character == '"' else "unterminated character constant", at
            )
        if character == "`":
            return self.fail("unterminated raw quoted string", at)
        if self.text.startswith("{{", at):
            return self.fail("unexpected '{{' inside an action: is }} missing before?", at)
        return self.fail(f"unexpected character {character!r} in action", at)
