"""Which fields rows have, and their most frequent values: the same statements over logs and over spans."""

from collections.abc import Mapping
from dataclasses import dataclass

from eldonia_ops.model.conditions import MAX_VALUE, FieldName
from eldonia_ops.ports import FieldCount, ValueCount
from eldonia_ops.storage.clickhouse.attributes.conditions import ConditionColumns, field_of_path, value_sql
from eldonia_ops.storage.clickhouse.attributes.documents import clean
from eldonia_ops.storage.clickhouse.engines.engine import Engine, Parameter
from eldonia_ops.storage.clickhouse.schema import decode_rows


@dataclass(frozen=True, slots=True)
class FieldTable:
    """A table whose rows have fields: ``attributes`` is its column of JSON, rows are newer by the column ``time``."""

    name: str
    attributes: str
    time: str
    columns: ConditionColumns

    async def fields(
        self, engine: Engine, where: str, parameters: Mapping[str, Parameter], newest: int, limit: int
    ) -> list[FieldCount]:
        """The attributes of the newest rows for which a condition holds, the most frequent first."""
        sql = (
            "SELECT arrayJoin(JSONAllPaths(attributes)) AS path, count() AS count FROM "  # noqa: S608
            f"(SELECT {self.attributes} AS attributes FROM {self.name} WHERE {where} "
            f"ORDER BY {self.time} DESC LIMIT {{newest:UInt32}}) "
            "GROUP BY path ORDER BY count DESC, path LIMIT {limit:UInt32}"
        )
        found = decode_rows(await engine.query(sql, {**parameters, "newest": newest, "limit": limit}))
        return [FieldCount(field_of_path(row["path"], self.columns), row["count"]) for row in found]

    async def values(
        self,
        engine: Engine,
        where: str,
        parameters: dict[str, Parameter],
        name: FieldName,
        prefix: str,
        limit: int,
    ) -> list[ValueCount]:
        """The most frequent values of a field, of those that begin with a prefix in any case. ``parameters`` grow."""
        present, value = value_sql(name, self.columns, parameters, "f")
        if prefix:
            where += f" AND startsWith(lowerUTF8({value}), lowerUTF8({{prefix:String}}))"
            parameters["prefix"] = clean(prefix)
        sql = (
            f"SELECT {value} AS value, count() AS count FROM {self.name} WHERE {where} AND {present} "  # noqa: S608
            f"AND lengthUTF8(value) <= {MAX_VALUE} GROUP BY value ORDER BY count DESC, value LIMIT {{limit:UInt32}}"
        )
        found = decode_rows(await engine.query(sql, {**parameters, "limit": max(1, limit)}))
        return [ValueCount(row["value"], row["count"]) for row in found]
