"""Processors that change values: each takes options and gives what is done with a document."""

from collections.abc import Callable
from ipaddress import ip_address
from math import isfinite
from typing import Any, Final

from eldonia_ops.protocols.elasticsearch.ingest.errors import ProcessorError
from eldonia_ops.protocols.elasticsearch.ingest.fields import METADATA, MISSING, IngestDocument, java_name
from eldonia_ops.protocols.elasticsearch.ingest.options import Options, templated

Run = Callable[[IngestDocument], None]
_MOST_VALUES: Final = 10_000
_TYPES: Final = ("integer", "long", "float", "double", "string", "boolean", "ip", "auto")


def set_field(options: Options) -> Run:
    """``set``: a value, or that of another field."""
    field = templated(options.text("field"))
    override, ignore_empty = options.flag("override", True), options.flag("ignore_empty_value")
    options.value("media_type")
    value = _value_of(options, ignore_empty) if options.has("copy_from") else templated(options.need("value"))

    def run(document: IngestDocument) -> None:
        path = field(document)
        found = value(document)
        if (ignore_empty and (found in (None, "") or found is MISSING)) or (
            not override and document.get(path) not in (MISSING, None)
        ):
            return
        document.set(path, _copied(found))

    return run


def _value_of(options: Options, ignore_missing: bool) -> Callable[[IngestDocument], Any]:
    source = options.text("copy_from")
    return lambda document: document.get(source) if ignore_missing else document.need(source)


def rename(options: Options) -> Run:
    """``rename``: a field under another name."""
    field, target = templated(options.text("field")), templated(options.text("target_field"))
    ignore, override = options.flag("ignore_missing"), options.flag("override")

    def run(document: IngestDocument) -> None:
        path, to = field(document), target(document)
        value = document.get(path)
        if value is MISSING:
            if ignore:
                return
            raise ProcessorError(f"field [{path}] doesn't exist")
        if document.get(to) is not MISSING and not override:
            raise ProcessorError(f"field [{to}] already exists")
        document.remove(path)
        try:
            document.set(to, value)
        except ProcessorError:
            document.set(path, value)
            raise

    return run


def remove(options: Options) -> Run:
    """``remove``: fields, or all but some."""
    ignore = options.flag("ignore_missing")
    if options.has("keep"):
        kept = [templated(one) for one in options.texts("keep")]

        def keep(document: IngestDocument) -> None:
            found = IngestDocument({})
            for one in kept:
                if (path := one(document)) not in METADATA and (value := document.get(path)) is not MISSING:
                    found.set(path, value)
            document.source = found.source

        return keep
    fields = [templated(one) for one in options.texts("field")]

    def run(document: IngestDocument) -> None:
        for one in fields:
            path = one(document)
            if document.get(path) is not MISSING or not ignore:
                document.remove(path)

    return run


def append(options: Options) -> Run:
    """``append``: values behind those of a list."""
    field, value = templated(options.text("field")), templated(options.need("value"))
    duplicates = options.flag("allow_duplicates", True)
    options.value("media_type")

    def run(document: IngestDocument) -> None:
        found = value(document)
        document.append(field(document), list(found) if isinstance(found, list) else [found], duplicates=duplicates)

    return run


def dot_expander(options: Options) -> Run:
    """``dot_expander``: a key with dots as objects inside of one another; ``*`` for all keys."""
    field, inside = options.text("field"), options.text("path", "")
    override = options.flag("override")
    if field != "*" and ("." not in field or field[:1] == "." or field[-1:] == "."):
        raise options.bad("field does not contain a dot and is not a wildcard, or begins or ends with one", "field")

    def run(document: IngestDocument) -> None:
        place = document.get(inside) if inside else document.source
        if not isinstance(place, dict):
            return
        for key in [one for one in place if "." in one] if field == "*" else [field]:
            if key not in place:
                continue
            path = f"{inside}.{key}" if inside else key
            there, value = document.get(path), place[key]
            if there is MISSING or override:
                document.set(path, value)
            else:
                document.append(path, list(value) if isinstance(value, list) else [value])
            del place[key]

    return run


def on_text(change: Callable[[str], Any]) -> Callable[[Options], Run]:
    """A processor that changes a text, or each text of a list."""

    def made(options: Options) -> Run:
        return over(options, lambda value: change(_text(value, options.kind)))

    return made


