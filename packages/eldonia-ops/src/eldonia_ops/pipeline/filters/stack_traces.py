"""Which lines are of one stack trace: Java and what runs on its machine, JavaScript, .NET, Python, Go, Ruby, PHP.

A trace is a small machine: a line that may begin one leads to a state, in which some lines go on. The last line of
each state may be followed by one that begins another trace, or is of none.
"""

from typing import Any, Final, NamedTuple

import re2

LONGEST: Final = 4_096
"""Of a longer line only so much is looked at."""


class _Rule(NamedTuple):
    written: str
    pattern: Any
    to: str


def _rules(*rules: tuple[str, str]) -> tuple[_Rule, ...]:
    return tuple(_Rule(written, re2.compile(written), to) for written, to in rules)


# A name such as java.lang.IllegalStateException, at the beginning or behind a time and level.
_THROWN: Final = (
    r"(?:^|[\s.:$\]\"])[A-Za-z_$][\w$]{0,99}(?:Exception|Error|Throwable|Fault|Interrupt|Failure)(?::|\s*$)"
)
_FRAME_AT: Final = r"^\s+(?:eval )?at \S"
_AT_MORE: Final = (
    (r"^\s+at \S.*\{$", "at_properties"),  # Node writes the properties of an error behind its frames
    (_FRAME_AT, "at_frames"),
    (r"^\s*(?:Caused by|Suppressed|Wrapped by): ?", "at_thrown"),
    (r"^\s*\.\.\. [0-9]{1,6} (?:more|common frames omitted|lines matching)", "at_frames"),
    (r"^\s*--- End of ", "at_frames"),
    (r"^ ---> ", "at_thrown"),
    (r"^\s*\[CIRCULAR REFERENCE", "at_frames"),
)
_AT: Final = {
    "": _rules(
        (_THROWN, "at_thrown"),
        (r"^(?:Error|Exception|V8 errors stack trace)$", "at_thrown"),
        (r"^(?:Exception in thread \"|Unhandled exception\. |Uncaught )", "at_thrown"),
    ),
    # A message may have several lines: those that are indented or empty belong to it as long as no frame has come.
    "at_thrown": _rules(*_AT_MORE, (r"^\s*nested exception is:", "at_thrown"), (r"^\s*$", "at_thrown"),
                        (r"^\s+\S", "at_thrown")),
    "at_frames": _rules(*_AT_MORE),
    "at_properties": _rules((r"^\s", "at_properties"), (r"^\}", "at_frames"), *_AT_MORE),
}  # fmt: skip
_PYTHON: Final = {
    "": _rules((r"Traceback \(most recent call last\):\s*$", "python")),
    "python": _rules(
        (r"^\s+\S", "python"),
        (r"^(?:[\w]+\.){0,20}[A-Za-z_]\w*(?::|$)", "python_thrown"),
    ),
    "python_thrown": _rules((r"^\s*$", "python_gap"), (r"^\s+\S", "python_thrown")),
    "python_gap": _rules(
        (r"^During handling of the above exception, another exception occurred:", "python_next"),
        (r"^The above exception was the direct cause of the following exception:", "python_next"),
    ),
    "python_next": _rules((r"^\s*$", "python_next"), (r"^Traceback \(most recent call last\):", "python")),
}
_GO: Final = {
    "": _rules((r"(?:^|\s)(?:panic|fatal error): \S", "go_panic")),
    "go_panic": _rules(
        (r"^\s*$", "go_routine"),
        (r"^\[signal ", "go_panic"),
        (r"^\s+(?:panic: |/)", "go_panic"),
        (r"^goroutine [0-9]+ \[", "go_function"),
    ),
    "go_routine": _rules(
        (r"^goroutine [0-9]+ \[[^\]]+\]:", "go_function"),
        (r"^runtime stack:", "go_function"),
        (r"^\s*$", "go_routine"),
        (r"^exit status [0-9]+", "go_end"),
    ),
    "go_function": _rules(
        (r"^created by ", "go_file"),
        (r"^\S+\(.*\)?$", "go_file"),
        (r"^\.\.\.(?:additional|[0-9]+) frames elided", "go_function"),
        (r"^\s*$", "go_routine"),
        (r"^exit status [0-9]+", "go_end"),
    ),
    "go_file": _rules((r"^\s+\S+:[0-9]+", "go_function")),
    "go_end": (),
}  # fmt: skip
_RUBY_FRAME: Final = r"^\s*(?:from )?\S.*:[0-9]+:in [`'].*'$"
_RUBY: Final = {
    "": _rules(
        (r"^\s*[A-Z][\w:]*(?:Error|Exception|Interrupt)? ?\(.*\):\s*$", "ruby_rails"),
        (r"^\S+\.rb:[0-9]+:in [`'].*\(?[A-Z][\w:]*\)?$", "ruby"),
    ),
    "ruby_rails": _rules((r"^\s*$", "ruby_rails"), (_RUBY_FRAME, "ruby")),
    "ruby": _rules((_RUBY_FRAME, "ruby"), (r"^Caused by:", "ruby_rails"), (r"^\s*\.\.\. [0-9]+ levels", "ruby")),
}
_PHP: Final = {
    "": _rules(
        (r"PHP (?:Notice|Warning|Deprecated|Parse error|Fatal error|Catchable fatal error|Uncaught):? ", "php_thrown"),
        (r"exception '[^']{1,200}' with message '", "php_thrown"),
        (r"(?:^|\s)(?:Uncaught )[\w\\]+(?:Exception|Error): ", "php_thrown"),
    ),
    "php_thrown": _rules((r"^(?:PHP )?Stack trace:", "php_frames"), (r"^\[stacktrace\]", "php_frames")),
    "php_frames": _rules(
        (r"^(?:PHP\s+)?(?:#[0-9]+ |[0-9]+\. )", "php_frames"), (r"^\s+thrown in ", "php_end"), (r"^\"\}", "php_end"),
        (r"^\s*$", "php_gap"),
    ),
    "php_gap": _rules((r"^Next [\w\\]+", "php_thrown")),
    "php_end": (),
}  # fmt: skip

