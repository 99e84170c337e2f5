from eldonia_ops.collectors.tail.files import TailLine
from eldonia_ops.collectors.tail.follow import TailBatch
from eldonia_ops.collectors.tail.records import StoredPositions, batch_records
from eldonia_ops.protocols.log_lines import LineDefaults, LineFormat, parse_line


def test_records_know_their_source_and_offset():
    lines = [TailLine(20, b'{"message": "a"}'), TailLine(30, b"junk"), TailLine(40, b"cut", 7)]
    batch = TailBatch("/x.log", "/x.log#1:2:ab", 3, lines)
    records = batch_records(batch, 5, defaults=LineDefaults(service="shop"))
    assert [(record.source, record.offset, record.service) for record in records] == [
        ("/x.log#1:2:ab", 20, "shop"),
        ("/x.log#1:2:ab", 30, "shop"),
        ("/x.log#1:2:ab", 40, "shop"),
    ]
    assert [bool(record.parse_error) for record in records] == [False, True, True]
    assert records[2].message == "cut… [7 bytes cut off]"
    assert batch_records(batch, 5, format=LineFormat.RAW)[1].parse_error == ""
    assert (batch.end, batch.key) == (40, "/x.log#1:2:ab:3-40")


class Transactions:
    """A state store of positions alone."""

    def __init__(self):
        self.kept = {}
        self.positions = self

    def get(self, path):
        return self.kept.get(path)

    def put(self, path, identity, offset):
        self.kept[path] = (identity, offset)

    async def read(self, work):
        return work(self)

    write = read

    async def source_position(self, source):
        return {"/x#1": 9}.get(source)


async def test_positions_come_from_the_stores():
    store = Transactions()
    positions = StoredPositions(store, store)
    assert await positions.load_position("/x") is None
    await positions.save_position("/x", "1", 7)
    assert await positions.load_position("/x") == ("1", 7)
    assert await positions.source_position("/x#1") == 9


def test_a_fault_of_our_own_in_one_line_does_not_stop_the_others(monkeypatch):
    def broken(line, *arguments, **options):
        if line == b"bad":
            raise KeyError("?")
        return parse_line(line, *arguments, **options)

    monkeypatch.setattr("eldonia_ops.collectors.tail.records.parse_line", broken)
    batch = TailBatch("f", "f#1", 0, [TailLine(4, b"bad"), TailLine(20, b'{"msg": "good"}')])
    bad, good = batch_records(batch, 5)
    assert (bad.message, bad.offset, good.message) == ("bad", 4, "good")
    assert "KeyError" in bad.parse_error
