"""``@type apache_error``: Apache's error log."""

from typing import ClassVar

from eldonia_ops.pipeline.parsers.regexp import FixedRegexpParser
from eldonia_ops.pipeline.ruby_regexp import RubyRegexp


class ApacheErrorParser(FixedRegexpParser):
    """https://docs.fluentd.org/parser/apache_error. The time has no zone: it is that of ``timezone``."""

    type: ClassVar[str] = "apache_error"
    regexp: ClassVar[RubyRegexp] = RubyRegexp(
        r"^\[[^ ]* (?<time>[^\]]*)\] \[(?<level>[^\]]*)\](?: \[pid (?<pid>[^\]]*)\])?"
        r"(?: \[client (?<client>[^\]]*)\])? (?<message>.*)$"
    )
