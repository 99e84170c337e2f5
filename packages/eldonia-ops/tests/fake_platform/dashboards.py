"""Dashboards in memory, and those that ship."""

from dataclasses import replace

from eldonia_ops.dashboards.provided import ProvidedDashboards
from eldonia_ops.model.stored_dashboard import DashboardHead, DashboardVersion
from eldonia_ops.protocols.shipped_dashboards import shipped_dashboards

EXAMPLE = DashboardVersion(
    "shop",
    1,
    '{"uid":"shop","title":"Shop","panels":[{"id":1,"type":"timeseries","grid":{"x":0,"y":0,"w":12,"h":8},'
    '"title":"Requests","queries":[{"ref":"A","language":"promql","expr":"up"}]}]}',
    "Shop",
    1_000,
    "alice",
    "",
)


def fake_dashboard_files() -> ProvidedDashboards:
    return ProvidedDashboards(shipped_dashboards())


class FakeDashboards:
    """See :class:`~eldonia_ops.ports.DashboardRepository`."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[int, DashboardVersion]] = {}
        self.newest: dict[str, DashboardHead] = {}
        self.starred: set[tuple[str, str]] = set()
        self.put(EXAMPLE)

    def put(self, version: DashboardVersion) -> None:
        self.rows.setdefault(version.uid, {})[version.version] = version
        self.newest[version.uid] = DashboardHead(version.uid, version.version, 0, "")

    def heads(self) -> list[DashboardHead]:
        return [self.newest[uid] for uid in sorted(self.newest)]

    def head(self, uid: str) -> DashboardHead | None:
        return self.newest.get(uid)

    def version(self, uid: str, version: int) -> DashboardVersion | None:
        return self.rows.get(uid, {}).get(version)

    def versions(self, uid: str) -> list[DashboardVersion]:
        return [replace(self.rows[uid][one], document="") for one in sorted(self.rows.get(uid, {}), reverse=True)]

    def delete(self, uid: str, at: int, by: str) -> None:
        if uid in self.newest:
            self.newest[uid] = replace(self.newest[uid], deleted_at=at, deleted_by=by)

    def keep_newest(self, uid: str, count: int) -> None:
        for one in sorted(self.rows.get(uid, {}), reverse=True)[count:]:
            del self.rows[uid][one]

    def forget(self, uid: str) -> None:
        self.rows.pop(uid, None)
        self.newest.pop(uid, None)

    def star(self, who: str, uid: str, on: bool) -> None:
        self.starred.discard((who, uid))
        if on:
            self.starred.add((who, uid))

    def stars(self, who: str) -> set[str]:
        return {uid for one, uid in self.starred if one == who}
