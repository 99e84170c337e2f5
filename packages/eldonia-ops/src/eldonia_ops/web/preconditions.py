"""Conditional requests (RFC 9110, section 13.1), so that no client overwrites what it has not read."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from eldonia_ops.web.bad_request import BadRequestError

_TAG: Final = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_LIST: Final = re.compile(rf"(?:[ \t]*(?:{_TAG.pattern}[ \t]*)?,)*[ \t]*(?:{_TAG.pattern}[ \t]*)?")
"""Elements with commas between them, any of which may be empty (RFC 9110, section 5.6.1). Each blank can be read in
one way alone: otherwise a header of some dozen blanks would take hours."""
_ANY: Final = frozenset({"*"})


class PreconditionRequiredError(RuntimeError):
    """A request that replaces something does not say what (RFC 6585, section 3)."""


def entity_tag(text: str) -> str:
    """The strong validator of a stored text: another for every other text, in quotes as headers have it."""
    return f'"{hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]}"'


@dataclass(frozen=True, slots=True)
class Precondition:
    """What must hold of the thing that a request is about to replace; None for a header that was not sent."""

    match: frozenset[str] | None
    none_match: frozenset[str] | None

    def holds(self, tag: str) -> bool:
        """Whether the thing with this entity tag ('' for none there) may be replaced.

        ``If-Match`` compares strongly, ``If-None-Match`` weakly (RFC 9110, section 8.8.3.2).
        """
        if self.match is not None and not (tag and (self.match == _ANY or tag in self.match)):
            return False
        if self.none_match is None or not tag:
            return True
        return self.none_match != _ANY and tag not in {one.removeprefix("W/") for one in self.none_match}


def read_precondition(if_match: Sequence[str], if_none_match: Sequence[str]) -> Precondition:
    """The precondition in the values of the two headers.

    Raises:
        PreconditionRequiredError: neither was sent.
        BadRequestError: one of them is no list of entity tags.
    """
    if not if_match and not if_none_match:
        raise PreconditionRequiredError("the request does not say which text it replaces")
    return Precondition(_tags("If-Match", if_match), _tags("If-None-Match", if_none_match))


def _tags(header: str, values: Sequence[str]) -> frozenset[str] | None:
    if not values:
        return None
    text = ", ".join(values).strip()
    if text == "*":
        return _ANY
    tags = frozenset(_TAG.findall(text)) if _LIST.fullmatch(text) else None
    if not tags:
        raise BadRequestError(f'{header} is no list of entity tags: {text[:80]!r} (write "...", in quotes, or *)')
    return tags
