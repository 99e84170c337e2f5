"""Telemetry in ClickHouse: embedded (chDB) or a server, the same SQL."""
