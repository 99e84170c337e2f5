"""Recognises numbers of payment cards in text: their length, the networks' prefixes and the check digit.

Prefixes and lengths: ISO/IEC 7812 and what the networks have announced (Visa 4; Mastercard 51–55, 2221–2720, Maestro
50, 56–58; American Express 34, 37; Discover and UnionPay 6; JCB 3528–3589; Diners Club 30, 36, 38, 39; Mir 2200–2204).
One number in ten passes the check digit by chance, so barcodes (13 digits) and ids (17, 18) have to be called a card.
"""

import re
from typing import Final

# Groups of four digits are separated alike: all by spaces or all by dashes.
_NUMBER: Final = re.compile(
    r"(?<![\w.-])(?:[2-6]\d{12,18}|\d{4}(?: \d{4} \d{4} \d{1,4}(?: \d{1,3})?|-\d{4}-\d{4}-\d{1,4}(?:-\d{1,3})?)"
    r"|\d{4}[ -]\d{6}[ -]\d{4,5})(?![\d-])",
    re.ASCII,
)
_LONG_DIGITS: Final = re.compile(r"\d[\d -]{11,40}\d")
_PREFIX: Final = re.compile(
    r"(?:4\d{15}|5[0-8]\d{14}|6\d{15}|(?:2[3-6]\d\d|22[3-9]\d|222[1-9]|27[01]\d|2720|220[0-4])\d{12}"
    r"|3(?:52[89]|5[3-8]\d)\d{12}|3[47]\d{13}|3(?:0[0-59]|[689]\d)\d{11}|62\d{17})"
)
_CALLED_SO: Final = re.compile(r"(?i)(?:card|visa|amex|maestro|カード)[^\d\r\n]{0,16}$")


def remove(text: str, replacement: str) -> str:
    """The text with numbers of payment cards replaced; the same object when there are none."""
    if len(text) < 13 or not _LONG_DIGITS.search(text):
        return text

    def card(match: re.Match[str]) -> str:
        digits = re.sub(r"[ -]", "", match[0])
        if is_card_number(digits):
            return replacement
        before = text[max(0, match.start() - 32) : match.start()]
        return replacement if 13 <= len(digits) <= 19 and passes(digits) and _CALLED_SO.search(before) else match[0]

    return _NUMBER.sub(card, text)


def is_card_number(digits: str) -> bool:
    """Whether digits have a payment card's length and prefix, and pass the Luhn check (ISO/IEC 7812-1, annex B)."""
    return digits.isascii() and _PREFIX.fullmatch(digits) is not None and passes(digits)


def passes(digits: str) -> bool:
    """The Luhn check alone."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = ord(digit) - 48
        if position % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0
