"""The data folder is ours alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from required_tools import requires_host

from eldonia_ops.app.data_directory import held_folder, own_folder
from eldonia_ops.model.errors import ConfigError


def test_a_new_folder_is_closed(tmp_path: Path) -> None:
    own_folder(tmp_path / "a" / "data")
    assert (tmp_path / "a" / "data").stat().st_mode & 0o777 == 0o700
    own_folder(tmp_path / "a" / "data")


def test_a_folder_that_everybody_may_write_to_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    with pytest.raises(ConfigError, match="everybody may write"):
        own_folder(tmp_path)


@requires_host(os.geteuid() == 0, "only root can give a folder away")
def test_the_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, -1)
    with pytest.raises(ConfigError, match="another user"):
        own_folder(tmp_path)


@pytest.mark.parametrize("below", ["", "data"])
def test_a_file_in_its_place(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"cannot be made: .*--data"):
        own_folder(tmp_path / "file" / below)


def test_a_folder_is_held_by_one_process_which_is_named(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys, time; from eldonia_ops.app.data_directory import held_folder\n"
        "with held_folder(pathlib.Path(sys.argv[1])): print('held', flush=True); time.sleep(600)"
    )
    child = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(ConfigError, match=f"in use by process {child.pid}"), held_folder(tmp_path):
            pass
    finally:
        child.kill()
        child.communicate()
    for _ in range(2):  # kill -9 leaves nothing behind that would be in the way
        with held_folder(tmp_path), pytest.raises(ConfigError, match="in use"), held_folder(tmp_path):
            pass
