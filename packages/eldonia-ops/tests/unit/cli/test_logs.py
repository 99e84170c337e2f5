"""How records are printed."""

from typing import Any

import pytest

from eldonia_ops.cli.logs import _print_logs


def test_a_message_of_several_lines_cannot_pass_for_several_records(capsys: pytest.CaptureFixture[str]):
    message = "first\n2026-12-01 07:00:00 error shop forged\r\n\tat x"
    record: dict[str, Any] = {
        "timestampNs": "1796108822000000000",
        "level": "info",
        "cursor": "1-1",
        "message": message,
    }
    _print_logs([record], as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith(" info  - first")
    assert [line[:4] for line in lines[1:] if line.strip()] == ["    "] * 2
