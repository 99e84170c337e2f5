"""An hour of hosts on which nothing is wrong: no shipped rule fires. And the same hosts when something is."""

import math
import random

from rule_replay import Replay

from eldonia_ops.model.labels import Labels
from eldonia_ops.protocols.shipped_rules import shipped_groups

HOUR = 120
"""Samples of an hour, 30 s apart."""

GIB = 2**30


class Host:
    """The series of one host with one disk; each part is a function of the sample's number."""

    def __init__(self, replay, samples=HOUR + 1, asleep=range(0)):
        self._replay = replay
        self._at = [index for index in range(samples) if index not in asleep]
        self.gauge("up", lambda _: 1.0, job="node")

    def gauge(self, name, value, **labels):
        labels = Labels({"__name__": name, "job": "node", "instance": "h", **labels})
        self._replay.add(labels, [(index * 30_000, float(value(index))) for index in self._at])

    def counter(self, name, rate, **labels):
        """``rate`` is what is added each second."""
        total, points = 0.0, []
        for index in self._at:
            total += 30 * rate(index)
            points.append(total)
        by_index = dict(zip(self._at, points, strict=True))
        self.gauge(name, by_index.__getitem__, **labels)

    def cpu(self, busy):
        """The share of all CPUs that is busy, 0 to 1."""
        for cpu in ("0", "1"):
            self.counter("node_cpu_seconds_total", lambda index: 1 - busy(index), cpu=cpu, mode="idle")
            self.counter("node_cpu_seconds_total", busy, cpu=cpu, mode="user")

    def memory(self, used, faults):
        """The share in use, and major page faults a second."""
        self.gauge("node_memory_MemTotal_bytes", lambda _: 16 * GIB)
        self.gauge("node_memory_MemAvailable_bytes", lambda index: 16 * GIB * (1 - used(index)))
        self.counter("node_vmstat_pgmajfault", faults)

    def disk(self, used, size=500 * GIB):
        """The share in use."""
        labels = {"device": "/dev/vda1", "mountpoint": "/", "fstype": "ext4"}
        self.gauge("node_filesystem_size_bytes", lambda _: size, **labels)
        self.gauge("node_filesystem_free_bytes", lambda index: size * (1 - used(index)), **labels)
        self.gauge("node_filesystem_avail_bytes", lambda index: size * (1 - used(index)), **labels)
        self.gauge("node_filesystem_readonly", lambda _: 0, **labels)

    def in_memory(self, used, mountpoint="/tmp"):
        """The share in use of a filesystem in memory."""
        labels = {"device": "tmpfs", "mountpoint": mountpoint, "fstype": "tmpfs"}
        self.gauge("node_filesystem_size_bytes", lambda _: 8 * GIB, **labels)
        self.gauge("node_filesystem_free_bytes", lambda index: 8 * GIB * (1 - used(index)), **labels)
        self.gauge("node_filesystem_avail_bytes", lambda index: 8 * GIB * (1 - used(index)), **labels)
        self.gauge("node_filesystem_readonly", lambda _: 0, **labels)

    def requests(self, rate, slow, failed):
        """Requests a second, and the shares of them that take 3 s and that are answered with 500."""
        for status, share in (("200", lambda index: 1 - failed(index)), ("500", failed)):
            self.counter("http_requests_total", lambda i, share=share: rate(i) * share(i), job="shop", status=status)
        name = "http_request_duration_seconds_bucket"
        self.counter(name, lambda index: rate(index) * (1 - slow(index)), job="shop", le="1")
        self.counter(name, rate, job="shop", le="5")
        self.counter(name, rate, job="shop", le="+Inf")


def fired(build, minutes=60):
    replay = Replay(shipped_groups(), "")
    build(replay)
    replay.run(range(minutes + 1))
    return replay.names()


