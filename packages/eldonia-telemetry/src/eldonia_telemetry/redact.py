"""Takes secrets out of records: by the name of a field, and by pattern in text.

A record with nothing to hide costs a dictionary look-up a field and a few substring searches.
E-mail addresses, telephone numbers and further field names are looked for when :func:`configure` says so.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

from eldonia_telemetry import credentials, issued_tokens, payment_cards

REDACTED: Final = credentials.REDACTED
is_card_number: Final = payment_cards.is_card_number

_SENSITIVE_NAME: Final = re.compile(
    r"passw(?:or)?d(?!-?(?:less|changed|updated|expir|length|polic|strength|attempts|required|age$))|passphrase|pwd$"
    r"|secret(?!ar[yi]|ion|ly)|authori[sz]ation|api-?key|access-?key|private-?key|credential"
    # What people have agreed to and what cookies are set like is no cookie.
    r"|cookie(?!s?-?(?:consent|banner|polic|notice|law|accept|prefer|setting|enabled|count|name|domain|path|age|expir|max"
    r"|same|http|categor))"
    r"|card-?(?:number|no$|num$)|credit-?card|^cc-?number|^pan$|^pin$|^cv[vc]2?$|security-?code"
    r"|(?:^|-)pass$|^otp$|^bearer$|パスワード"
    # Tokens of a language model, of a parser, their number or kind are no secrets.
    r"|token(?!s$|s-?(?:used|left|total)|-?(?:count|type|limit|kind|usage|index|ize))"
)
_WORD_BREAK: Final = re.compile(r"[\s_.]+")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

_SHORTEST: Final = 5
"""Characters of the shortest text that one of the patterns may match."""

# Of ASCII, since Japanese text puts no space before and after.
_EMAIL: Final = re.compile(r"(?a:(?<![\w.%+-])[\w.%+-]{1,64}@(?:[\w-]{1,63}\.)+[A-Za-z]{2,24}(?![\w-]))")
# As people write them: +81 90-1234-5678 (E.164 with separators), 03-1234-5678 or (03)1234-5678 and
# 09012345678 (Japan), 415-555-2671 (North America). Wide forms too. Dates, addresses of hosts,
# amounts and ids must not look like one.
_GAP: Final = r"[ ‐‑－ー-]"
_PHONE: Final = re.compile(
    rf"(?<![\dA-Za-z_.+-])(?:[+＋]\d{{1,3}}(?:{_GAP}?\(?\d{{1,4}}\)?){{2,5}}"
    rf"|[(（]?[0０]\d{{1,4}}(?:[)）]{_GAP}?|{_GAP})\d{{1,4}}{_GAP}\d{{3,4}}"
    r"|[0０][5-9５-９][0０]\d{8}"
    r"|(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .-])[2-9]\d\d[ .-]\d{4})(?![\dA-Za-z_-]|\.\d)"
)
_PHONE_DIGITS: Final = range(9, 16)

_emails = False
_phones = False
_fields: frozenset[str] = frozenset()
known_names: dict[str, bool] = {}
"""What :func:`is_sensitive` has said, for callers in a hurry."""
_known_shapes: dict[tuple[Any, ...], bool] = {}
"""What :func:`hides_a_name` has said."""
_MAX_NAMES: Final = 4096
_MAX_NAME: Final = 128
"""Characters of the longest name that is remembered, and of the longest that is read as a whole."""
_MAX_SHAPE: Final = 64
"""Keys of the largest mapping that is remembered."""

_DIGIT_RUN: Final = "0" * 13
_WIDE: Final = "パスワード".encode().decode("latin-1")
_WIDE_LEAD: Final = _WIDE[0]
_WIDE_COLON: Final = "：".encode().decode("latin-1")
_DIGITS_ALIKE: Final = bytes.maketrans(b"123456789", b"000000000")


def configure(*, emails: bool = False, phones: bool = False, fields: Iterable[str] = ()) -> None:
    """What to take out in addition to credentials and card numbers, for the whole process.

    ``fields`` are names in any style: ``customer_name`` also means ``customerName``.
    """
    global _emails, _phones, _fields  # noqa: PLW0603
    _emails, _phones = emails, phones
    wanted = frozenset(_plain(name) for name in fields)
    if wanted != _fields:
        _fields = wanted
        known_names.clear()
        _known_shapes.clear()


def is_sensitive(name: str) -> bool:
    """Whether a field of this name holds a secret, whatever its value looks like."""
    known = known_names.get(name)
    if known is None:
        if len(name) > _MAX_NAME:  # no person chose it: its two ends are enough, and it is not remembered
            return _judge(name[:_MAX_NAME]) or _judge(name[-_MAX_NAME:])
        known = _judge(name)
        if len(known_names) >= _MAX_NAMES:  # names out of foreign data must not keep out those of the application
            known_names.clear()
        known_names[name] = known
    return known


def hides_a_name(names: tuple[Any, ...]) -> bool:
    """Whether one of a mapping's keys is sensitive, or no text; remembered by the keys together."""
    known = _known_shapes.get(names)
    if known is None:
        known = any(type(name) is not str or is_sensitive(name) for name in names)
        if len(names) <= _MAX_SHAPE and all(type(name) is str and len(name) <= _MAX_NAME for name in names):
            if len(_known_shapes) >= _MAX_NAMES:
                _known_shapes.clear()
            _known_shapes[names] = known
    return known


def _judge(name: str) -> bool:
    plain = _plain(name)
    return _SENSITIVE_NAME.search(plain) is not None or plain in _fields


def may_hide(json: bytes, names: int) -> bool:
    """Whether :func:`redact_text` might change a text in this JSON, or a number in it be a card's.

    ``names`` is how many names of fields there are in it; these are not judged here. False is certain:
    what is looked for holds no character that JSON escapes, and no pattern reaches across an escape.
    True is a guess that costs time and nothing else.
    """
    # As text, since that is searched five times as fast as bytes; and one character far faster than several.
    text = json.decode("latin-1")
    return (
        # One colon more than the names have, so it is in a value.
        text.count(":") != names
        or "=" in text
        or "earer" in text
        or "asic" in text
        or ("-" in text and credentials.may_hold_flag(text))
        or ("." in text and ("eyJ" in text or "hooks.sl" in text))
        or issued_tokens.may_hold(text)
        or _DIGIT_RUN in json.translate(_DIGITS_ALIKE, b" -").decode("latin-1")
        or (_WIDE_LEAD in text and _WIDE in text and _WIDE_COLON in text)
        or _phones
        or (_emails and "@" in text)
    )


def redact_text(text: str) -> str:
    """The text with credentials and card numbers replaced; the same object when there is nothing to hide."""
    if len(text) < _SHORTEST:
        return text
    text = payment_cards.remove(credentials.remove(text), REDACTED)
    if _emails and "@" in text:
        text = _EMAIL.sub(REDACTED, text)
    if _phones:
        text = _PHONE.sub(_phone, text)
    return text


def _phone(match: re.Match[str]) -> str:
    return REDACTED if sum(map(str.isdigit, match[0])) in _PHONE_DIGITS else match[0]


def _plain(name: str) -> str:
    """``accessKey`` and ``access_key`` as ``access-key``, so that names of every style meet the same pattern."""
    return _WORD_BREAK.sub("-", _HUMP.sub("-", name).lower())
