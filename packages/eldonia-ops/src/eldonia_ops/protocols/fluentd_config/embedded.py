"""``"#{…}"``: the little that is read of Ruby, and what to write in place of the rest.

Read are ``ENV['X']``, ``ENV.fetch('X')``, ``ENV.fetch('X', 'default')``, ``Socket.gethostname``, ``hostname``,
``worker_id``, texts, numbers, ``true``, ``false``, ``nil``, ``use_nil``, ``use_default``, and ``||`` and ``+`` between
them, with brackets.
https://docs.fluentd.org/configuration/config-file#embedded-ruby-code
"""

import re
from typing import Final

import re2

from eldonia_ops.pipeline.section import Place
from eldonia_ops.protocols.fluentd_config.faults import ConfigSyntaxError
from eldonia_ops.protocols.fluentd_config.surroundings import Surroundings


class UseDefault:
    """``use_default``: the parameter counts as not written."""


USE_DEFAULT: Final = UseDefault()
Value = str | UseDefault | None

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\#]|\\.|#(?!\{))*\")|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<number>-?[0-9]+(?:\.[0-9]+)?)|(?P<sign>\|\||[\[\]().,{}+]))",
    re.ASCII,
)
_MOST_TOKENS: Final = 200

_ENV_WAY: Final = "set an environment variable before the start and write \"#{ENV['NAME']}\""
# What is found in code that is refused → what to write. The first that is found counts.
_WAYS: Final = (
    (r"Socket\.(?:ip_address_list|getifaddrs|getaddrinfo)|IPSocket|Addrinfo", f"write the address, or {_ENV_WAY}"),
    (r"File\.read|YAML|JSON", _ENV_WAY),
    (r"Dir\.pwd|File\.|Pathname|__FILE__|__dir__", "write the path itself"),
    (r"Time\.|Date", "in paths and index names write %Y%m%d with <buffer time>; in records ${time}"),
    (r"`|%x|system|IO\.|open\(|exec|popen", f"commands are never run: {_ENV_WAY}"),
    (r"ENV.*(?:\?|\bif\b|\bunless\b)", "write \"#{ENV['NAME'] || 'default'}\""),
    (r"ENV\s*[\[.].*[\])]\s*\.|ENV.*%", "set the variable to the text that is wanted here"),
    (r"SecureRandom|rand\b", "write a fixed text; names that must differ may hold #{hostname}"),
)


def evaluate(code: str, surroundings: Surroundings, place: Place) -> Value:
    """The value of what is written between ``#{`` and ``}``. None is Ruby's nil: the parameter has no value.

    Raises:
        ConfigSyntaxError: it is other Ruby than is read here, or names a variable that is not set and has no default.
    """
    return _Reader(code, surroundings, place).value()


