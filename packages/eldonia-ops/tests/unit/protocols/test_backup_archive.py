"""An archive is restored as a whole or not at all."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from eldonia_ops.model.errors import ConfigError
from eldonia_ops.model.snapshots import SnapshotFile
from eldonia_ops.protocols.backup_archive import archive, archive_size, read_archive

LONG = "telemetry/" + "x" * 120 + "/パン.bin"


@pytest.fixture
def made(tmp_path):
    """An archive of some files: an empty one, a large one, one with a long name, one that grows, and a link."""
    contents = {"state.db": b"rows" * 300_000, "empty": b"", LONG: b"1", "telemetry/wal/1.wal": b"whole+half"}
    files = []
    for number, (name, data) in enumerate(contents.items()):
        path = tmp_path / f"source-{number}"
        path.write_bytes(data)
        files.append(SnapshotFile(name, path, 5 if name.endswith(".wal") else len(data)))
    files.append(SnapshotFile("telemetry/data/logs", tmp_path, target="../wal"))
    path = tmp_path / "a.tar"
    path.write_bytes(b"".join(archive(files, {"version": "1"})))
    assert abs(path.stat().st_size - archive_size(files)) < 8_192
    return path


def test_what_goes_in_comes_out(made, tmp_path):
    target = tmp_path / "b"
    target.mkdir()
    seen = []
    found = read_archive(made, target, seen.append)
    assert found.about == {"version": "1"}
    assert (target / "state.db").read_bytes() == b"rows" * 300_000
    assert (target / LONG).read_bytes() == b"1"
    assert (target / "telemetry/wal/1.wal").read_bytes() == b"whole"  # what was appended later is left out
    assert (target / "telemetry/data/logs").readlink() == Path("../wal")
    assert (target / "state.db").stat().st_mode & 0o077 == 0
    assert sum(seen) >= made.stat().st_size - 10_240
    with tarfile.open(made) as other:  # and it is a tar like others
        assert other.getnames()[-1] == "MANIFEST.json"


def test_a_file_that_became_shorter_ends_the_archive_early(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    with pytest.raises(OSError, match="shorter"):
        b"".join(archive([SnapshotFile("a", tmp_path / "a", 4)], {}))


def changed(made, change):
    """A copy of an archive whose members went through ``change(member, data)``; None leaves one out."""
    target = made.with_name("changed.tar")
    with tarfile.open(made) as source, tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as copy:
        for member in source:
            content = source.extractfile(member) if member.isreg() else None
            answer = change(member, content.read() if content is not None else b"")
            if answer is not None:
                member.size = len(answer)
                copy.addfile(member, io.BytesIO(answer))
    return target


def flipped(member, data):
    return data[:-1] + bytes([data[-1] ^ 1]) if member.name == "state.db" else data


def one_less(member, data):
    return None if member.name == "empty" else data


def renamed_to(name):
    def change(member, data):
        if member.name == "empty":
            member.name = name
        return data

    return change


def linked_to(target):
    def change(member, data):
        if member.issym():
            member.linkname = target
        return data

    return change


def hard_link(member, data):
    if member.issym():
        member.type = tarfile.LNKTYPE
    return data


def other_format(member, data):
    return json.dumps({**json.loads(data), "format": 99}).encode() if member.name == "MANIFEST.json" else data


def no_manifest(member, data):
    return None if member.name == "MANIFEST.json" else data


def odd_manifest(member, data):
    return b'{"format": 1, "files": [3], "links": 7}' if member.name == "MANIFEST.json" else data


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (flipped, "state.db"),
        (one_less, "empty"),
        (renamed_to("../outside"), "outside of its folder"),
        (renamed_to("/outside"), "outside of its folder"),
        (renamed_to("telemetry/data/logs/through"), "cannot be read or written"),
        (renamed_to("state.db"), "twice"),
        (linked_to("/etc"), "outside of its folder"),
        (linked_to("../../../../etc"), "outside of its folder"),
        (hard_link, "neither a file nor a link"),
        (other_format, "99"),
        (no_manifest, "end is missing"),
        (odd_manifest, "no backup"),
    ],
)
def test_what_was_changed_is_refused(made, tmp_path, change, word):
    target = tmp_path / "b"
    target.mkdir()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ConfigError, match=word):
        read_archive(changed(made, change), target)
    assert sorted(path for path in tmp_path.iterdir() if path.name != "changed.tar") == before


def test_what_was_cut_off_is_refused_wherever_it_was_cut(made):
    whole = made.read_bytes()
    end = len(whole) - 1024
    for size in (0, 1, 511, 512, 5_000, 600_000, end - 1_500, end - 513, end - 1):
        made.write_bytes(whole[:size])
        with pytest.raises(ConfigError):
            read_archive(made)


def test_other_files_are_no_backups(tmp_path):
    for name, data in (("a.txt", b"hello" * 1000), ("a.zip", b"PK\3\4" + b"\0" * 3000), ("none", None)):
        path = tmp_path / name
        if data is not None:
            path.write_bytes(data)
        with pytest.raises(ConfigError, match=name):
            read_archive(path)
