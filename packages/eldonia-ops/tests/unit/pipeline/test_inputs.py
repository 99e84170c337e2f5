"""Sources as they are declared."""

from typing import Any

import pytest
from fluent_conf import read, texts

from eldonia_ops.model.errors import Diagnostic
from eldonia_ops.pipeline.inputs import (
    ForwardInput,
    HttpInput,
    Input,
    SampleInput,
    StreamInput,
    SyslogInput,
    SystemdInput,
    TailInput,
    input_of,
)
from eldonia_ops.pipeline.section import SectionReader


def source(text: str) -> tuple[Input | None, list[Diagnostic]]:
    root, problems = read(f"<source>\n{text}\n</source>")
    return input_of(SectionReader(root.sections[0], problems)), problems


def right(text: str) -> Any:
    found, problems = source(text)
    assert problems == [], texts(problems)
    return found


def test_tail():
    found = right(
        '@type tail\npath /var/log/*.log, /srv/%Y/x.log\nexclude_path ["/var/log/y.log"]\ntag app.*\npos_file /p\n'
        "@label @in\nread_from_head true\nencoding Shift_JIS\npath_key path\n<parse>\n@type json\n</parse>"
    )
    assert isinstance(found, TailInput)
    assert (found.paths, found.exclude) == (("/var/log/*.log", "/srv/%Y/x.log"), ("/var/log/y.log",))
    assert (found.label, found.encoding, found.path_key, found.read_from_head) == ("@in", "shift_jis", "path", True)
    assert found.tag_of("/var/log/a.log") == "app.var.log.a.log"
    assert found.tags_shown == "app.var.log.*.log, app.srv.*.x.log"
    assert found.tags is not None
    assert found.tags.matches("app.var.log.web.access.log")
    assert found.tags.matches("app.srv.2026.x.log")
    assert not found.tags.matches("app.var.log.log")


def test_tail_in_the_old_form():
    found = right("@type tail\nformat /^(?<m>.*)$/\npath /a.log\ntag t\ntime_key x")
    assert found.parser.parse("y")[0][1] == {"m": "y"}
    assert right("@type tail\nformat none\npath /a.log\ntag t").tags_shown == "t"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("@type tail\ntag t\n<parse>\n@type none\n</parse>", "1: <source> of type tail needs path"),
        ("@type tail\npath /a\n<parse>\n@type none\n</parse>", "1: <source> of type tail needs tag"),
        ("@type tail\npath /a\ntag t", "1: tail needs a <parse> section"),
        ("@type tail\npath /a\ntag t\nencoding nope\nformat none", "5: there is no encoding 'nope'"),
        (
            "@type tail\npath /a\ntag t\nencoding UTF-16\nformat none",
            "5: files in UTF-16 cannot be followed line by line",
        ),
        ("@type tail\npath a.log\ntag t\nformat none", "3: the path a.log is not absolute"),
        ("@type tail\npath /a\ntag t\nformat none\npathh x", "6: tail has no parameter pathh: it is ignored"),
        ("@type forward\n<security>\nshared_key k\n</security>", "3: <security> of type ? needs self_hostname"),
        (
            "@type forward\n<transport tls>\n</transport>",
            "3: certificates are not made up here: cert_path and private_key_path are needed",
        ),
        ("@type sample\ntag t\nsample [1]", "4: sample must be a JSON object, or an array of them"),
        (
            '@type http\ncors_allow_origins ["*"]\ncors_allow_credentials true',
            "4: cors_allow_credentials with cors_allow_origins * would let in every page of the web",
        ),
        ('@type systemd\ntag t\nmatches [{"a b": "c"}]', "4: 'a b' is no field of the journal"),
        (
            "@type systemd\ntag t\nmatches [1]",
            '4: matches must be a JSON array of objects such as [{"_SYSTEMD_UNIT": "a.service"}]',
        ),
        ("@type systemd\ntag t\npos_file /a", "4: pos_file has no effect: the position is in our state"),
        ("@type systemd\npath /a", "1: <source> of type systemd needs tag"),
        ("@type http\nport x", "3: port must be a whole number, not 'x'"),
    ],
)  # fmt: skip
def test_faults(text: str, problem: str):
    _, problems = source(text)
    assert problem in texts(problems)


