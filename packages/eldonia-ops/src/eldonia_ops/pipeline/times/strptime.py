"""Reading times by a format of Ruby's ``strptime``, fast where neighbours share their second.

Formats are those of Ruby's ``Time.strptime``: https://docs.ruby-lang.org/en/3.4/strftime_formatting_rdoc.html. A format
is made one pattern; what it finds but the fraction is computed once for each distinct text.
"""

import re
from datetime import datetime, timedelta, tzinfo
from typing import Final

from eldonia_ops.pipeline.times.zone_offsets import offset_seconds
from eldonia_ops.pipeline.times.zones import local_second, local_time

NS: Final = 1_000_000_000
_REMEMBERED: Final = 4_096
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_COMPOSED: Final = {
    "D": "%m/%d/%y",
    "x": "%m/%d/%y",
    "F": "%Y-%m-%d",
    "T": "%H:%M:%S",
    "X": "%H:%M:%S",
    "R": "%H:%M",
    "r": "%I:%M:%S %p",
    "c": "%a %b %e %H:%M:%S %Y",
    "v": "%e-%b-%Y",
    "+": "%a %b %e %H:%M:%S %Z %Y",
}
_MONTH_NAMES: Final = (
    r"(?P<b>(?i:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:tember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?))"
)
_DAY_NAMES: Final = r"(?i:mon(?:day)?|tue(?:sday)?|wed(?:nesday)?|thu(?:rsday)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)"
_PARTS: Final = {
    "Y": r"(?P<Y>[+-]?[0-9]{1,4})",
    "C": r"(?P<C>[0-9]{1,2})",
    "y": r"(?P<y>[0-9]{1,2})",
    "m": r"(?P<m>[0-9]{1,2})",
    "d": r" ?(?P<d>[0-9]{1,2})",
    "j": r"(?P<j>[0-9]{1,3})",
    "H": r" ?(?P<H>[0-9]{1,2})",
    "I": r" ?(?P<I>[0-9]{1,2})",
    "M": r"(?P<M>[0-9]{1,2})",
    "S": r"(?P<S>[0-9]{1,2})",
    "N": r"(?P<N>[0-9]{1,18})",
    "p": r"(?P<p>(?i:[ap]\.?m\.?))",
    "z": r"(?P<z>[+-][0-9]{1,2}(?::?[0-9]{2}(?::?[0-9]{2})?)?|(?i:utc|gmt)[+-][0-9]{1,2}(?::?[0-9]{2})?|[A-Za-z]{1,6})",
    "s": r"(?P<s>-?[0-9]{1,18})",
    "Q": r"(?P<Q>-?[0-9]{1,18})",
    "a": _DAY_NAMES,
    "b": _MONTH_NAMES,
    "u": r"[1-7]",
    "w": r"[0-6]",
    "U": r"[0-9]{1,2}",
}
_SAME: Final = {
    "e": "d", "k": "H", "l": "I", "P": "p", "L": "N", "B": "b", "h": "b", "A": "a", "Z": "z", "W": "U", "V": "U"
}  # fmt: skip
_DIRECTIVE: Final = re.compile(
    r"%(?P<flag>[-0^#_:]*)(?P<width>[0-9]*)(?P<letter>.)|(?P<space>\s+)|(?P<text>[^%\s]+)", re.S
)