_FAMILIES: Final = {
    "java": _AT, "javascript": _AT, "js": _AT, "node": _AT, "csharp": _AT, "dotnet": _AT, "python": _PYTHON,
    "py": _PYTHON, "go": _GO, "ruby": _RUBY, "rb": _RUBY, "php": _PHP,
}  # fmt: skip
_ALL: Final = (_PYTHON, _PHP, _GO, _RUBY, _AT)
LANGUAGES: Final = ("all", *sorted(_FAMILIES))


class StackTraces:
    """The rules of some languages; '' is the state in which no trace is open.

    Raises:
        ValueError: there is no such language.
    """

    def __init__(self, languages: tuple[str, ...] = ()) -> None:
        families = []
        for language in languages or ("all",):
            name = language.lower()
            if name not in LANGUAGES:
                raise ValueError(f"stack traces of {language} are not known: there are {', '.join(LANGUAGES)}")
            families += _ALL if name == "all" else (_FAMILIES[name],)
        self._rules: dict[str, tuple[_Rule, ...]] = {}
        for family in families:
            for state, rules in family.items():
                known = self._rules.get(state, ())
                self._rules[state] = (*known, *(rule for rule in rules if rule not in known))
        # Nearly every line begins no trace, and one expression says so.
        self._any = re2.compile("|".join(f"(?:{rule.written})" for rule in self._rules[""]))

    def begins(self, line: str) -> str:
        """The state behind a line of no open trace: '' when it begins none."""
        return self._after("", line) if self._any.search(line[:LONGEST]) is not None else ""

    def continues(self, state: str, line: str) -> str | None:
        """The state behind a line that goes on with an open trace; None when it does not belong to it."""
        return self._after(state, line) or None

    def _after(self, state: str, line: str) -> str:
        head = line[:LONGEST].rstrip("\r\n")
        return next((rule.to for rule in self._rules.get(state, ()) if rule.pattern.search(head)), "")
