"""Takes secrets out of records: by the name of a field, and by pattern in text.

A record with nothing to hide costs a dictionary look-up a field and a few substring searches.
E-mail addresses, telephone numbers and further field names are looked for when :func:`configure` says so.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

REDACTED: Final = "[REDACTED]"

_SENSITIVE_NAME: Final = re.compile(
    r"passw(?:or)?d|passphrase|pwd$|secret|authori[sz]ation|cookie|api-?key|access-?key|private-?key|credential"
    r"|card-?(?:number|no$|num$)|credit-?card|^cc-?number|^pan$|^pin$|^cv[vc]2?$|security-?code"
    r"|(?:^|-)pass$|^otp$|^bearer$|パスワード"
    # Tokens of a language model, of a parser, their number or kind are no secrets.
    r"|token(?!s$|s-?(?:used|left|total)|-?(?:count|type|limit|kind|usage|index|ize))"
)
_WORD_BREAK: Final = re.compile(r"[\s_.]+")

_HINTS: Final = (
    *(
        "pass",
        "pwd",
        "secret",
        "token",
        "key",
        "authori",
        "cookie",
        "bearer",
        "basic",
        "credential",
        "://",
        "パスワード",
    ),
)
_HEADER: Final = re.compile(r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie)([\"']?\s*[:=]\s*)[^\r\n]+")
_SCHEME: Final = re.compile(r"(?i)\b(bearer|basic)\s+(?=[^\s\"',]*[0-9=])[A-Za-z0-9._~+/=-]{6,}")
# A value in quotes, in quotes that stand in quotes, or up to what may follow a value.
_VALUE: Final = r"(\\\"[^\"\\]*\\\"|\"[^\"]*\"|'[^']*'|[^\s,;&\"'}\\]+)"
_PASSWORD: Final = re.compile(
    r"(?i)((?:(?:passw(?:or)?d|pwd|passphrase|secret|credential|(?:api|access|private)[_-]?key)\w{0,20}"
    rf"|[_-]pass|\bpass(?=\s?=)|パスワード)(?:\\?[\"'])?\s*[:=：]\s*){_VALUE}"
)
_TOKEN: Final = re.compile(rf"(?i)(token(?:\\?[\"']\s*:\s*|\s*=\s*|:\s+(?=[^\s\d]*\d)(?=\S{{8}}))){_VALUE}")
_USERINFO: Final = re.compile(r"(://[^\s/:@]{0,200}:)[^\s/@]{1,400}@")
_PRIVATE_KEY: Final = re.compile(
    r"(-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----).*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)", re.DOTALL
)
_JWT: Final = re.compile(r"\beyJ[\w-]{5,400}\.[\w-]{5,}\.[\w-]*")
# ISO/IEC 7812: 13 to 19 digits; the payment networks begin with 2 to 6.
_CARD: Final = re.compile(r"(?<![\d.-])[2-6](?:[ -]?\d){12,18}(?![\d-])")
_SHORTEST: Final = 5
"""Characters of the shortest text that one of the patterns may match."""
_LONG_DIGITS: Final = re.compile(r"\d[\d -]{11,40}\d")

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

_DIGIT_RUN: Final = "0" * 13
_WIDE: Final = "パスワード".encode().decode("latin-1")
_WIDE_COLON: Final = "：".encode().decode("latin-1")
_DIGITS_ALIKE: Final = bytes.maketrans(b"123456789", b"000000000")


def configure(*, emails: bool = False, phones: bool = False, fields: Iterable[str] = ()) -> None:
    """What to take out besides credentials and card numbers, for the whole process.

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
        plain = _plain(name)
        known = _SENSITIVE_NAME.search(plain) is not None or plain in _fields
        if len(known_names) < _MAX_NAMES:
            known_names[name] = known
    return known


def hides_a_name(names: tuple[Any, ...]) -> bool:
    """Whether one of a mapping's keys is sensitive, or no text; remembered by the keys together."""
    known = _known_shapes.get(names)
    if known is None:
        known = any(type(name) is not str or is_sensitive(name) for name in names)
        if len(_known_shapes) < _MAX_NAMES:
            _known_shapes[names] = known
    return known


def may_hide(json: bytes, names: int) -> bool:
    """Whether :func:`redact_text` might change a text in this JSON, or a number in it be a card's.

    ``names`` is how many names of fields there are in it; these are not judged here. False is certain:
    what is looked for holds no character that JSON escapes, and no pattern reaches across an escape.
    True is a guess that costs time and nothing else.
    """
    # As text, since that is searched five times as fast as bytes.
    text = json.translate(_DIGITS_ALIKE, b" -").decode("latin-1")
    return (
        # A colon more than the names have, so it stands in a value.
        text.count(":") != names
        or "=" in text
        or "earer" in text
        or "asic" in text
        or "eyJ" in text
        or "PRIVATEKEY" in text
        or (_WIDE in text and _WIDE_COLON in text)
        or _DIGIT_RUN in text
        or _phones
        or (_emails and "@" in text)
    )


def redact_text(text: str) -> str:
    """The text with credentials and card numbers replaced; the same object when there is nothing to hide."""
    if len(text) < _SHORTEST:
        return text
    if ":" in text or "=" in text or "earer " in text or "asic " in text or "：" in text:
        lowered = text.lower()
        for hint in _HINTS:
            if hint in lowered:
                text = _HEADER.sub(rf"\1\2{REDACTED}", text)
                text = _SCHEME.sub(rf"\1 {REDACTED}", text)
                text = _PASSWORD.sub(rf"\1{REDACTED}", text)
                text = _TOKEN.sub(rf"\1{REDACTED}", text)
                text = _USERINFO.sub(rf"\1{REDACTED}@", text)
                break
    if "PRIVATE KEY-----" in text:
        text = _PRIVATE_KEY.sub(rf"\1{REDACTED}", text)
    if "eyJ" in text:
        text = _JWT.sub(REDACTED, text)
    if len(text) >= 13 and _LONG_DIGITS.search(text):
        text = _CARD.sub(_card, text)
    if _emails and "@" in text:
        text = _EMAIL.sub(REDACTED, text)
    if _phones:
        text = _PHONE.sub(_phone, text)
    return text


def is_card_number(digits: str) -> bool:
    """Whether 13 to 19 digits pass the Luhn check (ISO/IEC 7812-1, annex B) and could be a payment card."""
    if not 13 <= len(digits) <= 19 or digits[0] not in "23456":
        return False
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = ord(digit) - 48
        if position % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def _card(match: re.Match[str]) -> str:
    digits = re.sub(r"[ -]", "", match[0])
    return REDACTED if digits.isascii() and is_card_number(digits) else match[0]


def _phone(match: re.Match[str]) -> str:
    return REDACTED if sum(map(str.isdigit, match[0])) in _PHONE_DIGITS else match[0]


def _plain(name: str) -> str:
    """``accessKey`` and ``access_key`` as ``access-key``, so that names of every style meet the same pattern."""
    return _WORD_BREAK.sub("-", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower())
