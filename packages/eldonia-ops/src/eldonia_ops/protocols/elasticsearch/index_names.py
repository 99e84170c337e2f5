"""Names of indices: which are allowed, and which an expression with wildcards means."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from eldonia_ops.protocols.elasticsearch.date_names import resolved_name
from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError, illegal_argument, index_not_found

MAX_NAME_BYTES: Final = 255
MAX_EXPRESSION: Final = 4_096
_FORBIDDEN: Final = frozenset('\\/*?"<>| ,#')
_EVERY: Final = ("_all", "*")
_TRUE: Final = ("", "true")
STATES: Final = frozenset({"open", "closed", "hidden", "none", "all"})


def check_index_name(name: str) -> None:
    """Refuse what can be no name of an index.

    Raises:
        ElasticsearchError: with the reason.
    """
    fault = ""
    if not name:
        fault = "must not be empty"
    elif name in (".", ".."):
        fault = "must not be '.' or '..'"
    elif name[0] in "_-+":
        fault = "must not start with '_', '-', or '+'"
    elif not _FORBIDDEN.isdisjoint(name) or not name.isprintable():
        fault = 'must not contain the following characters [ , ", *, \\, <, |, ,, >, /, ?, #]'
    elif name.lower() != name:
        fault = "must be lowercase"
    elif ":" in name:
        fault = "must not contain ':'"
    elif len(name.encode()) > MAX_NAME_BYTES:
        fault = f"index name is too long, more than {MAX_NAME_BYTES} bytes"
    if fault:
        reason = f"Invalid index name [{name[:MAX_NAME_BYTES]}], {fault}"
        extra = {"index": name[:MAX_NAME_BYTES], "index_uuid": "_na_"}
        raise ElasticsearchError(400, "invalid_index_name_exception", reason, extra)


@dataclass(frozen=True, slots=True)
class Options:
    """How an expression is read. ``hidden``: wildcards find names that begin with a dot, too."""

    ignore_unavailable: bool = False
    allow_no_indices: bool = True
    hidden: bool = False
    open: bool = True


def options_of(query: Mapping[str, str], default: Options = Options()) -> Options:
    """The options in the parameters of a request.

    Raises:
        ElasticsearchError: ``expand_wildcards`` has a value that is not known.
    """
    states = {one.strip() for one in query.get("expand_wildcards", "").split(",") if one.strip()}
    if unknown := states - STATES:
        raise illegal_argument(f"No valid expand wildcard value [{sorted(unknown)[0][:40]}]")
    return Options(
        _flag(query, "ignore_unavailable", default.ignore_unavailable),
        _flag(query, "allow_no_indices", default.allow_no_indices),
        bool(states & {"hidden", "all"}) or (not states and default.hidden),
        not states or bool(states & {"open", "all", "hidden"}),
    )


def _flag(query: Mapping[str, str], name: str, default: bool) -> bool:
    return query[name].lower() in _TRUE if name in query else default


def expanded(expression: str, names: Iterable[str], now_ms: int, options: Options = Options()) -> list[str]:
    """The names that an expression means: ``a,b-*,-b-old``, ``_all``, ``<a-{now/d}>``.

    A name without a wildcard has to be among ``names`` unless the options ignore that.

    Raises:
        ElasticsearchError: a name that is not there, no name at all where one is asked for, or no such syntax.
    """
    if len(expression) > MAX_EXPRESSION:
        raise illegal_argument("the names of the indices are too long: use a wildcard")
    known = list(names)
    there = set(known)
    found: dict[str, None] = {}
    parts = [part.strip() for part in _split(expression)]
    wild = not parts
    for part in parts or ["_all"]:
        excluding = part.startswith("-") and (wild or bool(found) or "*" in part) and part not in there
        name = resolved_name(part[1:] if excluding else part, now_ms)
        if name in _EVERY or "*" in name:
            wild = wild or not excluding
            some = [] if not options.open else list(filter(_matcher(name, options.hidden), known))
        elif name in there or excluding:
            some = [name]
        elif options.ignore_unavailable:
            continue
        else:
            raise index_not_found(name)
        for one in some:
            if excluding:
                found.pop(one, None)
            else:
                found[one] = None
    if not found and not options.allow_no_indices:
        raise index_not_found(expression or "_all")
    return list(found)


def _split(expression: str) -> list[str]:
    """At the commas, but for those in date math."""
    found: list[str] = []
    for part in expression.split(","):
        if found and "<" in found[-1] and ">" not in found[-1]:
            found[-1] += f",{part}"
        else:
            found.append(part)
    return [part for part in found if part.strip()]


def _matcher(pattern: str, hidden: bool) -> Callable[[str], bool]:
    shows_hidden = hidden or pattern.startswith(".")
    if pattern in _EVERY:
        return lambda name: shows_hidden or not name.startswith(".")
    compiled = pattern_of(pattern)
    return lambda name: compiled(name) and (shows_hidden or not name.startswith("."))


@lru_cache(maxsize=1_024)
def pattern_of(pattern: str) -> Callable[[str], bool]:
    """Whether a name fits to a pattern, in which ``*`` stands for anything. Linear in the name."""
    pieces = pattern.split("*")
    if len(pieces) == 1:
        return lambda name: name == pattern
    first, *middle, last = pieces

    def fits(name: str) -> bool:
        if len(name) < len(first) + len(last) or not name.startswith(first) or not name.endswith(last):
            return False
        at, end = len(first), len(name) - len(last)
        for piece in middle:
            place = name.find(piece, at, end)
            if place < 0:
                return False
            at = place + len(piece)
        return True

    return fits


def fits_any(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name fits to one of some patterns."""
    return any(pattern_of(pattern)(name) for pattern in patterns)
