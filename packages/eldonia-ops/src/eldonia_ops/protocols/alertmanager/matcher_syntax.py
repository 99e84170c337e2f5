"""Alertmanager's two ways of writing matchers, as in ``matchers:``, silences and ``filter=``.

The classic one takes anything as a value; the UTF-8 one takes any label name in quotes. Where both
read a text and differ, the classic reading counts, as in Alertmanager.
Source: https://prometheus.io/docs/alerting/latest/configuration/#matcher
"""

import re

from eldonia_ops.model.matchers import Matcher, MatchOp
from eldonia_ops.template.literals import unquote

MAX_CHARACTERS = 64 * 1024
_CLASSIC = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|!~|!=|=)\s*+(.*)", re.DOTALL)
_TOKEN = re.compile(
    r"""\s*(?:(?P<op>=~|!~|!=|=)|(?P<mark>[{},])|(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<word>[^\s{}!=~,\\"'`]+))"""
)


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """The matchers of ``{a="b", c=~"d.*"}``; the braces may be left out.

    Raises:
        ValueError: the text is malformed or holds a bad regular expression; the message says where.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"matchers longer than {MAX_CHARACTERS} characters")
    try:
        modern, complaint = _utf8(text), ""
    except ValueError as error:
        modern, complaint = None, str(error)
    try:
        classic = _classic(text)
    except ValueError:
        classic = None
    if modern is None and classic is None:
        raise ValueError(f"bad matcher {text!r}: {complaint}")
    if modern is None or (classic is not None and classic != modern):
        return tuple(_build(*parts) for parts in classic or ())
    return tuple(_build(*parts) for parts in modern)


def parse_matcher(text: str) -> Matcher:
    """Exactly one matcher.

    Raises:
        ValueError: it is malformed, or there are several.
    """
    found = parse_matchers(text)
    if len(found) != 1:
        raise ValueError(f"expected one matcher, found {len(found)} in {text!r}")
    return found[0]


def _build(name: str, operator: str, value: str) -> Matcher:
    return Matcher(name, MatchOp(operator), value)


def _utf8(text: str) -> list[tuple[str, str, str]]:
    tokens: list[tuple[str, str]] = []
    at = 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            rest = text[at:].lstrip()
            raise ValueError(f"unexpected {rest[:1]!r} at character {len(text) - len(rest) + 1}")
        kind, word = match.lastgroup, match[match.lastgroup]
        tokens.append((kind, unquote(word) if kind == "quoted" else word))
        at = match.end()
    if tokens and tokens[0] == ("mark", "{"):
        if tokens[-1] != ("mark", "}"):
            raise ValueError("the closing brace is missing")
        tokens = tokens[1:-1]
    found: list[tuple[str, str, str]] = []
    while tokens:
        group, tokens = tokens[:3], tokens[3:]
        kinds = [kind for kind, _ in group]
        if len(group) < 3 or kinds[1] != "op" or any(kind not in ("quoted", "word") for kind in (kinds[0], kinds[2])):
            raise ValueError('write it like name="value", with one of = != =~ !~')
        if not group[0][1]:
            raise ValueError("a label name cannot be empty")
        found.append((group[0][1], group[1][1], group[2][1]))
        if tokens:
            if tokens[0] != ("mark", ","):
                raise ValueError(f"expected a comma before {tokens[0][1]!r}")
            tokens = tokens[1:]
    return found


def _classic(text: str) -> list[tuple[str, str, str]]:
    inner = text.strip()
    if inner.startswith("{"):
        inner = inner[1:]
        if not inner.endswith("}"):
            raise ValueError("the closing brace is missing")
        inner = inner[:-1]
    return [_classic_one(part) for part in _split(inner)]


def _split(text: str) -> list[str]:
    """Split at commas outside of double quotes; an empty last part is no part."""
    parts, part, quoted, escaped = [], "", False, False
    for character in text:
        if character == "," and not quoted:
            parts.append(part)
            part = ""
            continue
        if character == '"' and not escaped:
            quoted = not quoted
        escaped = character == "\\" and not escaped
        part += character
    return [*parts, part] if part.strip() else parts


def _classic_one(text: str) -> tuple[str, str, str]:
    match = _CLASSIC.fullmatch(text.strip())
    if match is None:
        raise ValueError("bad matcher format")
    name, operator, raw = match.groups()
    quoted = raw.startswith('"')
    if quoted:
        if len(raw) < 2 or not raw.endswith('"'):
            raise ValueError("matcher value contains unescaped double quote")
        raw = raw[1:-1]
    value, escaped = "", False
    for index, character in enumerate(raw):
        if escaped:
            value += {"n": "\n", '"': '"', "\\": "\\"}.get(character, "\\" + character)
            escaped = False
        elif character == "\\":
            if index < len(raw) - 1:
                escaped = True
            elif quoted:
                raise ValueError("matcher value contains unescaped double quote")
            else:
                value += "\\"
        elif character == '"':
            raise ValueError("matcher value contains unescaped double quote")
        else:
            value += character
    return name, operator, value
