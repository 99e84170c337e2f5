import os

import pytest

from eldonia_ops.collectors.tail.files import (
    READ_BYTES,
    LineReader,
    catch_up,
    is_rotation_name,
    join_identity,
    look,
    main_of,
    rotated_files,
    split_identity,
)


def reader(path, offset=0, limit=1000):
    return LineReader(os.open(path, os.O_RDONLY), offset, limit)


def test_lines_come_with_the_end_of_their_offset(tmp_path):
    path = tmp_path / "a.log"
    path.write_bytes(b"one\n\ntwo\r\npart")
    lines = reader(path)
    assert [(line.data, line.offset) for line in lines.read(10, 10**9)] == [(b"one", 4), (b"two", 10)]
    assert lines.offset == 10
    assert lines.read(10, 10**9) == []
    with path.open("ab") as out:
        out.write(b"ial\nnext\n")
    assert [(line.data, line.offset) for line in lines.read(10, 10**9)] == [(b"partial", 18), (b"next", 23)]
    assert [line.data for line in reader(path, 10).read(1, 10**9)] == [b"partial"]


def test_reading_in_small_batches_loses_nothing(tmp_path):
    path = tmp_path / "a.log"
    path.write_bytes(b"".join(b"line %d\n" % n for n in range(50_000)))
    lines, seen = reader(path), []
    while batch := lines.read(777, 10**9):
        seen += batch
        assert lines.start < lines.offset
    assert [line.data for line in seen] == [b"line %d" % n for n in range(50_000)]
    assert seen[-1].offset == path.stat().st_size


def test_a_batch_ends_with_the_line_that_reaches_its_size(tmp_path):
    path = tmp_path / "a.log"
    path.write_bytes(b"".join(b"%d" % n * 300_000 + b"\n" for n in range(7)))
    lines, sizes = reader(path, limit=10**6), []
    while batch := lines.read(2_000, 700_000):
        sizes.append(len(batch))
        assert len(lines.ready()) * 300_000 <= 700_000 + READ_BYTES  # what waits is bounded, too
        lines = reader(path, batch[-1].offset, limit=10**6)
    assert sizes == [3, 3, 1]


def test_a_line_that_never_ends_is_cut_and_does_not_fill_the_memory(tmp_path):
    path = tmp_path / "a.log"
    path.write_bytes(b"x" * 700_000 + b"\nshort\n" + b"y" * 1_500 + b"\n" + b"z" * 900)
    lines = reader(path)
    found = lines.read(10, 10**9)
    assert [(len(line.data), line.dropped) for line in found] == [(1000, 699_000), (5, 0), (1000, 500)]
    assert [(line.data[:1], line.dropped) for line in lines.rest()] == [(b"z", 0)]
    assert lines.offset == path.stat().st_size


def test_a_hole_left_by_truncation_is_skipped(tmp_path):
    path = tmp_path / "a.log"
    path.write_bytes(b"\0" * 300_000 + b"hello\n")
    assert [(line.data, line.offset) for line in reader(path).read(10, 10**9)] == [(b"hello", 300_006)]


@pytest.mark.parametrize("offset", [0, 11])
def test_a_file_cut_and_written_again_before_the_first_read_is_not_taken_for_the_same(tmp_path, offset):
    path = tmp_path / "a.log"
    path.write_bytes(b"first line\nsecond\n")
    untouched = reader(path, offset)
    assert not untouched.truncated()
    with path.open("ab") as out:
        out.write(b"third\n")
    assert [line.data for line in untouched.read(10, 10**9)][-2:] == [b"second", b"third"]
    lines = reader(path, offset)
    path.write_bytes(b"another beginning that is longer than before\n")
    assert lines.read(10, 10**9) == []
    assert lines.truncated()


def test_truncation_is_noticed_even_when_the_file_has_grown_again(tmp_path):
    path = tmp_path / "a.log"
    path.write_bytes(b"first line\nsecond\n")
    lines = reader(path)
    lines.read(10, 10**9)
    assert not lines.truncated()
    path.write_bytes(b"new\n")
    assert lines.truncated()
    path.write_bytes(b"another beginning that is longer than before\n")
    assert lines.truncated()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("app.log.1", True),
        ("app.log.12", True),
        ("app.log-20261123", True),
        ("app.log.2026-11-23_10", True),
        ("app.log", False),
        ("app.log.1.gz", False),
        ("app.log.old", False),
        ("app-2.log", False),
        ("app.logs.1", False),
        ("other.log.1", False),
    ],
)
def test_names_of_rotated_files(name, expected):
    assert is_rotation_name(name, "app.log") is expected


