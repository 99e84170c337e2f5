"""One SQL transaction and its repositories."""

from sqlalchemy import Connection

from eldonia_ops.storage.state.accounts import SqlAccounts, SqlSessions
from eldonia_ops.storage.state.alert_groups import SqlAlertGroups
from eldonia_ops.storage.state.alert_inbox import SqlAlertInbox
from eldonia_ops.storage.state.alerts import SqlAlerts
from eldonia_ops.storage.state.audit import SqlAudit
from eldonia_ops.storage.state.changes import SqlChanges
from eldonia_ops.storage.state.committed import Committed
from eldonia_ops.storage.state.dashboards import SqlDashboards
from eldonia_ops.storage.state.findings import SqlFindings
from eldonia_ops.storage.state.incidents import SqlIncidents
from eldonia_ops.storage.state.index_catalog import SqlIndexCatalog
from eldonia_ops.storage.state.ledger import SqlLedger
from eldonia_ops.storage.state.machines import SqlMachines
from eldonia_ops.storage.state.outbox import SqlOutbox
from eldonia_ops.storage.state.positions import SqlPositions
from eldonia_ops.storage.state.rows import MOST_ROWS
from eldonia_ops.storage.state.saved_searches import SqlSavedSearches
from eldonia_ops.storage.state.silences import SqlSilences
from eldonia_ops.storage.state.timeline import SqlTimeline
from eldonia_ops.storage.state.tokens import SqlTokens


class SqlTransaction:
    """See :class:`~eldonia_ops.ports.StateTransaction`. Valid only inside the function it is handed to."""

    def __init__(self, connection: Connection, committed: Committed, *, writes: bool) -> None:
        self.alerts = SqlAlerts(connection, committed.alerts, writes=writes)
        self.groups = SqlAlertGroups(connection)
        self.inbox = SqlAlertInbox(connection)
        self.machines = SqlMachines(connection)
        self.outbox = SqlOutbox(connection, committed.messages)
        self.ledger = SqlLedger(connection)
        self.silences = SqlSilences(connection)
        self.incidents = SqlIncidents(connection, committed.incidents)
        self.timeline = SqlTimeline(connection)
        self.findings = SqlFindings(connection)
        self.positions = SqlPositions(connection)
        self.tokens = SqlTokens(connection)
        self.accounts = SqlAccounts(connection)
        self.sessions = SqlSessions(connection)
        self.saved_searches = SqlSavedSearches(connection)
        self.index_catalog = SqlIndexCatalog(connection)
        self.changes = SqlChanges(connection)
        self.audit = SqlAudit(connection)
        self.dashboards = SqlDashboards(connection)

    def committed(self) -> None:
        """The transaction has been committed: what it wrote is what others may know."""
        self.alerts.committed()
        self.incidents.committed()
        self.outbox.committed()

    def purge(self, before: int, limit: int = MOST_ROWS) -> dict[str, int]:
        """Drop what is finished and older than ``before``, at most ``limit`` rows of each table.

        Call it again while any count equals the limit: short transactions keep other writers going.
        """
        return {
            "outbox": self.outbox.purge(before, limit),
            "ledger": self.ledger.purge(before, limit),
            "silences": self.silences.purge(before, limit),
            "timeline": self.timeline.purge(before, limit),
            "findings": self.findings.purge(before, limit),
            "tokens": self.tokens.purge(before, limit),
            "changes": self.changes.purge(before, limit),
            "audit": self.audit.purge(before, limit),
            "account_links": self.accounts.purge(before, limit),
        }
