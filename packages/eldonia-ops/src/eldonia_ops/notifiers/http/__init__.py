"""HTTP as every notifier speaks it: ``http_config`` as a whole, secrets, connections, failure classes."""
