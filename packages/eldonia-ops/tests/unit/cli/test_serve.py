import os
from pathlib import Path

import pytest

from eldonia_ops.cli.serve import serve
from eldonia_ops.model.errors import ConfigError


def test_settings_that_anybody_may_write_are_not_taken_by_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "eldonia-ops.yml"
    file.write_text("language: en\n", encoding="utf-8")
    os.chmod(file, 0o666)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="another user"):
        serve()
