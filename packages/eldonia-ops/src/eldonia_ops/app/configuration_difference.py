"""What a reload changed, in words: incidents list it among what was changed before them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Final

from eldonia_ops.app.configuration import Configuration
from eldonia_ops.model.change import APART
from eldonia_ops.settings import Settings
from eldonia_ops.settings.managed import (
    ALERTS,
    LOG_METRICS,
    LOG_RULES,
    OBJECTIVES,
    RECEIVERS,
    TUNING,
    EntryPlace,
    identity_key,
)

MOST_NAMED: Final = 6
"""How many differences one reload is described by; more are counted."""

_APART: Final = ("collectors", "objectives", "rules", "parts", "file", "concealed", "data")


def difference(before: Configuration, after: Configuration) -> str:
    """Such as ``added oldcert (probes); changed slack (receivers)``. The section is the one of the settings that the
    entry is in, so that pages can say its name in the language of their reader."""
    found = list(dict.fromkeys(_differences(before, after)))
    if len(found) > MOST_NAMED:
        found = [*found[:MOST_NAMED], f"{len(found) - MOST_NAMED} more"]
    return APART.join(found) or "changed the files that it is read from"


def _differences(before: Configuration, after: Configuration) -> Iterator[str]:
    old, new = _names(before.places), _names(after.places)
    then, now = _entries(before), _entries(after)
    entries = [
        *(("added", key) for key in new if key not in old),
        *(("removed", key) for key in old if key not in new),
        *(("changed", key) for key in new if key in old and then.get(key) != now.get(key)),
    ]
    for what, (section, name) in entries:
        yield f"{what} {name} ({section})"
    yield from _elsewhere(before, after, {section for _, (section, _) in entries})


def _names(places: Iterable[EntryPlace]) -> dict[tuple[str, str], None]:
    return {(one.section, one.name): None for one in places if one.holds}


def _entries(configuration: Configuration) -> Mapping[tuple[str, str], Any]:
    """What entries say, by their sections and names, as far as they can be distinguished."""
    found: dict[tuple[str, str], Any] = {}
    settings = configuration.settings
    sections: dict[str, Any] = {
        **settings.collectors,
        OBJECTIVES: configuration.objectives,
        LOG_METRICS: settings.log_metrics,
        LOG_RULES: settings.retention.log_rules,
    }
    for section, held in sections.items():
        key = identity_key(section)
        if not key:
            found[section, section] = held
        elif isinstance(held, Sequence) and not isinstance(held, str):
            for one in held:
                found[section, str(getattr(one, key, "") or getattr(one, "url", ""))] = one
    for name, receiver in configuration.routing.receivers.items():
        found[RECEIVERS, name] = receiver
    for group in configuration.rule_groups:
        for rule in group.rules:
            found[ALERTS, rule.name] = rule
            found[TUNING, rule.name] = rule
    return found


def _elsewhere(before: Configuration, after: Configuration, named: set[str]) -> Iterator[str]:
    """Other settings, and files that the settings name, where nothing else says it already: rules follow from
    objectives and from the language, too."""
    old, new = (
        # Their entries are named one by one.
        replace(one.settings, log_metrics=(), retention=replace(one.settings.retention, log_rules=()))
        for one in (before, after)
    )
    others = [
        one.name
        for one in fields(Settings)
        if one.name not in _APART and getattr(old, one.name) != getattr(new, one.name)
    ]
    yield from (f"changed {name} (settings)" for name in others)
    if RECEIVERS not in named and (before.routing.route, before.routing.receivers) != (
        after.routing.route,
        after.routing.receivers,
    ):
        yield "changed routing (settings)"
    tuned = {ALERTS, TUNING} & named
    if (not tuned and old.rules != new.rules) or (not (named or others) and before.rule_groups != after.rule_groups):
        yield "changed rules (settings)"
