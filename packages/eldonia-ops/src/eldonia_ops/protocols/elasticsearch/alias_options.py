"""What may be said of an index in an alias: a filter, and which index is written to."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError, illegal_argument
from eldonia_ops.protocols.elasticsearch.query.dsl import read_query
from eldonia_ops.protocols.elasticsearch.query.errors import DslError

MAX_FILTER: Final = 16_384
"""Characters of a filter: each search reads it, and a point in time has it in its id."""

_FLAGS: Final = ("is_write_index", "is_hidden")
_ROUTINGS: Final = ("routing", "index_routing", "search_routing")
_encode: Final = msgspec.json.Encoder().encode


def alias_options(alias: str, stated: Mapping[str, Any] | None) -> dict[str, Any]:
    """What is kept of the options of an alias. Routing is shown again and does nothing: there are no shards.

    Raises:
        ElasticsearchError: an option is not known, or has a value that cannot be used.
    """
    given = {key: value for key, value in (stated or {}).items() if value is not None}
    if unknown := sorted(set(given) - {"filter", *_FLAGS, *_ROUTINGS}):
        raise illegal_argument(f"Unknown field [{unknown[0][:100]}] in alias [{alias[:100]}]")
    found: dict[str, Any] = {}
    if "filter" in given:
        check_filter(alias, given["filter"])
        found["filter"] = given["filter"]
    for name in _FLAGS:
        if name in given:
            if given[name] not in (True, False, "true", "false"):
                raise illegal_argument(f"[{name}] of the alias [{alias[:100]}] is true or false")
            found[name] = given[name] in (True, "true")
    for name in ("index_routing", "search_routing"):
        if (routing := given.get(name, given.get("routing"))) is not None:
            found[name] = str(routing)[:1_000]
    return found


def check_filter(alias: str, filter: Any) -> None:
    """Refuse a filter that no search can use.

    Raises:
        ElasticsearchError: it is no query, or too long.
    """
    if not isinstance(filter, dict):
        raise illegal_argument(f"[filter] of the alias [{alias[:100]}] is no query")
    if len(_encode(filter)) > MAX_FILTER:
        raise illegal_argument(f"[filter] of the alias [{alias[:100]}] is longer than {MAX_FILTER:,} bytes")
    try:
        read_query(filter, 0)
    except DslError as error:
        reason = f"failed to parse filter for alias [{alias[:100]}]: {error.reason}"
        raise illegal_argument(reason) from None


def check_one_writer(alias: str, members: Mapping[str, Any]) -> None:
    """Refuse an alias of which several indices are written to.

    Raises:
        ElasticsearchError: there are several.
    """
    writers = writers_of(members)
    if len(writers) > 1:
        reason = f"alias [{alias}] has more than one write index [{','.join(sorted(writers))}]"
        raise ElasticsearchError(500, "illegal_state_exception", reason)


def writers_of(members: Mapping[str, Any]) -> list[str]:
    """The members that are said to be written to."""
    return [one for one, stated in members.items() if (stated or {}).get("is_write_index") in (True, "true")]


def checked_aliases(stated: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    """The aliases of a template, or of an index that is created.

    Raises:
        ElasticsearchError: one of them cannot be.
    """
    return {alias: alias_options(alias, options) for alias, options in (stated or {}).items()}