def test_which_file_another_is_a_rotated_copy_of():
    mains = {"/l/app.log", "/l/app-2.log", "/l/a.2026-11-26"}
    for name, main in [
        ("/l/app.log.1", "/l/app.log"),
        ("/l/app.log-2026-11-26.1", "/l/app.log"),
        ("/l/app-2.log.3", "/l/app-2.log"),
        ("/l/a.2026-11-26.1", "/l/a.2026-11-26"),
        ("/l/app.log", None),
        ("/l/app-3.log", None),
        ("/l/app.log.", None),
        ("/l/app.log1", None),
        ("", None),
    ]:
        assert main_of(name, mains) == main, name
        assert (main_of(name, mains) is not None) == any(is_rotation_name(name, one) for one in mains)


def test_identity_needs_a_complete_first_line(tmp_path):
    path = tmp_path / "a.log"
    path.write_bytes(b"no end yet")
    assert look(path).identity == ""
    path.write_bytes(b"no end yet\n")
    before = look(path)
    with path.open("ab") as out:
        out.write(b"more\n")
    assert look(path).identity == before.identity
    path.write_bytes(b"other start\n")
    assert look(path).inode == before.inode
    assert look(path).identity != before.identity
    path.write_bytes(b"x" * 1024)
    assert look(path).identity.endswith(":" + look(path).fingerprint)
    assert look(tmp_path / "none") is None
    assert look(tmp_path) is None


def test_generations():
    assert split_identity("1:2:ab") == ("1:2:ab", 0)
    assert split_identity(join_identity("1:2:ab", 3)) == ("1:2:ab", 3)


def test_rotated_files_are_in_order_even_within_one_tick_of_the_clock(tmp_path):
    for number in (1, 2, 3, 10):
        path = tmp_path / f"app.log.{number}"
        path.write_bytes(b"%d\n" % number)
        os.utime(path, ns=(10**18, 10**18))
    (tmp_path / "app.log.4").write_bytes(b"")
    (tmp_path / "app.log.5.gz").write_bytes(b"zzz\n")
    rotated = rotated_files(tmp_path / "app.log")
    assert [file.path.name for file in rotated] == ["app.log.10", "app.log.3", "app.log.2", "app.log.1"]
    old, newer = catch_up(rotated[1].identity + "~2", 2, rotated)
    assert old is rotated[1]
    assert newer == rotated[2:]
    copied = rotated[1].identity.replace(f":{rotated[1].inode}:", ":424242:")
    assert catch_up(copied, 2, rotated)[0] is rotated[1]
    assert catch_up(copied, 3, rotated) == (None, rotated)


def test_an_unfinished_line_without_text_is_no_line(tmp_path):
    path = tmp_path / "a.log"
    path.write_bytes(b"one\n\r")
    lines = reader(path)
    assert [line.data for line in lines.read(10, 10**9)] == [b"one"]
    assert lines.rest() == []
    assert lines.offset == 5


def test_digits_of_other_scripts_are_no_generation():
    assert split_identity("base~²2") == ("base", 0)
    assert split_identity("base~３") == ("base", 0)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_file_in_utf_16_is_handed_out_in_utf_8(tmp_path, encoding):
    """As programs on Windows write; 「Ċ」 has the byte of a line end in it, twice across two characters."""
    path = tmp_path / "a.log"
    mark = "\ufeff".encode(encoding)
    path.write_bytes(mark + "開始 ok\r\n\nĊ਀\n😀".encode(encoding))
    lines = reader(path)
    found = lines.read(10, 10**9)
    assert [line.data.decode() for line in found] == ["開始 ok", "Ċ਀"]
    assert found[-1].offset == len(mark + "開始 ok\r\n\nĊ਀\n".encode(encoding))
    with path.open("ab") as out:
        out.write(" end\n".encode(encoding)[:3])
    assert lines.read(10, 10**9) == []
    with path.open("ab") as out:
        out.write(" end\nrest".encode(encoding)[3:])
    assert [line.data.decode() for line in lines.read(10, 10**9)] == ["😀 end"]
    assert [line.data.decode() for line in lines.rest()] == ["rest"]
    # After a restart it goes on where it was.
    assert [line.data.decode() for line in reader(path, found[-1].offset).read(1, 10**9)] == ["😀 end"]


def test_a_line_of_utf_16_that_never_ends_is_cut(tmp_path):
    path = tmp_path / "a.log"
    path.write_bytes("\ufeff".encode("utf-16-le") + ("x" * 700_000 + "\nshort\n").encode("utf-16-le"))
    found = reader(path).read(10, 10**9)
    assert [len(line.data) + line.dropped > 100_000 for line in found] == [True, False]
    assert len(found[0].data) == 1_000
    assert found[1].data == b"short"
    assert found[1].offset == path.stat().st_size


def test_the_mark_of_utf_8_is_no_part_of_the_first_line(tmp_path):
    path = tmp_path / "a.log"
    path.write_bytes(b'\xef\xbb\xbf{"message": "x"}\nnext\n')
    assert [(line.data, line.offset) for line in reader(path).read(10, 10**9)] == [
        (b'{"message": "x"}', 20),
        (b"next", 25),
    ]
