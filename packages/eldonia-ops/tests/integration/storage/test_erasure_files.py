"""Erasures as files: durable, whole, and without what was replaced."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from eldonia_ops.model.erasure import Erasure, ErasureStage
from eldonia_ops.storage.erasure_files import ErasureFiles

ONE = Erasure(id="0a", search="user_id:alice", digest="d", reason="r", actor="hana", asked_at=5, until_id=9, matched=3)


def test_kept_and_replaced(tmp_path: Path) -> None:
    files = ErasureFiles(tmp_path / "erasures", tmp_path / "pipeline")
    assert (files.all(), files.buffered_bytes()) == ([], 0)
    files.put(ONE)
    files.put(replace(ONE, id="0b", asked_at=1))
    done = replace(ONE, search="", stage=ErasureStage.DONE, not_covered=("backups",))
    files.put(done)
    assert [one.id for one in files.all()] == ["0b", "0a"]
    assert files.all()[1] == done
    (tmp_path / "erasures" / "0b.json").unlink()
    assert not any(b"alice" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert (tmp_path / "erasures" / "0a.json").stat().st_mode & 0o077 == 0


def test_what_cannot_be_read_stops_no_other(tmp_path: Path) -> None:
    files = ErasureFiles(tmp_path, tmp_path / "none")
    files.put(ONE)
    (tmp_path / "ff.json").write_bytes(b"{torn")
    (tmp_path / "0c.part").write_bytes(b"{torn")
    assert files.all() == [ONE]
    with pytest.raises(ValueError, match="not the id"):
        files.put(replace(ONE, id="../x"))


def test_buffers_are_counted(tmp_path: Path) -> None:
    (tmp_path / "pipeline" / "a").mkdir(parents=True)
    (tmp_path / "pipeline" / "a" / "buffer.b1.log").write_bytes(b"12345")
    assert ErasureFiles(tmp_path / "e", tmp_path / "pipeline").buffered_bytes() == 5
