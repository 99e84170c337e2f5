"""Forms of entries, made from the very declarations by which the loader reads them."""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, replace
from typing import Any, Final

from eldonia_ops.alerting.http_config import Credential
from eldonia_ops.collectors import registry
from eldonia_ops.managed.document import Entry
from eldonia_ops.notifiers.registry import NotifierKinds
from eldonia_ops.protocols.integration_fields import FieldType, key_of, spec_of
from eldonia_ops.services.api.managed import FieldView, FormView
from eldonia_ops.settings.containers import Items, LabelSet, Section, Texts
from eldonia_ops.settings.declaration import Declared, declared
from eldonia_ops.settings.document import Settings
from eldonia_ops.settings.kinds import Choice, Flag, Kind, Number, Period, Whole
from eldonia_ops.settings.managed import ALERTS, OBJECTIVES, RECEIVERS, TUNING, identity_key
from eldonia_ops.settings.objects import Inline
from eldonia_ops.settings.texts import SecretText, Text

SECTIONS: Final = ("scrape", "probes", "logs", "nginx", "postgresql", "redis", OBJECTIVES)
"""Those with a form, in the order in which they are offered; those of plug-ins follow."""
_MAIN: Final[Mapping[str, frozenset[str]]] = {
    "scrape": frozenset({"job", "targets", "path", "interval", "scheme"}),
    "probes": frozenset({"name", "url", "expect_status", "expect_text", "interval", "service"}),
    "logs": frozenset({"path", "service", "format"}),
    "nginx": frozenset({"url", "instance", "service"}),
    "postgresql": frozenset({"dsn", "instance", "service"}),
    "redis": frozenset({"url", "service", "username", "password"}),
    OBJECTIVES: frozenset({"name", "service", "target", "window", "probe", "good", "total"}),
}
SEND_RESOLVED: Final = "send_resolved"
_MAIN_OF_RECEIVERS: Final = frozenset({"channel", "to", "from", "smarthost", "auth_username", "auth_password"})
_TYPES: Final[Mapping[FieldType, str]] = {
    FieldType.TEXT: "text",
    FieldType.TEXTS: "texts",
    FieldType.TEMPLATE: "text",
    FieldType.ADDRESS: "text",
    FieldType.SECRET: "secret",
    FieldType.SECRET_ADDRESS: "secret",
    FieldType.BOOLEAN: "boolean",
    FieldType.INTEGER: "number",
    FieldType.DURATION: "duration",
}


def forms(kinds: NotifierKinds) -> list[FormView]:
    """All forms: of what is watched, then of receivers by their kinds."""
    own = [key for key in registry.registered_keys() if key not in SECTIONS and identity_key(key)]
    return [
        *(FormView(section, "", section, section_fields(section)) for section in (*SECTIONS, *own)),
        *(FormView(RECEIVERS, kind.name, kind.title, integration_fields(kind.config)) for kind in kinds.kinds),
    ]


@functools.cache
def section_fields(section: str) -> tuple[FieldView, ...]:
    """The fields of one entry of a section."""
    kind = _kind(section)
    cls = kind.cls if isinstance(kind, Items | Section) else None
    if cls is None:
        return ()
    # In a form the first of the keys of which one is needed is that one.
    needed = kind.one_of[:1] if isinstance(kind, Items) else ()
    found = _of_class(cls, _MAIN.get(section, frozenset()))
    return tuple(replace(one, required=True) if one.key in needed else one for one in found)


def _kind(section: str) -> Kind | None:
    if section == OBJECTIVES:
        return next(one.kind for one in declared(Settings) if one.key == OBJECTIVES)
    try:
        found = registry.find(section).section
    except registry.CollectorError:
        return None
    return None if found is None else found.kind


def _of_class(cls: type, main: frozenset[str]) -> Iterator[FieldView]:
    for one in declared(cls):
        if isinstance(one.kind, Inline):
            yield from _of_class(one.kind.cls, main)
        elif type_ := _type(one.kind):
            under = f"{one.setting.under}." if one.setting.under else ""
            # What is required of a nested mapping is so only where there is that mapping.
            required = one.required and not under
            choices = one.kind.choices if isinstance(one.kind, Choice) else ()
            shown = one.key in main or required
            yield FieldView(f"{under}{one.key}", type_, required, _default(one), choices, shown, one.setting.doc)


def _type(kind: Kind) -> str:
    match kind:
        case SecretText():
            return "secret"
        case Choice():
            return "choice"
        case Flag():
            return "boolean"
        case Whole() | Number():
            return "number"
        case Period():
            return "duration"
        case LabelSet():
            return "labels"
        case Texts():
            return "texts"
        case Text():
            return "text"
    return ""


def _default(one: Declared) -> str:
    if one.default is MISSING or one.default is None or one.kind.secret:
        return ""
    plain = one.kind.plain(one.default, lambda text: text)
    if isinstance(plain, bool):
        return "true" if plain else "false"
    if isinstance(plain, list):
        return ", ".join(map(str, plain))
    return "" if isinstance(plain, dict) else str(plain)


@functools.cache
def integration_fields(config: type[Any]) -> tuple[FieldView, ...]:
    """The fields of one integration of a receiver; those without a form of their own (templates by name, HTTP) are
    left out."""
    return tuple(one for item in fields(config) if (one := _integration_field(item)) is not None)


def _integration_field(item: "Field[Any]") -> FieldView | None:
    spec, key = spec_of(item), key_of(item)
    if spec is None:
        # Read by the notifier's own code, as Slack's address is: a credential is a secret by its type.
        return FieldView(key, "secret", main=True) if item.type is Credential or item.type == "Credential" else None
    if spec.type not in _TYPES:
        return None
    default = "" if item.default is MISSING or spec.is_secret else item.default
    if key == SEND_RESOLVED:
        default = True  # whatever Alertmanager's is for the kind: see completed()
    shown = ("true" if default else "false") if isinstance(default, bool) else ""
    if isinstance(default, str | int) and not isinstance(default, bool):
        shown = str(default) if spec.type is not FieldType.DURATION else (f"{default}ms" if default else "")
    main = spec.required or spec.type is FieldType.SECRET_ADDRESS or key in _MAIN_OF_RECEIVERS
    main = main or spec.type is FieldType.SECRET
    return FieldView(key, _TYPES[spec.type], spec.required, shown, (), main)


def completed(section: str, entry: Entry) -> Entry:
    """An entry with what its form takes for granted: who is notified that something is wrong also hears of its end.

    Alertmanager leaves that out for chats and mail. A channel in which nothing ever ends is not read for long.
    """
    if section != RECEIVERS:
        return entry
    return {
        key: [{SEND_RESOLVED: True, **one} if isinstance(one, Mapping) else one for one in value]
        if key.endswith("_configs") and isinstance(value, list)
        else value
        for key, value in entry.items()
    }


def secret_keys(section: str, entry: Entry, kinds: NotifierKinds) -> tuple[str, ...]:
    """The keys of an entry that may hold secrets, dotted."""
    if section in (TUNING, ALERTS):
        return ()
    if section != RECEIVERS:
        return tuple(one.key for one in section_fields(section) if one.type == "secret")
    return tuple(
        f"{kind.name}_configs.{index}.{one.key}"
        for kind in kinds.kinds
        for index in range(len(_listed(entry.get(f"{kind.name}_configs"))))
        for one in integration_fields(kind.config)
        if one.type == "secret"
    )


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []
