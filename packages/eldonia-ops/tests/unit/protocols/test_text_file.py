import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.app.platform import _read_files
from eldonia_ops.app.routing import read_templates
from eldonia_ops.model.errors import ConfigError
from eldonia_ops.notifiers.registry import built_in
from eldonia_ops.protocols.text_file import decoded, read_text_file
from eldonia_ops.protocols.yaml_nodes import MAX_BYTES
from eldonia_ops.settings import load_settings


def fault(path: Path | str) -> str:
    with pytest.raises(ConfigError) as caught:
        read_text_file(path)
    [found] = caught.value.diagnostics
    return str(found).removeprefix(str(path)).lstrip(":1234567890 ")


def test_what_is_no_text_is_said(tmp_path: Path) -> None:
    file = tmp_path / "a.yml"
    assert fault(file) == "error: cannot be read: No such file or directory"
    assert fault(tmp_path) in ("error: cannot be read: Is a directory", "error: no file")
    assert "no file can be called so" in fault("a\0b")
    os.mkfifo(tmp_path / "pipe")
    assert fault(tmp_path / "pipe") == "error: no file"
    file.write_bytes(b"a: b\n\n\xff")
    assert fault(file) == "error: not UTF-8 text (byte 6) (save it as UTF-8)"
    file.write_bytes("a: b\n".encode("utf-16"))
    assert fault(file) == "error: this is UTF-16 or binary, not UTF-8 text (save it as UTF-8)"
    file.write_bytes(b"x" * (MAX_BYTES + 1))
    assert fault(file) == f"error: larger than {MAX_BYTES} bytes"
    file.write_bytes(b"\xef\xbb\xbfa: b\r\nc: d\r")
    assert read_text_file(file) == "\ufeffa: b\nc: d\n"


@pytest.mark.parametrize("key", ["rules: {files: [x]}", "alertmanager: {file: x}", "incidents: {runbook: x}"])
def test_every_file_that_settings_name_is_read_so(tmp_path: Path, key: str) -> None:
    """A runbook or template in UTF-16 once ended a start in a traceback."""
    (tmp_path / "x").write_bytes("a: b\n".encode("utf-16"))
    (tmp_path / "eldonia-ops.yml").write_text(key)
    settings = load_settings(tmp_path / "eldonia-ops.yml", {"HOME": "/"})
    with pytest.raises(ConfigError, match="this is UTF-16 or binary"):
        _read_files(settings, {}, [], built_in())
    with pytest.raises(ConfigError, match="this is UTF-16 or binary"):
        read_templates(str(tmp_path / "*"))


@given(st.binary(max_size=200))
def test_bytes_are_text_or_a_fault_with_a_line(data: bytes) -> None:
    try:
        assert "\r" not in decoded(data, "f")
    except ConfigError as error:
        [found] = error.diagnostics
        assert 1 <= found.line <= data.count(b"\n") + 1
