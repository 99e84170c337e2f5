"""The processor ``csv``: one line of values with a separator between them."""

from typing import Any, Final

from eldonia_ops.protocols.elasticsearch.ingest.changes import Run
from eldonia_ops.protocols.elasticsearch.ingest.errors import ProcessorError
from eldonia_ops.protocols.elasticsearch.ingest.fields import MISSING, IngestDocument, java_name
from eldonia_ops.protocols.elasticsearch.ingest.options import Options

_MOST_FIELDS: Final = 1_000
_ENDS: Final = "\r\n"


def csv(options: Options) -> Run:
    """``csv``: the values of a line, each to a field of its own."""
    field, targets = options.text("field"), options.texts("target_fields")
    separator, quote = options.text("separator", ","), options.text("quote", '"')
    trim, ignore = options.flag("trim"), options.flag("ignore_missing")
    empty = options.value("empty_value")
    if len(separator) != 1 or separator in _ENDS:
        raise options.bad("separator has to be exactly one character, and no line break", "separator")
    if len(quote) != 1 or quote in _ENDS or quote == separator:
        raise options.bad("quote has to be exactly one character, and not the separator", "quote")
    if len(targets) > _MOST_FIELDS:
        raise options.bad(f"there may be {_MOST_FIELDS:,} fields", "target_fields")

    def run(document: IngestDocument) -> None:
        text: Any = document.get(field) if ignore else document.need(field)
        if text is MISSING or (text is None and ignore):
            return
        if not isinstance(text, str):
            raise ProcessorError(f"field [{field}] of type [{java_name(text)}] cannot be cast to [java.lang.String]")
        if not text:
            return
        for name, (value, quoted) in zip(targets, values_of(text, separator, quote, trim=trim), strict=False):
            if value or quoted:
                document.set(name, value)
            elif empty is not None:
                document.set(name, empty)

    return run


def values_of(text: str, separator: str, quote: str, *, trim: bool = False) -> list[tuple[str, bool]]:
    """The values of a line, each with whether it was quoted.

    Raises:
        ProcessorError: a quote that does not end, or something where none may be.
    """
    found: list[tuple[str, bool]] = []
    at, end = 0, len(text)
    while True:
        if trim:
            at = _behind_blanks(text, at)
        if at < end and text[at] == quote:
            value, at = _quoted(text, at, quote)
            if trim:
                at = _behind_blanks(text, at)
            if at < end and text[at] != separator:
                raise ProcessorError(f"Illegal character after quoted field at {at}")
            found.append((value, True))
        else:
            stop = text.find(separator, at)
            stop = end if stop < 0 else stop
            value = text[at:stop]
            for mark in (quote, *_ENDS):
                if mark in value:
                    raise ProcessorError(f"Illegal character inside unquoted field at {at + value.index(mark)}")
            found.append((value.strip(" \t") if trim else value, False))
            at = stop
        if at >= end:
            return found
        at += 1


def _behind_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t":
        at += 1
    return at


def _quoted(text: str, start: int, quote: str) -> tuple[str, int]:
    """A value in quotes, and the place behind it; two quotes are one of the value."""
    parts: list[str] = []
    at = start + 1
    while (stop := text.find(quote, at)) >= 0:
        parts.append(text[at:stop])
        if not text.startswith(quote, stop + 1):
            return quote.join(parts), stop + 1
        at = stop + 2
    raise ProcessorError("Unmatched quote")