def over(options: Options, change: Callable[[Any], Any], *, lists: bool = True, target: str = "") -> Run:
    """A processor with ``field``, ``target_field`` and ``ignore_missing``; ``target`` is the default of the second."""
    field = options.text("field")
    target = options.text("target_field", "") or target or field
    ignore = options.flag("ignore_missing")

    def run(document: IngestDocument) -> None:
        value = document.get(field) if ignore else document.need(field)
        if value is MISSING or (value is None and ignore):
            return
        if value is None:
            raise ProcessorError(f"field [{field}] is null, cannot process it.")
        each = lists and isinstance(value, list)
        document.set(target, [change(one) for one in value] if each else change(value))

    return run


def convert(options: Options) -> Run:
    """``convert``: to another type."""
    type = options.text("type")
    if type not in _TYPES:
        raise options.bad(f"type [{type}] not supported, cannot convert field.", "type")
    return over(options, lambda value: _converted(value, type))


def join(options: Options) -> Run:
    """``join``: a list to a text."""
    separator = options.text("separator")

    def joined(value: Any) -> str:
        if not isinstance(value, list):
            raise ProcessorError(f"field of type [{java_name(value)}] cannot be cast to [java.util.List]")
        return separator.join(one if isinstance(one, str) else str(one) for one in value)

    return over(options, joined, lists=False)


def geoip(options: Options) -> Run:
    """``geoip``: without a database a document is marked as Elasticsearch does then, and goes on."""
    options.text("field")
    for name in (
        "target_field",
        "properties",
        "ignore_missing",
        "first_only",
        "download_database_on_pipeline_creation",
    ):
        options.value(name)
    mark = f"_geoip_database_unavailable_{options.text('database_file', 'GeoLite2-City.mmdb')}"
    return lambda document: document.append("tags", [mark], duplicates=False)


def user_agent(options: Options) -> Run:
    """``user_agent``: no program is known by its name, so each is the one that Elasticsearch calls ``Other``."""
    for name in ("regex_file", "properties", "extract_device_type", "ecs"):
        options.value(name)
    return over(
        options,
        lambda value: {"name": "Other", "original": str(value), "device": {"name": "Other"}},
        target="user_agent",
    )


def drop(options: Options) -> Run:
    """``drop``: the document is not stored."""
    del options

    def run(document: IngestDocument) -> None:
        document.dropped = True

    return run


def fail(options: Options) -> Run:
    """``fail``: an error of one's own."""
    message = templated(options.text("message"))

    def run(document: IngestDocument) -> None:
        raise ProcessorError(message(document), "fail_processor_exception")

    return run


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(one) for key, one in value.items()}
    return [_copied(one) for one in value] if isinstance(value, list) else value


def _text(value: Any, kind: str) -> str:
    if not isinstance(value, str):
        raise ProcessorError(f"[{kind}] value of type [{java_name(value)}] cannot be cast to [java.lang.String]")
    return value


def _converted(value: Any, type: str) -> Any:
    try:
        return _conversions[type](value)
    except (ValueError, TypeError, OverflowError):
        raise ProcessorError(f"unable to convert [{str(value)[:100]}] to {type}") from None


def _whole(value: Any, low: int, high: int) -> int:
    text = str(value)
    if isinstance(value, bool) or len(text) > 40:
        raise ValueError
    found = int(text, 16) if text[:2].lower() == "0x" else int(text)
    if not low <= found < high:
        raise ValueError
    return found


def _float(value: Any) -> float:
    if isinstance(value, bool | list | dict) or len(str(value)) > 400:
        raise ValueError
    found = float(value)
    if not isfinite(found):
        raise ValueError
    return found


def _boolean(value: Any) -> bool:
    text = str(value).lower()
    if text not in ("true", "false"):
        raise ValueError
    return text == "true"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _address(value: Any) -> str:
    return str(value) if ip_address(str(value)) else ""


def _guessed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    for type in ("boolean", "integer", "long", "double"):
        try:
            return _conversions[type](value)
        except ValueError:
            continue
    return value


_conversions: Final[dict[str, Callable[[Any], Any]]] = {
    "integer": lambda value: _whole(value, -(2**31), 2**31),
    "long": lambda value: _whole(value, -(2**63), 2**63),
    "float": _float,
    "double": _float,
    "string": _shown,
    "boolean": _boolean,
    "ip": _address,
    "auto": _guessed,
}
