"""``fluent.conf`` to sections, as Fluentd's v1 format has it.

https://docs.fluentd.org/configuration/config-file. What is wrong is noted with its place, and reading goes on.
"""

import posixpath
import re
from dataclasses import dataclass, field
from typing import Final

from eldonia_ops.model.errors import Diagnostic, Level
from eldonia_ops.pipeline.section import UNREADABLE, Parameter, Place, Section
from eldonia_ops.protocols.fluentd_config.cursor import BLANK, NEWLINE, Cursor
from eldonia_ops.protocols.fluentd_config.embedded import UseDefault, Value
from eldonia_ops.protocols.fluentd_config.faults import ConfigSyntaxError, diagnostic
from eldonia_ops.protocols.fluentd_config.literals import Literals
from eldonia_ops.protocols.fluentd_config.surroundings import Surroundings

MAX_BYTES: Final = 8 << 20
MAX_DEPTH: Final = 50
MAX_FILES: Final = 1_000
MAX_FAULTS: Final = 1_000

_RESERVED: Final = frozenset(("@type", "@id", "@label", "@log_level"))
_TOP: Final = frozenset(("match", "source", "filter", "system", "label", "worker"))
_WILD: Final = frozenset("*?[{")


def read_fluent_conf(data: bytes, file: str, surroundings: Surroundings, problems: list[Diagnostic]) -> Section:
    """The sections of a configuration, in one section named ``ROOT``. ``file`` is its path, from which ``@include``
    counts. Faults are added to ``problems``; what could be read is returned all the same."""
    body = _Body()
    run = _Run(surroundings, problems)
    run.file(data, file, body, (file,))
    return body.section("ROOT", "", Place(file, 1))


@dataclass(slots=True)
class _Body:
    parameters: dict[str, Parameter] = field(default_factory=dict)
    sections: list[Section] = field(default_factory=list)

    def section(self, name: str, argument: str, place: Place) -> Section:
        return Section(name, argument, self.parameters, tuple(self.sections), place)


class _Run:
    """One reading with all the files that belong to it."""

    def __init__(self, surroundings: Surroundings, problems: list[Diagnostic]) -> None:
        self.surroundings = surroundings
        self._problems = problems
        self._files = 0

    def note(self, found: Diagnostic) -> None:
        if len(self._problems) < MAX_FAULTS:
            self._problems.append(found)

    def file(self, data: bytes, file: str, body: _Body, within: tuple[str, ...]) -> None:
        self._files += 1
        if len(data) > MAX_BYTES:
            self.note(Diagnostic(f"larger than {MAX_BYTES} bytes", file))
            return
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            self.note(Diagnostic("not UTF-8 from here on", file, line))
            text = data.decode("utf-8", "replace")
        _FileReader(self, Cursor(text, file), within).read(body)

    def include(self, target: str, body: _Body, within: tuple[str, ...], place: Place) -> None:
        if "://" in target and not target.startswith("file://"):
            self.note(diagnostic(f"@include {target}: only files are read", place, "put it into a file"))
            return
        target = target.removeprefix("file://")
        pattern = posixpath.normpath(posixpath.join(posixpath.dirname(within[-1]), target))
        found = self.surroundings.files.matching(pattern)
        if not found:
            message = f"@include {target}: there is no such file, so nothing is included"
            self.note(diagnostic(message, place, f"looked for {pattern}", Level.WARNING))
        for path in found:
            if path in within:
                self.note(diagnostic(f"@include {target}: {path} includes itself", place, "take one of them out"))
            elif self._files >= MAX_FILES or len(within) > MAX_DEPTH:
                self.note(diagnostic(f"@include {target}: more than {MAX_FILES} files", place))
                return
            else:
                try:
                    data = self.surroundings.files.read(path)
                except OSError as error:
                    self.note(diagnostic(f"@include {path}: cannot be read: {error.strerror or error}", place))
                    continue
                self.file(data, path, body, (*within, path))


