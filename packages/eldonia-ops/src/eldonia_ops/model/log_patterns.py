"""Patterns of log messages: what is kept of each."""

import msgspec


class LogPattern(msgspec.Struct, frozen=True, kw_only=True):
    """A template mined from messages.

    ``id`` is 12 hexadecimal digits, a hash of the template that the pattern began with: it does not change when
    ``template`` becomes more general. ``<#>`` in a template is in the place of a number or an identifier, ``<*>`` of
    any word or a quoted text, ``<…>`` of the rest of a long message. ``first_seen_ms`` and ``last_seen_ms`` are when
    the platform got such records, Unix milliseconds; the second is renewed once a day.
    """

    id: str
    template: str
    first_seen_ms: int
    last_seen_ms: int
