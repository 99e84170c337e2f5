"""Errors in Elasticsearch's shape.

Source: https://www.elastic.co/docs/reference/elasticsearch/rest-apis/common-options, and the names of the exceptions
as clients look for them (``index_not_found_exception``, …).
"""

from collections.abc import Mapping
from typing import Any


class ElasticsearchError(ValueError):
    """What is answered: HTTP's ``status``, Elasticsearch's ``type``, and a ``reason`` that says what to do.

    ``extra`` are further fields of the error (``index``, ``caused_by``, …).
    """

    def __init__(self, status: int, type: str, reason: str, extra: Mapping[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.type = type
        self.reason = reason
        self.extra = dict(extra or {})

    def cause(self) -> dict[str, Any]:
        """The error alone, as it is in an item of a bulk request."""
        return {"type": self.type, "reason": self.reason, **self.extra}

    def body(self) -> dict[str, Any]:
        """The body of an answer."""
        cause = self.cause()
        return {"error": {"root_cause": [cause], **cause}, "status": self.status}


def illegal_argument(reason: str) -> ElasticsearchError:
    """A value that cannot be used."""
    return ElasticsearchError(400, "illegal_argument_exception", reason)


def unsupported(what: str, instead: str) -> ElasticsearchError:
    """Something that Elasticsearch has and we have not; ``instead`` says what to do."""
    return ElasticsearchError(400, "illegal_argument_exception", f"{what} is not supported here: {instead}")


def parsing_error(reason: str) -> ElasticsearchError:
    """A body that is no query, template or the like."""
    return ElasticsearchError(400, "parsing_exception", reason)


def document_error(reason: str, cause: str = "") -> ElasticsearchError:
    """A document that cannot be kept; ``cause`` is the reason of the ``illegal_argument_exception`` inside of it."""
    extra = {"caused_by": {"type": "illegal_argument_exception", "reason": cause}} if cause else None
    return ElasticsearchError(400, "document_parsing_exception", reason, extra)


def index_not_found(name: str) -> ElasticsearchError:
    """There is no such index, data stream or alias."""
    extra = {"resource.type": "index_or_alias", "resource.id": name, "index_uuid": "_na_", "index": name}
    return ElasticsearchError(404, "index_not_found_exception", f"no such index [{name}]", extra)


def missing(reason: str) -> ElasticsearchError:
    """A template, policy or the like that is not there."""
    return ElasticsearchError(404, "resource_not_found_exception", reason)


def exists_already(reason: str, index: str = "") -> ElasticsearchError:
    """An index that is there already."""
    extra = {"index": index, "index_uuid": "_na_"} if index else None
    return ElasticsearchError(400, "resource_already_exists_exception", reason, extra)


def version_conflict(id: str, reason: str, index: str) -> ElasticsearchError:
    """A document that is there already, or was changed in between."""
    extra = {"index": index, "shard": "0", "index_uuid": "_na_"}
    return ElasticsearchError(409, "version_conflict_engine_exception", f"[{id}]: version conflict, {reason}", extra)


def rejected(reason: str) -> ElasticsearchError:
    """Too much at once: clients wait and send it again."""
    return ElasticsearchError(429, "es_rejected_execution_exception", reason)