def test_servers():
    found = right(
        "@type forward\nport 1\nbind 127.0.0.1\nadd_tag_prefix p\n<security>\nself_hostname h\nshared_key k\n"
        "user_auth true\n<user>\nusername u\npassword p\n</user>\n<client>\nnetwork 10.0.0.0/8\nusers u\n</client>\n"
        "</security>"
    )
    assert isinstance(found, ForwardInput)
    assert (found.port, found.bind, found.shared_key.reveal()) == (1, "127.0.0.1", "k")
    assert [(name, secret.reveal()) for name, secret in found.users] == [("u", "p")]
    assert found.clients[0].network == "10.0.0.0/8"
    assert found.tags is not None
    assert found.tags.matches("p.a.b")
    assert not found.tags.matches("a")
    assert "k" not in repr(found.shared_key)
    assert right("@type forward").tags is None
    http = right("@type http\nbody_size_limit 32MB\nkeepalive_timeout 20s\nadd_tag_prefix in\nadd_remote_addr true")
    assert isinstance(http, HttpInput)
    assert (http.body_size_limit, http.keepalive_seconds, http.remote_addr_key) == (32 << 20, 20, "REMOTE_ADDR")
    assert (http.tag_of("/app/web/"), http.tag_of("/")) == ("in.app.web", "")
    syslog = right("@type syslog\ntag s\n<transport tcp>\n</transport>")
    assert isinstance(syslog, SyslogInput)
    assert syslog.transport.protocol == "tcp"
    assert syslog.tags.matches("s.kern.err")
    assert not syslog.tags.matches("s")
    tcp = right("@type tcp\ntag t\nformat none\ndelimiter \\n")
    assert isinstance(tcp, StreamInput)
    assert (tcp.delimiter, tcp.port, right("@type udp\ntag t\nformat none").port) == ("\n", 5_170, 5_160)


ENTRY = {
    "__CURSOR": "c", "__REALTIME_TIMESTAMP": "5", "_HOSTNAME": "web-1", "MESSAGE": "hello", "_PID": "7",
    "_COMM": "shop",
}  # fmt: skip


def test_systemd():
    found = right(
        "@type systemd\ntag journal\npath /var/log/journal\nread_from_head true\n"
        'matches [{"_SYSTEMD_UNIT": ["a.service", "b.service"], "PRIORITY": 3}, {"_COMM": "cron"}]\n'
        "<entry>\nfields_strip_underscores true\nfields_lowercase true\n"
        'field_map {"MESSAGE": "log", "_PID": ["process", "pid"], "_COMM": "process"}\n</entry>'
    )
    assert isinstance(found, SystemdInput)
    assert found.tags is not None
    assert found.tags.matches("journal")
    assert found.arguments == (
        "--directory=/var/log/journal", "_SYSTEMD_UNIT=a.service", "_SYSTEMD_UNIT=b.service", "PRIORITY=3", "+",
        "_COMM=cron",
    )  # fmt: skip
    assert found.record(ENTRY) == {"hostname": "web-1", "log": "hello", "process": "7 shop", "pid": "7"}
    plain = right("@type journald\ntag t")
    assert isinstance(plain, SystemdInput)
    assert plain.record(ENTRY) == {"_HOSTNAME": "web-1", "MESSAGE": "hello", "_PID": "7", "_COMM": "shop"}
    assert plain.arguments == ()
    strict = right('@type systemd\ntag t\n<entry>\nfield_map {"MESSAGE": "log"}\nfield_map_strict true\n</entry>')
    assert isinstance(strict, SystemdInput)
    assert strict.record(ENTRY) == {"log": "hello"}


def test_sample():
    found = right('@type dummy\ntag t\nrate 5\ndummy [{"a": 1}, {"b": 2}]')
    assert isinstance(found, SampleInput)
    assert (found.rate, found.records) == (5, ({"a": 1}, {"b": 2}))
