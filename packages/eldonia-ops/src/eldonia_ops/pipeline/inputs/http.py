"""``@type http``: the path of a request is the tag. https://docs.fluentd.org/input/http"""

from dataclasses import dataclass, field

from eldonia_ops.pipeline.inputs.servers import ServerInput, server_transport
from eldonia_ops.pipeline.old_parse import parse_section, read_parser
from eldonia_ops.pipeline.parsers import Parser
from eldonia_ops.pipeline.parsers.fields import Fields
from eldonia_ops.pipeline.section import Place, Section, SectionReader
from eldonia_ops.pipeline.tag_pattern import TagPattern

_OWN_PARSER = ("", "default", "in_http")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpInput(ServerInput):
    """``parser`` None: what a body is, its Content-Type says, and ``fields`` finds the time in its records.

    ``cors_origins`` are those from which pages of browsers may send: ``*``, an origin, or one with a ``*`` in it.
    """

    type: str = "http"
    parser: Parser | None = field(default=None, compare=False)
    fields: Fields | None = field(default=None, compare=False)
    body_size_limit: int = 32 << 20
    keepalive_seconds: float = 10.0
    add_http_headers: bool = False
    add_query_params: bool = False
    remote_addr_key: str = ""
    add_tag_prefix: str = ""
    cors_origins: tuple[str, ...] = ()
    cors_credentials: bool = False
    empty_image: bool = False
    no_content: bool = False

    def tag_of(self, path: str) -> str:
        """The tag of a path that is decoded; '' for none."""
        tag = ".".join(part for part in path.split("/") if part)
        return f"{self.add_tag_prefix}.{tag}" if self.add_tag_prefix and tag else tag


def http_input(reader: SectionReader, id: str, label: str, place: Place) -> HttpInput:
    """A ``<source>`` of type http."""
    reader.ignore("backlog", "blocking_timeout", "dump_error_log", "decompression_size_limit")
    prefix = reader.string("add_tag_prefix")
    origins = reader.texts("cors_allow_origins")
    credentials = reader.boolean("cors_allow_credentials", False)
    if credentials and "*" in origins:
        message = "cors_allow_credentials with cors_allow_origins * would let in every page of the web"
        reader.problem(message, "cors_allow_credentials", hint="name the origins")
    section = parse_section(reader, default="in_http")
    default = section is None or section.type in _OWN_PARSER
    remote = reader.string("remote_addr_key", "REMOTE_ADDR")
    return HttpInput(
        id=id,
        label=label,
        place=place,
        bind=reader.string("bind", "0.0.0.0"),  # noqa: S104
        port=reader.integer("port", 9_880, minimum=1),
        transport=server_transport(reader),
        parser=None if default else read_parser(reader),
        fields=_fields(section, reader) if default else None,
        body_size_limit=reader.size("body_size_limit", 32 << 20),
        keepalive_seconds=reader.seconds("keepalive_timeout", 10),
        add_http_headers=reader.boolean("add_http_headers", False),
        add_query_params=reader.boolean("add_query_params", False),
        remote_addr_key=remote if reader.boolean("add_remote_addr", False) else "",
        add_tag_prefix=prefix,
        cors_origins=origins,
        cors_credentials=credentials,
        empty_image=reader.boolean("respond_with_empty_img", False),
        no_content=reader.boolean("use_204_response", False),
        tags=TagPattern.of_texts([[f"{prefix}.", None]]) if prefix else None,
        tags_shown=f"{prefix}.**" if prefix else "any tag",
    )


def _fields(section: Section | None, reader: SectionReader) -> Fields | None:
    """What finds the time of records, where the section names a key for it."""
    if section is None:
        return None
    inside = SectionReader(section, reader.problems)
    found = Fields(inside, time_type="float")
    inside.finish()
    return found if found.time_key else None
