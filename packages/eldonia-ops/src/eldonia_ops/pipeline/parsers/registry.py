"""Which parser a ``@type`` names."""

from collections.abc import Callable
from typing import Final

from eldonia_ops.model.errors import nearest
from eldonia_ops.pipeline.parsers.apache2 import Apache2Parser, ApacheParser
from eldonia_ops.pipeline.parsers.apache_error import ApacheErrorParser
from eldonia_ops.pipeline.parsers.aws import AlbParser, CloudfrontParser
from eldonia_ops.pipeline.parsers.cri import CriParser
from eldonia_ops.pipeline.parsers.envoy import EnvoyParser
from eldonia_ops.pipeline.parsers.grok import GrokParser
from eldonia_ops.pipeline.parsers.haproxy import HaproxyParser
from eldonia_ops.pipeline.parsers.json import JsonParser
from eldonia_ops.pipeline.parsers.klog import KlogParser
from eldonia_ops.pipeline.parsers.logfmt import LogfmtParser
from eldonia_ops.pipeline.parsers.msgpack import MsgpackParser
from eldonia_ops.pipeline.parsers.multi_format import MultiFormatParser
from eldonia_ops.pipeline.parsers.multiline import MultilineParser
from eldonia_ops.pipeline.parsers.mysql_slow import MysqlSlowParser
from eldonia_ops.pipeline.parsers.nginx import NginxParser
from eldonia_ops.pipeline.parsers.none import NoneParser
from eldonia_ops.pipeline.parsers.parser import Parser
from eldonia_ops.pipeline.parsers.postgresql import PostgresqlParser
from eldonia_ops.pipeline.parsers.regexp import RegexpParser
from eldonia_ops.pipeline.parsers.separated import CsvParser, LtsvParser, TsvParser
from eldonia_ops.pipeline.parsers.syslog import SyslogParser
from eldonia_ops.pipeline.section import SectionReader

_BY_TYPE: Final[dict[str, Callable[[SectionReader], Parser]]] = {
    "alb": AlbParser,
    "apache": ApacheParser,
    "apache2": Apache2Parser,
    "apache_error": ApacheErrorParser,
    "cloudfront": CloudfrontParser,
    "cri": lambda reader: CriParser(reader, parser_of),
    "csv": CsvParser,
    "envoy": EnvoyParser,
    "grok": GrokParser,
    "haproxy": HaproxyParser,
    "json": JsonParser,
    "klog": KlogParser,
    "logfmt": LogfmtParser,
    "ltsv": LtsvParser,
    "msgpack": MsgpackParser,
    "multi_format": lambda reader: MultiFormatParser(reader, parser_of),
    "multiline": MultilineParser,
    "mysql_slow": MysqlSlowParser,
    "nginx": NginxParser,
    "none": NoneParser,
    "postgresql": PostgresqlParser,
    "regexp": RegexpParser,
    "syslog": SyslogParser,
    "tsv": TsvParser,
}

PARSER_TYPES: Final = tuple(sorted(_BY_TYPE))
"""The names that ``@type`` of a ``<parse>`` section may have."""


def parser_of(reader: SectionReader) -> Parser | None:
    """The parser that a ``<parse>`` section describes; None when there is none that could be used.

    What is wrong is noted in ``reader.problems`` with its place. Parameters that no parser asked for are named by the
    caller's :meth:`SectionReader.finish`.
    """
    kind = reader.section.type
    made = _BY_TYPE.get(kind)
    if made is None:
        if kind:
            hint = nearest(kind, PARSER_TYPES) or f"there are: {', '.join(PARSER_TYPES)}"
            reader.problem(f"there is no parser of type {kind!r}", _type_name(reader), hint=hint)
        else:
            reader.problem(f"<{reader.section.name}> needs @type", hint=f"one of {', '.join(PARSER_TYPES)}")
        return None
    errors = sum(problem.level == "error" for problem in reader.problems)
    parser = made(reader)
    return parser if errors == sum(problem.level == "error" for problem in reader.problems) else None


def _type_name(reader: SectionReader) -> str:
    return "@type" if "@type" in reader.section.parameters else "type"