class _Reader:
    def __init__(self, code: str, surroundings: Surroundings, place: Place) -> None:
        self._code = code
        self._surroundings = surroundings
        self._place = place
        self._tokens = self._split()
        self._at = 0

    def value(self) -> Value:
        found = self._either()
        if self._at < len(self._tokens):
            raise self._refusal()
        return found

    def _split(self) -> list[tuple[str, str]]:
        tokens: list[tuple[str, str]] = []
        at, code = 0, self._code.rstrip()
        while at < len(code):
            match = _TOKEN.match(code, at)
            if match is None or len(tokens) >= _MOST_TOKENS:
                raise self._refusal()
            tokens.append((match.lastgroup or "", match[match.lastgroup or 0]))
            at = match.end()
        return tokens

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise self._refusal()
        self._at += 1
        return self._tokens[self._at - 1]

    def _is_next(self, *signs: str) -> bool:
        found = tuple(text for _, text in self._tokens[self._at : self._at + len(signs)])
        if found != signs:
            return False
        self._at += len(signs)
        return True

    def _either(self, *, needed: bool = True) -> Value:
        """``a || b``: the first that is not nil. What comes behind a value is read, and its faults do not count."""
        found = self._sum(needed=needed)
        while self._is_next("||"):
            following = self._either(needed=needed and found is None)
            found = following if found is None else found
        return found

    def _sum(self, *, needed: bool) -> Value:
        """``a + b``: texts one after the other. In Ruby nil, numbers and true cannot be added to a text."""
        texts = [self._tokens[self._at : self._at + 1]]
        found = self._term(needed=needed)
        while self._is_next("+"):
            texts.append(self._tokens[self._at : self._at + 1])
            more = self._term(needed=needed)
            if any(kind == "number" or text in ("true", "false", "nil") for one in texts for kind, text in one):
                raise self._refusal()
            if not (isinstance(found, str) and isinstance(more, str)):
                if needed:
                    hint = "set it, or write (ENV['NAME'] || 'default')"
                    message = "an environment variable that is not set is added to a text"
                    raise ConfigSyntaxError(message, self._place, hint)
                found = None
                continue
            found += more
        return found

    def _term(self, *, needed: bool) -> Value:
        kind, text = self._next()
        if kind == "text":
            return _unquoted(text)
        if kind == "number":
            return text
        if text == "(":
            found = self._either(needed=needed)
            self._expect(")")
            return found
        if kind != "name":
            raise self._refusal()
        match text:
            case "nil" | "use_nil":
                return None
            case "false" if self._is_next("||"):
                raise self._refusal()
            case "true" | "false":
                return text
            case "use_default":
                return USE_DEFAULT
            case "hostname":
                return self._surroundings.hostname
            case "worker_id":
                return self._surroundings.worker_id
            case "Socket" if self._is_next(".", "gethostname"):
                if self._is_next("("):
                    self._expect(")")
                return self._surroundings.hostname
            case "ENV" if self._is_next("["):
                name = self._name()
                self._expect("]")
                return self._surroundings.env.get(name)
            case "ENV" if self._is_next(".", "fetch", "("):
                return self._fetch(needed=needed)
        raise self._refusal()

    def _fetch(self, *, needed: bool) -> Value:
        name = self._name()
        known = self._surroundings.env.get(name)
        default: Value = None
        has_default = self._is_next(",")
        if has_default:
            default = self._either(needed=needed and known is None)
        self._expect(")")
        if self._is_next("{"):
            has_default, default = True, self._either(needed=needed and known is None)
            self._expect("}")
        if known is None and not has_default and needed:
            hint = f"set it, or write ENV['{name}'] || 'default'"
            raise ConfigSyntaxError(f"the environment variable {name} is not set", self._place, hint)
        return default if known is None else known

    def _name(self) -> str:
        kind, text = self._next()
        if kind != "text":
            raise self._refusal()
        return _unquoted(text)

    def _expect(self, sign: str) -> None:
        if not self._is_next(sign):
            raise self._refusal()

    def _refusal(self) -> ConfigSyntaxError:
        code = self._code.strip()
        shown = code if len(code) <= 60 else f"{code[:57]}…"
        for pattern, way in _WAYS:
            if re2.search(pattern, code):
                return ConfigSyntaxError(f"Ruby is not run here: #{{{shown}}}", self._place, way)
        hint = f"write the value itself, or {_ENV_WAY}"
        return ConfigSyntaxError(f"Ruby is not run here: #{{{shown}}}", self._place, hint)


def _unquoted(text: str) -> str:
    inner = text[1:-1]
    if text[0] == "'":
        return re.sub(r"\\(['\\])", r"\1", inner)
    return re.sub(r"\\(.)", lambda match: {"n": "\n", "t": "\t", "r": "\r"}.get(match[1], match[1]), inner)


def code_end(text: str, at: int) -> int:
    """Where the ``}`` is that ends the code which begins at ``at``; -1 when there is none. Texts are passed over."""
    depth, quote = 0, ""
    while at < len(text):
        char = text[at]
        if quote:
            if char == "\\":
                at += 1
            elif char == quote:
                quote = ""
        elif char in "'\"":
            quote = char
        elif char == "{":
            depth += 1
        elif char == "}":
            if not depth:
                return at
            depth -= 1
        at += 1
    return -1
