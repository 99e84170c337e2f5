"""Debian's Redis, watched as redis_exporter watches it."""

import asyncio
import re
import subprocess
from pathlib import Path

import httpx
import pytest
from collector_loops import Rows, loop_of, plans_of, settings_of
from local_server import free_port, running_server
from required_tools import find_tool, requires_module, requires_tool, tool

from eldonia_ops.collectors.redis import COLLECTOR
from eldonia_ops.collectors.redis.names import METADATA
from eldonia_ops.collectors.status import TargetHealth

requires_module("redis")

from redis.asyncio import Redis  # noqa: E402

pytestmark = requires_tool("redis-server")


def command(folder: Path, port: int, *options):
    return [find_tool("redis-server"), "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", folder, *options]


@pytest.fixture
def port(tmp_path):
    """The port of a server with the usual settings."""
    port = free_port()
    with running_server(command(tmp_path, port), port):
        yield port


class Watched:
    """The loop of one entry of the settings."""

    def __init__(self, entry, environment=None):
        self.sink = Rows()
        [plan] = plans_of(COLLECTOR, settings_of(f"redis: [{entry}]", environment))
        self.loop = loop_of(plan, self.sink.store)
        self.status = self.loop.status

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.loop.close()

    async def look(self):
        await self.loop.measure_once(1_000)
        return self.sink.values()


async def test_what_clients_do_is_seen(port):
    async with Watched(f"{{url: 'redis://127.0.0.1:{port}'}}") as watched, Redis(port=port) as client:
        await client.ping()
        before = await watched.look()
        assert (before["up",], before["redis_up",]) == (1.0, 1.0)
        assert before["redis_connected_clients",] == 2
        for number in range(20):
            await client.set(f"key{number}", "x", ex=1_000)
        await client.get("key1")
        await client.get("none")
        async with Redis(port=port, db=3) as other:
            await other.set("a", "b")
        after = await watched.look()
        assert after["redis_keyspace_hits_total",] - before["redis_keyspace_hits_total",] == 1
        assert after["redis_keyspace_misses_total",] - before["redis_keyspace_misses_total",] == 1
        assert after["redis_commands_total", "cmd=set"] == 21
        assert after["redis_commands_processed_total",] > before["redis_commands_processed_total",] + 22
        assert (after["redis_db_keys", "db=db0"], after["redis_db_keys", "db=db3"]) == (20, 1)
        assert (after["redis_db_keys", "db=db1"], before["redis_db_keys", "db=db0"]) == (0, 0)
        assert after["redis_db_keys_expiring", "db=db0"] == 20
        # The server estimates it from time to time.
        assert 0 <= after["redis_db_avg_ttl_seconds", "db=db0"] <= 1_000
        assert after["redis_memory_used_bytes",] > 500_000
        assert watched.status.health is TargetHealth.UP
        # One connection for all looks.
        assert after["redis_connections_received_total",] - before["redis_connections_received_total",] == 1


async def test_evictions_slow_commands_and_latency(tmp_path):
    port = free_port()
    options = (
        *("--maxmemory", "3mb", "--maxmemory-policy", "allkeys-lru", "--slowlog-log-slower-than", "20000"),
        *("--latency-monitor-threshold", "20", "--enable-debug-command", "yes"),
    )
    with running_server(command(tmp_path, port, *options), port):
        async with Watched(f"{{url: 'redis://127.0.0.1:{port}'}}") as watched, Redis(port=port) as client:
            for number in range(300):
                await client.set(f"key{number}", "x" * 20_000)
            await client.execute_command("DEBUG", "SLEEP", "0.05")
            before = await watched.look()
            with pytest.raises(Exception, match="unknown command"):
                await client.execute_command("NONSENSE")
            found = await watched.look()
    assert found["redis_evicted_keys_total",] > 100
    assert found["redis_memory_max_bytes",] == found["redis_config_maxmemory",] == 3 * 1024 * 1024
    assert found["redis_slowlog_length",] == 1
    assert 0.05 <= found["redis_last_slow_execution_duration_seconds",] < 1
    assert 0.05 <= found["redis_latency_spike_duration_seconds", "event_name=command"] < 1
    assert found["redis_latency_spike_last", "event_name=command"] > 1_700_000_000
    # One for the client's mistake, none for our looks.
    assert found["redis_errors_total", "err=ERR"] - before.get(("redis_errors_total", "err=ERR"), 0) == 1


