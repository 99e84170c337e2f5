"""Whatever is in the file: settings, or faults with their places; never another exception."""

import contextlib
import json
from importlib.resources import files
from pathlib import Path

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from eldonia_ops.model.errors import ConfigError
from eldonia_ops.settings import Settings, examine_settings, parse_settings

SHIPPED = (files("eldonia_ops.defaults") / "eldonia-ops.yml").read_text(encoding="utf-8")
KEYS = sorted(
    {
        *Settings.__dataclass_fields__,
        *("path", "service", "format", "job", "targets", "interval", "timeout", "labels", "dsn", "dsn_file", "name"),
        *("url", "expect_status", "headers", "files", "speed", "target", "good", "total", "probe", "windows", "opens"),
        *("failed_login", "threshold", "escalation", "tier", "after", "critical", "action", "process", "command"),
        *("webhook", "body", "url_file", "docker", "send", "expect_text", "verify_certificate", "method"),
        *("response_targets", "systemd", "maintenance", "request", "window", "severity", "environment", "delay"),
    }
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**6),
    st.floats(allow_nan=False),
    st.sampled_from(
        ["", "15s", "critical", "shop", "http://x/", "tcp://x:1", "${A}", "${", "-1", "Sun 01:00-02:00", "up[$window]"]
    ),
    st.text(max_size=6),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=5))
def test_any_structure(document: dict[str, object]) -> None:
    text = json.dumps(document)
    assume("\\ud" not in text)  # characters beyond U+FFFF: YAML has no escape of two halves
    _, diagnostics = examine_settings(text, Path("/x/eldonia-ops.yml"), {}, read_file=lambda _: "secret")
    assert all(item.file and item.line for item in diagnostics)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(SHIPPED)), st.text(max_size=3), st.integers(0, 3))
def test_any_slip_of_the_keyboard(at: int, typed: str, lost: int) -> None:
    text = SHIPPED[:at] + typed + SHIPPED[at + lost :]
    with contextlib.suppress(ConfigError):
        parse_settings(text, Path("/x/eldonia-ops.yml"), {})
