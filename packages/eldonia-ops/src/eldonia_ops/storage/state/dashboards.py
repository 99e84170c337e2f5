"""Dashboards and their versions."""

from sqlalchemy import Connection, delete, insert, select, update

from eldonia_ops.model.stored_dashboard import DashboardHead, DashboardVersion
from eldonia_ops.storage.state.rows import MOST_ROWS, all_made_of, made_of, upsert, values_of
from eldonia_ops.storage.state.tables import dashboard_stars, dashboard_versions, dashboards


class SqlDashboards:
    """See :class:`~eldonia_ops.ports.DashboardRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, version: DashboardVersion) -> None:
        """Store a version as the newest of its dashboard, which is not deleted any more."""
        self._connection.execute(insert(dashboard_versions), [values_of(version)])
        head = DashboardHead(version.uid, version.version, 0, "")
        upsert(self._connection, dashboards, [values_of(head)])

    def heads(self) -> list[DashboardHead]:
        """Which version is the newest, by uid."""
        query = select(dashboards).order_by(dashboards.c.uid).limit(MOST_ROWS)
        return all_made_of(DashboardHead, self._connection.execute(query).all())

    def head(self, uid: str) -> DashboardHead | None:
        """Which version of a dashboard is the newest."""
        query = select(dashboards).where(dashboards.c.uid == uid)
        return made_of(DashboardHead, self._connection.execute(query).one_or_none())

    def version(self, uid: str, version: int) -> DashboardVersion | None:
        """One version with its document."""
        query = select(dashboard_versions).where(
            dashboard_versions.c.uid == uid, dashboard_versions.c.version == version
        )
        return made_of(DashboardVersion, self._connection.execute(query).one_or_none())

    def versions(self, uid: str) -> list[DashboardVersion]:
        """The newest first, without their documents."""
        columns = [column for column in dashboard_versions.c if column.name != "document"]
        newest = dashboard_versions.c.version.desc()
        query = select(*columns).where(dashboard_versions.c.uid == uid).order_by(newest).limit(MOST_ROWS)
        rows = self._connection.execute(query).all()
        return [DashboardVersion(document="", **row._mapping) for row in rows]

    def delete(self, uid: str, at: int, by: str) -> None:
        """Mark as deleted."""
        change = update(dashboards).where(dashboards.c.uid == uid).values(deleted_at=at, deleted_by=by)
        self._connection.execute(change)

    def keep_newest(self, uid: str, count: int) -> None:
        """Drop all versions but the newest."""
        mine = dashboard_versions.c.uid == uid
        numbers = select(dashboard_versions.c.version).where(mine).order_by(dashboard_versions.c.version.desc())
        kept = self._connection.execute(numbers.limit(count)).scalars().all()
        if len(kept) == count:
            self._connection.execute(delete(dashboard_versions).where(mine, dashboard_versions.c.version < min(kept)))

    def forget(self, uid: str) -> None:
        """Drop a dashboard with its versions and stars."""
        for table in (dashboard_stars, dashboard_versions, dashboards):
            self._connection.execute(delete(table).where(table.c.uid == uid))

    def star(self, who: str, uid: str, on: bool) -> None:
        """Star a dashboard for somebody, or take the star away."""
        same = (dashboard_stars.c.who == who, dashboard_stars.c.uid == uid)
        self._connection.execute(delete(dashboard_stars).where(*same))
        if on:
            self._connection.execute(insert(dashboard_stars), [{"who": who, "uid": uid}])

    def stars(self, who: str) -> set[str]:
        """What somebody starred."""
        query = select(dashboard_stars.c.uid).where(dashboard_stars.c.who == who).limit(MOST_ROWS)
        return set(self._connection.execute(query).scalars())
