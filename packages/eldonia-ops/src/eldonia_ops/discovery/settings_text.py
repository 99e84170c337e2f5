"""A proposal as the text of ``eldonia-ops.yml``, with the reason of each entry as a comment. Pure."""

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from eldonia_ops.discovery.proposal import Entry, Proposal

_WIDTH: Final = 110
_PLAIN: Final = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]{0,200}")
_WORDS: Final = frozenset(["true", "false", "yes", "no", "on", "off", "null", "y", "n"])
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]|[\ud800-\udfff]")
_SCALARS: Final = frozenset({"listen"})
"""Keys of the top level that hold one value."""
_MAPPINGS: Final = frozenset({"host"})
_HEADINGS: Final[Mapping[str, str]] = {
    "host": "This machine.",
    "scrape": "Metrics in Prometheus' format.",
    "nginx": "nginx, by its stub_status.",
    "postgresql": "PostgreSQL, by its statistics.",
    "redis": "Redis, by INFO.",
    "probes": "Looks from outside: is it there, and how fast is it?",
    "objectives": "Service-level objectives: how much of the time a service has to answer.",
    "logs": "Log files; what is already in them is read as well.",
    "recovery": "Restarts. Nothing is restarted unless it is written here.",
}
_HEAD: Final = """\
# Settings of Eldonia Ops, proposed by `eldonia-ops init` from what runs on this machine.
# Entries that are commented out wait for a step of yours; the comment above names it. `eldonia-ops check` says what is
# wrong with this file, `eldonia-ops serve` starts with it, `eldonia-ops reload` takes a change without a restart.
# Every key with its default: `eldonia-ops config show`.
"""
_TAIL: Final = """\

# Who is notified: a file in Alertmanager's format, with Slack, PagerDuty, Teams, e-mail or a webhook. Receivers can
# also be added on the page /welcome.
#alertmanager:
#  file: alertmanager.yml
"""
_ROUTED: Final = """\

# Who is notified.
alertmanager:
  file: alertmanager.yml
"""


def settings_text(proposal: Proposal, *, routed: bool = False, language: str = "") -> str:
    """The text of the file. Every entry without a step holds as it is; comments hold no line breaks of others. With
    ``routed`` it names an alertmanager.yml beside it. ``language`` is that of messages, '' for the default."""
    lines = [_HEAD.rstrip("\n")]
    if language:
        lines += [
            "",
            "# The language of alerts, messages and postmortems, as this terminal has it. Pages follow the browser.",
        ]
        lines.append(f"language: {language}")
    for remark in proposal.remarks:
        lines += _comment(f"Note: {remark}")
    for key, entries in proposal.sections.items():
        lines += ["", *_section(key, entries)]
    return "\n".join(lines) + "\n" + (_ROUTED if routed else _TAIL)


def plain_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """What an entry says as plain lists and mappings, without characters that a file cannot hold."""
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return plain_values(value)
    if isinstance(value, str):
        return _CONTROL.sub("\ufffd", value)
    return [_plain(item) for item in value] if isinstance(value, Sequence) else value


def _section(key: str, entries: Sequence[Entry]) -> Iterator[str]:
    if heading := _HEADINGS.get(key):
        yield from _comment(heading)
    if key in _SCALARS or key in _MAPPINGS:
        for entry in entries:
            yield from _comment(entry.why)
            values = entry.values if key in _SCALARS else {key: entry.values}
            yield from (f"{name}: {_flow(value)}" for name, value in values.items())
        return
    # A section of which nothing holds yet is a comment as a whole: an empty list says less.
    waiting = all(entry.step for entry in entries)
    yield f"#{key}:" if waiting else f"{key}:"
    for entry in entries:
        yield from _comment(entry.why, "  ")
        if entry.step:
            first, *snippets = entry.step.splitlines()
            yield from _comment(f"Step: {first}", "  ")
            yield from (f"  #   {line}" for line in snippets)  # in one piece, to be copied
        mark = "#" if entry.step else ""
        for index, (name, value) in enumerate(entry.values.items()):
            yield f"{mark}  {'- ' if index == 0 else '  '}{name}: {_flow(value)}"


def _comment(text: str, indent: str = "") -> list[str]:
    clean = _CONTROL.sub("\ufffd", text)
    return textwrap.wrap(clean, _WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ") or [f"{indent}#"]


def _flow(value: Any) -> str:
    """A value in YAML's flow style."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_flow(item)}" for name, item in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    text = str(value)
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return json.dumps(_CONTROL.sub("\ufffd", text), ensure_ascii=False)
