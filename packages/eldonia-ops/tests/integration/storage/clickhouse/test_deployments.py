"""ClickHouse's own parser takes every statement of every deployment."""

import pytest

from eldonia_ops.storage.clickhouse.deployment import Deployment, DeploymentKind
from eldonia_ops.storage.clickhouse.engines.engine import Engine
from eldonia_ops.storage.clickhouse.schema import _MATERIALIZED, _VERSIONS, MIGRATIONS, rows

ALTERED = f"ALTER TABLE logs MODIFY TTL timestamp + toIntervalDay(3) {_MATERIALIZED}"


@pytest.mark.parametrize(
    "deployment",
    [
        Deployment(),
        Deployment(DeploymentKind.REPLICATED),
        Deployment(DeploymentKind.REPLICATED, "my-cluster.1"),
        Deployment(DeploymentKind.DISTRIBUTED, "ops"),
    ],
    ids=["single", "replicated", "cluster", "distributed"],
)
async def test_every_statement_is_sql(engine: Engine, deployment: Deployment) -> None:
    written = [_VERSIONS, *(statement for statements in MIGRATIONS for statement in statements), ALTERED]
    for statement in (translated for one in written for translated in deployment.translated(one)):
        [formatted, *_] = await rows(engine, "SELECT formatQuery({sql:String}) AS sql", {"sql": statement})
        assert ("ON CLUSTER" in formatted["sql"]) is ("ON CLUSTER" in statement)
        if not statement.lstrip().startswith("INSERT"):
            tree = await engine.query(f"EXPLAIN AST {statement}", format="TSV")
            assert tree.split(maxsplit=1)[0] in (b"CreateQuery", b"AlterQuery")
