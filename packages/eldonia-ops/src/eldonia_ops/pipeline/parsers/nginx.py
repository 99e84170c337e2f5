"""``@type nginx``: nginx' access log, combined, also with ``X-Forwarded-For`` behind it."""

from typing import ClassVar

from eldonia_ops.pipeline.parsers.regexp import FixedRegexpParser
from eldonia_ops.pipeline.ruby_regexp import RubyRegexp

TIME_FORMAT = "%d/%b/%Y:%H:%M:%S %z"


class NginxParser(FixedRegexpParser):
    """The fields have the names that Fluentd gives them: https://docs.fluentd.org/parser/nginx"""

    type: ClassVar[str] = "nginx"
    time_format: ClassVar[str] = TIME_FORMAT
    regexp: ClassVar[RubyRegexp] = RubyRegexp(
        r"^(?<remote>[^ ]*) (?<host>[^ ]*) (?<user>[^ ]*) \[(?<time>[^\]]*)\] "
        r'"(?<method>\S+)(?: +(?<path>[^"]*?)(?: +\S*)?)?" (?<code>[^ ]*) (?<size>[^ ]*)'
        r'(?: "(?<referer>[^"]*)" "(?<agent>[^"]*)"(?:\s+"?(?<http_x_forwarded_for>[^"]*)"?)?)?$'
    )
