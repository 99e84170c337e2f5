import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.collectors.redis.info import info_readings, parse_info
from eldonia_ops.collectors.redis.names import COMMANDS, COUNTERS, DATABASES, GAUGES, METADATA, OF_MASTER

TEXT = """# Server\r
redis_version:7.0.15\r
os:Linux 6.1 x86_64\r
process_id:17\r
server_time_usec:1795968138600733\r
uptime_in_seconds:2\r
\r
# Memory\r
used_memory:1114112\r
used_memory_human:1.06M\r
maxmemory:0\r
maxmemory_policy:noeviction\r
# Persistence\r
rdb_last_bgsave_status:ok\r
aof_last_write_status:err\r
# Stats\r
evicted_keys:7\r
latest_fork_usec:1500\r
# Replication\r
role:master\r
connected_slaves:1\r
slave0:ip=10.0.0.2,port=6379,state=online,offset=58,lag=1\r
# Commandstats\r
cmdstat_get:calls=4,usec=20,usec_per_call=5.00,rejected_calls=1,failed_calls=2\r
cmdstat_client|setname:calls=1,usec=3\r
# Errorstats\r
errorstat_WRONGTYPE:count=3\r
# Latencystats\r
latency_percentiles_usec_get:p50=4.015,p99.9=9.023\r
# Keyspace\r
db0:keys=2,expires=1,avg_ttl=999489\r
db3:keys=1,expires=0,avg_ttl=0,subexpiry=0\r
"""


def readings(text, now=0.0, databases=0):
    found = info_readings(parse_info(text), now, databases)
    return {(name, *labels.values()): value for name, labels, value in found}


def test_what_a_server_says():
    found = readings(TEXT)
    assert found == {
        ("redis_process_id",): 17,
        ("redis_uptime_in_seconds",): 2,
        ("redis_start_time_seconds",): 1_795_968_136,
        ("redis_memory_used_bytes",): 1_114_112,
        ("redis_memory_max_bytes",): 0,
        ("redis_rdb_last_bgsave_status",): 1,
        ("redis_aof_last_write_status",): 0,
        ("redis_evicted_keys_total",): 7,
        ("redis_latest_fork_seconds",): 0.0015,
        ("redis_connected_slaves",): 1,
        ("redis_connected_slave_offset_bytes", "10.0.0.2", "6379", "online"): 58,
        ("redis_connected_slave_lag_seconds", "10.0.0.2", "6379", "online"): 1,
        ("redis_commands_total", "get"): 4,
        ("redis_commands_duration_seconds_total", "get"): pytest.approx(0.00002),
        ("redis_commands_rejected_calls_total", "get"): 1,
        ("redis_commands_failed_calls_total", "get"): 2,
        ("redis_commands_total", "client|setname"): 1,
        ("redis_commands_duration_seconds_total", "client|setname"): pytest.approx(0.000003),
        ("redis_errors_total", "WRONGTYPE"): 3,
        ("redis_latency_percentiles_usec", "get", "50"): 4.015,
        ("redis_latency_percentiles_usec", "get", "99.9"): 9.023,
        ("redis_latency_percentiles_usec_sum", "get"): 20,
        ("redis_latency_percentiles_usec_count", "get"): 4,
        ("redis_db_keys", "db0"): 2,
        ("redis_db_keys_expiring", "db0"): 1,
        ("redis_db_avg_ttl_seconds", "db0"): pytest.approx(999.489),
        ("redis_db_keys", "db3"): 1,
        ("redis_db_keys_expiring", "db3"): 0,
        ("redis_db_avg_ttl_seconds", "db3"): 0,
        ("redis_instance_info", "master", "7.0.15", "Linux 6.1 x86_64", "noeviction", "17"): 1,
    }


def test_databases_without_keys_have_none():
    found = readings(TEXT, databases=4)
    assert [found["redis_db_keys", f"db{number}"] for number in range(4)] == [2, 0, 0, 1]
    assert ("redis_db_avg_ttl_seconds", "db1") not in found


def test_a_replica():
    found = readings(
        "role:slave\nmaster_host:db\nmaster_port:6379\nmaster_link_status:down\nmaster_last_io_seconds_ago:-1\n"
        "slave_repl_offset:12\nslave_priority:100\nslave_read_only:1\n"
    )
    assert found["redis_master_link_up", "db", "6379"] == 0
    assert found["redis_master_last_io_seconds_ago", "db", "6379"] == -1
    assert found["redis_slave_repl_offset", "db", "6379"] == 12
    assert found["redis_slave_info", "db", "6379", "1"] == 1
    assert found["redis_slave_priority",] == 100


def test_an_old_server_does_not_say_its_time():
    assert readings("uptime_in_seconds:10", now=1_000.7)["redis_start_time_seconds",] == 990


def test_what_clients_can_make_up_is_bounded():
    found = readings("".join(f"errorstat_E{number}:count=1\n" for number in range(5_000)))
    assert len(found) == 1_000


@given(st.text(max_size=200))
def test_whatever_comes_is_read(text):
    for body in (text, f"db0:{text}\nslave0:{text}\ncmdstat_x:{text}\nused_memory:{text}\nmaster_host:{text}"):
        for name, _, value in info_readings(parse_info(body), 0.0, 2):
            assert name.startswith("redis_")
            assert isinstance(value, float | int)


def test_each_metric_has_metadata_once():
    names = [one.name for one in METADATA]
    assert len(names) == len(set(names))
    tables = (GAUGES, COUNTERS, OF_MASTER, COMMANDS, DATABASES)
    assert {f"redis_{name}" for table in tables for name in table.values()} <= set(names)
