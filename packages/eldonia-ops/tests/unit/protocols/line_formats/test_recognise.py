"""What people are shown as the form of a log file."""

import pytest

from eldonia_ops.protocols.line_formats.recognise import form_of

NOW = 1_796_000_000_000_000_000


@pytest.mark.parametrize(
    ("line", "form"),
    [
        ('{"message": "x"}', "json"),
        ("2026-11-30T08:00:00.123456789Z stdout F hello", "container log"),
        ("<34>1 2026-11-30T08:00:00Z host app 1 - - text", "syslog"),
        ("Nov 30 08:00:00 host sshd[12]: Failed password", "syslog"),
        ("level=info msg=x a=1", "logfmt"),
        ("2026-11-30T08:00:00Z level=info msg=x a=1", "logfmt behind a time"),
        ('2026-11-30T08:00:00.123456789Z {"level": "info"}', "json behind a time"),
        ("2026-11-30T08:00:00Z {not closed", "text with time"),
        ('10.0.0.1 - - [10/Oct/2026:13:55:36 +0000] "GET / HTTP/1.1" 200 1 "-" "-"', "access log"),
        ("2026/11/30 08:00:01 [error] 1#1: *7 open() failed", "nginx error log"),
        ("[Mon Nov 30 08:00:00 2026] [error] x", "apache error log"),
        ("2026-11-30 08:00:00 UTC [5] ERROR:  no", "postgresql log"),
        ("2026-11-30 08:00:00,123 INFO started", "text with time"),
        ("started", "text"),
        ("\xff\x00", "text"),
        ("", "text"),
    ],
)
def test_each_form_has_a_name(line, form):
    assert form_of(line.encode("latin-1"), NOW) == form
