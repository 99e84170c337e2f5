"""Messages to one person: somebody mentions them in a note, or assigns an incident to them.

They go through the receiver that the person named in their preferences, in the transaction of what they are about, and
by the same outbox as every other message.
"""

from typing import Final

from eldonia_ops.incidents.correlation import Unclosed
from eldonia_ops.incidents.mentions import mentioned
from eldonia_ops.model.access import Account
from eldonia_ops.model.incidents import Incident
from eldonia_ops.notifiers.message import Message
from eldonia_ops.ports import StateTransaction
from eldonia_ops.services.incidents.transactions import IncidentTransactions
from eldonia_ops.services.messages.notification_queue import NotificationQueue

_MOST_PEOPLE: Final = 50
"""How many people one note can notify."""

_MENTIONED: Final = {
    "en": "{actor} mentions you on {reference} {title}",
    "ja": "{actor} があなたに言及しました: {reference} {title}",
}
_ASSIGNED: Final = {
    "en": "{actor} assigned {reference} {title} to you",
    "ja": "{actor} があなたを担当者にしました: {reference} {title}",
}


class PersonalNotifications:
    """Queues messages to people. Who caused one is not notified of it, and a disabled account never."""

    def __init__(self, queue: NotificationQueue, transactions: IncidentTransactions) -> None:
        self._queue = queue
        self._transactions = transactions

    def mentioned(self, tx: StateTransaction, incident: Incident, actor: str, text: str, now: int) -> None:
        """A note mentions people."""
        names = mentioned(text)[:_MOST_PEOPLE]
        for account in (tx.accounts.by_name(name) for name in names):
            self._notify(tx, incident, account, actor, now, _MENTIONED, text.strip())

    def assigned(self, tx: StateTransaction, incident: Incident, actor: str, now: int) -> None:
        """An incident was assigned."""
        account = tx.accounts.by_name(incident.assigned_to)
        self._notify(tx, incident, account, actor, now, _ASSIGNED, incident.description)

    def _notify(
        self,
        tx: StateTransaction,
        incident: Incident,
        account: Account | None,
        actor: str,
        now: int,
        titles: dict[str, str],
        text: str,
    ) -> None:
        if account is None or account.disabled or account.name == actor or not account.preferences.receiver:
            return
        language = account.preferences.language or self._queue.language
        title = titles[language].format(actor=actor, reference=incident.reference, title=incident.title)
        key = f"personal:{incident.id}:{account.id}:{now}:{title}"
        message = Message(title, text, incident.severity.value, self._queue.links(incident), key)
        queued = self._queue.personal(tx, incident, account.preferences.receiver, message, now)
        self._transactions.queued(tx, [(one, "for one person") for one in queued], Unclosed([incident]), now)