async def test_a_replica_and_its_lag(tmp_path, port):
    second = free_port()
    folder = tmp_path / "second"
    folder.mkdir()
    replica = command(folder, second, "--replicaof", "127.0.0.1", port)
    # Without a pause for more replicas to come.
    async with Redis(port=port) as client:
        await client.config_set("repl-diskless-sync-delay", 0)
        with running_server(replica, second):
            async with asyncio.timeout(30), Redis(port=second) as other:
                while (await other.info("replication"))["master_link_status"] != "up":  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            async with (
                Watched(f"{{url: 'redis://127.0.0.1:{port}'}}") as first,
                Watched(f"{{url: 'redis://127.0.0.1:{second}'}}") as follower,
            ):
                found = await first.look()
                [lag] = [value for key, value in found.items() if key[0] == "redis_connected_slave_lag_seconds"]
                assert (lag, found["redis_connected_slaves",]) in ((0, 1), (1, 1))
                found = await follower.look()
                master = ("master_host=127.0.0.1", f"master_port={port}")
                assert found["redis_master_link_up", *master] == 1
                assert found["redis_slave_repl_offset", *master] >= 0


def without_reason(values):
    """The series without the one that says why, which has to be there."""
    [reason] = [key for key in values if key[0] == "target_failure_info"]
    assert "Sesame" not in reason[1]
    return {key: value for key, value in values.items() if key != reason}


