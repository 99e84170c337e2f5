"""Templates of log messages: mined by Drain at intake, and two ranges of time compared by them. Pure."""
