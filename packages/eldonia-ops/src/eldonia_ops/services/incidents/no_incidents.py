"""The router without incidents: what it asks of them is answered with none."""

from collections.abc import Iterable, Mapping, Sequence

from eldonia_ops.incidents.correlation import Unclosed
from eldonia_ops.incidents.events import Evidence, RecoveryEvent
from eldonia_ops.model.alerts import Alert, Outgoing
from eldonia_ops.ports import StateTransaction
from eldonia_ops.services.incidents.reference_cache import Known
from eldonia_ops.services.incidents.transactions import AlertChange


class NoIncidents:
    """Takes the place of :class:`~eldonia_ops.services.incidents.transactions.IncidentTransactions`: alerts open
    nothing, and messages name no incident."""

    def alerts_changed(self, tx: StateTransaction, changes: Iterable[AlertChange], now: int) -> None:
        """Nothing opens, nothing resolves."""

    def unclosed(
        self, tx: StateTransaction, now: int, alerts: Iterable[Alert] | None = None, *, opening: bool = False
    ) -> Unclosed:
        """None."""
        return Unclosed()

    def references(self, tx: StateTransaction, alerts: Mapping[str, Alert], now: int, read: tuple[int, Known]) -> Known:
        """No alert has one."""
        return dict.fromkeys(alerts)

    def known_references(self) -> tuple[int, Known]:
        """Nothing is known."""
        return 0, {}

    def queued(self, tx: StateTransaction, items: Sequence[tuple[Outgoing, str]], unclosed: Unclosed, now: int) -> None:
        """No timeline lists them."""

    def notifications(self, tx: StateTransaction, items: Sequence[tuple[Outgoing, str, str]], now: int) -> None:
        """No timeline lists what became of them."""

    def evidence(self, tx: StateTransaction, items: Sequence[tuple[Alert, Evidence]], now: int) -> None:
        """No timeline takes it."""

    def service_evidence(self, tx: StateTransaction, service: str, event: RecoveryEvent, now: int) -> None:
        """No timeline takes it."""