async def test_passwords_and_permissions(tmp_path):
    port = free_port()
    users = tmp_path / "users.acl"
    users.write_text(
        "user default on >Open-Sesame ~* +@all\n"
        "user watcher on >Few-Rights ~none +info\n"
        "user blind on >No-Rights ~none +ping\n"
    )
    with running_server(command(tmp_path, port, "--aclfile", users), port):
        url = f"url: 'redis://127.0.0.1:{port}'"
        for entry, words in (
            (f"{{{url}}}", "authentication required"),
            (f"{{{url}, password: Wrong-Sesame}}", "invalid username-password"),
            (f"{{{url}, username: blind, password: No-Rights}}", "no permissions"),
        ):
            async with Watched(entry) as watched:
                assert without_reason(await watched.look()) == {("up",): 0.0, ("redis_up",): 0.0}
                assert words in watched.status.error.lower()
                assert "Sesame" not in watched.status.error + repr(watched.loop.__dict__)
        async with Watched(f"{{{url}, password: '${{PASSWORD}}'}}", {"PASSWORD": "Open-Sesame"}) as watched:
            found = await watched.look()
            assert (watched.status.error, found["redis_up",]) == ("", 1.0)
            assert found["redis_config_io_threads",] == 1
        # One who may only ask for INFO misses what the other commands say.
        async with Watched(f"{{{url}, username: watcher, password: Few-Rights}}") as watched:
            found = await watched.look()
            assert (watched.status.error, found["redis_up",]) == ("", 1.0)
            assert found["redis_memory_used_bytes",] > 0
            assert ("redis_config_io_threads",) not in found
            assert ("redis_slowlog_length",) not in found


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            *(tool("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "key.pem"),
            *("-out", folder / "cert.pem", "-days", "9", "-subj", "/CN=redis"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    return folder


async def test_tls(tmp_path, certificate):
    port = free_port()
    options = (
        *("--port", 0, "--tls-port", port, "--tls-cert-file", certificate / "cert.pem"),
        *("--tls-key-file", certificate / "key.pem", "--tls-ca-cert-file", certificate / "cert.pem"),
    )
    url = f"url: 'rediss://127.0.0.1:{port}'"
    keys = f"cert_file: '{certificate}/cert.pem', key_file: '{certificate}/key.pem'"
    with running_server(command(tmp_path, port, *options), port):
        async with Watched(f"{{{url}, {keys}, ca_file: '{certificate}/cert.pem'}}") as watched:
            assert ((await watched.look())["redis_up",], watched.status.error) == (1.0, "")
        async with Watched(f"{{{url}, {keys}, verify_certificate: false}}") as watched:
            assert ((await watched.look())["redis_up",], watched.status.error) == (1.0, "")
        async with Watched(f"{{{url}, {keys}}}") as watched:
            assert (await watched.look())["redis_up",] == 0.0
            assert "the certificate is not trusted" in watched.status.error


async def test_a_socket(tmp_path):
    port, path = free_port(), tmp_path / "s"
    with running_server(command(tmp_path, port, "--unixsocket", path), port):
        async with Watched(f"{{url: 'unix://{path}'}}") as watched:
            assert (await watched.look())["redis_up",] == 1.0
            assert watched.status.labels["instance"] == str(path)


async def test_a_server_that_goes_and_comes_back(tmp_path):
    port = free_port()
    async with Watched(f"{{url: 'redis://127.0.0.1:{port}'}}") as watched:
        assert without_reason(await watched.look()) == {("up",): 0.0, ("redis_up",): 0.0}
        assert watched.status.error == "connection refused: nothing listens there"
        with running_server(command(tmp_path, port), port):
            assert (await watched.look())["redis_up",] == 1.0
        assert (await watched.look())["redis_up",] == 0.0
        assert watched.status.health is TargetHealth.DOWN
        with running_server(command(tmp_path, port), port):
            assert (await watched.look())["redis_up",] == 1.0


async def test_a_server_that_hangs_is_given_up():
    async def silent(reader, writer):
        await reader.read(1)
        await asyncio.sleep(5)

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with Watched(f"{{url: 'redis://127.0.0.1:{port}', timeout: 200ms}}") as watched:
        assert (await watched.look())["redis_up",] == 0.0
        assert watched.status.error == "no answer within 0.2 s"
    server.close()


@requires_tool("prometheus-redis-exporter")
async def test_names_types_and_values_are_those_of_the_exporter(port):
    async with Redis(port=port) as client:
        await client.set("a", "b", ex=1_000)
        with pytest.raises(Exception, match="wrong kind"):
            await client.lpush("a", "c")
    listen = free_port()
    exporter = [
        *(find_tool("prometheus-redis-exporter"), "-redis.addr", f"redis://127.0.0.1:{port}"),
        *("-web.listen-address", f"127.0.0.1:{listen}"),
    ]
    with running_server(exporter, listen):
        async with httpx.AsyncClient(trust_env=False) as client:
            text = (await client.get(f"http://127.0.0.1:{listen}/metrics")).text
    async with Watched(f"{{url: 'redis://127.0.0.1:{port}'}}") as watched:
        ours = await watched.look()
    own = re.compile(r"redis_(exporter_|target_scrape|last_key_groups)")
    theirs = {
        (name, *sorted(re.findall(r'(\w+="[^"]*")', labels))): float(value)
        for name, labels, value in re.findall(r"^(redis_\w+)(?:\{(.*)\})? (\S+)$", text, re.MULTILINE)
        if not own.match(name)
    }
    ours = {
        (key[0], *sorted(f'{name}="{value}"' for name, _, value in (part.partition("=") for part in key[1:]))): value
        for key, value in ours.items()
        if key != ("up",)
    }
    # The exporter's own commands are counted after it has looked; it asks for more of them than we do.
    asked = re.compile(r'cmd="(client\|setname|client\|setinfo|hello|slowlog\|\w+|latency\|\w+|config\|\w+|info)"')
    # It never says average times of empty databases, nor do we.
    assert {key for key in ours if not asked.search(str(key))} == {key for key in theirs if not asked.search(str(key))}
    for key, value in theirs.items():
        name = key[0]
        if key in ours and re.search(r"db_keys|errors|maxmem|max_bytes|aof|rdb_last_bg|repl|info|start_time", name):
            assert ours[key] == pytest.approx(value, abs=1.0), key
    types = dict(re.findall(r"^# TYPE (redis_\w+) (\w+)$", text, re.MULTILINE))
    described = {one.name: one.type.value for one in METADATA}
    assert {name: described.get(name) for name in types if not own.match(name)} == {
        name: kind for name, kind in types.items() if not own.match(name)
    }
