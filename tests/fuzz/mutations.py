"""Makes new inputs out of old ones: bytes, words of the language, whole JSON documents."""

import json
import random
from collections.abc import Sequence
from typing import Any, Final

# What parsers stumble over: control characters, halves of characters, signs of many scripts, extreme numbers.
NASTY: Final = (
    *(b"\x00", b"\n", b"\r\n", b"\t", b"\x7f", b"\x1b[31m", b'"', b"\\", b"'", b"`", b"%", b"%00", b"${", b"{{", b"}}"),
    *(b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\\ud800", b"\\u0000", "\u2028".encode()),
    *("é".encode(), "日本語".encode(), "İ".encode(), "\u0301".encode(), "\U0001f600".encode(), "\ufeff".encode()),
    *("٣".encode(), "²".encode(), "１".encode(), b"0", b"-1", b"1e999", b"-0.0", b"NaN", b"inf", b"0x", b"1_0"),
    *(b"9" * 20, b"9" * 400, b"9" * 5000, b"18446744073709551616", b"-9223372036854775809", b"1e-400"),
    *(b"[" * 200, b"(" * 200, b'{"a":' * 200, b"- " * 100, b"*" * 200, b"!" * 50, b"null", b"true", b"{}", b"[]"),
)
_NASTY_VALUES: Final = (
    *(None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 2**63, -(2**63) - 1, 10**400, 1e308, -0.0, 1e-320, float("nan")),
    *("", "\x00", "\ud800", "a" * 300, "日本語", "1", "-1", "NaN", "null", [], {}, [[]], [{}], {"": ""}, {"\x00": 0}),
)


class Mutator:
    """Mutations with one source of randomness, so that a seed repeats them."""

    def __init__(self, chance: random.Random, tokens: Sequence[bytes], max_bytes: int) -> None:
        self._chance = chance
        self._tokens = tuple(tokens)
        self._max = max_bytes

    def mutate(self, data: bytes, others: Sequence[bytes] = ()) -> bytes:
        """Another input, one to four steps away; ``others`` lend their pieces."""
        for _ in range(self._chance.choice((1, 1, 2, 3, 4))):
            data = self._json(data) if self._chance.random() < 0.3 else self._bytes(data, others)
        return data[: self._max]

    def _bytes(self, data: bytes, others: Sequence[bytes]) -> bytes:
        chance = self._chance
        at = chance.randrange(len(data) + 1)
        end = min(len(data), at + chance.choice((1, 1, 2, 4, 16, 64)))
        match chance.randrange(9):
            case 0:
                return data[:at] + data[end:]
            case 1:
                return data[:at] + data[at:end] * chance.choice((2, 3, 10, 100)) + data[end:]
            case 2 if data:
                at = min(at, len(data) - 1)
                return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]
            case 3:
                return data[:at] + bytes([chance.randrange(256)]) + data[end:]
            case 4 if others:
                other = chance.choice(others)
                start = chance.randrange(len(other) + 1)
                return data[:at] + other[start : start + chance.choice((1, 8, 64, 1024))] + data[end:]
            case 5:
                other = chance.randrange(len(data) + 1)
                return data[:at] + data[other : other + chance.choice((1, 4, 16, 64))] + data[at:]
            case 6 | 7 if self._tokens:
                return data[:at] + chance.choice(self._tokens) + data[chance.choice((at, end)) :]
            case _:
                return data[:at] + chance.choice(NASTY) + data[chance.choice((at, end)) :]

    def _json(self, data: bytes) -> bytes:
        """The document with one value exchanged, left out or wrapped; the input itself when it is no JSON."""
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            return self._bytes(data, ())
        places: list[tuple[Any, Any]] = []
        waiting = [document]
        while waiting and len(places) < 2000:
            value = waiting.pop()
            if isinstance(value, dict):
                places += [(value, key) for key in value]
                waiting += value.values()
            elif isinstance(value, list):
                places += [(value, index) for index in range(len(value))]
                waiting += value
        chance = self._chance
        if not places:
            return json.dumps(chance.choice(_NASTY_VALUES)).encode("utf-8", "surrogatepass")
        holder, key = chance.choice(places)
        match chance.randrange(6):
            case 0:
                del holder[key]
            case 1:
                holder[key] = [holder[key]] * chance.choice((1, 2, 50))
            case 2:
                holder[key] = {"a": holder[key]}
            case 3 if isinstance(holder, dict):
                holder[chance.choice(("", "\x00", "\ud800", "name", "a" * 300, "message", "b.c"))] = holder[key]
            case 4:
                other, name = chance.choice(places)
                holder[key] = json.loads(json.dumps(other[name]))
            case _:
                holder[key] = chance.choice(_NASTY_VALUES)
        try:
            return json.dumps(document, ensure_ascii=chance.random() < 0.8).encode("utf-8", "surrogatepass")
        except (ValueError, RecursionError):
            return data