def test_an_idle_host():
    def host(replay):
        one = Host(replay)
        one.cpu(lambda _: 0.01)
        one.memory(lambda _: 0.9, lambda _: 0)  # a small server that keeps its caches in its own memory
        one.disk(lambda index: 0.88 + index * 1e-6, size=20 * GIB)
        one.in_memory(lambda _: 0.001)
        one.in_memory(lambda _: 0.02, "/run")
        one.in_memory(lambda _: 1.0, "/run/lock")  # small and full by design
        one.in_memory(lambda _: 1.0, "/run/user/1000")

    assert fired(host) == set()


def test_a_small_site():
    """A request a minute at most; now and then one is slow, and one in the hour fails."""
    chance = random.Random(7)
    burst = [chance.random() < 0.3 for _ in range(HOUR + 1)]
    slow = [chance.random() < 0.2 for _ in range(HOUR + 1)]

    def host(replay):
        one = Host(replay)
        one.cpu(lambda index: 0.05 + 0.2 * burst[index])
        one.memory(lambda _: 0.6, lambda index: 2 * burst[index])
        one.disk(lambda _: 0.4)
        one.requests(
            lambda index: burst[index] / 30, lambda index: float(slow[index]), lambda index: float(index == 60)
        )

    assert fired(host) == set()


def test_a_laptop():
    """Much memory in use, a rather full disk that fills slowly, asleep for twenty minutes, busy when it wakes."""

    def host(replay):
        one = Host(replay, asleep=range(40, 80))
        one.cpu(lambda index: 1.0 if 80 <= index < 90 else 0.15)
        one.memory(lambda _: 0.91, lambda index: 300 if 80 <= index < 84 else 20)
        one.disk(lambda index: 0.9 + index * 1e-5)

    assert fired(host) == set()


def test_a_build_machine():
    """All CPUs busy for ten minutes, three times an hour; what is built takes room and is removed again."""

    def built(index):
        return index % 40 < 20

    def host(replay):
        one = Host(replay)
        one.cpu(lambda index: 1.0 if built(index) else 0.02)
        one.memory(lambda index: 0.93 if built(index) else 0.3, lambda index: 60 * built(index))
        one.disk(lambda index: 0.7 + 0.011 * (index % 40) * built(index))
        # Objects of a build fill it to 97 %; the linker has all of it for a minute.
        one.in_memory(lambda index: 0.999 if index % 40 in range(15, 19) else 0.97 * built(index))

    assert fired(host) == set()


def test_a_cpu_that_never_rests():
    def host(replay):
        Host(replay).cpu(lambda index: 0.2 if index < 20 else 0.97)

    assert fired(host) == {"HighCPUUsage"}


def test_memory_that_runs_out():
    def host(replay):
        Host(replay).memory(lambda index: min(0.96, 0.5 + index * 0.01), lambda index: 4_000 if index > 40 else 5)

    assert fired(host) == {"HighMemoryUsage"}


def test_a_disk_that_fills_up_first_warns_then_pages():
    def host(replay):
        Host(replay).disk(lambda index: min(1.0, 0.8 + index * 0.002))

    assert fired(host, minutes=45) == {"HighDiskUsage"}
    assert fired(host) == {"HighDiskUsage", "DiskFull"}


def test_a_full_filesystem_in_memory_pages():
    """Programs that write to /tmp, /run or /dev/shm fail as they do with a full disk."""
    for mountpoint in ("/tmp", "/run", "/dev/shm"):

        def host(replay, mountpoint=mountpoint):
            one = Host(replay)
            one.disk(lambda _: 0.3)
            one.in_memory(lambda index: 1.0 if index > 20 else 0.1, mountpoint)

        assert fired(host) == {"MemoryFilesystemFull"}


def test_a_slow_and_failing_shop():
    def host(replay):
        one = Host(replay)
        one.requests(lambda _: 2.0, lambda index: 0.5 * (index > 40), lambda index: 0.2 * (index > 40))

    assert fired(host) == {"HighResponseTime", "HighErrorRate"}


def test_a_wave_of_load_is_no_fault():
    def host(replay):
        Host(replay).cpu(lambda index: 0.6 + 0.3 * math.sin(index / 15))

    assert fired(host) == set()
