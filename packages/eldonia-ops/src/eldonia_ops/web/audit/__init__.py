"""The audit log at the gate: every request that changes something is noted, with what it changed."""
