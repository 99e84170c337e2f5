"""``@type systemd``: entries of journald, with the parameters of fluent-plugin-systemd.

https://github.com/fluent-plugin-systemd/fluent-plugin-systemd#readme
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from eldonia_ops.model.errors import Level
from eldonia_ops.pipeline.inputs.input import Input
from eldonia_ops.pipeline.section import Place, SectionReader
from eldonia_ops.pipeline.tag_pattern import TagPattern

_NAME: Final = re.compile(r"[A-Z_][A-Z0-9_]{0,63}", re.ASCII)
_OF_THE_JOURNAL: Final = frozenset(
    {"__CURSOR", "__REALTIME_TIMESTAMP", "__MONOTONIC_TIMESTAMP", "__SEQNUM", "__SEQNUM_ID"}
)
"""Where and when an entry is in its journal: no fields of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemdInput(Input):
    """``matches``: entries that fit to all fields of one of them, each with the values that are taken; none: all.

    ``field_map`` has the fields of the journal by the names that they get; of several the values are joined.
    """

    type: str = "systemd"
    tag: str = ""
    directory: str = ""
    matches: tuple[tuple[tuple[str, tuple[str, ...]], ...], ...] = ()
    read_from_head: bool = False
    strip_underscores: bool = False
    lowercase: bool = False
    field_map: tuple[tuple[str, tuple[str, ...]], ...] = field(default=())
    map_strict: bool = False

    @property
    def summary(self) -> str:
        """What is read."""
        return f"the journal in {self.directory}" if self.directory else "the journal of this machine"

    @property
    def arguments(self) -> tuple[str, ...]:
        """What journalctl is given to select entries."""
        found: list[str] = [f"--directory={self.directory}"] if self.directory else []
        for number, match in enumerate(self.matches):
            found += ["+"] if number else []
            found += [f"{name}={value}" for name, values in match for value in values]
        return tuple(found)

    def record(self, entry: Mapping[str, str | Sequence[str]]) -> dict[str, Any]:
        """The record of an entry."""
        found: dict[str, Any] = {}
        mapped: set[str] = set()
        for name, sources in self.field_map:
            values = [value for one in sources if (value := _text(entry.get(one)))]
            if values:
                found[name] = " ".join(values)
            mapped.update(sources)
        if self.map_strict:
            return found
        for name, value in entry.items():
            if name in mapped or name in _OF_THE_JOURNAL:
                continue
            key = name.lstrip("_") if self.strip_underscores else name
            found.setdefault(key.lower() if self.lowercase else key, value)
        return found


def systemd_input(reader: SectionReader, id: str, label: str, place: Place) -> SystemdInput:
    """A ``<source>`` of type systemd."""
    tag = reader.string("tag", required=True)
    if reader.value("pos_file") is not None:
        reader.problem("pos_file has no effect: the position is in our state", "pos_file", level=Level.WARNING)
    old = reader.boolean("strip_underscores", False)
    entry = reader.one_section("entry")
    inside = None if entry is None else SectionReader(entry, reader.problems)
    field_map = {} if inside is None else inside.mapping("field_map")
    found = SystemdInput(
        id=id,
        label=label,
        place=place,
        tag=tag,
        directory=reader.string("path"),
        matches=_matches(reader, "matches") or _matches(reader, "filters"),
        read_from_head=reader.boolean("read_from_head", False),
        strip_underscores=old or (inside is not None and inside.boolean("fields_strip_underscores", False)),
        lowercase=inside is not None and inside.boolean("fields_lowercase", False),
        field_map=_inverted(field_map),
        map_strict=inside is not None and inside.boolean("field_map_strict", False),
        tags=TagPattern.of_texts([[tag]]) if tag else None,
        tags_shown=tag,
    )
    if inside is not None:
        inside.finish()
    return found


def _matches(reader: SectionReader, name: str) -> tuple[tuple[tuple[str, tuple[str, ...]], ...], ...]:
    value = reader.json(name)
    if value is None:
        return ()
    some = value if isinstance(value, list) else [value]
    found: list[tuple[tuple[str, tuple[str, ...]], ...]] = []
    for one in some:
        if not isinstance(one, dict):
            reader.problem(f'{name} must be a JSON array of objects such as [{{"_SYSTEMD_UNIT": "a.service"}}]', name)
            return ()
        fields: list[tuple[str, tuple[str, ...]]] = []
        for key, values in one.items():
            if _NAME.fullmatch(key) is None:
                reader.problem(f"{key!r} is no field of the journal", name, hint="such as _SYSTEMD_UNIT or PRIORITY")
                return ()
            fields.append((key, tuple(str(item) for item in (values if isinstance(values, list) else [values]))))
        if fields:
            found.append(tuple(fields))
    return tuple(found)


def _inverted(field_map: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    found: dict[str, list[str]] = {}
    for source, names in field_map.items():
        for name in names if isinstance(names, list) else [names]:
            found.setdefault(str(name), []).append(source)
    return tuple((name, tuple(sources)) for name, sources in found.items())


def _text(value: str | Sequence[str] | None) -> str:
    return value if isinstance(value, str) else "" if value is None else " ".join(value)
