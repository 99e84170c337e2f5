"""What goes wrong with a document in a pipeline, and with a pipeline itself."""

from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError


class ProcessorError(ValueError):
    """A document that a processor cannot change as it shall; the type is Elasticsearch's."""

    def __init__(self, reason: str, type: str = "illegal_argument_exception") -> None:
        super().__init__(reason)
        self.reason = reason
        self.type = type


def bad_processor(kind: str, reason: str, property: str = "", tag: str = "") -> ElasticsearchError:
    """A processor that cannot be used; clients look for its name beside the reason."""
    header = {"processor_type": kind}
    if property:
        header["property_name"] = property
    if tag:
        header["processor_tag"] = tag
    text = f"[{property}] {reason}" if property else reason
    return ElasticsearchError(400, "parse_exception", text, {"header": header, **header})


def unknown_processor(kind: str, hint: str) -> ElasticsearchError:
    """A kind of processor that we do not have."""
    reason = f"No processor type exists with name [{kind}]" + (f": {hint}" if hint else "")
    return ElasticsearchError(400, "parse_exception", reason, {"header": {"processor_type": kind}})
