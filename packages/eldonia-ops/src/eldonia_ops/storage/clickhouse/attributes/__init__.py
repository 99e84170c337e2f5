"""Free-form attributes of log records and spans: stored, made again, and asked for in SQL."""
