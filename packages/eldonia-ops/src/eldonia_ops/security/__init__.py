"""Security events, windows per type and source, findings."""