class _FileReader:
    def __init__(self, run: _Run, cursor: Cursor, within: tuple[str, ...]) -> None:
        self._run = run
        self._cursor = cursor
        self._within = within
        self._literals = Literals(cursor, run.surroundings)
        self._open: list[str] = []

    def read(self, body: _Body) -> None:
        self._elements(body)

    def _elements(self, body: _Body) -> bool:
        """Everything up to the end tag of the section that was opened last, or to the end of the file. Returns whether
        there was an end tag."""
        cursor = self._cursor
        while True:
            cursor.skip_space(comments=True)
            if cursor.ended:
                return False
            if cursor.text.startswith("</", cursor.at):
                if self._ends():
                    return True
                continue
            begin = cursor.at
            try:
                if cursor.peek() == "<":
                    self._section(body)
                else:
                    self._parameter(body)
            except ConfigSyntaxError as fault:
                self._run.note(fault.diagnostic)
                cursor.at = max(cursor.at, begin + 1)
                cursor.skip_line()

    def _ends(self) -> bool:
        """Read an end tag; whether it ends the section that is open. One of a section further out ends those inside."""
        cursor = self._cursor
        at, place = cursor.at, cursor.place
        cursor.take("</")
        name = cursor.take_while(_is_name)
        cursor.skip_space(comments=True)
        closed = cursor.take(">")
        if not closed or not cursor.end_line():
            self._run.note(diagnostic(f"the end tag </{name}> is not alone in its line", place, f"write </{name}>"))
            cursor.skip_line()
        if self._open and self._open[-1] == name:
            return True
        if name in self._open:
            cursor.at = at  # it is read again by the section that it ends
            self._run.note(
                diagnostic(f"</{name}> comes before </{self._open[-1]}>", place, f"write </{self._open[-1]}>")
            )
            return True
        hint = f"open is <{self._open[-1]}>" if self._open else "no section is open"
        self._run.note(diagnostic(f"</{name}> ends nothing", place, hint))
        return False

    def _section(self, body: _Body) -> None:
        cursor, place = self._cursor, self._cursor.place
        cursor.take("<")
        name = cursor.take_while(_is_name)
        if not name:
            raise ConfigSyntaxError(
                "a < begins a section, and has no name", place, "write <source>, <filter tag.**> and so on"
            )
        cursor.skip_space(comments=True)
        argument = self._literals.argument()
        cursor.skip_space(comments=True)
        if not cursor.take(">"):
            raise ConfigSyntaxError(f"<{name} has no >", place)
        if not cursor.end_line():
            raise ConfigSyntaxError(f"behind <{name}> its line goes on", cursor.place, "begin a new line")
        if len(self._open) >= MAX_DEPTH:
            raise ConfigSyntaxError(f"sections are nested deeper than {MAX_DEPTH} levels", place)
        inside = _Body()
        self._open.append(name)
        if not self._elements(inside):
            self._run.note(diagnostic(f"<{name}> has no </{name}>", place))
        self._open.pop()
        body.sections.append(inside.section(name, argument if isinstance(argument, str) else "", place))

    def _parameter(self, body: _Body) -> None:
        cursor, place = self._cursor, self._cursor.place
        name = self._literals.name()
        if cursor.skip_space(comments=False) and name not in ("@include", "include"):
            self._keep(body, name, "", place)
            return
        if name == "@include" or (name == "include" and not self._open):
            self._include(name, body, place)
            return
        if name.startswith("@") and name not in _RESERVED and (not self._open or self._open[-1] in _TOP):
            self._run.note(diagnostic(f"there is no parameter {name}: names with @ are reserved", place))
        begin = cursor.at
        try:
            value = self._literals.value()
        except ConfigSyntaxError:
            body.parameters[name] = Parameter(name, UNREADABLE, place)
            raise
        if not cursor.end_line():
            raise ConfigSyntaxError(f"the value of {name} has ended, and its line goes on", cursor.place)
        written = cursor.text[begin : cursor.at]
        if value is None and "use_nil" not in written:
            names = ", ".join(re.findall(r"ENV\s*\[\s*['\"]([^'\"]{1,100})['\"]", written))
            message = f"{names or 'its value'} is not set: {name} counts as not written"
            hint = "set the environment variable, or write #{ENV['NAME'] || 'default'}"
            self._run.note(diagnostic(message, place, hint, Level.WARNING))
        if isinstance(value, str) and "#{" in value and cursor.text[begin] not in "\"'[{":
            hint = f'write {name} "{value}"'
            message = f"#{{…}} in {name} is taken as it is written: it has a meaning only between quotation marks"
            self._run.note(diagnostic(message, place, hint, Level.WARNING))
        self._keep(body, name, value, place)

    def _keep(self, body: _Body, name: str, value: Value, place: Place) -> None:
        if isinstance(value, UseDefault):
            body.parameters.pop(name, None)
            return
        before = body.parameters.get(name)
        if before is not None and before.value != value:
            message = f"{name} is written twice: this one counts, not that of {before.place.file}:{before.place.line}"
            self._run.note(diagnostic(message, place, level=Level.WARNING))
        body.parameters[name] = Parameter(name, value, place)

    def _include(self, name: str, body: _Body, place: Place) -> None:
        if name == "include":
            self._run.note(diagnostic("write @include: include is the old form", place, level=Level.WARNING))
        target = self._literals.value() if not self._cursor.ended and self._cursor.peek() not in NEWLINE else ""
        self._cursor.end_line()
        if not isinstance(target, str) or not target.strip(BLANK):
            raise ConfigSyntaxError("@include needs the path of a file", place)
        self._run.include(target, body, self._within, place)


def _is_name(char: str) -> bool:
    return char.isascii() and (char.isalnum() or char == "_")
