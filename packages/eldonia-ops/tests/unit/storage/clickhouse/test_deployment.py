"""Statements of migrations on one server, on replicas and on shards."""

import pytest

from eldonia_ops.storage.clickhouse.deployment import ON_EVERY_NODE, SHARDING_KEYS, SINGLE, Deployment, DeploymentKind
from eldonia_ops.storage.clickhouse.schema import _VERSIONS, MIGRATIONS

STATEMENTS = [_VERSIONS, *(statement for statements in MIGRATIONS for statement in statements)]
REPLICATED = Deployment(DeploymentKind.REPLICATED)
CLUSTER = Deployment(DeploymentKind.REPLICATED, "ops")
DISTRIBUTED = Deployment(DeploymentKind.DISTRIBUTED, "ops")


def test_one_server_runs_them_as_they_are_written() -> None:
    assert [SINGLE.translated(statement) for statement in STATEMENTS] == [[statement] for statement in STATEMENTS]


@pytest.mark.parametrize("deployment", [REPLICATED, CLUSTER, DISTRIBUTED])
def test_every_statement_that_defines_something_reaches_every_node(deployment: Deployment) -> None:
    for statement in STATEMENTS:
        for translated in deployment.translated(statement):
            if translated.lstrip().startswith("INSERT"):
                continue
            assert ("ON CLUSTER `ops`" in translated) is bool(deployment.cluster)
            if "ENGINE = " in translated and "ENGINE = Distributed" not in translated:
                assert "ENGINE = Replicated" in translated
            assert "non_replicated" not in translated


def test_tables_of_replicas() -> None:
    [created] = CLUSTER.translated("CREATE TABLE IF NOT EXISTS t (a Int8) ENGINE = MergeTree ORDER BY a")
    assert created == (
        "CREATE TABLE IF NOT EXISTS t ON CLUSTER `ops` (a Int8) "
        "ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/t', '{replica}') ORDER BY a"
    )
    [created] = REPLICATED.translated("CREATE TABLE IF NOT EXISTS t (a Int8) ENGINE = ReplacingMergeTree(a) ORDER BY a")
    assert "ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/t', '{replica}', a)" in created
    assert CLUSTER.system("parts") == "system.parts"


def test_tables_of_shards() -> None:
    local, asked = DISTRIBUTED.translated("CREATE TABLE IF NOT EXISTS spans (a Int8) ENGINE = MergeTree ORDER BY a")
    assert local.startswith("CREATE TABLE IF NOT EXISTS spans_local ON CLUSTER `ops` (a Int8) ENGINE = Replicated")
    assert asked == (
        "CREATE TABLE IF NOT EXISTS spans ON CLUSTER `ops` AS spans_local "
        "ENGINE = Distributed('ops', currentDatabase(), 'spans_local', cityHash64(trace_id))"
    )
    assert DISTRIBUTED.translated("ALTER TABLE logs MODIFY TTL x") == [
        "ALTER TABLE logs_local ON CLUSTER `ops` MODIFY TTL x"
    ]
    assert DISTRIBUTED.system("parts") == "cluster('ops', system.parts)"
    assert (DISTRIBUTED.named("logs_local"), CLUSTER.named("x_local")) == ("logs", "x_local")


def test_what_every_node_holds_is_one_set_of_replicas() -> None:
    [created] = DISTRIBUTED.translated(_VERSIONS)
    assert "CREATE TABLE IF NOT EXISTS schema_versions ON CLUSTER `ops`" in created
    assert "ReplicatedMergeTree('/clickhouse/tables/{database}/schema_versions', '{shard}-{replica}')" in created


def test_every_table_has_a_sharding_key() -> None:
    created = {statement.split("(")[0].split()[-1] for statement in STATEMENTS if "CREATE TABLE" in statement}
    assert created == {*SHARDING_KEYS, *ON_EVERY_NODE}


@pytest.mark.parametrize(
    ("kind", "cluster", "reason"),
    [
        (DeploymentKind.DISTRIBUTED, "", "needs the name"),
        (DeploymentKind.SINGLE, "ops", "has no cluster"),
        (DeploymentKind.REPLICATED, "a`b", "not the name"),
        (DeploymentKind.REPLICATED, "a b", "not the name"),
    ],
)
def test_a_deployment_that_cannot_be(kind: DeploymentKind, cluster: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Deployment(kind, cluster)


@pytest.mark.parametrize("statement", ["DROP TABLE logs", "CREATE TABLE IF NOT EXISTS logs (a Int8) ENGINE = Log"])
def test_a_statement_that_cannot_be_translated_is_refused(statement: str) -> None:
    with pytest.raises(ValueError, match=r"creates, alters or inserts|no engine"):
        CLUSTER.translated(statement)
