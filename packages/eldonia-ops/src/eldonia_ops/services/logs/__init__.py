"""What is done with log records: searches, patterns, rules, metrics, retention, erasure."""
