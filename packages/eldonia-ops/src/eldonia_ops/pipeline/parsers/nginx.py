"""``@type nginx``: nginx' access log, combined, also with ``X-Forwarded-For`` behind it."""

import re
from typing import ClassVar

from eldonia_ops.pipeline.parsers.regexp import FixedRegexpParser
from eldonia_ops.pipeline.ruby_regexp import RubyRegexp

TIME_FORMAT = "%d/%b/%Y:%H:%M:%S %z"


# What nearly all lines are, each part without what could end it: found quickly, and the same as below.
_USUAL = re.compile(
    r"(?P<remote>[^ \n]*+) (?P<host>[^ \n]*+) (?P<user>[^ \n]*+) \[(?P<time>[^\]\n]*+)\] "
    r'"(?P<method>[^\s"]++) (?P<path>[^\s"]++) [^\s"]++" (?P<code>[^ "\n]*+) (?P<size>[^ "\n]*+) '
    r'"(?P<referer>[^"\n]*+)" "(?P<agent>[^"\n]*+)"(?: "(?P<http_x_forwarded_for>[^"\n]*+)")?'
)


class NginxParser(FixedRegexpParser):
    """The fields have the names that Fluentd gives them: https://docs.fluentd.org/parser/nginx"""

    type: ClassVar[str] = "nginx"
    time_format: ClassVar[str] = TIME_FORMAT
    regexp: ClassVar[RubyRegexp] = RubyRegexp(
        r"^(?<remote>[^ ]*) (?<host>[^ ]*) (?<user>[^ ]*) \[(?<time>[^\]]*)\] "
        r'"(?<method>\S+)(?: +(?<path>[^"]*?)(?: +\S*)?)?" (?<code>[^ ]*) (?<size>[^ ]*)'
        r'(?: "(?<referer>[^"]*)" "(?<agent>[^"]*)"(?:\s+"?(?<http_x_forwarded_for>[^"]*)"?)?)?$'
    )

    def found(self, text: str) -> dict[str, str] | None:
        """The fields of a line."""
        usual = _USUAL.fullmatch(text)
        if usual is None:
            return self.regexp.fields(text)
        record = usual.groupdict()
        if record["http_x_forwarded_for"] is None:
            del record["http_x_forwarded_for"]
        return record
