"""Whom a note mentions."""

import re
from typing import Final

_MENTION: Final = re.compile(r"(?:^|[^\w.@-])@([A-Za-z0-9_.-]{1,64})(?![A-Za-z0-9_.-])")


def mentioned(text: str) -> tuple[str, ...]:
    """The names that a text mentions as ``@name``, each once, in lower case.

    A name ends before the full stop or hyphen that ends a sentence; an ``@`` within a mail address mentions no one.
    """
    names = (match.group(1).rstrip(".-").lower() for match in _MENTION.finditer(text))
    return tuple(dict.fromkeys(name for name in names if name))
