from eldonia_ops.collectors.tail.batches import TailBatch
from eldonia_ops.collectors.tail.files import TailLine
from eldonia_ops.collectors.tail.records import StoredPositions, batch_records, container_records
from eldonia_ops.protocols.logs.lines import LineDefaults, LineFormat, parse_line


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


def container_batch(lines):
    path = f"/var/log/containers/shop-7d9f_prod_web-{'4f' * 32}.log"
    return TailBatch(path, f"{path}#1:2:ab", 0, [TailLine(100 * n, line) for n, line in enumerate(lines, 1)])


def test_records_of_a_container_say_which_it_is():
    lines = [b'2026-11-29T00:00:01Z stderr F {"level":"error","msg":"no","k8s.pod.name":"its own"}', b"plain"]
    first, second = container_records(container_batch(lines), 5, LineFormat.AUTO, LineDefaults())
    assert (first.message, first.service, first.metadata["stream"]) == ("no", "web", "stderr")
    assert first.metadata["k8s.pod.name"] == "its own"
    assert first.metadata["k8s.namespace.name"] == "prod"
    assert (second.service, second.metadata["k8s.pod.name"]) == ("web", "shop-7d9f")
    named = container_records(container_batch(lines), 5, LineFormat.AUTO, LineDefaults(service="shop"))
    assert {one.service for one in named} == {"shop"}


def test_records_of_a_container_that_were_read_together_say_it_too():
    line = b'{"ts":"2026-11-28T00:00:00Z","level":"info","message":"order placed"}'
    found = container_records(container_batch([line] * 20), 5, LineFormat.JSON, LineDefaults())
    assert found.parts
    assert {one.metadata["container.id"] for one in found} == {"4f" * 32}
    assert {one.service for one in found} == {"web"}


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
