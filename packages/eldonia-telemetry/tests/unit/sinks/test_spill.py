import os
from pathlib import Path

import pytest

from eldonia_telemetry import dropped_data
from eldonia_telemetry.sinks.spill import Item, Spill


def items(first, number, size=100):
    return [Item(f"id{n}", b'{"n":%d,"x":"%s"}\n' % (n, b"x" * size)) for n in range(first, first + number)]


def lost(reason):
    return sum(number for (_, said), number in dropped_data.snapshot().items() if said.startswith(reason))


def drain(spill, at_once=7):
    got = []
    while batch := spill.peek(at_once, 10_000):
        got += batch
        spill.advance(batch[0], len(batch))
    return got


def segments(folder: Path):
    return sorted(folder.rglob("*.spill"))


def test_what_goes_in_comes_out_in_order(tmp_path):
    spill = Spill(str(tmp_path / "s"), segment_bytes=2000)
    given = items(0, 100)
    for at in range(0, 100, 10):
        assert spill.append(given[at : at + 10]) == 10
    assert len(segments(tmp_path)) > 3
    assert spill.peek(5, 10**6) == spill.peek(5, 10**6) == given[:5]
    assert drain(spill) == given
    assert spill.empty
    assert spill.size == 0
    spill.close()
    assert list((tmp_path / "s").iterdir()) == []


def test_reading_and_writing_take_turns(tmp_path):
    spill = Spill(str(tmp_path), segment_bytes=1500)
    got = []
    for at in range(0, 200, 5):
        spill.append(items(at, 5))
        batch = spill.peek(3, 10**6)
        got += batch
        spill.advance(batch[0], 3)
    got += drain(spill)
    assert got == items(0, 200)


def test_the_oldest_make_room_and_are_counted(tmp_path):
    spill = Spill(str(tmp_path), max_bytes=10_000, segment_bytes=1000)
    before = lost("spilled records dropped")
    given = items(0, 500)
    assert spill.append(given) == 500
    assert spill.size <= 10_000
    left = drain(spill)
    assert left == given[-len(left) :]
    assert lost("spilled records dropped") == before + 500 - len(left)
    assert len(left) > 50


def test_room_is_made_below_a_reader(tmp_path):
    spill = Spill(str(tmp_path), max_bytes=5000, segment_bytes=1000)
    spill.append(items(0, 20))
    batch = spill.peek(2, 10**6)
    before = lost("spilled records dropped")
    spill.append(items(1000, 100))
    spill.advance(batch[0], len(batch))  # these are gone; nothing else may go with them
    left = drain(spill)
    assert left == items(1000, 100)[-len(left) :]
    assert lost("spilled records dropped") == before + 120 - len(left)


def test_what_a_dead_process_left_is_taken_over_and_what_a_living_one_has_is_not(tmp_path):
    dead = Spill(str(tmp_path), segment_bytes=1000)
    dead.append(items(0, 50))
    living = Spill(str(tmp_path))
    living.append(items(1000, 5))
    heir = Spill(str(tmp_path))
    heir.adopt()
    assert heir.empty
    os.close(dead._lock_fd)  # as the kernel does when a process ends
    dead._lock_fd = -1
    heir.append(items(2000, 3))
    heir.adopt()
    assert sorted(drain(heir)) == sorted(items(0, 50) + items(2000, 3))
    assert drain(living) == items(1000, 5)
    heir.close()
    living.close()
    assert list(tmp_path.iterdir()) == []


def test_adopted_records_beyond_the_bound_are_counted(tmp_path):
    dead = Spill(str(tmp_path), segment_bytes=1000)
    dead.append(items(0, 100))
    os.close(dead._lock_fd)
    before = lost("spilled records dropped")
    heir = Spill(str(tmp_path), max_bytes=5000)
    heir.adopt()
    left = drain(heir)
    assert left == items(0, 100)[-len(left) :]
    assert lost("spilled records dropped") == before + 100 - len(left)


@pytest.mark.parametrize("cut", [1, 7, 8, 9, 60, 119])
def test_a_segment_cut_short_gives_what_is_whole(tmp_path, cut):
    spill = Spill(str(tmp_path))
    spill.append(items(0, 10))
    path = segments(tmp_path)[0]
    os.truncate(path, path.stat().st_size - cut)
    before = lost("spilled records damaged")
    assert drain(spill) == items(0, 9)
    assert lost("spilled records damaged") == before + 1
    assert spill.empty


def test_a_flipped_bit_is_noticed(tmp_path):
    spill = Spill(str(tmp_path))
    spill.append(items(0, 10))
    path = segments(tmp_path)[0]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    got = drain(spill)
    assert got == items(0, len(got))
    assert 3 <= len(got) <= 6


def test_a_full_disk_refuses_and_leaves_no_half_record(tmp_path, monkeypatch):
    spill = Spill(str(tmp_path))
    spill.append(items(0, 3))
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[: len(data) // 2]))
    assert spill.append(items(3, 4)) == 0
    monkeypatch.setattr(os, "write", real)
    assert spill.append(items(3, 2)) == 2
    assert drain(spill) == items(0, 5)


def test_a_folder_that_cannot_be_used_refuses(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    spill = Spill(str(tmp_path / "file" / "s"))
    assert spill.append(items(0, 3)) == 0
    assert spill.append(items(0, 3)) == 0
    spill.adopt()
    assert spill.peek(10, 1000) == []
    assert capsys.readouterr().err.count("cannot spill to disk") <= 1


def test_a_prepared_folder_of_another_user_is_not_used(tmp_path, monkeypatch):
    other = Spill(str(tmp_path / "s"))
    other.append(items(0, 2))
    os.close(other._lock_fd)
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    spill = Spill(str(tmp_path / "s"))
    spill.adopt()
    assert spill.append(items(0, 3)) == 0
    assert spill.empty


def test_a_child_starts_with_nothing_and_the_parent_keeps_its_own(tmp_path):
    spill = Spill(str(tmp_path))
    spill.append(items(0, 3))
    child = os.fork()
    if child == 0:
        code = 1
        try:
            spill.after_fork()
            spill.adopt()
            if spill.empty and spill.append(items(10, 1)) == 1 and drain(spill) == items(10, 1):
                spill.close()
                code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert drain(spill) == items(0, 3)
