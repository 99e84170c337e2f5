"""Which language a reader gets, and the catalogs of texts.

A catalog is a flat mapping from key to text; ``{name}`` in a text is filled in, and ``{name|file|files}`` is the word
for one or for any other number of them. It is read from the JSON objects in
``i18n/<language>``, a file for each area of the pages. Both catalogs have the same keys, and no key is in two files
(tests check it). Collectors bring the names of their kinds along.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from starlette.requests import Request

from eldonia_ops.collectors import registry
from eldonia_ops.model.plurals import chosen
from eldonia_ops.web.callers import preferences_of

LANGUAGES: Final = ("en", "ja")
COOKIE: Final = "eldonia_ops_language"
_PLACE: Final = re.compile(r"\{(\w+)(?:\|([^|{}]*)\|([^|{}]*))?\}")
_FOLDER: Final = Path(__file__).parent / "i18n"


@cache
def catalog(language: str) -> Mapping[str, str]:
    """The texts of one language.

    Raises:
        KeyError: there is no such language.
    """
    if language not in LANGUAGES:
        raise KeyError(language)
    texts: dict[str, str] = {}
    for file in sorted((_FOLDER / language).glob("*.json")):
        texts |= json.loads(file.read_text("utf-8"))
    return texts | _kinds(language)


def _kinds(language: str) -> dict[str, str]:
    """What the collectors call their kinds of targets. A page shows the kind itself where there is no text."""
    found: dict[str, str] = {}
    for key in registry.registered_keys():
        try:
            collector = registry.find(key)
        except registry.CollectorError:
            continue  # the targets page names it
        title = collector.titles.get(language) or collector.titles.get("en")
        if title:
            found[f"kind.{collector.kind}"] = title
    return found


def filled(text: str, values: Mapping[str, object]) -> str:
    """A text with its values in place, as ``t`` of ``static/js/lib/i18n.js`` does it."""

    def value(match: re.Match[str]) -> str:
        name, one, other = match.groups()
        if name not in values:
            return match[0]
        given = str(values[name])
        return given if one is None else chosen(given, one, other)

    return _PLACE.sub(value, text)


def language_of(request: Request, default: str) -> str:
    """``?lang=``, else what the caller's account prefers, else the choice remembered in a cookie, else
    ``Accept-Language``, else the default."""
    preferred = preferences_of(request).language
    for wish in (request.query_params.get("lang", ""), preferred, request.cookies.get(COOKIE, "")):
        if wish in LANGUAGES:
            return wish
    return _accepted(request.headers.get("accept-language", "")) or (default if default in LANGUAGES else "en")


def _accepted(header: str) -> str:
    """The language that an ``Accept-Language`` header likes best among ours, or an empty string."""
    wishes: list[tuple[float, int, str]] = []
    for position, part in enumerate(header[:500].split(",")):
        tag, _, parameter = part.strip().partition(";")
        primary = tag.partition("-")[0].lower()
        try:
            quality = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
        except ValueError:
            continue
        if primary in LANGUAGES and quality > 0:
            wishes.append((-quality, position, primary))
    return min(wishes)[2] if wishes else ""
