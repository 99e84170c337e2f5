"""The present of the fake platform, and units of milliseconds."""

NOW = 1_795_459_505_387
MINUTE = 60_000
HOUR = 60 * MINUTE
MS = 1_000_000
