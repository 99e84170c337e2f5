"""Messages to people: queued in the transaction that decided them, delivered at least once."""
