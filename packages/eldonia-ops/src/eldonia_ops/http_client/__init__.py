"""HTTP as notifiers and scrapes speak it: ``http_config`` as a whole, secrets, connections, failure classes."""
