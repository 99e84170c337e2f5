"""Which messages contain the words of a search.

Words in ASCII are looked up in an index over runs of letters and digits. That cuts
``orders/123`` into two words, on both sides alike. Chinese and Japanese are written without spaces, so a
whole sentence would be one word there: what holds any other letter is found as a piece of text,
and an index over pairs of characters narrows down where to look.
"""

import re
import unicodedata
from typing import Final

from eldonia_ops.storage.clickhouse.engine import Parameter
from eldonia_ops.storage.clickhouse.schema import ASCII_TEXT, NON_ASCII_TEXT

MAX_TEXT: Final = 1_000
_NON_ASCII_RUN: Final = re.compile(r"[^\x00-\x7f]+")
_ASCII_WORD: Final = re.compile(r"[0-9a-z]+")


def conditions(text: str) -> tuple[list[str], dict[str, Parameter]]:
    """SQL conditions and parameters for a search text; nothing for a text without any letter or digit.

    Only the first :data:`MAX_TEXT` characters are looked at.
    """
    words: list[str] = []
    pieces: list[str] = []
    for part in text[:MAX_TEXT].split():
        if part.isascii():
            words += _ASCII_WORD.findall(part.lower())
        else:
            pieces.append(part)
    found: list[str] = []
    parameters: dict[str, Parameter] = {}
    if words:
        found.append(f"hasAllTokens({ASCII_TEXT}, {{words:Array(String)}})")
        parameters["words"] = list(dict.fromkeys(words))
    pairs = [pair for piece in pieces for pair in _pairs(piece)]
    if pairs:
        found.append(f"hasAllTokens({NON_ASCII_TEXT}, {{pairs:Array(String)}})")
        parameters["pairs"] = list(dict.fromkeys(pairs))[:60]
    for number, piece in enumerate(pieces[:20]):
        name = f"piece{number}"
        found.append(f"position(lowerUTF8(message), lowerUTF8({{{name}:String}})) > 0")
        parameters[name] = piece
    return found, parameters


def _pairs(piece: str) -> list[str]:
    """Neighbouring characters that the index holds unchanged.

    Letters with two cases are left to the exact comparison: how an upper case letter folds is not the same everywhere.
    """
    return [
        run[index : index + 2]
        for run in _NON_ASCII_RUN.findall(piece)
        for index in range(len(run) - 1)
        if all(unicodedata.category(character) in ("Lo", "Lm", "Nd") for character in run[index : index + 2])
    ]
