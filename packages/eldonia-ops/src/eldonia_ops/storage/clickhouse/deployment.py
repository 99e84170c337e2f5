"""Table engines by deployment: one server, replicas of one, or shards with replicas.

Migrations are written for one server. Here each of their statements is translated for the deployment:

* ``single``: as it is written.
* ``replicated``: the tables are Replicated*MergeTree, which need ClickHouse Keeper and the macros ``shard`` and
  ``replica``; statements that define tables run on the whole cluster when one is named.
* ``distributed``: the same tables are called ``<name>_local``, and ``<name>`` is a Distributed table over those of all
  shards. Rows that belong together share a shard: a trace, a series, the lines of a file.

Sources: https://clickhouse.com/docs/engines/table-engines/mergetree-family/replication,
https://clickhouse.com/docs/engines/table-engines/special/distributed
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SHARDING_KEYS: Final = {
    # Not the id: a batch that is stored again after a failure has other ids, and has to reach the same shards, which
    # recognise it by its token.
    "logs": "cityHash64(source, offset, timestamp)",
    "spans": "cityHash64(trace_id)",
    "samples": "series",
    "histograms": "series",
    "sample_starts": "series",
    "series": "id",
    "log_patterns": "cityHash64(id)",
    "metric_metadata": "cityHash64(name)",
}
"""By which expression the rows of each table are spread over shards."""

ON_EVERY_NODE: Final = frozenset({"schema_versions"})
"""Small tables that all nodes of a cluster hold alike."""

_CREATE: Final = re.compile(r"\s*CREATE TABLE IF NOT EXISTS (\w+)")
_ALTER: Final = re.compile(r"\s*ALTER TABLE (\w+)")
_NEW_COLUMN: Final = re.compile(r"\s*ADD COLUMN\b")
_ENGINE: Final = re.compile(r"\bENGINE = (Replacing)?MergeTree(?:\((\w+)\))?")
_CLUSTER_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")


class DeploymentKind(StrEnum):
    """How the tables are spread."""

    SINGLE = "single"
    REPLICATED = "replicated"
    DISTRIBUTED = "distributed"


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where the tables are. ``cluster`` is its name in the servers' configuration.

    Raises:
        ValueError: a distributed deployment has no cluster, or its name has other characters than letters, digits
            and ``_.-``.
    """

    kind: DeploymentKind = DeploymentKind.SINGLE
    cluster: str = ""

    def __post_init__(self) -> None:
        if self.cluster and not _CLUSTER_NAME.fullmatch(self.cluster):
            raise ValueError(f"not the name of a cluster: {self.cluster!r}")
        if self.kind is DeploymentKind.DISTRIBUTED and not self.cluster:
            raise ValueError("a distributed deployment needs the name of its cluster")
        if self.kind is DeploymentKind.SINGLE and self.cluster:
            raise ValueError("a single server has no cluster")

    def stored(self, table: str) -> str:
        """The table that holds the rows on each node."""
        if self.kind is DeploymentKind.DISTRIBUTED and table not in ON_EVERY_NODE:
            return f"{table}_local"
        return table

    def deletable(self, table: str) -> str:
        """The table as a statement names it that deletes rows, on all nodes that hold some."""
        return f"{self.stored(table)}{self._on_cluster}"

    def named(self, stored: str) -> str:
        """The table that is asked, by the one that holds the rows."""
        return stored.removesuffix("_local") if self.kind is DeploymentKind.DISTRIBUTED else stored

    def translated(self, statement: str) -> list[str]:
        """A statement of a migration, for this deployment.

        Raises:
            ValueError: the statement is of a kind that cannot be translated.
        """
        if self.kind is DeploymentKind.SINGLE:
            return [statement]
        if created := _CREATE.match(statement):
            return self._created(statement, created)
        if altered := _ALTER.match(statement):
            stored, rest = self.stored(altered[1]), statement[altered.end() :]
            # The table that is asked has the columns, too, but neither their codecs nor indexes or settings.
            tables = [stored, altered[1]] if stored != altered[1] and _NEW_COLUMN.match(rest) else [stored]
            return [f"ALTER TABLE {table}{self._on_cluster}{rest}" for table in tables]
        if statement.lstrip().startswith("INSERT INTO"):
            return [statement]  # through the tables that are asked
        raise ValueError(f"a migration for clusters creates, alters or inserts: {statement.strip()[:80]}")

    def system(self, table: str) -> str:
        """A system table of all nodes that hold different rows: of each shard one replica."""
        if self.kind is DeploymentKind.DISTRIBUTED:
            return f"cluster('{self.cluster}', system.{table})"
        return f"system.{table}"

    @property
    def _on_cluster(self) -> str:
        return f" ON CLUSTER `{self.cluster}`" if self.cluster else ""

    def _created(self, statement: str, created: re.Match[str]) -> list[str]:
        name = created[1]
        stored = self.stored(name)
        rest = statement[created.end() :].replace("non_replicated_deduplication", "replicated_deduplication")
        rest, engines = _ENGINE.subn(lambda found: self._engine(stored, found), rest)
        if engines != 1:
            raise ValueError(f"table {name} has no engine that can be replicated")
        found = [f"CREATE TABLE IF NOT EXISTS {stored}{self._on_cluster}{rest}"]
        if stored != name:
            found.append(
                f"CREATE TABLE IF NOT EXISTS {name}{self._on_cluster} AS {stored} "
                f"ENGINE = Distributed('{self.cluster}', currentDatabase(), '{stored}', {SHARDING_KEYS[name]})"
            )
        return found

    def _engine(self, stored: str, found: re.Match[str]) -> str:
        # Of what all nodes hold alike the shards are replicas of each other, too.
        everywhere = stored in ON_EVERY_NODE
        path = f"/clickhouse/tables/{'' if everywhere else '{shard}/'}{{database}}/{stored}"
        replica = "{shard}-{replica}" if everywhere else "{replica}"
        version = f", {found[2]}" if found[2] else ""
        return f"ENGINE = Replicated{found[1] or ''}MergeTree('{path}', '{replica}'{version})"


SINGLE: Final = Deployment()