class Strptime:
    """One format. ``zone`` is that of texts that name none (None: the machine's).

    Raises:
        ValueError: the format has something that it may not have.
    """

    def __init__(self, format: str, zone: tzinfo | None) -> None:
        self._zone = zone
        self._pattern = re.compile(_pattern(format), re.ASCII)
        names = self._pattern.groupindex
        self._needs_now = not names.keys() & {"Y", "y", "s", "Q"}
        self._fraction = "N" in names
        self._fixed = re.search(r"%[0-9]+N", format) is not None
        self._known: dict[str, int] = {}
        self._start, self._tail = 0, ""
        self._day = 0

    def parse(self, text: str, now_ns: int = 0) -> int | None:
        """Unix nanoseconds of a text. None when the format has no year and ``now_ns`` is 0.

        Raises:
            ValueError: the text does not have the format, or names no time.
        """
        if self._needs_now:
            return self._with_now(text, now_ns)
        if not self._fraction:
            known = self._known.get(text)
            return known if known is not None else self._read(text, 0)
        start, tail = self._start, self._tail
        if start:
            known = self._known.get(text[:start])
            if known is not None and text.endswith(tail):
                digits = text[start : len(text) - len(tail)]
                if digits.isdigit() and digits.isascii() and len(digits) <= 18:
                    return known + int(digits[:9].ljust(9, "0"))
        return self._read(text, 0)

    def _with_now(self, text: str, now_ns: int) -> int | None:
        if not now_ns:
            if self._pattern.match(text) is None:
                raise ValueError(f"{text[:60]!r} does not have the format")
            return None
        if self._day != now_ns // (3_600 * NS):
            self._day = now_ns // (3_600 * NS)
            self._known.clear()
        known = None if self._fraction else self._known.get(text)
        return known if known is not None else self._read(text, now_ns)

    def _read(self, text: str, now_ns: int) -> int:
        match = self._pattern.match(text)
        if match is None:
            raise ValueError(f"{text[:60]!r} does not have the format")
        found = match.groupdict()
        fraction = found.get("N")
        whole = _second(found, self._zone, now_ns // NS) * NS + _milliseconds(found)
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        if fraction is None:
            self._known[text] = whole
            return whole
        if not self._fixed and not self._needs_now and match.end() == len(text):
            begin, end = match.span("N")
            if begin != self._start or text[end:] != self._tail:
                self._known.clear()
                self._start, self._tail = begin, text[end:]
            self._known[text[:begin]] = whole
        return whole + int(fraction[:9].ljust(9, "0"))


def _pattern(format: str) -> str:
    parts: list[str] = []
    seen: set[str] = set()
    for match in _DIRECTIVE.finditer(_composed(format)):
        letter = match["letter"]
        if match["space"]:
            parts.append(r"\s*")
        elif match["text"]:
            parts.append(re.escape(match["text"]))
        elif letter == "%":
            parts.append("%")
        elif letter in ("n", "t"):
            parts.append(r"\s*")
        else:
            name = _SAME.get(letter, letter)
            part = _PARTS.get(name)
            if part is None:
                raise ValueError(f"a time format has no %{letter}")
            if name == "N" and match["width"]:
                part = rf"(?P<N>[0-9]{{1,{int(match['width'])}}})"
            if name in seen and "(?P<" in part:
                part = re.sub(r"\(\?P<\w+>", "(?:", part)  # the first one counts
            seen.add(name)
            parts.append(part)
    if not seen & {"Y", "y", "m", "d", "b", "j", "H", "I", "s", "Q"}:
        raise ValueError(f"the time format {format!r} names no time")
    return "".join(parts)


def _composed(format: str) -> str:
    def replaced(match: re.Match[str]) -> str:
        return _COMPOSED.get(match["letter"] or "", match[0])

    if format.endswith("%") and not format.endswith("%%"):
        raise ValueError("a time format may not end with %")
    return _DIRECTIVE.sub(replaced, format)


def _milliseconds(found: dict[str, str | None]) -> int:
    return int(text) % 1_000 * 1_000_000 if (text := found.get("Q")) else 0


def _second(found: dict[str, str | None], zone: tzinfo | None, now: int) -> int:
    """Unix seconds of what was found."""
    if text := found.get("s"):
        return int(text)
    if text := found.get("Q"):
        return int(text) // 1_000
    today = local_time(now, zone) if now else None
    year = _year(found)
    yearless = year is None
    if year is None:
        if today is None:
            raise ValueError("the time has no year")
        year = today.year
    if found.get("b"):
        month = _MONTHS.index(str(found["b"])[:3].lower()) + 1
    elif found.get("m"):
        month = int(found["m"] or 1)
    else:
        month = today.month if yearless and today and not found.get("d") else 1
    day = (
        int(found["d"] or 1)
        if found.get("d")
        else today.day
        if yearless and today and not found.get("m") and not found.get("b")
        else 1
    )
    hour, minute, second = _clock(found)
    leap = second == 60
    at = datetime(year, month, day, hour, minute, 59 if leap else second) if not found.get("j") else None
    if at is None:
        at = datetime(year, 1, 1, hour, minute, 59 if leap else second) + timedelta(days=int(found["j"] or 1) - 1)
    seconds = _seconds_of(at, found, zone) + leap
    if yearless and seconds > now + 86_400:
        # A line of 31 December that is read in January.
        seconds = _seconds_of(at.replace(year=year - 1), found, zone) + leap
    return seconds


def _seconds_of(at: datetime, found: dict[str, str | None], zone: tzinfo | None) -> int:
    name = found.get("z")
    offset = None if name is None else offset_seconds(name)
    if offset is None:
        return local_second(at, zone)
    return (at - datetime(1970, 1, 1)) // timedelta(seconds=1) - offset


def _year(found: dict[str, str | None]) -> int | None:
    if found.get("Y"):
        return int(found["Y"] or 0)
    if found.get("y"):
        short = int(found["y"] or 0)
        if found.get("C"):
            return int(found["C"] or 0) * 100 + short
        return short + (2_000 if short < 69 else 1_900)
    return None


def _clock(found: dict[str, str | None]) -> tuple[int, int, int]:
    hour = int(found.get("H") or 0)
    if found.get("I"):
        hour = int(found["I"] or 0) % 12
    if (half := found.get("p")) and found.get("I"):
        hour += 12 if half[0] in "pP" else 0
    return hour, int(found.get("M") or 0), int(found.get("S") or 0)
